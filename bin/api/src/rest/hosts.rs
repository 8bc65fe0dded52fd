//! The names by which the service may be asked for. A page in a browser can have its own name lead to this service's address
//! (DNS rebinding) and then counts as the service's own; what it cannot do is ask by another name than that.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::dev::ServiceRequest;
use actix_web::http::header;

use super::problem::{Problem, ProblemKind};
use super::tenant::HostPattern;
use crate::config::ServerConfig;

/// Takes whatever name there is.
const ANY: &str = "*";
/// This machine, whose name no resolver is asked for.
const LOCALHOST: &str = "localhost";

/// Which hosts are answered for. Ports have no say: it is the name that a rebound page cannot choose.
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    names: Vec<String>,
    pattern: Option<HostPattern>,
    listen: SocketAddr,
}

impl AllowedHosts {
    pub(crate) fn new(server: &ServerConfig) -> Self {
        let names = server.allowed_hosts.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { names, pattern: server.tenant_host.clone(), listen: server.listen }
    }

    /// What is wrong with the host that a request is for.
    ///
    /// # Errors
    /// `misdirected-request` (RFC 9110, section 15.5.20) for one that is not answered for; `malformed-request` for more than one.
    pub(crate) fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let mut lines = request.headers().get_all(header::HOST);
        let line = lines.next();
        if lines.next().is_some() {
            return Err(Problem::new(ProblemKind::MalformedRequest, "the header `Host` stands there more than once"));
        }
        let line = line.map(|line| line.to_str().unwrap_or("?"));
        // With a target in absolute form the host is part of the target (RFC 9112, section 3.2.2). No browser leaves both out.
        for host in [line, request.uri().host()].into_iter().flatten() {
            if !self.allow(host) {
                let shown: String = host.chars().filter(|character| !character.is_control()).take(80).collect();
                let detail = format!("the service does not answer for the host `{shown}`");
                return Err(Problem::new(ProblemKind::MisdirectedRequest, detail));
            }
        }
        Ok(())
    }

    fn allow(&self, host: &str) -> bool {
        let bare = without_port(host);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        if let Some(address) = address(bare) {
            return self.allow_address(address) || self.names.iter().any(|name| bare.eq_ignore_ascii_case(name));
        }
        bare.eq_ignore_ascii_case(LOCALHOST)
            || self.names.iter().any(|name| name == ANY || bare.eq_ignore_ascii_case(name))
            || self.pattern.as_ref().is_some_and(|pattern| pattern.tenant(host).is_some())
    }

    /// An address is no name that leads somewhere else. One that is not ours all the same is not answered for, unless the service
    /// listens at every address of the machine, whichever those are.
    fn allow_address(&self, address: IpAddr) -> bool {
        let listen = self.listen.ip();
        let any = self.names.iter().any(|name| name == ANY);
        any || address.is_loopback() || address == listen || listen.is_unspecified()
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// An address as a URI writes it (RFC 3986, section 3.2.2), which has one form alone: `127.1` is none.
fn address(bare: &str) -> Option<IpAddr> {
    match bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => bare.parse().ok().filter(IpAddr::is_ipv4),
    }
}

/// Whether a text can stand in `server.allowed_hosts`: a name or an address, without a port, or `*`.
pub(crate) fn is_host(text: &str) -> bool {
    let name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (1..=253).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with('.')
    };
    text == ANY || address(text).is_some() || name(text)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn hosts(listen: &str, names: &[&str]) -> AllowedHosts {
        let server = ServerConfig {
            listen: listen.parse().expect("an address"),
            allowed_hosts: names.iter().map(ToString::to_string).collect(),
            tenant_host: Some("{tenant}.shop.example".parse().expect("a pattern")),
            ..ServerConfig::default()
        };
        AllowedHosts::new(&server)
    }

    #[track_caller]
    fn check(allowed: &AllowedHosts, host: &str, expected: bool) {
        assert_eq!(allowed.allow(host), expected, "{host}");
    }

    #[test]
    fn this_machine_is_asked_by_its_own_names() {
        let hosts = hosts("192.0.2.7:8080", &[]);
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:99",
            "[::1]",
            "[::1]:8080",
            "192.0.2.7:8080",
        ] {
            check(&hosts, host, true);
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "192.0.2.8",
            "127.1",
            "2130706433",
            "0x7f.1",
            "::1",
            "[::1",
            "[::ffff:10.0.0.1]",
            "",
            ":80",
            "localhost@evil.example",
            "localhost:80:80",
            "?",
        ] {
            check(&hosts, host, false);
        }
    }

    #[test]
    fn whoever_listens_everywhere_is_asked_by_every_address_and_by_no_name() {
        for listen in ["0.0.0.0:80", "[::]:80"] {
            let hosts = hosts(listen, &[]);
            for host in ["10.1.2.3", "10.1.2.3:80", "[2001:db8::1]:80"] {
                check(&hosts, host, true);
            }
            check(&hosts, "evil.example", false);
        }
    }

    #[test]
    fn names_are_those_of_the_configuration_and_of_tenants() {
        let named = hosts("127.0.0.1:80", &["API.example.com", "10.0.0.1"]);
        for host in
            ["api.example.com", "Api.Example.Com:443", "api.example.com.", "10.0.0.1:80", "acme.shop.example:80"]
        {
            check(&named, host, true);
        }
        for host in ["example.com", "x.api.example.com", "shop.example", "10.0.0.2"] {
            check(&named, host, false);
        }
        let any = hosts("127.0.0.1:80", &["*"]);
        for host in ["evil.example", "10.0.0.2"] {
            check(&any, host, true);
        }
    }

    #[test]
    fn header_and_target_are_both_looked_at() {
        let hosts = hosts("127.0.0.1:80", &[]);
        let ask = |uri: &str, lines: &[&str]| {
            let mut request = TestRequest::with_uri(uri);
            for line in lines {
                request = request.append_header(("host", *line));
            }
            hosts.check(&request.to_srv_request()).map_err(|problem| problem.kind())
        };
        let misdirected = Err(ProblemKind::MisdirectedRequest);
        assert_eq!(ask("/", &["localhost"]), Ok(()));
        assert_eq!(ask("/", &[]), Ok(()));
        assert_eq!(ask("/", &["evil.example"]), misdirected);
        assert_eq!(ask("http://evil.example/", &["localhost"]), misdirected);
        assert_eq!(ask("http://localhost/", &["evil.example"]), misdirected);
        assert_eq!(ask("/", &["localhost", "localhost"]), Err(ProblemKind::MalformedRequest));
    }

    #[test]
    fn what_can_be_configured_is_a_host_without_a_port() {
        for text in ["api.example.com", "api", "10.0.0.1", "[2001:db8::1]", "*"] {
            assert!(is_host(text), "{text}");
        }
        for text in ["", "api:80", "http://api", "*.example.com", "api.", "a b", "::1"] {
            assert!(!is_host(text), "{text}");
        }
    }
}

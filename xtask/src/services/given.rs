//! Servers that the person names by URL.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::place::Home;
use super::state::Running;
use super::{Service, Source, probe, redis};
use crate::certificates::Certificates;
use crate::{settings, workspace};

/// The server in the service's variable, once it has answered.
pub(super) fn server(service: Service, home: &Home, say: &dyn Fn(&str)) -> Result<Option<Running>> {
    let Some(url) = settings::variable(service.variable()) else {
        return Ok(None);
    };
    let (host, port) = host_and_port(&url, service.default_port())
        .with_context(|| format!("{} is no URL with a host", service.variable()))?;
    let answer = probe::ask(service, &host, port, Duration::from_secs(10))
        .with_context(|| format!("the server at {host}:{port}, named by {}", service.variable()))?;
    if let Some(other) = answer.other_product(service) {
        bail!("{} names a server that says it is {other}", service.variable());
    }
    Ok(Some(Running {
        service,
        source: Source::Url,
        detail: format!("{host}:{port}"),
        version: answer.version.unwrap_or_else(|| "a server".to_owned()),
        port,
        url,
        // A TLS port of theirs, the person names in the variable for it.
        further: match service {
            Service::Redis => redis::programs(home, say),
            _ => Vec::new(),
        },
        log: None,
        process: None,
        behind: None,
        container: None,
    }))
}

/// The authority that tests trust: ours, and beside it the one the person trusts for their servers.
pub(super) fn authority(certificates: &Certificates) -> Result<PathBuf> {
    let Some(theirs) = settings::variable("BINDERY_TEST_CA") else {
        return Ok(certificates.authority.clone());
    };
    let bundle = workspace::services().join("tls/bundle.pem");
    if [&bundle, &certificates.authority].contains(&&PathBuf::from(&theirs)) {
        return Ok(PathBuf::from(theirs));
    }
    let ours = fs::read_to_string(&certificates.authority)?;
    let theirs = fs::read_to_string(&theirs).with_context(|| format!("reading {theirs}, named by BINDERY_TEST_CA"))?;
    fs::write(&bundle, format!("{ours}\n{theirs}"))?;
    Ok(bundle)
}

/// The authority part of a URL without its user information. IPv6 addresses keep their brackets off.
pub(super) fn host_and_port(url: &str, default_port: u16) -> Option<(String, u16)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        (host, port.strip_prefix(':').unwrap_or(""))
    } else {
        place.split_once(':').unwrap_or((place, ""))
    };
    if host.is_empty() {
        return None;
    }
    let port = if port.is_empty() { default_port } else { port.parse().ok()? };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, u16)>) {
        assert_eq!(host_and_port(url, 3306), expected.map(|(host, port)| (host.to_owned(), port)));
    }

    #[test]
    fn the_host_and_port_of_a_url_are_found() {
        check("mysql://root:s@crt@db.test:3307/", Some(("db.test", 3307)));
        check("mysql://db.test", Some(("db.test", 3306)));
        check("postgres://u:p@[::1]:5433/postgres?sslmode=require", Some(("::1", 5433)));
        check("postgres://u:p@[::1]", Some(("::1", 3306)));
    }

    #[test]
    fn a_url_without_a_host_is_refused() {
        check("mysql:///books", None);
        check("db.test:3306", None);
        check("mysql://db.test:many/", None);
    }
}

//! Whose data a request is about, where a context is kept per tenant: said by a trusted proxy in a header, or by the host
//! name that was asked for.

mod host;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use connection_manager::ConnectionManager;
use shared_kernel::TenantId;

pub use self::host::HostPattern;
use super::problem::{Problem, ProblemKind};
use crate::config::Config;
pub use connection_manager::egress::Network;

/// The rule by which requests are given their tenant.
#[derive(Debug)]
pub(crate) struct Tenancy {
    /// The contexts that are kept per tenant.
    contexts: Vec<&'static str>,
    header: HeaderName,
    host: Option<HostPattern>,
    proxies: Vec<Network>,
    /// Knows who the tenants are.
    manager: ConnectionManager,
}

impl Tenancy {
    pub(crate) fn new(config: &Config, manager: ConnectionManager) -> Self {
        let per_tenant = config.contexts.iter().filter(|(_, connection)| config.per_tenant.contains_key(*connection));
        Self {
            contexts: per_tenant.map(|(context, _)| context).collect(),
            header: config.server.tenant_header.clone(),
            host: config.server.tenant_host.clone(),
            proxies: config.server.trusted_proxies.clone(),
            manager,
        }
    }

    /// The header that answers depend on, where they depend on one.
    pub(crate) fn varies_by(&self) -> Option<&HeaderName> {
        (!self.contexts.is_empty() && !self.proxies.is_empty()).then_some(&self.header)
    }

    /// The tenant of a request to `context`; `None` where that is everybody's.
    pub(crate) fn of(&self, request: &HttpRequest, context: &str) -> Result<Option<TenantId>, Problem> {
        if !self.contexts.contains(&context) {
            return Ok(None);
        }
        let name = match (self.by_header(request)?, self.by_host(request)?) {
            (Some(header), Some(host)) if header != host => {
                let detail = format!("the header `{}` and the host name mean different tenants", self.header);
                return Err(Problem::new(ProblemKind::MalformedRequest, detail));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(self.nameless()),
        };
        // What is no tenant's name at all is told apart from one that is free by nobody.
        let tenant = name.parse().ok().filter(|tenant| self.manager.knows(tenant));
        tenant.map(Some).ok_or_else(|| Problem::new(ProblemKind::UnknownTenant, "there is no such tenant"))
    }

    fn nameless(&self) -> Problem {
        let by_host = self.host.as_ref().map(|host| format!("the host name, `{host}`"));
        let by_header = (!self.proxies.is_empty()).then(|| format!("the header `{}`", self.header));
        let ways: Vec<String> = by_host.into_iter().chain(by_header).collect();
        let detail = format!("the request names no tenant; the place for it is {}", ways.join(" or "));
        Problem::new(ProblemKind::TenantRequired, detail)
    }

    /// A header from somebody who is not trusted is refused and not overlooked: whoever sends it believes that it counts.
    fn by_header(&self, request: &HttpRequest) -> Result<Option<String>, Problem> {
        let mut lines = request.headers().get_all(&self.header);
        let Some(line) = lines.next() else { return Ok(None) };
        let trusted = request.peer_addr().is_some_and(|peer| self.proxies.iter().any(|net| net.contains(peer.ip())));
        if !trusted {
            let detail = format!("the header `{}` counts only where a trusted proxy sets it", self.header);
            return Err(Problem::new(ProblemKind::TenantNotTrusted, detail));
        }
        if lines.next().is_some() {
            let detail = format!("the header `{}` stands there more than once", self.header);
            return Err(Problem::new(ProblemKind::MalformedRequest, detail));
        }
        Ok(Some(String::from_utf8_lossy(line.as_bytes()).into_owned()))
    }

    fn by_host(&self, request: &HttpRequest) -> Result<Option<String>, Problem> {
        let Some(pattern) = &self.host else { return Ok(None) };
        let mut lines = request.headers().get_all(header::HOST);
        let line = lines.next().and_then(|line| line.to_str().ok());
        if lines.next().is_some() {
            return Err(Problem::new(ProblemKind::MalformedRequest, "the header `Host` stands there more than once"));
        }
        // With HTTP/2, or a target in absolute form, the host is part of the target (RFC 9112, section 3.2.2).
        let asked = request.uri().host().or(line).unwrap_or_default();
        Ok(pattern.tenant(asked).map(str::to_owned).map(|name| name.to_ascii_lowercase()))
    }
}

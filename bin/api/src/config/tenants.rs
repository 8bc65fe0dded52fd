use actix_web::http::header::HeaderName;
use connection_manager::config::Section;
use connection_manager::{ConnectionSettings, PerTenantSettings};

use super::{Config, ServerConfig};
use crate::rest::{HostPattern, Network};

/// The header that names the tenant when nothing else is said.
pub(super) const HEADER: HeaderName = HeaderName::from_static("tenant-id");

/// How requests name their tenant.
pub(super) fn read(section: &Section<'_>, server: &mut ServerConfig) {
    if let Some(text) = section.text("tenant_header") {
        match text.parse() {
            Ok(header) => server.tenant_header = header,
            Err(_) => section.fault("tenant_header", "expected a header's name, such as \"Tenant-Id\""),
        }
    }
    if let Some(text) = section.text("tenant_host") {
        match text.parse::<HostPattern>() {
            Ok(host) => server.tenant_host = Some(host),
            Err(error) => section.fault("tenant_host", error.to_string()),
        }
    }
    for text in section.texts("trusted_proxies").unwrap_or_default() {
        match text.parse::<Network>() {
            Ok(network) => server.trusted_proxies.push(network),
            Err(error) => section.fault("trusted_proxies", error.to_string()),
        }
    }
}

/// A context of which nothing is said where there are tenants: a file for each.
pub(super) fn embedded(data: &std::path::Path, context: &str) -> PerTenantSettings {
    PerTenantSettings::new(ConnectionSettings::sqlite(data.join("{tenant}").join(format!("{context}.sqlite3"))))
}

/// Tells what would leave a context that is kept per tenant without anybody who could use it.
pub(super) fn check(root: &Section<'_>, config: &Config) {
    let mut contexts = config.contexts.iter();
    let Some((context, _)) = contexts.find(|(_, connection)| config.per_tenant.contains_key(*connection)) else {
        return;
    };
    if !config.tenants.is_present() {
        root.fault("tenants", format!("missing: `{context}` is kept per tenant, so who are the tenants?"));
    }
    if config.server.tenant_host.is_none() && config.server.trusted_proxies.is_empty() {
        let message = format!(
            "no request can name its tenant, and `{context}` is kept per tenant: set server.tenant_host, or \
             server.trusted_proxies to those who set the header `{}`",
            config.server.tenant_header
        );
        root.section("server").fault("tenant_host", message);
    }
}

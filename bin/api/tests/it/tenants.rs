//! Contexts that are kept per tenant: who is asked about, and that nobody meets anybody else's rows.

mod isolation;
mod naming;
mod schemas;

use api::Config;
use connection_manager::config::TenantsConfig;
use connection_manager::{ConnectionSettings, PerTenantSettings};
use shared_kernel::TenantId;

pub(crate) const HEADER: &str = "tenant-id";

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant's name")
}

/// Keeps users and books per tenant, in files, and believes the header of everybody on this machine.
pub(crate) fn per_tenant(config: &mut Config, tenants: &[&str]) {
    for context in ["users", "books"] {
        let path = config.data.join("{tenant}").join(format!("{context}.sqlite3"));
        config.per_tenant.insert(context.to_owned(), PerTenantSettings::new(ConnectionSettings::sqlite(path)));
    }
    config.tenants = TenantsConfig::of(tenants.iter().map(|name| tenant(name)));
    config.server.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
}

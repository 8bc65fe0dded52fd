use std::fmt::Write as _;

use connection_manager::config::{Effective, EffectivePerTenant, EffectiveServers, duration};
use connection_manager::{ConnectionSettings, PerTenantSettings};
use shared_kernel::database::ConnectionName;

use super::{Config, LogFormat};

impl Config {
    /// The configuration as it is in effect, as TOML, every default written out and no secret told.
    pub fn to_toml(&self) -> String {
        let (server, limits, log) = (&self.server, &self.server.limits, &self.log);
        let text = |value: &str| toml::Value::String(value.to_owned());
        let time = |value| text(&duration::format(value));
        let origins: Vec<toml::Value> = server.cors_origins.iter().map(|origin| text(origin)).collect();
        let hosts: Vec<toml::Value> = server.allowed_hosts.iter().map(|host| text(host)).collect();
        let proxies: Vec<toml::Value> = server.trusted_proxies.iter().map(|net| text(&net.to_string())).collect();
        let format = match log.format {
            LogFormat::Auto => "auto",
            LogFormat::Json => "json",
            LogFormat::Pretty => "pretty",
        };
        let mut lines = format!("data = {}\n\n[server]\n", text(&self.data.display().to_string()));
        let values = [
            ("listen", text(&server.listen.to_string())),
            ("workers", whole(server.workers)),
            ("docs", server.docs.into()),
            ("allowed_hosts", hosts.into()),
            ("cors_origins", origins.into()),
            ("body_limit", whole(limits.body)),
            ("header_count", whole(limits.header_count)),
            ("header_bytes", whole(limits.header_bytes)),
            ("request_timeout", time(limits.request_timeout)),
            ("drain_delay", time(server.drain_delay)),
            ("drain_limit", time(server.drain_limit)),
            ("trusted_proxies", proxies.into()),
            ("tenant_header", text(server.tenant_header.as_str())),
        ];
        // Writing to a text cannot fail.
        for (key, value) in values {
            let _ = writeln!(lines, "{key} = {value}");
        }
        if let Some(host) = &server.tenant_host {
            let _ = writeln!(lines, "tenant_host = {}", text(&host.to_string()));
        }
        let _ = write!(lines, "\n[log]\nfilter = {}\nformat = \"{format}\"\n", text(&log.filter));
        for (context, connection) in self.contexts.iter() {
            let _ = write!(lines, "\n[contexts.{context}]\nconnection = {}\n", text(connection));
        }
        let _ = write!(lines, "\n{}", self.registry.effective(self.server.limits.request_timeout));
        let _ = write!(lines, "\n{}", self.egress.effective());
        let _ = write!(lines, "\n{}", self.secrets.effective());
        if let Some(circuits) = &self.circuits {
            let _ = write!(lines, "\n{circuits}");
        }
        if self.tenants.is_present() {
            let _ = write!(lines, "\n{}", self.tenants.effective());
        }
        let connections: Vec<(ConnectionName, ConnectionSettings)> = self
            .connections
            .iter()
            .filter(|(name, _)| !self.per_tenant.contains_key(*name))
            .filter_map(|(name, settings)| Some((name.parse().ok()?, settings.clone())))
            .collect();
        if !connections.is_empty() {
            let _ = write!(lines, "\n{}", Effective(&connections));
        }
        let per_tenant: Vec<(ConnectionName, PerTenantSettings)> = self
            .per_tenant
            .iter()
            .filter_map(|(name, settings)| Some((name.parse().ok()?, settings.clone())))
            .collect();
        if !per_tenant.is_empty() {
            let _ = write!(lines, "\n{}", EffectivePerTenant(&per_tenant));
        }
        let _ = write!(lines, "{}", EffectiveServers(&self.servers));
        lines
    }
}

fn whole(value: usize) -> toml::Value {
    toml::Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

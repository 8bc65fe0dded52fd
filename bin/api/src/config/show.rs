use std::fmt::Write as _;

use connection_manager::ConnectionSettings;
use connection_manager::config::{Effective, duration};
use shared_kernel::database::ConnectionName;

use super::{Config, LogFormat};

impl Config {
    /// The configuration as it is in effect, as TOML, every default written out and no secret told.
    pub fn to_toml(&self) -> String {
        let (server, limits, log) = (&self.server, &self.server.limits, &self.log);
        let text = |value: &str| toml::Value::String(value.to_owned());
        let time = |value| text(&duration::format(value));
        let origins: Vec<toml::Value> = server.cors_origins.iter().map(|origin| text(origin)).collect();
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
            ("cors_origins", origins.into()),
            ("body_limit", whole(limits.body)),
            ("header_count", whole(limits.header_count)),
            ("header_bytes", whole(limits.header_bytes)),
            ("request_timeout", time(limits.request_timeout)),
            ("drain_delay", time(server.drain_delay)),
            ("drain_limit", time(server.drain_limit)),
        ];
        // Writing to a text cannot fail.
        for (key, value) in values {
            let _ = writeln!(lines, "{key} = {value}");
        }
        let _ = write!(lines, "\n[log]\nfilter = {}\nformat = \"{format}\"\n", text(&log.filter));
        for (context, connection) in self.contexts.iter() {
            let _ = write!(lines, "\n[contexts.{context}]\nconnection = {}\n", text(connection));
        }
        let _ = write!(lines, "\n{}", self.secrets.effective());
        let connections: Vec<(ConnectionName, ConnectionSettings)> = self
            .connections
            .iter()
            .filter_map(|(name, settings)| Some((name.parse().ok()?, settings.clone())))
            .collect();
        let _ = write!(lines, "\n{}", Effective(&connections));
        lines
    }
}

fn whole(value: usize) -> toml::Value {
    toml::Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

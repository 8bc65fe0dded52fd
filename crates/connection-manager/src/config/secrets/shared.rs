use std::fmt;

use shared_kernel::database::ConnectionName;

use crate::config::connections::ConnectionsConfig;
use crate::config::effective::text;
use crate::config::sealing::{SealingConfig, sealing_line};
use crate::config::section::Section;
use crate::config::{duration, own_connection};
use crate::credentials::cache::{CacheSettings, SealedSettings};
use crate::settings::ConnectionSettings;

/// The `[secrets.shared]` table: sealed copies of secrets where several processes reach them.
#[derive(Debug, Clone)]
pub struct SharedSecretsConfig {
    /// How the level uses its connection.
    pub level: SealedSettings,
    /// What that is called: it is not the one that others may have open under the configured name.
    pub name: ConnectionName,
    /// Where it leads.
    pub connection: ConnectionSettings,
    /// The keys.
    pub sealing: SealingConfig,
}

impl SharedSecretsConfig {
    /// The names of the keys. The first one seals.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.sealing.names()
    }
}

/// Reads the table. `None` when it is missing or its faults leave nothing to work with.
pub(super) fn read(
    section: &Section<'_>,
    root: &Section<'_>,
    connections: &ConnectionsConfig,
    cache: &CacheSettings,
) -> Option<SharedSecretsConfig> {
    if !section.is_present() {
        return None;
    }
    let connection = own_connection::read(section, root, connections, "secrets");
    let usual = SealedSettings::new(section.text("connection").unwrap_or_default());
    let prefix = section.text("prefix").unwrap_or(usual.prefix);
    if prefix.is_empty() {
        section.fault("prefix", "must not be empty: the database may hold other keys");
    }
    let timeout = section.duration("timeout").unwrap_or(usual.timeout);
    if timeout.is_zero() {
        section.fault("timeout", "must be longer than zero");
    }
    let lease = section.duration("lease").unwrap_or_else(|| usual.lease.max(cache.timeout.saturating_mul(2)));
    if lease <= cache.timeout {
        let limit = duration::format(cache.timeout);
        section.fault(
            "lease",
            format!("must be longer than secrets.timeout ({limit}): whoever asks AWS needs it until then"),
        );
    }
    let sealing = SealingConfig::read(section)?;
    let (name, connection) = connection?;
    let level = SealedSettings { prefix, timeout, lease, stale_limit: cache.stale_limit, ..usual };
    Some(SharedSecretsConfig { level, name, connection, sealing })
}

/// The table as it is in effect, as TOML and without the keys.
impl fmt::Display for SharedSecretsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SealedSettings { connection, prefix, timeout, lease, stale_limit: _ } = &self.level;
        writeln!(f, "[secrets.shared]\nconnection = {}", text(connection))?;
        sealing_line(f, &self.sealing)?;
        writeln!(f, "prefix = {}", text(prefix))?;
        for (name, time) in [("timeout", timeout), ("lease", lease)] {
            writeln!(f, "{name} = \"{}\"", duration::format(*time))?;
        }
        write!(f, "\n{}", self.sealing.effective("secrets.shared.keys"))
    }
}

#[cfg(all(test, feature = "mysql", feature = "redis"))]
mod tests;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use shared_kernel::database::{ConnectionName, Engine};

use crate::config::connections::ConnectionsConfig;
use crate::config::effective::{key as toml_key, secret, text};
use crate::config::section::Section;
use crate::config::{duration, suggest};
use crate::credentials::cache::{CacheSettings, SealedSettings, SealingKey, SealingKeys};
use crate::credentials::{PasswordSource, environment_variable, read_password_file};
use crate::settings::ConnectionSettings;

const EXPECTED: &str = "expected 32 random bytes in base64, as `openssl rand -base64 32` prints them";
const REMEDY: &str = "write { env = \"VARIABLE\" } or { file = \"PATH\" }";

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
    pub keys: Arc<SealingKeys>,
    /// Where each key was read, the one that seals first.
    places: Vec<(String, PasswordSource)>,
}

impl SharedSecretsConfig {
    /// The names of the keys. The first one seals.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(name, _)| name.as_str())
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
    let connection = connection(section, root, connections);
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
    let (keys, places) = keys(section)?;
    let (name, connection) = connection?;
    let level = SealedSettings { prefix, timeout, lease, stale_limit: cache.stale_limit, ..usual };
    Some(SharedSecretsConfig { level, name, connection, keys: Arc::new(keys), places })
}

/// What the level's own connection is called, and where it leads.
fn connection(
    section: &Section<'_>,
    root: &Section<'_>,
    connections: &ConnectionsConfig,
) -> Option<(ConnectionName, ConnectionSettings)> {
    let Some(wanted) = section.text("connection") else {
        if !section.has("connection") {
            section.fault("connection", "missing: which of [connections] do the processes share?");
        }
        return None;
    };
    let Some((name, settings)) = connections.iter().find(|(name, _)| name.as_str() == wanted) else {
        // One with a fault of its own is told as that.
        if !root.section("connections").has(&wanted) {
            let known = connections.iter().map(|(name, _)| name.as_str());
            section.fault("connection", suggest::unknown("connection", &wanted, known));
        }
        return None;
    };
    if settings.engine != Engine::REDIS {
        let message =
            format!("`{wanted}` is of the engine {}; expected a connection with engine = \"redis\"", settings.engine);
        section.fault("connection", message);
        return None;
    }
    // It may be open under its name as well, with a pool and measurements of its own.
    if let Ok(own) = format!("{name}/secrets").parse() {
        return Some((own, settings.clone()));
    }
    section.fault("connection", format!("the name `{wanted}` is too long for this: expected at most 56 bytes"));
    None
}

type Keys = (SealingKeys, Vec<(String, PasswordSource)>);

fn keys(section: &Section<'_>) -> Option<Keys> {
    let table = section.section("keys");
    let names = table.keys();
    let sealing = sealing(section, &names);
    // Every key is looked at, so that every fault is told.
    let read: Vec<_> = names.iter().map(|name| key(&table, name)).collect();
    let sealing = sealing?;
    let mut keys = Vec::new();
    for (name, key) in names.into_iter().zip(read) {
        let (key, place) = key?;
        let place = (name.to_owned(), place);
        if name == sealing { keys.insert(0, (key, place)) } else { keys.push((key, place)) }
    }
    let (keys, places): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let mut keys = keys.into_iter();
    // A table has no two keys of one name.
    Some((SealingKeys::try_new(keys.next()?, keys).ok()?, places))
}

/// The name of the key that seals.
fn sealing(section: &Section<'_>, names: &[&str]) -> Option<String> {
    let wanted = section.text("key");
    match (names, wanted) {
        ([], _) => {
            section.fault("keys", format!("missing: with what are the copies sealed? For each key {REMEDY}"));
            None
        }
        ([only], None) if !section.has("key") => Some((*only).to_owned()),
        (_, None) => {
            if !section.has("key") {
                section.fault("key", format!("missing: which one of the keys {} seals?", names.join(", ")));
            }
            None
        }
        (names, Some(wanted)) if !names.contains(&wanted.as_str()) => {
            section.fault("key", suggest::unknown("key", &wanted, names.iter().copied()));
            None
        }
        (_, wanted) => wanted,
    }
}

fn key(table: &Section<'_>, name: &str) -> Option<(SealingKey, PasswordSource)> {
    let (place, text) = content(table, name)?;
    let Ok(bytes) = STANDARD.decode(text.expose_secret().trim()) else {
        table.fault(name, format!("{EXPECTED}; this is not base64"));
        return None;
    };
    let bytes: SecretBox<Vec<u8>> = SecretBox::new(Box::new(bytes));
    match SealingKey::try_new(name, bytes.expose_secret()) {
        Ok(key) => Some((key, place)),
        Err(error) => {
            table.fault(name, format!("{error}; {EXPECTED}"));
            None
        }
    }
}

/// Where a key is, and what is there.
fn content(table: &Section<'_>, name: &str) -> Option<(PasswordSource, SecretString)> {
    if table.is_text_in_file(name) {
        table.fault(name, format!("a key does not belong in the file; {REMEDY}"));
        return None;
    }
    if table.is_text_from_environment(name) {
        let text = SecretString::from(table.text(name)?);
        return Some((PasswordSource::Literal(text.clone()), text));
    }
    let source = table.section(name);
    match (source.text("env"), source.path("file")) {
        (Some(variable), None) => {
            let text = environment_variable(&variable);
            if text.is_none() {
                source.fault("env", format!("the environment variable `{variable}` is not set"));
            }
            Some((PasswordSource::Environment(variable), text?))
        }
        (None, Some(file)) => match read_password_file(&file) {
            Ok(text) => Some((PasswordSource::File(file), text)),
            Err(error) => {
                source.fault("file", error.to_string());
                None
            }
        },
        (None, None) => {
            if source.is_present() {
                table.fault(name, REMEDY);
            }
            None
        }
        (Some(_), Some(_)) => {
            table.fault(name, "more than one place is given; keep one");
            None
        }
    }
}

/// The table as it is in effect, as TOML and without the keys.
impl fmt::Display for SharedSecretsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SealedSettings { connection, prefix, timeout, lease, stale_limit: _ } = &self.level;
        writeln!(f, "[secrets.shared]\nconnection = {}", text(connection))?;
        if let Some(sealing) = self.key_names().next() {
            writeln!(f, "key = {}", text(sealing))?;
        }
        writeln!(f, "prefix = {}", text(prefix))?;
        for (name, time) in [("timeout", timeout), ("lease", lease)] {
            writeln!(f, "{name} = \"{}\"", duration::format(*time))?;
        }
        writeln!(f, "\n[secrets.shared.keys]")?;
        self.places.iter().try_for_each(|(name, place)| secret(f, &toml_key(name), place))
    }
}

#[cfg(all(test, feature = "mysql", feature = "redis"))]
mod tests;

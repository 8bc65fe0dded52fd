use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use connection_manager::PasswordSource;
use connection_manager::config::{SealingConfig, Section, duration, named_secret, place_of, suggest};
use connection_manager::egress::EgressConfig;
use secrecy::{ExposeSecret as _, SecretString};
use shared_kernel::database::Engine;

use super::Config;
use crate::application::lies_in;

/// The context's name.
pub(crate) const CONTEXT: &str = "registry";
/// The fewest characters of a token: 128 bits in hexadecimal digits.
const SHORTEST: usize = 32;
/// How long entries of the audit log are kept when nothing else is said.
const AUDIT_RETENTION: Duration = Duration::from_hours(365 * 24);
/// The shortest time for which they can be kept. Less is a slip of the pen, and what it deletes is gone.
const SHORTEST_RETENTION: Duration = Duration::from_hours(24);
/// How many snapshots a connection may have when nothing else is said, and when something is.
const SNAPSHOTS: u32 = 100;
const MOST_SNAPSHOTS: u32 = 10_000;
/// How long a test of a connection may take in all when nothing else is said, and when something is. The dial, and the time for
/// which nothing is told of it, have to fit in.
const TEST_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const SHORTEST_TEST: Duration = Duration::from_secs(5);
const LONGEST_TEST: Duration = Duration::from_mins(5);
/// What a request has left at the least once the test of a connection has taken all of its time: what the test came to is stored
/// under the request's deadline.
const ROOM: Duration = Duration::from_secs(2);
/// What keeps them for good.
const FOREVER: &str = "forever";

/// `[registry]`: stored connections.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// What their secrets are sealed with. `None` has a key made in the data folder.
    pub sealing: Option<SealingConfig>,
    /// Who may use them. Nobody has a token made in the data folder.
    pub tokens: Vec<TokenConfig>,
    /// Below it lie the files that connections may name. `None`: they may name none.
    pub sqlite_root: Option<PathBuf>,
    /// What the names of secrets in a secrets manager begin with that connections may name. `None`: they may name none.
    pub secret_prefix: Option<String>,
    /// How long entries of the audit log are kept: a year when nothing else is said. `None`: for good.
    pub audit_retention: Option<Duration>,
    /// How many snapshots of its schema a connection may have: 100 when nothing else is said.
    pub snapshots: u32,
    /// How long a test of a connection may take in all. When nothing else is said: ten seconds, or two less than a request where
    /// that is shorter, and never less than five.
    pub test_timeout: Duration,
    /// The connection through which instances have each other's schemas. `None`: each keeps its own to itself.
    pub schema_cache: Option<String>,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            sealing: None,
            tokens: Vec::new(),
            sqlite_root: None,
            secret_prefix: None,
            audit_retention: Some(AUDIT_RETENTION),
            snapshots: SNAPSHOTS,
            test_timeout: TEST_TIMEOUT,
            schema_cache: None,
        }
    }
}

/// A token by which somebody is known.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// Who it is; the audit shows it.
    pub name: String,
    /// The token.
    pub token: SecretString,
    /// Where it was read.
    place: PasswordSource,
}

impl TokenConfig {
    /// A token that the program itself has.
    pub fn literal(name: impl Into<String>, token: impl Into<String>) -> Self {
        let token = SecretString::from(token.into());
        Self { name: name.into(), place: PasswordSource::Literal(token.clone()), token }
    }
}

impl RegistryConfig {
    /// Reads the table; `request` is how long a request may take.
    pub(super) fn read(section: &Section<'_>, request: Duration) -> Self {
        // Without a word about keys, whether they may be missing is asked once all else is known.
        let keys = section.section("keys");
        let sealing = if keys.is_present() || section.has("key") { SealingConfig::read(section) } else { None };
        let sqlite_root = section.path("sqlite_root");
        if sqlite_root.as_ref().is_some_and(|root| !root.is_absolute()) {
            section.fault(
                "sqlite_root",
                "expected an absolute path: what lies below it must not depend on where the service starts",
            );
        }
        let secret_prefix = section.text("secret_prefix");
        if secret_prefix.as_deref() == Some("") {
            section.fault("secret_prefix", "must not be empty: every secret that the service can read could be named");
        }
        let audit_retention = audit_retention(section);
        let snapshots = snapshots(section);
        let test_timeout = test_timeout(section, request);
        let schema_cache = section.text("schema_cache");
        let tokens = tokens(&section.section("tokens"));
        Self { sealing, tokens, sqlite_root, secret_prefix, audit_retention, snapshots, test_timeout, schema_cache }
    }

    /// The table as it is in effect, as TOML and without secrets; `request` is how long a request may take.
    pub(super) fn effective(&self, request: Duration) -> impl fmt::Display + '_ {
        Shown(self, request)
    }
}

fn audit_retention(section: &Section<'_>) -> Option<Duration> {
    let Some(text) = section.text("audit_retention") else { return Some(AUDIT_RETENTION) };
    if text == FOREVER {
        return None;
    }
    let retention = duration::parse(&text).ok().filter(|retention| *retention >= SHORTEST_RETENTION);
    if retention.is_none() {
        section.fault("audit_retention", "expected at least \"1d\", such as \"365d\", or \"forever\"");
    }
    retention
}

fn snapshots(section: &Section<'_>) -> u32 {
    let snapshots = section.integer("snapshots").unwrap_or(SNAPSHOTS);
    if !(1..=MOST_SNAPSHOTS).contains(&snapshots) {
        section.fault("snapshots", format!("expected 1 to {MOST_SNAPSHOTS}: how many a connection may have"));
    }
    snapshots
}

fn test_timeout(section: &Section<'_>, request: Duration) -> Duration {
    let usual = TEST_TIMEOUT.min(request.saturating_sub(ROOM)).max(SHORTEST_TEST);
    let timeout = section.duration("test_timeout").unwrap_or(usual);
    if !(SHORTEST_TEST..=LONGEST_TEST).contains(&timeout) {
        section.fault("test_timeout", "expected \"5s\" to \"5m\": how long a test of a connection may take in all");
    }
    timeout
}

/// Whether a request has time for a test, and for what comes after it.
fn has_room(test: Duration, request: Duration) -> bool {
    test.saturating_add(ROOM) <= request
}

fn tokens(table: &Section<'_>) -> Vec<TokenConfig> {
    let mut tokens = Vec::new();
    for name in table.keys() {
        if name.is_empty() || name.len() > 64 || name.chars().any(|character| !character.is_ascii_graphic()) {
            table.fault(name, "a token's name has 1 to 64 visible ASCII characters");
            continue;
        }
        let Some((place, token)) = named_secret(table, name, "a token") else { continue };
        if is_token(token.expose_secret()) {
            tokens.push(TokenConfig { name: name.to_owned(), token, place });
        } else {
            let expected = "expected at least 32 of A-Z, a-z, 0-9 and -._~+/, as `openssl rand -hex 32` prints them";
            table.fault(name, expected);
        }
    }
    tokens
}

/// Whether a text can be sent behind `Bearer` (RFC 6750, section 2.1), and is too long to be guessed.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    body.len() >= SHORTEST && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// Tells what would leave the registry open, or its secrets readable.
pub(super) fn check(root: &Section<'_>, config: &Config) {
    let section = root.section(CONTEXT);
    let contexts = root.section("contexts");
    if config.per_tenant.contains_key(&config.contexts.registry) {
        let message = "the registry is not kept per tenant; name a connection that everybody shares";
        contexts.section(CONTEXT).fault("connection", message);
    }
    check_schema_cache(root, &section, config);
    let (test, request) = (config.registry.test_timeout, config.server.limits.request_timeout);
    if section.has("test_timeout") && !has_room(test, request) {
        let (spare, request) = (duration::format(ROOM), duration::format(request));
        let message = format!("must be shorter than server.request_timeout ({request}) by at least {spare}");
        section.fault("test_timeout", message);
    }
    // Where it lies is not known of one with a fault of its own.
    if config.registry_is_embedded() || !config.connections.contains_key(&config.contexts.registry) {
        return;
    }
    let reason = "stored connections are kept on a server, and";
    if config.registry.sealing.is_none() && !section.has("keys") && !section.has("key") {
        section.fault("keys", format!("missing: {reason} their secrets need a key of yours"));
    }
    if config.registry.tokens.is_empty() && !section.has("tokens") {
        section.fault("tokens", format!("missing: {reason} whoever uses them needs a token of yours"));
    }
}

/// Whether the connection that instances are to share is there and offers keys and values.
fn check_schema_cache(root: &Section<'_>, section: &Section<'_>, config: &Config) {
    let Some(name) = &config.registry.schema_cache else { return };
    let Some(settings) = config.connections.get(name) else {
        // One with a fault of its own is told as that.
        if !root.section("connections").has(name) {
            let known = config.connections.keys().map(String::as_str);
            section.fault("schema_cache", suggest::unknown("connection", name, known));
        }
        return;
    };
    if settings.engine != Engine::REDIS {
        let message =
            format!("`{name}` is of the engine {}; expected a connection with engine = \"redis\"", settings.engine);
        section.fault("schema_cache", message);
    }
    if config.registry.sealing.is_none() && !section.has("keys") && !section.has("key") {
        section.fault("keys", "missing: instances share schemas that are sealed, with a key that all of them have");
    }
}

impl Config {
    /// Where stored connections may lead when nobody has said so: on a developer's machine also to that and to the networks
    /// around it, elsewhere to public addresses alone.
    pub(super) fn usual_egress(&self) -> EgressConfig {
        if self.registry_is_embedded() { EgressConfig::open() } else { EgressConfig::default() }
    }

    /// Whether stored connections are kept in a file of the data folder, beside which a key and a token may be made.
    pub(crate) fn registry_is_embedded(&self) -> bool {
        self.connections.get(&self.contexts.registry).is_some_and(|settings| {
            settings.engine == Engine::SQLITE && settings.path.as_ref().is_some_and(|path| lies_in(&self.data, path))
        })
    }
}

struct Shown<'a>(&'a RegistryConfig, Duration);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RegistryConfig {
            sealing,
            tokens,
            sqlite_root,
            secret_prefix,
            audit_retention,
            snapshots,
            test_timeout,
            schema_cache,
        } = self.0;
        let text = |value: String| toml::Value::String(value);
        let mut lines = String::from("[registry]\n");
        if let Some(key) = sealing.as_ref().and_then(|sealing| sealing.names().next()) {
            writeln!(lines, "key = {}", text(key.to_owned()))?;
        }
        if let Some(root) = sqlite_root {
            writeln!(lines, "sqlite_root = {}", text(root.display().to_string()))?;
        }
        if let Some(prefix) = secret_prefix {
            writeln!(lines, "secret_prefix = {}", text(prefix.clone()))?;
        }
        let retention = audit_retention.map_or_else(|| FOREVER.to_owned(), duration::format);
        writeln!(lines, "audit_retention = {}", text(retention))?;
        writeln!(lines, "snapshots = {snapshots}")?;
        // Where requests are shorter than any test that may be asked for, nobody has said it, and nobody could.
        if has_room(*test_timeout, self.1) {
            writeln!(lines, "test_timeout = {}", text(duration::format(*test_timeout)))?;
        }
        if let Some(connection) = schema_cache {
            writeln!(lines, "schema_cache = {}", text(connection.clone()))?;
        }
        if let Some(sealing) = sealing {
            write!(lines, "\n{}", sealing.effective("registry.keys"))?;
        }
        if !tokens.is_empty() {
            writeln!(lines, "\n[registry.tokens]")?;
        }
        for token in tokens {
            write!(lines, "{}", place_of(&token.name, &token.place))?;
        }
        f.write_str(&lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_can_be_sent() {
        let long = "0123456789abcdef0123456789ABCDEF";
        assert!(is_token(long) && is_token(&format!("{long}-._~+/==")));
        for text in ["", "short", &"=".repeat(40), &format!("{long} x"), &format!("{long}=x"), &format!("{long}é")] {
            assert!(!is_token(text), "{text}");
        }
    }
}

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use url::Url;

use super::effective::text;
use super::section::Section;
use super::{duration, effective};
use crate::credentials::cache::CacheSettings;
use crate::credentials::{PasswordSource, check_password_file, environment_variable, read_password_file};

/// The bytes of a key for AES-256.
const KEY_BYTES: usize = 32;

/// The `[secrets]` table: how AWS Secrets Manager is reached, and how long its answers are kept and where.
#[derive(Debug, Clone, Default)]
pub struct SecretsConfig {
    /// The region; `None` leaves it to the SDK's usual places.
    pub region: Option<String>,
    /// Another address than AWS's own.
    pub endpoint_url: Option<String>,
    /// How long answers are kept.
    pub cache: CacheSettings,
    /// The level that processes share.
    pub redis: Option<SharedSecretsConfig>,
}

/// The `[secrets.redis]` table: the shared level.
#[derive(Debug, Clone)]
pub struct SharedSecretsConfig {
    /// The server, without a user and a password: `redis://` or, under TLS, `rediss://`.
    pub url: Url,
    /// The user; `None` is Redis's default one.
    pub username: Option<String>,
    /// Where the password is.
    pub password: PasswordSource,
    /// The PEM file of the authorities that the server's certificate is checked against; `None` is the system's.
    pub ca_file: Option<PathBuf>,
    /// What every key in Redis begins with.
    pub prefix: String,
    /// How long one question to Redis may take.
    pub timeout: Duration,
    /// The keys for what lies in Redis, each with its name. The first one encrypts, all of them decrypt.
    pub keys: Vec<SealingKeySource>,
}

/// A named key and where it is.
#[derive(Debug, Clone)]
pub struct SealingKeySource {
    /// The name, which stands beside what the key has encrypted.
    pub name: String,
    /// The place.
    pub place: PasswordSource,
}

/// A key that cannot be used. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKey(String);

impl SealingKeySource {
    /// Reads the key.
    ///
    /// # Errors
    /// [`InvalidKey`], naming the place.
    pub fn read(&self) -> Result<SecretBox<[u8; KEY_BYTES]>, InvalidKey> {
        let text = match &self.place {
            PasswordSource::Environment(variable) => environment_variable(variable)
                .ok_or_else(|| InvalidKey(format!("the environment variable `{variable}` is not set")))?,
            PasswordSource::File(path) => read_password_file(path).map_err(|error| InvalidKey(error.to_string()))?,
            PasswordSource::Literal(text) => text.clone(),
            PasswordSource::None | PasswordSource::SecretsManager { .. } => {
                return Err(InvalidKey(format!("the key `{}` is nowhere", self.name)));
            }
        };
        decoded(&text)
            .ok_or_else(|| InvalidKey("is not 32 bytes in Base64, as `openssl rand -base64 32` prints them".to_owned()))
    }
}

fn decoded(text: &SecretString) -> Option<SecretBox<[u8; KEY_BYTES]>> {
    let bytes = SecretBox::new(Box::new(STANDARD.decode(text.expose_secret().trim()).ok()?));
    let key: [u8; KEY_BYTES] = bytes.expose_secret().as_slice().try_into().ok()?;
    Some(SecretBox::new(Box::new(key)))
}

impl SecretsConfig {
    /// Reads the table out of a document's top level. Faults go to the section's reader.
    pub fn read(root: &Section<'_>) -> Self {
        let section = root.section("secrets");
        let default = CacheSettings::default();
        let longer_than_nothing = |key: &str, default: Duration| {
            let given = section.duration(key);
            if given.is_some_and(|time| time.is_zero()) {
                section.fault(key, "must be longer than zero");
            }
            given.unwrap_or(default)
        };
        let cache = CacheSettings {
            ttl: longer_than_nothing("ttl", default.ttl),
            stale_limit: section.duration("stale_limit").unwrap_or(default.stale_limit),
            timeout: longer_than_nothing("timeout", default.timeout),
            pause: section.duration("pause").unwrap_or(default.pause),
        };
        let endpoint_url = section.text("endpoint_url");
        let is_http = |url: &String| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if endpoint_url.as_ref().is_some_and(|url| !is_http(url)) {
            section.fault("endpoint_url", "expected a URL such as \"http://127.0.0.1:5000\"");
        }
        let redis = section.section("redis");
        let redis = redis.is_present().then(|| shared(&redis)).flatten();
        Self { region: section.text("region"), endpoint_url, cache, redis }
    }

    /// The table as it is in effect, as TOML and without secrets.
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Shown(self)
    }
}

fn shared(section: &Section<'_>) -> Option<SharedSecretsConfig> {
    let url = server(section);
    let ca_file = section.path("ca_file");
    if let Some(file) = ca_file.as_deref().filter(|file| !file.is_file()) {
        section.fault("ca_file", format!("there is no file {}", file.display()));
    }
    if ca_file.is_some() && url.as_ref().is_some_and(|url| url.scheme() != "rediss") {
        section.fault("ca_file", "is of no use without TLS: write rediss:// in url");
    }
    let config = SharedSecretsConfig {
        url: url.clone().unwrap_or_else(|| Url::parse("redis://localhost").expect("a constant that parses")),
        username: section.text("username"),
        password: local_secret(section, "password").unwrap_or_default(),
        ca_file,
        prefix: section.text("prefix").unwrap_or_else(|| "bindery:secret:".to_owned()),
        timeout: section.duration("timeout").unwrap_or(Duration::from_millis(250)),
        keys: keys(section),
    };
    if config.timeout.is_zero() {
        section.fault("timeout", "must be longer than zero");
    }
    url.map(|_| config)
}

fn server(section: &Section<'_>) -> Option<Url> {
    const EXPECTED: &str = "expected a URL such as \"rediss://cache.example:6379/0\"";
    let Some(text) = section.text("url") else {
        if !section.has("url") {
            section.fault("url", format!("missing: {EXPECTED}"));
        }
        return None;
    };
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
    let Some(url) = url else {
        section.fault("url", EXPECTED);
        return None;
    };
    if url.password().is_some() || !url.username().is_empty() {
        section.fault(
            "url",
            "user and password do not belong in the URL; write username, and password = { env = \"VARIABLE\" }",
        );
        return None;
    }
    Some(url)
}

/// The keys, the one that encrypts first.
fn keys(section: &Section<'_>) -> Vec<SealingKeySource> {
    let table = section.section("keys");
    let mut keys = Vec::new();
    for name in table.keys() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.len() > 64 || name.is_empty() || !name.bytes().all(allowed) {
            table.fault(name, "a key's name has 1 to 64 letters, digits and -_.");
            continue;
        }
        let Some(place) = local_secret(&table, name) else {
            if !table.has(name) {
                table.fault(name, "missing");
            }
            continue;
        };
        let key = SealingKeySource { name: name.to_owned(), place };
        if let Err(error) = key.read() {
            table.fault(name, error.to_string());
        }
        keys.push(key);
    }
    let first = section.text("encrypt_with");
    if keys.is_empty() {
        let remedy = "{ env = \"VARIABLE\" }, 32 bytes in Base64";
        section.fault("keys", format!("missing: what lies in Redis is encrypted; write at least one name = {remedy}"));
    } else if let Some(first) = &first {
        if let Some(index) = keys.iter().position(|key| key.name == *first) {
            keys[..=index].rotate_right(1);
        } else {
            let known = keys.iter().map(|key| key.name.as_str());
            section.fault("encrypt_with", super::suggest::unknown("key", first, known));
        }
    } else if keys.len() > 1 {
        section.fault("encrypt_with", "missing: which of the keys encrypts? All of them decrypt");
    }
    keys
}

/// The place of a secret in the environment or in a file.
fn local_secret(section: &Section<'_>, key: &str) -> Option<PasswordSource> {
    const REMEDY: &str = "write { env = \"VARIABLE\" } or { file = \"PATH\" }";
    if section.is_text_in_file(key) {
        section.fault(key, format!("a secret does not belong in the file; {REMEDY}"));
        return None;
    }
    if section.is_text_from_environment(key) {
        return section.text(key).map(|text| PasswordSource::Literal(SecretString::from(text)));
    }
    let source = section.section(key);
    match (source.text("env"), source.path("file")) {
        (Some(variable), None) => {
            if environment_variable(&variable).is_none() {
                source.fault("env", format!("the environment variable `{variable}` is not set"));
            }
            Some(PasswordSource::Environment(variable))
        }
        (None, Some(file)) => {
            if let Err(error) = check_password_file(&file) {
                source.fault("file", error.to_string());
            }
            Some(PasswordSource::File(file))
        }
        (None, None) if !source.is_present() => None,
        _ => {
            section.fault(key, REMEDY);
            None
        }
    }
}

struct Shown<'a>(&'a SecretsConfig);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretsConfig { region, endpoint_url, cache, redis } = self.0;
        writeln!(f, "[secrets]")?;
        for (name, value) in [("region", region), ("endpoint_url", endpoint_url)] {
            if let Some(value) = value {
                writeln!(f, "{name} = {}", text(value))?;
            }
        }
        let CacheSettings { ttl, stale_limit, timeout, pause } = cache;
        for (name, time) in [("ttl", ttl), ("stale_limit", stale_limit), ("timeout", timeout), ("pause", pause)] {
            writeln!(f, "{name} = \"{}\"", duration::format(*time))?;
        }
        let Some(redis) = redis else { return Ok(()) };
        writeln!(f, "\n[secrets.redis]\nurl = {}", text(redis.url.as_str()))?;
        if let Some(username) = &redis.username {
            writeln!(f, "username = {}", text(username))?;
        }
        effective::secret(f, "password", &redis.password)?;
        if let Some(file) = &redis.ca_file {
            writeln!(f, "ca_file = {}", text(&file.display().to_string()))?;
        }
        writeln!(f, "prefix = {}\ntimeout = \"{}\"", text(&redis.prefix), duration::format(redis.timeout))?;
        if let Some(first) = redis.keys.first() {
            writeln!(f, "encrypt_with = {}\n\n[secrets.redis.keys]", text(&first.name))?;
        }
        redis.keys.iter().try_for_each(|key| effective::secret(f, &effective::key(&key.name), &key.place))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigError, Document, Reader};
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<SecretsConfig, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let document = Document::parse("bindery.toml", text)?.overlay("BINDERY_", variables);
        let reader = Reader::new(&document);
        let config = SecretsConfig::read(&reader.root());
        reader.finish()?;
        Ok(config)
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = read(text, &[]).expect_err("the configuration is wrong").to_string();
        assert_eq!(error, expected);
    }

    fn key_file(folder: &tempfile::TempDir, name: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, STANDARD.encode([7; KEY_BYTES])).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    #[test]
    fn without_the_table_the_defaults_are_in_effect() {
        let config = read("", &[]).unwrap();
        assert_eq!(config.cache, CacheSettings::default());
        assert_eq!(config.cache.ttl, Duration::from_hours(1));
        assert!(config.redis.is_none() && config.region.is_none());
    }

    #[test]
    fn a_whole_table_is_read_and_shown_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (key_file(&folder, "new"), key_file(&folder, "old"));
        let text = format!(
            "[secrets]\nregion = \"eu-central-1\"\nendpoint_url = \"http://127.0.0.1:5000\"\nttl = \"30m\"\n\
             [secrets.redis]\nurl = \"redis://127.0.0.1:6379/2\"\nusername = \"cache\"\nencrypt_with = \"2026-11\"\n\
             [secrets.redis.keys]\n2026-11 = {{ file = \"{}\" }}\n2026-08 = {{ file = \"{}\" }}\n",
            new.display(),
            old.display()
        );
        let variables = [("BINDERY_SECRETS__REDIS__PASSWORD", "hunter2")];
        let config = read(&text, &variables).unwrap();
        let redis = config.redis.as_ref().unwrap();
        assert_eq!(redis.keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["2026-11", "2026-08"]);
        assert_eq!(redis.keys[0].read().unwrap().expose_secret(), &[7; KEY_BYTES]);
        let shown = config.effective().to_string();
        assert!(!shown.contains("hunter2") && shown.contains("password = \"[redacted]\""), "{shown}");
        assert!(!format!("{config:?}").contains("hunter2"));
        let without: String =
            shown.lines().filter(|line| !line.starts_with("password")).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(read(&without, &variables).unwrap().effective().to_string(), shown);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        refused(
            "[secrets]\nttl = \"0s\"\nendpoint_url = \"moto\"\ntll = 1\n\n[secrets.redis]\nurl = \"redis://u:hunter2@h\"\n",
            "bindery.toml:2: secrets.ttl: must be longer than zero\n\
             bindery.toml:3: secrets.endpoint_url: expected a URL such as \"http://127.0.0.1:5000\"\n\
             bindery.toml:4: secrets.tll: unknown key `tll`, did you mean `ttl`?\n\
             bindery.toml:6: secrets.redis.keys: missing: what lies in Redis is encrypted; write at least one name = \
             { env = \"VARIABLE\" }, 32 bytes in Base64\n\
             bindery.toml:7: secrets.redis.url: user and password do not belong in the URL; write username, and \
             password = { env = \"VARIABLE\" }",
        );
    }

    #[test]
    fn of_two_keys_one_has_to_be_chosen_and_each_has_to_be_one() {
        refused(
            "[secrets.redis]\nurl = \"redis://h\"\n[secrets.redis.keys]\na = { env = \"PATH\" }\nb = \"hunter2\"\n",
            "bindery.toml:4: secrets.redis.keys.a: is not 32 bytes in Base64, as `openssl rand -base64 32` prints them\n\
             bindery.toml:5: secrets.redis.keys.b: a secret does not belong in the file; write { env = \"VARIABLE\" } or \
             { file = \"PATH\" }",
        );
    }
}

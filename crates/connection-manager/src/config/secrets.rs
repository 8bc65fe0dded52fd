mod shared;

use std::fmt;
use std::time::Duration;

use url::{Host, Url};

pub use self::shared::SharedSecretsConfig;
use super::connections::ConnectionsConfig;
use super::duration;
use super::effective::text;
use super::section::Section;
use crate::credentials::cache::CacheSettings;

/// The `[secrets]` table: how AWS Secrets Manager is reached, how long its answers are kept, and whether processes share
/// them.
#[derive(Debug, Clone, Default)]
pub struct SecretsConfig {
    /// The region; `None` leaves it to the SDK's usual places.
    pub region: Option<String>,
    /// Another address than AWS's own.
    pub endpoint_url: Option<String>,
    /// Whether that address may be one of plain HTTP on another machine, where everybody on the way reads the passwords.
    pub allow_plain_http: bool,
    /// How long answers are kept.
    pub cache: CacheSettings,
    /// The level that processes share; `None` when each keeps its answers to itself.
    pub shared: Option<SharedSecretsConfig>,
}

impl SecretsConfig {
    /// Reads the table out of a document's top level, from which `connections` were read before. Faults go to the
    /// section's reader.
    ///
    /// The keys of a shared level are read here, so that one that cannot be used is told before anything starts.
    pub fn read(root: &Section<'_>, connections: &ConnectionsConfig) -> Self {
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
        let allow_plain_http = section.boolean("allow_plain_http").unwrap_or_default();
        if let Some(fault) = endpoint_url.as_deref().and_then(|url| endpoint_fault(url, allow_plain_http)) {
            section.fault("endpoint_url", fault);
        }
        let shared = shared::read(&section.section("shared"), root, connections, &cache);
        Self { region: section.text("region"), endpoint_url, allow_plain_http, cache, shared }
    }

    /// The table as it is in effect, as TOML and without secrets.
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Shown(self)
    }
}

/// What is wrong with an address.
fn endpoint_fault(text: &str, allow_plain_http: bool) -> Option<&'static str> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    });
    let Some(url) = url else {
        return Some("expected a URL such as \"http://127.0.0.1:5000\", without user and password");
    };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    (url.scheme() == "http" && !is_here && !allow_plain_http).then_some(
        "plain http to another machine shows every password on the way; use https, or set secrets.allow_plain_http = true",
    )
}

struct Shown<'a>(&'a SecretsConfig);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretsConfig { region, endpoint_url, allow_plain_http, cache, shared } = self.0;
        writeln!(f, "[secrets]")?;
        for (name, value) in [("region", region), ("endpoint_url", endpoint_url)] {
            if let Some(value) = value {
                writeln!(f, "{name} = {}", text(value))?;
            }
        }
        if *allow_plain_http {
            writeln!(f, "allow_plain_http = true")?;
        }
        let CacheSettings { ttl, stale_limit, timeout, pause } = cache;
        for (name, time) in [("ttl", ttl), ("stale_limit", stale_limit), ("timeout", timeout), ("pause", pause)] {
            writeln!(f, "{name} = \"{}\"", duration::format(*time))?;
        }
        shared.as_ref().map_or(Ok(()), |shared| write!(f, "\n{shared}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigError, Document, Reader};
    use super::*;

    fn read(text: &str) -> Result<SecretsConfig, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let root = reader.root();
        let config = SecretsConfig::read(&root, &ConnectionsConfig::default());
        reader.finish()?;
        Ok(config)
    }

    #[test]
    fn without_the_table_the_defaults_are_in_effect() {
        let config = read("").unwrap();
        assert_eq!(config.cache, CacheSettings::default());
        assert_eq!(config.cache.ttl, Duration::from_hours(1));
        assert!(config.region.is_none());
    }

    #[test]
    fn what_is_shown_is_read_back_as_the_same() {
        let text = "[secrets]\nregion = \"eu-central-1\"\nendpoint_url = \"http://127.0.0.1:5000\"\nttl = \"30m\"\n";
        let shown = read(text).unwrap().effective().to_string();
        assert!(shown.contains("ttl = \"30m\"") && shown.contains("stale_limit"), "{shown}");
        assert_eq!(read(&shown).unwrap().effective().to_string(), shown);
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_it_is_asked_for() {
        for here in ["http://127.0.0.1:5000", "http://[::1]:5000", "http://localhost", "https://vpce.example"] {
            read(&format!("[secrets]\nendpoint_url = \"{here}\"\n")).unwrap();
        }
        for there in ["http://moto:5000", "http://127.0.0.1.example", "http://10.0.0.1", "http://localhost.example"] {
            let text = format!("[secrets]\nendpoint_url = \"{there}\"\n");
            let error = read(&text).expect_err(there).to_string();
            assert!(
                error.starts_with("bindery.toml:2: secrets.endpoint_url: plain http to another machine"),
                "{error}"
            );
            let asked_for = read(&format!("{text}allow_plain_http = true\n")).unwrap();
            assert!(asked_for.effective().to_string().contains("allow_plain_http = true"));
        }
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "[secrets]\nttl = \"0s\"\nendpoint_url = \"moto\"\ntll = 1\n";
        let error = read(text).expect_err("the configuration is wrong").to_string();
        assert_eq!(
            error,
            "bindery.toml:2: secrets.ttl: must be longer than zero\n\
             bindery.toml:3: secrets.endpoint_url: expected a URL such as \"http://127.0.0.1:5000\", without user and \
             password\n\
             bindery.toml:4: secrets.tll: unknown key `tll`, did you mean `ttl`?"
        );
    }
}

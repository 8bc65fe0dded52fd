use std::fmt;
use std::time::Duration;

use url::Url;

use super::duration;
use super::effective::text;
use super::section::Section;
use crate::credentials::cache::CacheSettings;

/// The `[secrets]` table: how AWS Secrets Manager is reached, and how long its answers are kept.
#[derive(Debug, Clone, Default)]
pub struct SecretsConfig {
    /// The region; `None` leaves it to the SDK's usual places.
    pub region: Option<String>,
    /// Another address than AWS's own.
    pub endpoint_url: Option<String>,
    /// How long answers are kept.
    pub cache: CacheSettings,
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
        let is_http = |url: &String| {
            Url::parse(url).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
            })
        };
        if endpoint_url.as_ref().is_some_and(|url| !is_http(url)) {
            section
                .fault("endpoint_url", "expected a URL such as \"http://127.0.0.1:5000\", without user and password");
        }
        Self { region: section.text("region"), endpoint_url, cache }
    }

    /// The table as it is in effect, as TOML and without secrets.
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Shown(self)
    }
}

struct Shown<'a>(&'a SecretsConfig);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretsConfig { region, endpoint_url, cache } = self.0;
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigError, Document, Reader};
    use super::*;

    fn read(text: &str) -> Result<SecretsConfig, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let config = SecretsConfig::read(&reader.root());
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

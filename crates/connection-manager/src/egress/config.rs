use std::fmt;
use std::net::SocketAddr;

use super::{Egress, Network};
use crate::config::Section;

/// `[egress]`: where connections may lead that are defined from outside. The default is for a service that others reach:
/// public addresses alone.
///
/// ```toml
/// [egress]
/// allow_loopback = false         # this machine
/// allow_private = false          # private networks, those of providers, of benchmarks and of documents
/// allow = ["10.20.0.0/16"]       # these all the same
/// deny = ["203.0.113.0/24"]      # these in no case
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EgressConfig {
    /// Whether this machine's loopback addresses may be connected to.
    pub allow_loopback: bool,
    /// Whether private networks may be connected to.
    pub allow_private: bool,
    /// Loopback addresses and private networks that may be connected to whatever the switches say.
    pub allow: Vec<Network>,
    /// Addresses that may not be connected to whatever else is said.
    pub deny: Vec<Network>,
}

impl EgressConfig {
    /// Allows this machine and private networks, as befits a service on a developer's machine.
    pub fn open() -> Self {
        Self { allow_loopback: true, allow_private: true, ..Self::default() }
    }

    /// Reads the table; what it leaves out is as in `usual`.
    pub fn read(section: &Section<'_>, usual: Self) -> Self {
        Self {
            allow_loopback: section.boolean("allow_loopback").unwrap_or(usual.allow_loopback),
            allow_private: section.boolean("allow_private").unwrap_or(usual.allow_private),
            allow: networks(section, "allow").unwrap_or(usual.allow),
            deny: networks(section, "deny").unwrap_or(usual.deny),
        }
    }

    /// The policy of a service that listens at these addresses.
    pub fn egress(self, listeners: impl IntoIterator<Item = SocketAddr>) -> Egress {
        Egress::new(self, listeners.into_iter().collect())
    }

    /// The table as it is in effect, as TOML.
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Shown(self)
    }
}

fn networks(section: &Section<'_>, key: &str) -> Option<Vec<Network>> {
    let mut networks = Vec::new();
    for text in section.texts(key)? {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(error) => section.fault(key, format!("`{text}`: {error}")),
        }
    }
    Some(networks)
}

struct Shown<'a>(&'a EgressConfig);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EgressConfig { allow_loopback, allow_private, allow, deny } = self.0;
        let list = |networks: &[Network]| {
            let texts = networks.iter().map(|network| toml::Value::String(network.to_string()));
            toml::Value::Array(texts.collect())
        };
        writeln!(f, "[egress]\nallow_loopback = {allow_loopback}\nallow_private = {allow_private}")?;
        writeln!(f, "allow = {}\ndeny = {}", list(allow), list(deny))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Document, Reader};

    fn parse(text: &str, usual: EgressConfig) -> Result<EgressConfig, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let config = EgressConfig::read(&reader.root().section("egress"), usual);
        reader.finish()?;
        Ok(config)
    }

    #[test]
    fn what_is_left_out_is_as_usual_and_what_is_shown_can_be_read() {
        assert_eq!(parse("", EgressConfig::open()).unwrap(), EgressConfig::open());
        let text = "[egress]\nallow_private = false\nallow = [\"10.20.0.0/16\"]\ndeny = [\"::1\"]\n";
        let config = parse(text, EgressConfig::open()).unwrap();
        assert!(config.allow_loopback && !config.allow_private);
        assert_eq!(parse(&config.effective().to_string(), EgressConfig::default()).unwrap(), config);
    }

    #[test]
    fn faults_name_line_and_key() {
        let error = parse("[egress]\nallow = [\"10.0.0.0/33\"]\nallowed = true\n", EgressConfig::open()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("egress.allow") && text.contains("10.0.0.0/33") && text.contains("egress.allowed"),
            "{text}"
        );
    }
}

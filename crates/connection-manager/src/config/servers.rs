use std::collections::BTreeMap;
use std::fmt;

use super::effective::key;
use super::section::Section;
use crate::settings::ServerSettings;

/// Reads the `[servers."<host>:<port>"]` tables.
pub(super) fn read(tables: &Section<'_>) -> BTreeMap<String, ServerSettings> {
    let mut servers = BTreeMap::new();
    for name in tables.keys() {
        let section = tables.section(name);
        let port = name.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        if port.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            tables.fault(name, "expected a host and a port, as in \"db.example:3306\"");
        }
        let connections = section.integer("connections");
        let instances = section.integer("instances").unwrap_or(1);
        if connections == Some(0) {
            section.fault("connections", "must be at least 1; without a limit, leave it out");
        }
        if instances == 0 {
            section.fault("instances", "must be at least 1");
        } else if connections.is_some_and(|connections| connections > 0 && connections < instances) {
            let message = format!("more instances than connections ({}): each needs one", connections.unwrap_or(0));
            section.fault("instances", message);
        }
        if servers.insert(name.to_lowercase(), ServerSettings { connections, instances }).is_some() {
            tables.fault(name, "the same server is there twice");
        }
    }
    servers
}

/// The tables as TOML, every default written out.
pub struct EffectiveServers<'a>(pub &'a BTreeMap<String, ServerSettings>);

impl fmt::Display for EffectiveServers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (server, settings) in self.0 {
            writeln!(f, "\n[servers.{}]", key(server))?;
            if let Some(connections) = settings.connections {
                writeln!(f, "connections = {connections}")?;
            }
            writeln!(f, "instances = {}", settings.instances.max(1))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Document, Reader};

    fn parse(text: &str) -> Result<BTreeMap<String, ServerSettings>, ConfigError> {
        let document = Document::parse("bindery.toml", text)?;
        let reader = Reader::new(&document);
        let servers = super::read(&reader.root().section("servers"));
        reader.finish()?;
        Ok(servers)
    }

    #[test]
    fn each_instance_has_an_equal_part() {
        let servers = parse("[servers.\"DB.example:3306\"]\nconnections = 60\ninstances = 4\n").unwrap();
        assert_eq!(servers["db.example:3306"].limit(), Some(15));
        let shown = EffectiveServers(&servers).to_string();
        assert_eq!(parse(&shown).unwrap(), servers);
        let alone = parse("[servers.\"db:1\"]\nconnections = 60\n").unwrap();
        assert_eq!(alone["db:1"].limit(), Some(60));
        assert_eq!(parse("[servers.\"db:1\"]\n").unwrap()["db:1"].limit(), None);
    }

    #[test]
    fn a_limit_that_cannot_work_is_refused() {
        for (text, expected) in [
            ("[servers.db]\nconnections = 60\n", "expected a host and a port"),
            ("[servers.\"db:1\"]\nconnections = 0\n", "must be at least 1"),
            ("[servers.\"db:1\"]\nconnections = 3\ninstances = 4\n", "more instances than connections (3)"),
            ("[servers.\"db:1\"]\nconnections = 3\ninstances = 0\n", "must be at least 1"),
            ("[servers.\"db:1\"]\n[servers.\"DB:1\"]\n", "the same server is there twice"),
            ("[servers.\"db:1\"]\nlimit = 3\n", "unknown key"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

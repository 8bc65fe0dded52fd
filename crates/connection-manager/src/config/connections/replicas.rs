use super::super::section::Section;
use crate::settings::ReplicasSettings;

/// What a `replicas` table says, and what `base` says where it says nothing.
pub(super) fn read(section: &Section<'_>, base: &ReplicasSettings) -> ReplicasSettings {
    let mut settings =
        ReplicasSettings { max_lag: section.duration("max_lag").unwrap_or(base.max_lag), hosts: base.hosts.clone() };
    if let Some(hosts) = section.texts("hosts") {
        settings.hosts.clear();
        for text in hosts {
            match text.parse() {
                Ok(host) => settings.hosts.push(host),
                Err(error) => section.fault("hosts", format!("{text:?}: {error}")),
            }
        }
    } else if section.is_present() && !section.has("hosts") && settings.hosts.is_empty() {
        section.fault("hosts", "missing: where are the replicas?");
    }
    settings
}

#[cfg(all(test, feature = "postgres", feature = "sqlite"))]
mod tests {
    use std::time::Duration;

    use super::super::super::{ConfigError, ConnectionsConfig, Document, Reader};
    use crate::factory::ConnectionFactory;
    use crate::settings::TlsMode;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<ConnectionsConfig, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let document = Document::parse("bindery.toml", text)?.overlay("BINDERY_", variables);
        let reader = Reader::new(&document);
        let config = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
        reader.finish()?;
        Ok(config)
    }

    const USERS: &str = "[connections.users]\nengine = \"postgres\"\nhost = \"127.0.0.1\"\nport = 5433\n\
                         database = \"users\"\nusername = \"svc\"\n";

    fn users(replicas: &str) -> String {
        format!("{USERS}{replicas}")
    }

    #[test]
    fn replicas_are_read_and_written_out() {
        let config =
            read(&users("replicas = { hosts = [\"db-2\", \"db-3:5434\"], max_lag = \"30s\" }\n"), &[]).unwrap();
        let settings = config.get("users").unwrap();
        assert_eq!(settings.replicas.max_lag, Duration::from_secs(30));
        let replicas: Vec<_> = settings.of_replicas().map(|replica| (replica.host.unwrap(), replica.port)).collect();
        assert_eq!(replicas, [("db-2".to_owned(), Some(5433)), ("db-3".to_owned(), Some(5434))]);
        let shown = config.effective().to_string();
        assert!(shown.contains("replicas = { hosts = [\"db-2\", \"db-3:5434\"], max_lag = \"30s\" }"), "{shown}");
        assert_eq!(read(&shown, &[]).unwrap().effective().to_string(), shown);

        let hosts = [("BINDERY_CONNECTIONS__USERS__REPLICAS__HOSTS", "127.0.0.2, 127.0.0.3")];
        let config = read(USERS, &hosts).unwrap();
        assert_eq!(config.get("users").unwrap().replicas.hosts.len(), 2);
    }

    #[test]
    fn the_way_to_a_replica_on_another_machine_is_protected() {
        let mode = |replicas: &str| read(&users(replicas), &[]).unwrap().get("users").unwrap().tls.mode;
        assert_eq!(mode(""), TlsMode::Disabled);
        assert_eq!(mode("replicas = { hosts = [\"localhost:5434\"] }\n"), TlsMode::Disabled);
        assert_eq!(mode("replicas = { hosts = [\"localhost:5434\", \"db-2\"] }\n"), TlsMode::VerifyFull);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = users(
            "replicas = { hosts = [\"db:x\", \"db-2\", \"db-2\"], max_lag = \"0s\" }\n\
             [connections.books]\nengine = \"sqlite\"\npath = \"b.db\"\nreplicas = { hosts = [\"db-2\"] }\n\
             [connections.a]\nengine = \"postgres\"\nhost = \"a\"\ndatabase = \"a\"\nusername = \"a\"\n\
             replicas = { max_lag = \"1s\", host = \"b\" }\n\
             [connections.b]\nengine = \"postgres\"\nper_tenant = true\nhost = \"a\"\ndatabase = \"b_{tenant}\"\n\
             username = \"a\"\n[connections.b.tenants.acme]\nreplicas = { hosts = [\"db-2\"] }\n",
        );
        let error = read(&text, &[]).unwrap_err().to_string();
        for expected in [
            "bindery.toml:7: connections.users.replicas.hosts: \"db:x\": expected a host",
            "bindery.toml:7: connections.users.replicas.hosts: `db-2` is there twice",
            "bindery.toml:7: connections.users.replicas.max_lag: must be longer than zero",
            "bindery.toml:11: connections.books.replicas.hosts: sqlite has none here; mysql, mariadb and postgres have",
            "bindery.toml:17: connections.a.replicas.hosts: missing: where are the replicas?",
            "bindery.toml:17: connections.a.replicas.host: unknown key `host`, did you mean `hosts`?",
            "bindery.toml:25: connections.b.tenants.acme.replicas.hosts: a connection that is kept per tenant has none",
        ] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
    }
}

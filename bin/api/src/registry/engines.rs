use std::path::PathBuf;

use connection_manager::egress::Egress;
use connection_manager::{
    ClientIdentity, ConnectionFactory, ConnectionSettings, PasswordSource, PoolSettings, SettingFault, TlsMode,
    TlsSettings,
};
use registry_context::domain::{self, Definition, Engines, Held, Port};
use secrecy::SecretString;
use shared_kernel::database::{Engine, EngineDescription};
use shared_kernel::validation::Violations;

use super::CONNECTING;
use crate::config::RegistryConfig;

/// The most connections that one stored definition is opened with.
const MOST: u32 = 4;

/// The engines for which the factory has connectors, those from outside included.
#[derive(Debug)]
pub(crate) struct ManagedEngines {
    factory: ConnectionFactory,
    sqlite_root: Option<PathBuf>,
    secret_prefix: Option<String>,
    egress: Egress,
}

impl ManagedEngines {
    /// Whatever is defined goes where `egress` lets it, and files lie below the configured folder.
    pub(crate) fn new(factory: ConnectionFactory, config: &RegistryConfig, egress: Egress) -> Self {
        let RegistryConfig { sqlite_root, secret_prefix, .. } = config;
        let egress = match sqlite_root {
            Some(root) => egress.with_files_below(root),
            None => egress,
        };
        Self { factory, sqlite_root: sqlite_root.clone(), secret_prefix: secret_prefix.clone(), egress }
    }

    pub(crate) const fn factory(&self) -> &ConnectionFactory {
        &self.factory
    }

    /// Whether the definition's host is refused as it is written, whatever the network is like.
    pub(crate) fn refuses_literally(&self, definition: &Definition) -> bool {
        let Some(host) = &definition.host else { return false };
        let usual = self.factory.connector(&definition.engine).ok().and_then(|connector| connector.default_port());
        let port = definition.port.map(Port::get).or(usual).unwrap_or_default();
        self.egress.refuses_literally(host.as_str(), port).is_some()
    }

    /// What the manager needs to know of a definition.
    pub(crate) fn settings(
        &self,
        definition: &Definition,
        password: PasswordSource,
        client_key: Option<SecretString>,
    ) -> ConnectionSettings {
        let mut settings = ConnectionSettings::new(definition.engine.clone());
        settings.host = definition.host.as_ref().map(ToString::to_string);
        settings.port = definition.port.map(Port::get);
        settings.database = definition.database.as_ref().map(ToString::to_string);
        settings.username = definition.username.as_ref().map(ToString::to_string);
        settings.path = definition.path.as_ref().map(|path| match &self.sqlite_root {
            Some(root) => root.join(path.as_str()),
            None => PathBuf::from(path.as_str()),
        });
        settings.password = password;
        let tls = definition.tls.as_ref();
        let certificate = tls.and_then(|tls| tls.client_certificate.as_ref());
        settings.tls = TlsSettings {
            mode: match tls.map(|tls| tls.mode) {
                None | Some(domain::TlsMode::Disabled) => TlsMode::Disabled,
                Some(domain::TlsMode::Required) => TlsMode::Required,
                Some(domain::TlsMode::VerifyFull) => TlsMode::VerifyFull,
            },
            ca_file: None,
            authorities: tls.and_then(|tls| tls.ca.as_ref()).map(|ca| ca.as_str().into()),
            client: certificate.zip(client_key).map(|(chain, key)| ClientIdentity::new(chain.as_str(), key)),
        };
        for (name, value) in definition.options.iter() {
            settings.options.insert(name.to_owned(), value.to_string());
        }
        settings.pool = PoolSettings { min: 0, max: MOST, connect_timeout: CONNECTING, ..settings.pool };
        settings.with_egress(self.egress.clone())
    }
}

impl Engines for ManagedEngines {
    fn all(&self) -> Vec<EngineDescription> {
        let connectors = self.factory.engines().filter_map(|engine| self.factory.connector(engine).ok());
        connectors.map(|connector| connector.describe()).collect()
    }

    fn find(&self, name: &str) -> Option<EngineDescription> {
        let connector = self.factory.connector(&Engine::from(name.to_owned())).ok()?;
        Some(connector.describe())
    }

    fn check(&self, definition: &Definition, held: Held) -> Violations {
        let mut violations = Violations::new();
        if definition.path.is_some() && self.sqlite_root.is_none() {
            let message = "`path` is of no use here: the service has no folder for such files, which its operator names as \
                           `registry.sqlite_root`";
            violations.add("/path", "not_configured", message);
        }
        if let Some(secret) = &definition.secret {
            match &self.secret_prefix {
                None => {
                    let message = "`secret` is of no use here: the service has no secrets for connections, which its operator \
                                   allows with `registry.secret_prefix`";
                    violations.add("/secret", "not_configured", message);
                }
                Some(prefix) if !secret.as_str().starts_with(prefix.as_str()) => {
                    violations.add("/secret", "not_allowed", format!("`secret` begins with `{prefix}`"));
                }
                Some(_) => {}
            }
        }
        let password = match &definition.secret {
            Some(secret) => PasswordSource::SecretsManager { id: secret.to_string() },
            // What it is, is nobody's business here.
            None if held.password => PasswordSource::Literal("given".into()),
            None => PasswordSource::None,
        };
        let client_key = held.client_key.then(|| SecretString::from("given"));
        let Ok(connector) = self.factory.connector(&definition.engine) else { return violations };
        for fault in connector.validate(&self.settings(definition, password, client_key)) {
            violations.add(pointer(&fault), "invalid", fault.message);
        }
        violations
    }
}

/// Where in a definition a setting stands. What has no place there is a fault of the definition as a whole.
fn pointer(fault: &SettingFault) -> String {
    let known =
        ["host", "port", "database", "path", "username", "password", "tls.mode", "tls.ca", "tls.client_certificate"];
    let is_known = known.contains(&fault.key.as_str()) || fault.key.starts_with("options.");
    if is_known { format!("/{}", fault.key.replacen('.', "/", 1)) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use connection_manager::ClientIdentity;
    use registry_context::domain::{Certificates, DisplayName, Host, Labels, Options, Tls, Username};

    use super::*;

    const CA: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAwQF\n-----END CERTIFICATE-----\n";

    fn definition(engine: Engine) -> Definition {
        Definition {
            name: DisplayName::parse("Sales").expect("a name"),
            engine,
            host: Host::parse("db.example").ok(),
            port: None,
            database: None,
            path: None,
            username: Username::parse("ann").ok(),
            secret: None,
            tls: Some(Tls {
                mode: domain::TlsMode::VerifyFull,
                ca: Certificates::parse(CA).ok(),
                client_certificate: Certificates::parse(CERTIFICATE).ok(),
            }),
            options: Options::default(),
            labels: Labels::default(),
            notes: None,
        }
    }

    fn engines() -> ManagedEngines {
        let egress = connection_manager::egress::EgressConfig::default().egress([]);
        ManagedEngines::new(ConnectionFactory::compiled(), &RegistryConfig::default(), egress)
    }

    #[test]
    fn certificates_and_key_go_to_whoever_connects() {
        let settings = engines().settings(&definition(Engine::POSTGRES), PasswordSource::None, Some("the key".into()));
        let identity = ClientIdentity::new(CERTIFICATE, "the key".into());
        assert_eq!((settings.tls.authorities.as_deref(), settings.tls.client), (Some(CA), Some(identity)));
    }

    #[test]
    fn a_stored_connection_takes_few_places_and_none_that_nobody_uses() {
        let settings = engines().settings(&definition(Engine::MYSQL), PasswordSource::None, None);
        assert_eq!((settings.pool.min, settings.pool.max), (0, 4));
    }

    #[test]
    fn a_client_certificate_is_refused_where_it_would_be_left_out() {
        let held = Held { password: true, client_key: true };
        for engine in [Engine::MYSQL, Engine::MARIADB, Engine::POSTGRES, Engine::REDIS, Engine::MONGODB] {
            assert!(engines().check(&definition(engine), held).is_empty());
        }
        for engine in [Engine::SQLSERVER, Engine::DYNAMODB] {
            let violations = engines().check(&definition(engine), held);
            assert!(violations.into_iter().any(|fault| fault.pointer == "/tls/client_certificate"));
        }
    }
}

use std::collections::BTreeMap;
use std::fmt::Display as _;
use std::net::IpAddr;
use std::path::Path;

use secrecy::SecretString;
use shared_kernel::database::{ConnectionName, Engine};

use super::document::Document;
use super::effective::{Effective, EffectivePerTenant};
use super::fault::ConfigError;
use super::section::{Reader, Section};
use super::servers;
use super::suggest;
use crate::credentials::{PasswordSource, check_password_file, environment_variable};
use crate::factory::ConnectionFactory;
use crate::manager::{ConnectionManager, ManagerBuilder};
use crate::settings::{
    BreakerSettings, ConnectionSettings, PLACEHOLDER, PerTenantSettings, PoolSettings, ReplicasSettings, RetrySettings,
    ServerSettings, TlsMode, TlsSettings,
};

mod per_tenant;
mod replicas;

/// The `[connections.<name>]` tables of a file, and the `[servers."<host>:<port>"]` ones.
#[derive(Debug, Clone, Default)]
pub struct ConnectionsConfig {
    connections: Vec<(ConnectionName, ConnectionSettings)>,
    per_tenant: Vec<(ConnectionName, PerTenantSettings)>,
    servers: BTreeMap<String, ServerSettings>,
}

/// One table, read.
enum Declared {
    Shared(ConnectionSettings),
    PerTenant(PerTenantSettings),
}

impl ConnectionsConfig {
    /// Reads a file that holds connections and nothing else, with the process's environment laid over it.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault.
    pub fn load(path: &Path, factory: &ConnectionFactory) -> Result<Self, ConfigError> {
        let document = Document::read(path)?.overlay_environment("BINDERY_");
        let reader = Reader::new(&document);
        let this = Self::read(&reader.root(), factory);
        reader.finish()?;
        Ok(this)
    }

    /// Reads the tables out of a document's top level. Faults go to the section's reader; what is returned is of use
    /// only when [`Reader::finish`] finds none.
    ///
    /// Settings are checked as far as that goes without a network: by the engine's connector, and for secrets whether
    /// the variable or the file is there.
    pub fn read(root: &Section<'_>, factory: &ConnectionFactory) -> Self {
        let tables = root.section("connections");
        let mut this = Self::default();
        for key in tables.keys() {
            let section = tables.section(key);
            match key.parse::<ConnectionName>() {
                Ok(name) => match connection(&section, factory) {
                    Some(Declared::Shared(settings)) => this.connections.push((name, settings)),
                    Some(Declared::PerTenant(settings)) => this.per_tenant.push((name, settings)),
                    None => {}
                },
                Err(error) => tables.fault(key, error.to_string()),
            }
        }
        this.servers = servers::read(&root.section("servers"));
        this
    }

    /// The connections that are kept per tenant, by name.
    pub fn iter_per_tenant(&self) -> impl Iterator<Item = (&ConnectionName, &PerTenantSettings)> {
        self.per_tenant.iter().map(|(name, settings)| (name, settings))
    }

    /// Whether there is a connection of this name, of either kind.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.per_tenant.iter().any(|(known, _)| known.as_str() == name)
    }

    /// The connections that everybody shares, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ConnectionName, &ConnectionSettings)> {
        self.connections.iter().map(|(name, settings)| (name, settings))
    }

    /// The settings of one connection that everybody shares.
    pub fn get(&self, name: &str) -> Option<&ConnectionSettings> {
        self.connections.iter().find(|(known, _)| known.as_str() == name).map(|(_, settings)| settings)
    }

    /// What the connections to one server share, by host and port.
    pub fn servers(&self) -> &BTreeMap<String, ServerSettings> {
        &self.servers
    }

    /// Adds a connection unless the file has one of that name.
    #[must_use]
    pub fn or_default(mut self, name: ConnectionName, settings: ConnectionSettings) -> Self {
        if !self.has(name.as_str()) {
            self.connections.push((name, settings));
        }
        self
    }

    /// The configuration as it is in effect, as TOML and without secrets.
    pub fn effective(&self) -> impl std::fmt::Display + '_ {
        std::fmt::from_fn(|f| {
            Effective(&self.connections).fmt(f)?;
            if !self.connections.is_empty() && !self.per_tenant.is_empty() {
                writeln!(f)?;
            }
            EffectivePerTenant(&self.per_tenant).fmt(f)?;
            servers::EffectiveServers(&self.servers).fmt(f)
        })
    }

    /// The beginning of a manager over these connections. Who the tenants are, [`ManagerBuilder::tenants`] has to be told.
    pub fn manager(self, factory: ConnectionFactory) -> ManagerBuilder {
        let builder = ConnectionManager::builder(factory);
        let builder =
            self.servers.into_iter().fold(builder, |builder, (server, settings)| builder.server(&server, settings));
        let builder = self
            .connections
            .into_iter()
            .fold(builder, |builder, (name, settings)| builder.connection(name.as_str(), settings));
        self.per_tenant
            .into_iter()
            .fold(builder, |builder, (name, settings)| builder.per_tenant(name.as_str(), settings))
    }
}

fn connection(section: &Section<'_>, factory: &ConnectionFactory) -> Option<Declared> {
    let engine = section.text("engine");
    if engine.is_none() && !section.has("engine") {
        section.fault("engine", "missing: which product is it?");
    }
    let is_per_tenant = per_tenant::is_declared(section);
    let mut settings = ConnectionSettings::new(Engine::from(engine.clone().unwrap_or_default()));
    if is_per_tenant {
        settings.pool = PerTenantSettings::usual_pool();
    }
    let settings = values(section, settings);
    if !is_per_tenant {
        per_tenant::refuse_placeholders(section, &settings);
    }
    let Ok(connector) = factory.connector(&Engine::from(engine?.clone())) else {
        let known = factory.engines().map(Engine::as_str);
        section.fault("engine", suggest::unknown("engine", settings.engine.as_str(), known));
        return None;
    };
    let database = settings.database.is_some() || settings.password.holds_login();
    if connector.default_port().is_some() && !database && !section.has("database") {
        section.fault("database", "missing: which of the server's databases is it?");
    }
    let of_replicas = if is_per_tenant { Vec::new() } else { ReplicasSettings::faults(&settings) };
    for fault in connector.validate(&settings).into_iter().chain(of_replicas) {
        section.fault(&fault.key, fault.message);
    }
    if is_per_tenant {
        Some(Declared::PerTenant(per_tenant::read(section, settings, &**connector)))
    } else {
        Some(Declared::Shared(settings))
    }
}

/// What a table says about a connection besides its engine, and what `base` says where it says nothing.
fn values(section: &Section<'_>, base: ConnectionSettings) -> ConnectionSettings {
    let mut settings = ConnectionSettings {
        host: section.text("host").or(base.host),
        port: section.integer("port").or(base.port),
        database: section.text("database").or(base.database),
        path: section.path("path").or(base.path),
        username: section.text("username").or(base.username),
        ..base
    };
    let before = settings.password.holds_login();
    if section.has("password") {
        settings.password = password(section);
    }
    // Where the secret names the host, it is most likely not this machine.
    let may_be_loopback = settings.host.is_some() || !settings.password.holds_login();
    settings.replicas = replicas::read(&section.section("replicas"), &settings.replicas);
    let may_be_loopback = may_be_loopback && settings.replicas.hosts.iter().all(|replica| is_loopback(&replica.host));
    let moved = section.has("tls")
        || section.has("host")
        || section.has("replicas")
        || before != settings.password.holds_login();
    if moved || settings.tls == TlsSettings::default() {
        settings.tls = tls(&section.section("tls"), settings.host.as_deref(), may_be_loopback);
    }
    settings.pool = pool(&section.section("pool"), &settings.pool);
    settings.breaker = breaker(&section.section("breaker"), &settings.breaker);
    settings.retry = retry(&section.section("retry"), &settings.retry);
    let options = section.section("options");
    for key in options.keys() {
        if let Some(value) = options.scalar(key) {
            settings.options.insert(key.to_owned(), value);
        }
    }
    settings
}

fn password(section: &Section<'_>) -> PasswordSource {
    const REMEDY: &str =
        "write { env = \"VARIABLE\" }, { file = \"PATH\" }, { secrets_manager = \"NAME\" } or { rds_iam = true }";
    if section.is_text_in_file("password") {
        section.fault("password", format!("a password does not belong in the file; {REMEDY}"));
        return PasswordSource::None;
    }
    if section.is_text_from_environment("password") {
        return section
            .text("password")
            .map_or(PasswordSource::None, |text| PasswordSource::Literal(SecretString::from(text)));
    }
    let source = section.section("password");
    let rds_iam = source.boolean("rds_iam");
    let region = source.text("region");
    if rds_iam == Some(false) {
        source.fault("rds_iam", "expected true, or nothing");
    } else if region.is_some() && rds_iam.is_none() {
        source.fault("region", "is of use beside rds_iam alone");
    }
    let places = (source.text("env"), source.path("file"), source.text("secrets_manager"), rds_iam);
    match places {
        (Some(variable), None, None, None) => {
            if !variable.contains(PLACEHOLDER) && environment_variable(&variable).is_none() {
                source.fault("env", format!("the environment variable `{variable}` is not set"));
            }
            PasswordSource::Environment(variable)
        }
        (None, Some(file), None, None) => {
            if !file.to_string_lossy().contains(PLACEHOLDER)
                && let Err(error) = check_password_file(&file)
            {
                source.fault("file", error.to_string());
            }
            PasswordSource::File(file)
        }
        (None, None, Some(id), None) => {
            if !is_secret_id(&id.replace(PLACEHOLDER, "tenant")) {
                source.fault("secrets_manager", "expected a secret's name or ARN: letters, digits and /_+=.@-");
            }
            PasswordSource::SecretsManager { id }
        }
        (None, None, None, Some(_)) => PasswordSource::RdsIam { region },
        (None, None, None, None) => {
            if source.is_present() {
                section.fault("password", REMEDY);
            }
            PasswordSource::None
        }
        _ => {
            section.fault("password", "more than one place is given; keep one");
            PasswordSource::None
        }
    }
}

/// What AWS takes for a secret's name (512 characters) or ARN.
fn is_secret_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte);
    let name = !id.contains(':') || id.starts_with("arn:");
    name && (1..=2048).contains(&id.len()) && id.bytes().all(allowed)
}

fn tls(section: &Section<'_>, host: Option<&str>, may_be_loopback: bool) -> TlsSettings {
    let loopback = may_be_loopback && host.is_none_or(is_loopback);
    let default = if loopback { TlsMode::Disabled } else { TlsMode::VerifyFull };
    let ca_file = section.path("ca_file");
    if let Some(file) = ca_file.as_deref().filter(|file| !file.is_file()) {
        section.fault("ca_file", format!("there is no file {}", file.display()));
    }
    TlsSettings { mode: section.word("mode", &TlsMode::ALL).unwrap_or(default), ca_file, ..TlsSettings::default() }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn breaker(section: &Section<'_>, usual: &BreakerSettings) -> BreakerSettings {
    let open_for = section.duration("open_for").unwrap_or(usual.open_for);
    let settings = BreakerSettings {
        failures: section.integer("failures").unwrap_or(usual.failures),
        open_for,
        open_for_max: section.duration("open_for_max").unwrap_or_else(|| usual.open_for_max.max(open_for)),
        probes: section.integer("probes").unwrap_or(usual.probes),
    };
    if settings.probes == 0 {
        section.fault("probes", "must be at least 1: without a probe an open circuit stays open");
    }
    if settings.open_for.is_zero() {
        section.fault("open_for", "must be more than nothing; to have no circuit breaker, set failures = 0");
    }
    if settings.open_for_max < settings.open_for {
        section.fault("open_for_max", "must not be less than open_for");
    }
    settings
}

fn retry(section: &Section<'_>, usual: &RetrySettings) -> RetrySettings {
    let base = section.duration("base").unwrap_or(usual.base);
    let settings = RetrySettings {
        attempts: section.integer("attempts").unwrap_or(usual.attempts),
        base,
        cap: section.duration("cap").unwrap_or_else(|| usual.cap.max(base)),
        budget_percent: section.integer("budget_percent").unwrap_or(usual.budget_percent),
    };
    if settings.attempts == 0 {
        section.fault("attempts", "must be at least 1: the first try counts");
    }
    if settings.cap < settings.base {
        section.fault("cap", "must not be less than base");
    }
    if settings.budget_percent > 100 {
        section.fault("budget_percent", "must not be more than 100: that is a repetition for each call");
    }
    settings
}

/// `default` is the engine's usual.
fn pool(section: &Section<'_>, default: &PoolSettings) -> PoolSettings {
    let optional =
        |key: &str, default| section.duration(key).map_or(default, |time| Some(time).filter(|t| !t.is_zero()));
    let max = section.integer("max").unwrap_or(default.max);
    PoolSettings {
        min: section.integer("min").unwrap_or_else(|| default.min.min(max)),
        max,
        acquire_timeout: section.duration("acquire_timeout").unwrap_or(default.acquire_timeout),
        connect_timeout: section.duration("connect_timeout").unwrap_or(default.connect_timeout),
        idle_timeout: optional("idle_timeout", default.idle_timeout),
        max_lifetime: optional("max_lifetime", default.max_lifetime),
        statement_timeout: optional("statement_timeout", default.statement_timeout),
        validate_after: section.duration("validate_after").unwrap_or(default.validate_after),
        leak_after: optional("leak_after", default.leak_after),
        keepalive: optional("keepalive", default.keepalive),
    }
}

#[cfg(all(test, feature = "mysql", feature = "sqlite"))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<ConnectionsConfig, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let document = Document::parse("bindery.toml", text)?.overlay("BINDERY_", variables);
        let reader = Reader::new(&document);
        let config = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
        reader.finish()?;
        Ok(config)
    }

    #[track_caller]
    fn refused(text: &str, variables: &[(&str, &str)], expected: &str) {
        let error = read(text, variables).expect_err("the configuration is wrong").to_string();
        assert_eq!(error, expected);
    }

    #[test]
    fn a_whole_connection_is_read() {
        let text = r#"
            [connections.users]
            engine = "mysql"
            host = "127.0.0.1"
            port = 3307
            database = "users"
            username = "svc"
            tls = { mode = "required" }
            pool = { min = 2, max = 20, acquire_timeout = "250ms", idle_timeout = "0s" }
        "#;
        let config = read(text, &[]).unwrap();
        let users = config.get("users").unwrap();
        assert_eq!(users.port, Some(3307));
        assert_eq!(users.tls.mode, TlsMode::Required);
        assert_eq!((users.pool.min, users.pool.max), (2, 20));
        assert_eq!(users.pool.acquire_timeout, Duration::from_millis(250));
        assert_eq!(users.pool.idle_timeout, None);
    }

    #[test]
    fn a_server_has_ten_to_a_hundred_connections_and_a_file_has_few() {
        let server = "engine = \"mysql\"\nhost = \"localhost\"\nusername = \"svc\"\ndatabase = \"d\"\n";
        let text = format!(
            "[connections.plain]\n{server}[connections.small]\n{server}pool = {{ max = 4 }}\n\
             [connections.file]\nengine = \"sqlite\"\npath = \"users.db\"\n"
        );
        let config = read(&text, &[]).unwrap();
        let limits = |name| {
            let pool = &config.get(name).unwrap().pool;
            (pool.min, pool.max)
        };
        assert_eq!((limits("plain"), limits("small"), limits("file")), ((10, 100), (4, 4), (0, 10)));
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_line() {
        let text = "[connections.users]\nengine = \"mysql\"\nhots = \"db\"\nusername = \"svc\"\ndatabase = \"d\"\n\
                    pool = { min = 5, max = 2 }\npassword = \"hunter2\"\n\n[connections.books]\nengine = \"sqllite\"\n";
        refused(
            text,
            &[],
            "bindery.toml:1: connections.users.host: missing: mysql is a server\n\
             bindery.toml:3: connections.users.hots: unknown key `hots`, expected one of: breaker, database, engine, \
             host, idle_evict, max_live, options, password, path, per_tenant, pool, port, replicas, retry, tenants, tls, username\n\
             bindery.toml:6: connections.users.pool.min: must not exceed pool.max (2), it is 5\n\
             bindery.toml:7: connections.users.password: a password does not belong in the file; \
             write { env = \"VARIABLE\" }, { file = \"PATH\" }, { secrets_manager = \"NAME\" } or { rds_iam = true }\n\
             bindery.toml:10: connections.books.engine: unknown engine `sqllite`, did you mean `sqlite`?",
        );
    }

    #[test]
    fn a_missing_secret_is_named() {
        let text = "[connections.users]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"svc\"\n\
                    database = \"d\"\npassword = { env = \"BINDERY_SURELY_NOT_SET\" }\n";
        refused(
            text,
            &[],
            "bindery.toml:6: connections.users.password.env: the environment variable `BINDERY_SURELY_NOT_SET` is not set",
        );
    }

    #[test]
    fn a_secret_stands_in_for_user_host_and_database() {
        let text = "[connections.users]\nengine = \"mysql\"\npassword = { secrets_manager = \"prod/users\" }\n";
        let config = read(text, &[]).unwrap();
        let users = config.get("users").unwrap();
        let PasswordSource::SecretsManager { id } = &users.password else { panic!("{:?}", users.password) };
        assert_eq!(id, "prod/users");
        assert_eq!(users.tls.mode, TlsMode::VerifyFull, "the host that the secret names is not known to be this one");
        let shown = config.effective().to_string();
        assert!(shown.contains("password = { secrets_manager = \"prod/users\" }"), "{shown}");
        assert_eq!(read(&shown, &[]).unwrap().effective().to_string(), shown);
    }

    #[test]
    fn a_token_is_for_a_server_that_is_checked() {
        let text = |engine: &str, password: &str, tls: &str| {
            format!(
                "[connections.users]\nengine = \"{engine}\"\nhost = \"db.example\"\nusername = \"u\"\n\
                 database = \"0\"\npassword = {{ {password} }}\n{tls}"
            )
        };
        let config = read(&text("mysql", "rds_iam = true, region = \"eu-central-1\"", ""), &[]).unwrap();
        let shown = config.effective().to_string();
        assert!(shown.contains("password = { rds_iam = true, region = \"eu-central-1\" }"), "{shown}");
        assert_eq!(read(&shown, &[]).unwrap().effective().to_string(), shown);
        for mode in ["disabled", "required"] {
            refused(
                &text("mysql", "rds_iam = true", &format!("tls = {{ mode = \"{mode}\" }}\n")),
                &[],
                "bindery.toml:7: connections.users.tls.mode: must be \"verify-full\" where the password is { rds_iam = true \
                 }: whoever sees the token can log in",
            );
        }
        for (password, fault) in [
            ("rds_iam = false", ".rds_iam: expected true, or nothing"),
            ("env = \"PATH\", region = \"x\"", ".region: is of use beside rds_iam alone"),
            ("env = \"PATH\", rds_iam = true", ": more than one place is given; keep one"),
        ] {
            refused(&text("mysql", password, ""), &[], &format!("bindery.toml:6: connections.users.password{fault}"));
        }
        #[cfg(feature = "redis")]
        refused(
            &text("redis", "rds_iam = true", ""),
            &[],
            "bindery.toml:6: connections.users.password.rds_iam: redis takes no tokens of AWS's IAM; mysql, mariadb and \
             postgres do",
        );
    }

    #[test]
    fn one_place_of_a_password_is_enough() {
        let text = "[connections.users]\nengine = \"mysql\"\npassword = { secrets_manager = \"prod users\" }\n\
                    [connections.books]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"u\"\n\
                    database = \"d\"\npassword = { env = \"PATH\", secrets_manager = \"x\" }\n";
        refused(
            text,
            &[],
            "bindery.toml:3: connections.users.password.secrets_manager: expected a secret's name or ARN: letters, \
             digits and /_+=.@-\n\
             bindery.toml:9: connections.books.password: more than one place is given; keep one",
        );
    }

    #[test]
    fn the_environment_takes_the_place_of_values_and_adds_some() {
        let text = "[connections.users]\nengine = \"sqlite\"\npath = \"users.db\"\n";
        let variables = [
            ("BINDERY_CONNECTIONS__USERS__PATH", "other.db"),
            ("BINDERY_CONNECTIONS__USERS__POOL__MAX", "3"),
            ("BINDERY_LISTEN", "not ours"),
        ];
        let config = read(text, &variables).unwrap();
        let users = config.get("users").unwrap();
        assert_eq!(users.path.as_deref(), Some(Path::new("other.db")));
        assert_eq!(users.pool.max, 3);
    }

    #[test]
    fn a_fault_in_the_environment_names_the_variable() {
        let text = "[connections.users]\nengine = \"sqlite\"\npath = \"users.db\"\n";
        refused(
            text,
            &[("BINDERY_CONNECTIONS__USERS__POOL__MAXX", "3")],
            "environment variable BINDERY_CONNECTIONS__USERS__POOL__MAXX: connections.users.pool.maxx: unknown key \
             `maxx`, did you mean `max`?",
        );
    }

    #[test]
    fn the_effective_configuration_reads_back_and_tells_no_secret() {
        let text = "[connections.books]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"svc\"\n\
                    database = \"d\"\n";
        let variables = [("BINDERY_CONNECTIONS__BOOKS__PASSWORD", "hunter2")];
        let config = read(text, &variables).unwrap();
        let shown = config.effective().to_string();
        assert!(!shown.contains("hunter2") && shown.contains("[redacted]"), "{shown}");
        assert!(!format!("{config:?}").contains("hunter2"));
        let without: String =
            shown.lines().filter(|line| !line.starts_with("password")).flat_map(|line| [line, "\n"]).collect();
        let again = read(&without, &variables).unwrap();
        assert_eq!(again.effective().to_string(), shown);
    }

    #[test]
    fn broken_syntax_is_told_with_its_line() {
        let error = read("[connections.users]\nengine = \n", &[]).unwrap_err();
        assert!(error.to_string().starts_with("bindery.toml:2: "), "{error}");
    }
}

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use connection_manager::ConnectionFactory;
use connection_manager::config::{
    CircuitsConfig, ConfigError, ConnectionsConfig, Document, Reader, SecretsConfig, Section, TenantsConfig, suggest,
};
use connection_manager::egress::EgressConfig;
use tracing_subscriber::EnvFilter;

use super::{CONTEXTS, Config, ContextsConfig, LogConfig, LogFormat, RegistryConfig, ServerConfig, registry, tenants};
use crate::cli::SourceArgs;
use crate::rest::{Limits, is_host, is_origin};

/// What environment variables that set one value begin with.
const PREFIX: &str = "BINDERY_";

const FORMATS: &[(LogFormat, &str)] =
    &[(LogFormat::Auto, "auto"), (LogFormat::Json, "json"), (LogFormat::Pretty, "pretty")];

impl Config {
    /// The configuration in effect: defaults, then the file, then single variables, then the arguments. Which engines there
    /// are is for `connectors` to say.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault, each with its key and its line or variable.
    pub fn load(
        source: &SourceArgs,
        listen: Option<SocketAddr>,
        connectors: &ConnectionFactory,
    ) -> Result<Self, ConfigError> {
        let document = match &source.config {
            Some(file) => Document::read(file)?,
            None => Document::empty("configuration"),
        };
        let mut config = Self::read(&document.overlay_environment(PREFIX), source.data.clone(), connectors)?;
        if let Some(listen) = listen {
            config.server.listen = listen;
        }
        Ok(config)
    }

    /// Reads a document; `data` comes before what it says about the data folder.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault.
    pub fn read(
        document: &Document,
        data: Option<PathBuf>,
        connectors: &ConnectionFactory,
    ) -> Result<Self, ConfigError> {
        let reader = Reader::new(document);
        let root = reader.root();
        let in_file = root.path("data");
        let data = data.or(in_file).unwrap_or_else(|| PathBuf::from("./data"));
        let named = ConnectionsConfig::read(&root, connectors);
        let listed = TenantsConfig::read(&root);
        let secrets = SecretsConfig::read(&root, &named);
        let circuits = CircuitsConfig::read(&root, &named);
        let servers = named.servers().clone();
        let embedded = Self::embedded(data);
        let per_tenant = named.iter_per_tenant().map(|(name, settings)| (name.to_string(), settings.clone()));
        let mut per_tenant: std::collections::BTreeMap<_, _> = per_tenant.collect();
        let named = named.iter().map(|(name, settings)| (name.to_string(), settings.clone()));
        let mut connections: std::collections::BTreeMap<_, _> = named.collect();

        let server = server(&root.section("server"));
        let log = log(&root.section("log"));
        let contexts = root.section("contexts");
        let [users, books, registry] = CONTEXTS.map(|context| {
            let section = contexts.section(context);
            let Some(connection) = section.text("connection") else {
                // Nobody said anything about this context's connection, so it has a file of its own, and where there are
                // tenants, none that they share. The registry is its operators', not a tenant's.
                if per_tenant.contains_key(context) {
                    return context.to_owned();
                }
                if listed.is_present() && context != registry::CONTEXT && !connections.contains_key(context) {
                    per_tenant.insert(context.to_owned(), tenants::embedded(&embedded.data, context));
                    return context.to_owned();
                }
                if let Some(settings) = embedded.connections.get(context) {
                    connections.entry(context.to_owned()).or_insert_with(|| settings.clone());
                }
                return context.to_owned();
            };
            let is_known = connections.contains_key(&connection) || per_tenant.contains_key(&connection);
            // One with a fault of its own is told as that.
            if !is_known && !root.section("connections").has(&connection) {
                let known = connections.keys().chain(per_tenant.keys()).map(String::as_str);
                section.fault("connection", suggest::unknown("connection", &connection, known));
            }
            connection
        });
        let contexts = ContextsConfig { users, books, registry };
        let stored = RegistryConfig::read(&root.section("registry"), server.limits.request_timeout);
        let mut config = Self {
            server,
            log,
            contexts,
            connections,
            per_tenant,
            tenants: listed,
            servers,
            secrets,
            circuits,
            registry: stored,
            egress: EgressConfig::default(),
            data: embedded.data,
        };
        config.egress = EgressConfig::read(&root.section("egress"), config.usual_egress());
        tenants::check(&root, &config);
        registry::check(&root, &config);
        reader.finish()?;
        Ok(config)
    }
}

fn server(section: &Section<'_>) -> ServerConfig {
    let default = ServerConfig::default();
    let listen = section.text("listen").and_then(|text| {
        let address = text.parse().ok();
        if address.is_none() {
            section.fault("listen", "expected an address with a port, such as \"127.0.0.1:8080\"");
        }
        address
    });
    let cors_origins = section.texts("cors_origins").unwrap_or_default();
    if cors_origins.iter().any(|origin| origin != "*" && !is_origin(origin)) {
        section.fault("cors_origins", "expected origins such as \"https://shop.example\", without a path, or \"*\"");
    }
    let allowed_hosts = section.texts("allowed_hosts").unwrap_or_default();
    if !allowed_hosts.iter().all(|host| is_host(host)) {
        section.fault("allowed_hosts", "expected host names without a port, such as \"api.example.com\", or \"*\"");
    }
    let drain_limit = section.duration("drain_limit").unwrap_or(default.drain_limit);
    if drain_limit < Duration::from_secs(1) {
        section.fault("drain_limit", "expected at least \"1s\"");
    }
    let mut server = ServerConfig {
        listen: listen.unwrap_or(default.listen),
        limits: limits(section),
        drain_delay: section.duration("drain_delay").unwrap_or(default.drain_delay),
        drain_limit,
        allowed_hosts,
        cors_origins,
        docs: section.boolean("docs").unwrap_or(default.docs),
        workers: section.integer("workers").unwrap_or(default.workers),
        trusted_proxies: default.trusted_proxies,
        tenant_header: default.tenant_header,
        tenant_host: default.tenant_host,
    };
    tenants::read(section, &mut server);
    server
}

fn limits(section: &Section<'_>) -> Limits {
    let default = Limits::default();
    let at_least_one = |key: &str, default: usize| match section.integer(key) {
        Some(0) => {
            section.fault(key, "expected at least 1");
            default
        }
        given => given.unwrap_or(default),
    };
    let request_timeout = section.duration("request_timeout").unwrap_or(default.request_timeout);
    if request_timeout.is_zero() {
        section.fault("request_timeout", "expected more than no time");
    }
    Limits {
        body: at_least_one("body_limit", default.body),
        header_count: at_least_one("header_count", default.header_count),
        header_bytes: at_least_one("header_bytes", default.header_bytes),
        request_timeout,
    }
}

fn log(section: &Section<'_>) -> LogConfig {
    let default = LogConfig::default();
    let filter = section.text("filter").unwrap_or(default.filter);
    if EnvFilter::builder().parse(&filter).is_err() {
        section.fault("filter", "expected directives such as \"info,sqlx=warn\"");
    }
    LogConfig { filter, format: section.word("format", FORMATS).unwrap_or(default.format) }
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::Engine;

    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let document = Document::parse("bindery.toml", text).map_err(|error| error.to_string())?;
        Config::read(&document, None, &ConnectionFactory::compiled()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_everything_embedded() {
        let config = read("").expect("valid");
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.connections.keys().collect::<Vec<_>>(), ["books", "registry", "users"]);
        assert!(config.connections.values().all(|settings| settings.engine == Engine::SQLITE));
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_a_suggestion() {
        let text = "[server]\nlistne = \"127.0.0.1:80\"\nlisten = \"here\"\nbody_limit = 0\nrequest_timeout = 5\n\n\
                    [log]\nformat = \"jsn\"\n\n[contexts.users]\nconnection = \"user\"\n\n\
                    [connections.users]\nengine = \"sqlite\"\npath = \"u.db\"\n";
        let error = read(text).expect_err("faults");
        for expected in [
            "bindery.toml:2: server.listne: ",
            "bindery.toml:3: server.listen: expected an address",
            "bindery.toml:4: server.body_limit: expected at least 1",
            "bindery.toml:5: server.request_timeout: ",
            "bindery.toml:8: log.format: ",
            "bindery.toml:11: contexts.users.connection: ",
        ] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
        for suggestion in ["listen", "json", "users"] {
            assert!(error.contains(suggestion), "{error}");
        }
    }

    #[test]
    fn what_would_open_the_registry_too_far_is_a_fault() {
        let text = "[registry]\nsqlite_root = \"files\"\nsecret_prefix = \"\"\naudit_retention = \"23h\"\ntest_timeout = \"4s\"\n\
                    [registry.tokens]\nann = { env = \"BINDERY_TEST_NOBODY_SETS_THIS\" }\n\
                    [contexts.registry]\nconnection = \"store\"\n\
                    [connections.store]\nengine = \"mysql\"\nhost = \"h\"\nusername = \"u\"\ndatabase = \"d\"\n";
        let error = read(text).expect_err("faults");
        for expected in [
            "bindery.toml:2: registry.sqlite_root: expected an absolute path",
            "bindery.toml:3: registry.secret_prefix: must not be empty",
            "bindery.toml:4: registry.audit_retention: expected at least \"1d\"",
            "bindery.toml:5: registry.test_timeout: expected \"5s\" to \"5m\"",
            "registry.keys: missing: ",
        ] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
        let store = text.split_once("[contexts").expect("two parts").1;
        let error = read(&format!("[contexts{store}")).expect_err("nobody has a token");
        assert!(error.contains("registry.tokens: missing: "), "{error}");
    }

    #[test]
    fn a_test_of_a_connection_is_over_before_its_request_is() {
        assert_eq!(read("[registry]\ntest_timeout = \"20s\"\n").expect("valid").registry.test_timeout.as_secs(), 20);
        assert_eq!(read("").expect("valid").registry.test_timeout.as_secs(), 10);
        assert!(read("[registry]\ntest_timeout = \"28s\"\n").is_ok());
        let error = read("[registry]\ntest_timeout = \"28001ms\"\n").expect_err("no room behind it");
        let expected = "bindery.toml:2: registry.test_timeout: must be shorter than \
                        server.request_timeout (30s) by at least 2s";
        assert!(error.contains(expected), "{error}");
        // Who says nothing of it has as much as fits in, or a request that ends it.
        for (request, test) in [("12s", 10), ("10s", 8), ("7s", 5), ("5s", 5), ("1ms", 5)] {
            let config = read(&format!("[server]\nrequest_timeout = \"{request}\"\n")).expect("valid");
            assert_eq!(config.registry.test_timeout.as_secs(), test, "{request}");
        }
    }

    #[test]
    fn a_connection_with_a_fault_is_told_as_that_alone() {
        let text = "[contexts.registry]\nconnection = \"store\"\n[registry]\nschema_cache = \"cache\"\n\
                    [connections.store]\nengine = \"sqlit\"\npath = \"r.db\"\n[connections.cache]\nengine = \"rediss\"\n";
        let error = read(text).expect_err("faults");
        assert_eq!(error.lines().count(), 2, "{error}");
        for expected in ["bindery.toml:6: connections.store.engine: ", "bindery.toml:9: connections.cache.engine: "] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
    }

    #[test]
    fn a_context_can_use_any_connection() {
        let text = "[contexts.users]\nconnection = \"main\"\n[contexts.books]\nconnection = \"main\"\n\
                    [connections.main]\nengine = \"sqlite\"\npath = \"main.db\"\n";
        let config = read(text).expect("valid");
        assert_eq!(config.contexts.iter().map(|(_, name)| name).collect::<Vec<_>>(), ["main", "main", "registry"]);
        assert_eq!(config.connections.keys().collect::<Vec<_>>(), ["main", "registry"]);
    }

    #[test]
    fn with_tenants_a_context_of_which_nothing_is_said_has_a_file_for_each() {
        let text = "data = \"d\"\n[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[tenants]\nnames = [\"acme\"]\n\
                    [connections.books]\nengine = \"sqlite\"\npath = \"b.db\"\n";
        let config = read(text).expect("valid");
        let users = config.per_tenant["users"].of(&"acme".parse().expect("a tenant"));
        assert_eq!(users.path, Some("d/acme/users.sqlite3".into()));
        assert_eq!(
            config.connections.keys().collect::<Vec<_>>(),
            ["books", "registry"],
            "what is said stays everybody's"
        );
    }

    #[test]
    fn tenants_that_nobody_could_be_are_faults() {
        let text = "[server]\ntenant_header = \"a b\"\ntenant_host = \"x{tenant}\"\ntrusted_proxies = [\"here\"]\n\
                    [connections.users]\nengine = \"sqlite\"\npath = \"{tenant}.db\"\nper_tenant = true\n";
        let error = read(text).expect_err("faults");
        for expected in [
            "bindery.toml:2: server.tenant_header: ",
            "bindery.toml:3: server.tenant_host: expected a host name with the label `{tenant}` once",
            "bindery.toml:4: server.trusted_proxies: expected an address",
            "tenants: missing: `users` is kept per tenant",
            "no request can name its tenant",
        ] {
            assert!(error.contains(expected), "{expected} is not in\n{error}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back_as_the_same() {
        let tenants = "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\ntenant_host = \"{tenant}.api.example.com\"\n\
                       [tenants]\nnames = [\"acme\"]\n";
        let shown = read(tenants).expect("valid").to_toml();
        let again = read(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(again.to_toml(), shown);
        assert!(shown.contains("tenant_host = \"{tenant}.api.example.com\"") && shown.contains("per_tenant = true"));
        let text = "data = \"/srv/bindery\"\n[server]\nlisten = \"[::1]:9000\"\ncors_origins = [\"https://shop.example\"]\n\
                    docs = false\n[log]\nformat = \"json\"\n[secrets]\nregion = \"eu-central-1\"\nttl = \"30m\"\n";
        let shown = read(text).expect("valid").to_toml();
        let again = read(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(again.to_toml(), shown);
        assert!(shown.contains("listen = \"[::1]:9000\""), "{shown}");
        assert!(shown.contains("region = \"eu-central-1\"\nttl = \"30m\""), "{shown}");
        let circuits = "[circuits]\nconnection = \"cache\"\n\
                        [connections.cache]\nengine = \"redis\"\nhost = \"localhost\"\ndatabase = \"0\"\n";
        let shown = read(circuits).expect("valid").to_toml();
        assert!(shown.contains("[circuits]\nconnection = \"cache\"\nprefix = \"bindery:circuit:\""), "{shown}");
        assert_eq!(read(&shown).expect("valid").to_toml(), shown);
        for (request, test) in [("10s", Some("8s")), ("7s", Some("5s")), ("6999ms", None), ("1s", None)] {
            let config = read(&format!("[server]\nrequest_timeout = \"{request}\"\n")).expect("valid");
            let shown = config.to_toml();
            let line = test.map(|test| format!("test_timeout = \"{test}\""));
            assert_eq!(shown.lines().find(|line| line.starts_with("test_timeout")), line.as_deref(), "{request}");
            let again = read(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
            assert_eq!((again.to_toml(), again.registry.test_timeout), (shown, config.registry.test_timeout));
        }
    }
}

//! What the service is told from outside: one TOML file, environment variables, arguments.
//!
//! ```toml
//! data = "./data"                    # where embedded databases are kept
//!
//! [server]
//! listen = "127.0.0.1:8080"          # port 0 picks a free one
//! workers = 0                        # threads that serve requests; 0 is one for each core
//! docs = true                        # /docs, /redoc, /openapi.json, and / that leads there
//! allowed_hosts = []                 # such as ["api.example.com"]: by which names it may be asked, besides localhost, loopback
//!                                    # addresses and the one it listens at; ["*"] is every name. Those of tenants count by
//!                                    # themselves
//! cors_origins = []                  # such as ["https://shop.example"]; ["*"] is every origin
//! body_limit = 1048576               # bytes
//! header_count = 64
//! header_bytes = 16384
//! request_timeout = "30s"            # also the deadline of every statement
//! drain_delay = "0s"                 # not ready, still serving: time for a load balancer to turn away
//! drain_limit = "30s"                # how long requests under way may take to finish
//! trusted_proxies = []               # such as ["10.0.0.0/8"]: of whom the header that names the tenant is believed
//! tenant_header = "tenant-id"
//! tenant_host = "{tenant}.api.example.com"   # the tenant by the host name; left out, it does not count
//!
//! [log]
//! filter = "info,actix_server=warn,actix_http::h1::dispatcher=off"   # crates that hold credentials: never below info
//! format = "auto"                    # auto (readable on a terminal, JSON elsewhere), json or pretty
//!
//! [contexts.users]                   # which of [connections] each context uses; left out, one of its own name, if need be embedded
//! connection = "users"
//!
//! [contexts.books]
//! connection = "books"
//!
//! [contexts.registry]
//! connection = "registry"
//!
//! [registry]                         # stored connections; without keys and tokens both are made in the data folder, as
//! key = "2026"                       # long as the registry's database lies there. Which key seals, of several
//! sqlite_root = "/srv/sqlite"        # below it lie the files that connections may name; left out, none may
//! secret_prefix = "bindery/registry/"   # what secrets that connections may name begin with; left out, none may
//! audit_retention = "365d"           # how long calls are remembered, at least 1d; or "forever"
//! snapshots = 100                    # how many of its schema a connection may have, 1 to 10000
//! test_timeout = "10s"               # how long a test of a connection may take in all: 5s to 5m, at least 2s less than
//!                                    # request_timeout, as it is without a word where that has room for a test
//! # schema_cache = "cache"           # a Redis among [connections] through which instances have each other's schemas
//!
//! [registry.keys]                    # 32 random bytes in base64, as `openssl rand -base64 32` prints them
//! 2026 = { env = "REGISTRY_KEY" }    # or { file = "/run/secrets/registry.key" }
//!
//! [registry.tokens]                  # who may use /api/v1/connections, by the names that the audit shows
//! console = { file = "/run/secrets/console.token" }
//!
//! [egress]                           # where stored connections may lead; see `connection_manager::egress`
//! allow_loopback = false             # left out, both are true as long as the registry's database lies in the data folder
//! allow_private = false
//! allow = ["10.20.0.0/16"]           # these all the same
//! deny = ["203.0.113.0/24"]          # these in no case
//!
//! # [connections.*], [servers.*], [tenants], [secrets] and [circuits]: see `connection_manager::config`. A context whose
//! # connection is left out has an SQLite file of its own in the data folder; where there is a [tenants] table, one for
//! # each tenant.
//! ```
//!
//! An environment variable such as `BINDERY_SERVER__LISTEN` or `BINDERY_CONNECTIONS__USERS__HOST` takes the place of one
//! value; `--listen` and `--data` (`BINDERY_LISTEN`, `BINDERY_DATA`) come before both.

mod load;
pub(crate) mod registry;
mod show;
mod tenants;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::header::HeaderName;
use connection_manager::config::{CircuitsConfig, SecretsConfig, TenantsConfig};
use connection_manager::egress::EgressConfig;
use connection_manager::{ConnectionSettings, PerTenantSettings, ServerSettings};

pub use self::registry::{RegistryConfig, TokenConfig};
use crate::rest::{HostPattern, Limits, Network};

/// The contexts that this binary serves, which are also the names of their migrations.
pub const CONTEXTS: [&str; 3] = ["users", "books", "registry"];

/// Everything that the service is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// How it listens and what a request may cost.
    pub server: ServerConfig,
    /// What it writes down.
    pub log: LogConfig,
    /// Which connection each context uses.
    pub contexts: ContextsConfig,
    /// Every connection that is everybody's, by its name.
    pub connections: BTreeMap<String, ConnectionSettings>,
    /// Every connection that is kept per tenant, by its name. One that is in both maps is kept per tenant.
    pub per_tenant: BTreeMap<String, PerTenantSettings>,
    /// Who the tenants are.
    pub tenants: TenantsConfig,
    /// What the connections to one server share, by host and port.
    pub servers: BTreeMap<String, ServerSettings>,
    /// How secrets of a secrets manager are read.
    pub secrets: SecretsConfig,
    /// Where instances tell each other which servers are out of reach; `None` when each keeps that to itself.
    pub circuits: Option<CircuitsConfig>,
    /// Who may store connections, and with what their secrets are sealed.
    pub registry: RegistryConfig,
    /// Where stored connections may lead.
    pub egress: EgressConfig,
    /// Where embedded databases are kept.
    pub data: PathBuf,
}

/// `[server]`
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address to listen at; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What one request may cost.
    pub limits: Limits,
    /// How long after a signal requests are still taken while readiness already says 503, so that a load balancer can
    /// turn away first.
    pub drain_delay: Duration,
    /// How long requests under way may take to finish once no new ones are taken.
    pub drain_limit: Duration,
    /// By which names it may be asked besides `localhost`, loopback addresses and the address it listens at. Ports are no part of
    /// them; `*` is every name.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may use the service; none by default.
    pub cors_origins: Vec<String>,
    /// Whether `/docs`, `/redoc` and `/openapi.json` are served, and `/`, which leads there.
    pub docs: bool,
    /// How many threads serve requests; 0 is one for each core.
    pub workers: usize,
    /// The peers of whom the header that names the tenant is believed; nobody by default.
    pub trusted_proxies: Vec<Network>,
    /// The header that names the tenant.
    pub tenant_header: HeaderName,
    /// The host name in which the tenant's name is a label.
    pub tenant_host: Option<HostPattern>,
}

/// `[log]`
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Which events are written, in the syntax of `tracing-subscriber`'s `EnvFilter`.
    pub filter: String,
    /// How they are written.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Readable on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// Readable.
    Pretty,
}

/// `[contexts.*]`: which connection each context uses.
#[derive(Debug, Clone)]
pub struct ContextsConfig {
    /// `[contexts.users] connection`
    pub users: String,
    /// `[contexts.books] connection`
    pub books: String,
    /// `[contexts.registry] connection`
    pub registry: String,
}

impl ContextsConfig {
    /// Each context with the name of its connection.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let [users, books, registry] = CONTEXTS;
        [(users, self.users.as_str()), (books, self.books.as_str()), (registry, self.registry.as_str())].into_iter()
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            limits: Limits::default(),
            drain_delay: Duration::ZERO,
            drain_limit: Duration::from_secs(30),
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            docs: true,
            workers: 0,
            trusted_proxies: Vec::new(),
            tenant_header: tenants::HEADER,
            tenant_host: None,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        // Actix writes an error for each request that is no HTTP, so that whoever reaches the port could fill the log.
        Self { filter: "info,actix_server=warn,actix_http::h1::dispatcher=off".to_owned(), format: LogFormat::Auto }
    }
}

impl Default for ContextsConfig {
    fn default() -> Self {
        let [users, books, registry] = CONTEXTS.map(str::to_owned);
        Self { users, books, registry }
    }
}

impl Config {
    /// Everything embedded: each context on an SQLite file of its own in the folder `data`.
    pub fn embedded(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        let connections = CONTEXTS
            .into_iter()
            .map(|name| (name.to_owned(), ConnectionSettings::sqlite(data.join(format!("{name}.sqlite3")))))
            .collect();
        Self {
            server: ServerConfig::default(),
            log: LogConfig::default(),
            contexts: ContextsConfig::default(),
            connections,
            per_tenant: BTreeMap::new(),
            tenants: TenantsConfig::default(),
            servers: BTreeMap::new(),
            secrets: SecretsConfig::default(),
            circuits: None,
            registry: RegistryConfig::default(),
            egress: EgressConfig::open(),
            data,
        }
    }
}

impl Config {
    /// Where a connection leads, without secrets, and whether it is kept per tenant.
    pub(crate) fn describe(&self, connection: &str) -> String {
        if let Some(settings) = self.per_tenant.get(connection) {
            return format!("{}, per tenant", describe(settings.template()));
        }
        self.connections.get(connection).map(describe).unwrap_or_default()
    }
}

/// Where a connection leads, without secrets.
pub(crate) fn describe(settings: &ConnectionSettings) -> String {
    if let Some(path) = &settings.path {
        return format!("{}, {}", settings.engine, path.display());
    }
    let elsewhere = if settings.password.holds_login() { "where its secret says" } else { "localhost" };
    let host = settings.host.as_deref().unwrap_or(elsewhere);
    let port = settings.port.map(|port| format!(":{port}")).unwrap_or_default();
    let database = settings.database.as_deref().unwrap_or_default();
    format!("{}, {host}{port}/{database}", settings.engine)
}

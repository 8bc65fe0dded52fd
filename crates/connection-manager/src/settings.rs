//! What has to be known to reach a database, apart from its password.

mod breaker;
mod per_tenant;
mod pool;
mod replicas;
mod retry;
mod server;
mod tls;
mod url;

use std::collections::BTreeMap;
use std::path::PathBuf;

use shared_kernel::TenantId;
use shared_kernel::database::Engine;

pub use self::breaker::BreakerSettings;
pub use self::per_tenant::{PLACEHOLDER, PerTenantSettings};
pub use self::pool::PoolSettings;
pub use self::replicas::{InvalidReplicaHost, ReplicaHost, ReplicasSettings};
pub use self::retry::RetrySettings;
pub use self::server::ServerSettings;
pub use self::tls::{ClientIdentity, TlsMode, TlsSettings};
pub use self::url::InvalidUrl;
use crate::credentials::PasswordSource;
use crate::egress::Egress;

/// How one named connection is reached and how large its pool may grow.
///
/// Which fields an engine needs is the business of its [`crate::Connector::validate`].
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// The product behind the connection; chooses the connector.
    pub engine: Engine,
    /// Host name or address of a server.
    pub host: Option<String>,
    /// TCP port; `None` is the engine's usual one.
    pub port: Option<u16>,
    /// The database on the server.
    pub database: Option<String>,
    /// The file of an embedded database; `:memory:` keeps it in memory.
    pub path: Option<PathBuf>,
    /// The user to log in as.
    pub username: Option<String>,
    /// Where the password comes from.
    pub password: PasswordSource,
    /// How the way to the server is protected.
    pub tls: TlsSettings,
    /// The pool's limits.
    pub pool: PoolSettings,
    /// When callers are refused because the server is out of reach. Of the connections to one server, the first to be
    /// opened decides.
    pub breaker: BreakerSettings,
    /// What is tried again, and how often. Of the connections to one server, the first to be opened decides.
    pub retry: RetrySettings,
    /// What only one engine knows, by its connector's own keys.
    pub options: BTreeMap<String, String>,
    /// The servers that reads may go to besides the one above.
    pub replicas: ReplicasSettings,
    /// Whose database it is, where a connection is kept per tenant; see [`PerTenantSettings`].
    pub tenant: Option<TenantId>,
    /// Where it may lead, where somebody from outside has defined it; `None` goes where it is told.
    pub egress: Option<Egress>,
}

impl ConnectionSettings {
    /// Settings for an engine with everything else at its default.
    pub fn new(engine: Engine) -> Self {
        Self {
            pool: PoolSettings::usual(&engine),
            engine,
            host: None,
            port: None,
            database: None,
            path: None,
            username: None,
            password: PasswordSource::None,
            tls: TlsSettings::default(),
            breaker: BreakerSettings::default(),
            retry: RetrySettings::default(),
            options: BTreeMap::new(),
            replicas: ReplicasSettings::default(),
            tenant: None,
            egress: None,
        }
    }

    /// Settings for an SQLite file; `:memory:` keeps the database in memory.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::new(Engine::SQLITE) }
    }

    /// Sets the server's host name or address.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sets the TCP port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the database on the server.
    #[must_use]
    pub fn with_database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Sets the user to log in as.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Sets where the password comes from.
    #[must_use]
    pub fn with_password(mut self, password: PasswordSource) -> Self {
        self.password = password;
        self
    }

    /// Sets how the way to the server is protected.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsSettings) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the pool's limits.
    #[must_use]
    pub fn with_pool(mut self, pool: PoolSettings) -> Self {
        self.pool = pool;
        self
    }

    /// Sets when the server's circuit breaker opens.
    #[must_use]
    pub fn with_breaker(mut self, breaker: BreakerSettings) -> Self {
        self.breaker = breaker;
        self
    }

    /// Sets what is tried again.
    #[must_use]
    pub fn with_retry(mut self, retry: RetrySettings) -> Self {
        self.retry = retry;
        self
    }

    /// Has every dial ask where it may lead. A connector that does not do so refuses such settings.
    #[must_use]
    pub fn with_egress(mut self, egress: Egress) -> Self {
        self.egress = Some(egress);
        self
    }

    /// Sets the replicas that reads may go to.
    #[must_use]
    pub fn with_replicas(mut self, replicas: ReplicasSettings) -> Self {
        self.replicas = replicas;
        self
    }

    /// The settings of each replica: these, with its host and port.
    pub fn of_replicas(&self) -> impl Iterator<Item = Self> {
        self.replicas.hosts.iter().map(|replica| Self {
            host: Some(replica.host.clone()),
            port: replica.port.or(self.port),
            replicas: ReplicasSettings::default(),
            ..self.clone()
        })
    }

    /// Sets one of the engine's own options.
    #[must_use]
    pub fn with_option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }
}

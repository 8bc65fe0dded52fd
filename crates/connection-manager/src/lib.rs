#![doc = include_str!("../README.md")]

mod breaker;
mod budget;
pub mod config;
pub mod connector;
pub mod connectors;
pub mod credentials;
pub mod definitions;
pub mod drivers;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
pub mod egress;
mod endpoint;
pub mod factory;
mod knock;
mod lookout;
pub mod manager;
pub mod metrics;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(any(feature = "mongodb", feature = "redis"))]
mod node;
mod operation;
pub mod pool;
#[cfg(any(feature = "mongodb", all(unix, any(feature = "mysql", feature = "postgres"))))]
mod private;
pub mod probe;
#[cfg(feature = "redis")]
pub mod redis;
pub mod rehearsal;
mod replication;
mod retry;
#[cfg(all(feature = "sea-orm", any(feature = "mysql", feature = "postgres", feature = "sqlite")))]
pub mod sea_orm;
pub mod sealing;
pub mod settings;
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
mod socket;
mod spread;
pub mod sql_pool;
pub mod tls;
pub mod values;

pub use breaker::{BoardSettings, Breaker, Circuit, CircuitBoard, Permit};
pub use budget::{Budget, BudgetStats};
pub use connector::{Connector, SettingFault};
pub use credentials::{
    ConfiguredSecrets, Credentials, Freshness, Keychain, Keyring, LocalSecrets, PasswordSource, SecretEndpoint,
    SecretSource, SecretStage, SourceError,
};
pub use definitions::{Definition, DefinitionLimits, Definitions};
pub use endpoint::Endpoint;
pub use factory::ConnectionFactory;
pub use knock::Knock;
pub use manager::{ConnectionManager, ManagerBuilder, PoolsStats, ReplicaStats};
pub use pool::{Driver, DriverSession, Pool};
pub use retry::Retries;
pub use settings::{
    BreakerSettings, ClientIdentity, ConnectionSettings, PerTenantSettings, PoolSettings, ReplicaHost,
    ReplicasSettings, RetrySettings, ServerSettings, TlsMode, TlsSettings,
};
pub use sql_pool::SqlPool;

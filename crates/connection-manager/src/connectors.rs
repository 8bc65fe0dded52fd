//! The connectors of the engines that this crate knows.

#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlserver")]
mod sqlserver;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoDbConnector;
#[cfg(feature = "mongodb")]
pub use mongodb::MongoDbConnector;
#[cfg(feature = "mysql")]
pub use mysql::MySqlConnector;
#[cfg(feature = "postgres")]
pub use postgres::PostgresConnector;
#[cfg(feature = "redis")]
pub use redis::RedisConnector;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteConnector;
#[cfg(feature = "sqlserver")]
pub use sqlserver::SqlServerConnector;

#[cfg(any(
    feature = "dynamodb",
    feature = "mongodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlserver"
))]
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

#[cfg(any(
    feature = "dynamodb",
    feature = "mongodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlserver"
))]
use crate::settings::TlsSettings;

/// The authorities to trust: those at hand, or those of a file, which is read here so that a missing one is told by its name.
#[cfg(any(
    feature = "dynamodb",
    feature = "mongodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlserver"
))]
pub(crate) async fn authorities(name: &ConnectionName, tls: &TlsSettings) -> Result<Option<Vec<u8>>, DatabaseError> {
    if let Some(authorities) = &tls.authorities {
        return Ok(Some(authorities.as_bytes().to_vec()));
    }
    let Some(file) = &tls.ca_file else { return Ok(None) };
    let path = file.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(|error| {
        let message = format!("the file of authorities {} (tls.ca_file) cannot be read", file.display());
        DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(name).with_source(error)
    });
    read.map(Some)
}

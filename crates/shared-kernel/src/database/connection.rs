use std::any::Any;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Catalog, ConnectionName, DatabaseError, DatabaseErrorKind, Documents, Engine, KeyValue, Keyspace, SqlConnection,
    Tables,
};
use crate::RequestContext;

/// A live, pooled connection to one database: all that a context knows of it.
///
/// What an engine can do is asked for by capability; an engine without it answers
/// [`DatabaseErrorKind::Unsupported`].
#[async_trait]
pub trait DatabaseConnection: Send + Sync + fmt::Debug {
    /// The name it was asked for by.
    fn name(&self) -> &ConnectionName;

    /// The product that answers.
    fn engine(&self) -> &Engine;

    /// Whether the pool is open and its last contact with the server went well. Sends nothing.
    fn is_connected(&self) -> bool;

    /// Asks the server for a sign of life on a pooled connection.
    ///
    /// # Errors
    /// The reason why there is none.
    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError>;

    /// Closes the pool: new calls are refused with [`DatabaseErrorKind::Closed`], calls under way may finish within
    /// `grace`, then their connections are cut. Idempotent.
    async fn close(&self, grace: Duration) -> CloseReport;

    /// How the pool stands at this moment.
    fn stats(&self) -> ConnectionStats;

    /// The SQL capability.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine speaks no SQL.
    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, format!("{} speaks no SQL", self.engine()))
            .on(self.name()))
    }

    /// The key-value capability.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine keeps no values under keys.
    fn key_value(&self) -> Result<&dyn KeyValue, DatabaseError> {
        let message = format!("{} keeps no values under keys", self.engine());
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.name()))
    }

    /// The capability to look around among keys.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine keeps no values under keys, or tells none of them.
    fn keyspace(&self) -> Result<&dyn Keyspace, DatabaseError> {
        let message = format!("{} tells no keys", self.engine());
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.name()))
    }

    /// The document capability.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine keeps no documents.
    fn documents(&self) -> Result<&dyn Documents, DatabaseError> {
        let message = format!("{} keeps no documents", self.engine());
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.name()))
    }

    /// The capability to tell of tables of items.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine keeps no items in tables.
    fn tables(&self) -> Result<&dyn Tables, DatabaseError> {
        let message = format!("{} keeps no items in tables", self.engine());
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.name()))
    }

    /// The capability to tell what the server holds.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Unsupported`] when the engine has no databases that could be listed.
    fn catalog(&self) -> Result<&dyn Catalog, DatabaseError> {
        let message = format!("{} has no databases to list", self.engine());
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.name()))
    }

    /// The connector's own handle, for what the portable surface leaves out; see
    /// [`native_as`](trait.DatabaseConnection.html#method.native_as).
    fn native(&self) -> &(dyn Any + Send + Sync);
}

impl dyn DatabaseConnection + '_ {
    /// The connector's own handle, when it is a `T`. Each connector documents its handle's type.
    pub fn native_as<T: Any>(&self) -> Option<&T> {
        self.native().downcast_ref()
    }
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// From asking to the answer, the wait for a pooled connection included.
    pub latency: Duration,
    /// The version that the server tells, as it tells it.
    pub server_version: Option<String>,
}

/// A pool at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionStats {
    /// The most connections that may be open.
    pub max: u32,
    /// Connections open or being opened.
    pub open: u32,
    /// Open connections that nobody uses.
    pub idle: u32,
    /// Connections in use.
    pub in_use: u32,
    /// Callers waiting for a connection.
    pub waiting: u32,
    /// Connections opened since the pool began.
    pub opened_total: u64,
    /// Connections closed or thrown away since the pool began.
    pub closed_total: u64,
    /// Callers who gave up waiting since the pool began.
    pub timeouts_total: u64,
}

/// How a graceful close went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CloseReport {
    /// Connections closed after their last call had finished.
    pub drained: u32,
    /// Connections cut because their calls outlived the grace period.
    pub cut: u32,
}

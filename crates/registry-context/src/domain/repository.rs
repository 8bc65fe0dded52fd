use async_trait::async_trait;
use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{IdempotencyError, Receipt, Stored};
use shared_kernel::paging::{Limit, Page};
use shared_kernel::{RequestContext, Version};

use super::{ConnectionId, ConnectionList, SealedSecrets, StoredConnection};

/// Where stored connections are kept.
///
/// Cancelling a call: reads have no effect; a write either took effect as a whole or not at all.
#[async_trait]
pub trait ConnectionRepository: Send + Sync {
    /// The connection of this id, perhaps as a replica knows it.
    async fn find(&self, id: ConnectionId, context: &RequestContext)
    -> Result<Option<StoredConnection>, DatabaseError>;

    /// The connection of this id in its present state, to be changed or used.
    async fn load(&self, id: ConnectionId, context: &RequestContext)
    -> Result<Option<StoredConnection>, DatabaseError>;

    /// A page of a list. The list's position fits its order.
    async fn list(
        &self,
        list: &ConnectionList,
        context: &RequestContext,
    ) -> Result<Page<StoredConnection>, DatabaseError>;

    /// The present versions of those of these connections that are still there. Cheap, for whoever keeps them open.
    async fn versions(
        &self,
        ids: &[ConnectionId],
        context: &RequestContext,
    ) -> Result<Vec<(ConnectionId, Version)>, DatabaseError>;

    /// Keeps a new connection, together with the receipt of the request that asked for it.
    async fn add(
        &self,
        connection: &StoredConnection,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddConnectionError>;

    /// Keeps a changed connection, if it is still at version `expected`. `false`: it is not, and nothing was written.
    async fn update(
        &self,
        connection: &StoredConnection,
        secrets: SecretsWrite,
        expected: Version,
        context: &RequestContext,
    ) -> Result<bool, UpdateConnectionError>;

    /// Forgets a connection, if it is still at version `expected`. `false`: it is not, and nothing was deleted.
    async fn remove(
        &self,
        id: ConnectionId,
        expected: Version,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;

    /// The connections behind `after`, in the order of their ids, whose secrets another key than `key_name` has sealed.
    async fn sealed_otherwise(
        &self,
        key_name: &str,
        after: Option<ConnectionId>,
        limit: Limit,
        context: &RequestContext,
    ) -> Result<Vec<Resealable>, DatabaseError>;

    /// Keeps the same secrets, sealed anew, if the connection is still at this version, which stays: nothing that anybody
    /// can see has changed. `false`: it is not, and nothing was written.
    async fn reseal(
        &self,
        id: ConnectionId,
        version: Version,
        sealed: &SealedSecrets,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;
}

/// Whether an update writes the secrets as well. One that does not leaves what was sealed anew meanwhile as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsWrite {
    /// They are as they were.
    Leave,
    /// They are others, or gone.
    Write,
}

/// A connection whose secrets are to be sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealable {
    /// Which connection.
    pub id: ConnectionId,
    /// The version that the secrets are of.
    pub version: Version,
    /// The secrets.
    pub sealed: SealedSecrets,
}

/// Why a new connection is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AddConnectionError {
    /// Another connection has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The receipt's key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the connection could not be written")]
    Database(#[from] DatabaseError),
}

/// Why a changed connection is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpdateConnectionError {
    /// Another connection has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The database failed.
    #[error("the connection could not be written")]
    Database(#[from] DatabaseError),
}

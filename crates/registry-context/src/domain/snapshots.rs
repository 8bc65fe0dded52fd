use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{Claim, IdempotencyError, Receipt, Stored};
use shared_kernel::paging::{Limit, Page, Position, SortKey};

use super::{ConnectionId, Document, Snapshot, SnapshotId};

/// A page of a connection's snapshots, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SnapshotList {
    /// Whose snapshots.
    pub connection: ConnectionId,
    /// Behind which position; from the latest when there is none.
    pub after: Option<Position>,
    /// How many.
    pub limit: Limit,
}

impl SnapshotList {
    /// Whether its position, if it has one, can belong to such a list.
    pub fn is_consistent(&self) -> bool {
        self.after.as_ref().is_none_or(|position| matches!(position.key, Some(SortKey::Instant(_))))
    }
}

/// Where snapshots are kept. They go with their connections.
///
/// Cancelling a call: reads have no effect; a write either took effect as a whole or not at all.
#[async_trait]
pub trait SnapshotRepository: Send + Sync {
    /// What an earlier request with the same idempotency key was answered.
    async fn earlier(&self, claim: &Claim, context: &RequestContext) -> Result<Option<Vec<u8>>, EarlierSnapshotError>;

    /// How many snapshots a connection has at present.
    async fn count(&self, connection: ConnectionId, context: &RequestContext) -> Result<u64, DatabaseError>;

    /// Keeps a snapshot, together with the receipt of the request that asked for it, unless its connection has `most` or more
    /// already, whoever else adds some at the same time.
    async fn add(
        &self,
        snapshot: &Snapshot,
        document: &Document,
        most: u32,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddSnapshotError>;

    /// A page of a list, perhaps as a replica knows it. The list is consistent.
    async fn list(&self, list: &SnapshotList, context: &RequestContext) -> Result<Page<Snapshot>, DatabaseError>;

    /// The snapshot of this id, of whichever connection, without its document, perhaps as a replica knows it.
    async fn find(&self, id: SnapshotId, context: &RequestContext) -> Result<Option<Snapshot>, DatabaseError>;

    /// The snapshot of this id, of whichever connection, and its document, perhaps as a replica knows it.
    async fn read(
        &self,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<Option<(Snapshot, Document)>, DatabaseError>;

    /// Forgets a connection's snapshot. `false`: it has none of this id.
    async fn remove(
        &self,
        connection: ConnectionId,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;
}

/// Why it is not known what was answered earlier.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EarlierSnapshotError {
    /// The key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the receipt could not be read")]
    Database(#[from] DatabaseError),
}

/// Why a snapshot is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AddSnapshotError {
    /// Its connection is gone.
    #[error("there is no such connection")]
    NoConnection,
    /// Its connection has as many as it may have.
    #[error("the connection has as many snapshots as it may have")]
    Full,
    /// The receipt's key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the snapshot could not be written")]
    Database(#[from] DatabaseError),
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_position_is_one_in_time() {
        let list = |after| SnapshotList { connection: ConnectionId::new(Uuid::nil()), after, limit: Limit::default() };
        let at = |key| Some(Position { key, id: Uuid::nil() });
        assert!(list(None).is_consistent());
        assert!(list(at(Some(SortKey::Instant(DateTime::UNIX_EPOCH)))).is_consistent());
        assert!(!list(at(Some(SortKey::Integer(1)))).is_consistent() && !list(at(None)).is_consistent());
    }
}

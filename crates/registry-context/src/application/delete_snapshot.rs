use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{ConnectionId, Snapshot, SnapshotId, SnapshotRepository};

/// Deletes a snapshot for good.
#[derive(Clone)]
pub struct DeleteSnapshot {
    snapshots: Arc<dyn SnapshotRepository>,
}

/// Which snapshot, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteSnapshotCommand {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Which of its snapshots.
    pub id: SnapshotId,
    /// The version that the caller read. A snapshot has but one.
    pub expected: Version,
}

/// Why a snapshot was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeleteSnapshotError {
    /// The connection has no snapshot of this id.
    #[error("there is no snapshot {0}")]
    NotFound(SnapshotId),
    /// The snapshot never had the version that the caller names.
    #[error("snapshot {0} is not at the version that is expected")]
    Stale(SnapshotId),
    /// The database failed.
    #[error("the snapshot could not be deleted")]
    Database(#[from] DatabaseError),
}

impl DeleteSnapshot {
    /// The use case over its port.
    pub fn new(snapshots: Arc<dyn SnapshotRepository>) -> Self {
        Self { snapshots }
    }

    /// Deletes the snapshot.
    ///
    /// # Errors
    /// [`DeleteSnapshotError`]
    pub async fn execute(
        &self,
        command: DeleteSnapshotCommand,
        context: &RequestContext,
    ) -> Result<(), DeleteSnapshotError> {
        let DeleteSnapshotCommand { connection, id, expected } = command;
        if expected == Snapshot::VERSION {
            let deleted = self.snapshots.remove(connection, id, context).await?;
            return if deleted { Ok(()) } else { Err(DeleteSnapshotError::NotFound(id)) };
        }
        let found = self.snapshots.find(id, context).await?;
        let is_there = found.is_some_and(|snapshot| snapshot.record().connection == connection);
        Err(if is_there { DeleteSnapshotError::Stale(id) } else { DeleteSnapshotError::NotFound(id) })
    }
}

impl fmt::Debug for DeleteSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteSnapshot").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, FakeSnapshots, snapshot};

    #[tokio::test]
    async fn a_snapshot_goes_once_and_from_its_own_connection() {
        let (bench, snapshots) = (Bench::default(), Arc::new(FakeSnapshots::default()));
        let (mine, other) = (ConnectionId::new(Uuid::from_u128(1)), ConnectionId::new(Uuid::from_u128(2)));
        let kept = snapshot(mine);
        snapshots.put(&kept);
        let delete = DeleteSnapshot::new(snapshots.clone());
        let command = |connection, expected| DeleteSnapshotCommand { connection, id: kept.id(), expected };
        let second = Snapshot::VERSION.next();
        for (connection, expected, text) in
            [(other, Snapshot::VERSION, "no snapshot"), (other, second, "no snapshot"), (mine, second, "not at the")]
        {
            let refused = delete.execute(command(connection, expected), &bench.context).await.expect_err("refused");
            assert!(refused.to_string().contains(text), "{refused}");
        }
        assert_eq!(snapshots.kept(), std::slice::from_ref(&kept));
        delete.execute(command(mine, Snapshot::VERSION), &bench.context).await.expect("deleted");
        let gone = delete.execute(command(mine, Snapshot::VERSION), &bench.context).await;
        assert!(matches!(gone, Err(DeleteSnapshotError::NotFound(id)) if id == kept.id()), "{gone:?}");
        assert_eq!(format!("{delete:?}"), "DeleteSnapshot { .. }");
    }
}

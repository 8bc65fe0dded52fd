//! Reading snapshots that were kept.

use std::fmt;
use std::sync::Arc;

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Page;

use crate::domain::{
    ConnectionId, ConnectionRepository, Document, Snapshot, SnapshotId, SnapshotList, SnapshotRepository,
};

/// Lists a connection's snapshots, a page at a time.
#[derive(Clone)]
pub struct ListSnapshots {
    connections: Arc<dyn ConnectionRepository>,
    snapshots: Arc<dyn SnapshotRepository>,
}

/// Why snapshots were not listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListSnapshotsError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The position belongs to another list.
    #[error("the position does not belong to this list")]
    ForeignPosition,
    /// The database failed.
    #[error("the snapshots could not be listed")]
    Database(#[from] DatabaseError),
}

impl ListSnapshots {
    /// The use case over its ports.
    pub fn new(connections: Arc<dyn ConnectionRepository>, snapshots: Arc<dyn SnapshotRepository>) -> Self {
        Self { connections, snapshots }
    }

    /// Reads a page. Whatever is taken or deleted meanwhile, each snapshot comes at most once over all pages.
    ///
    /// # Errors
    /// [`ListSnapshotsError`]
    pub async fn execute(
        &self,
        list: &SnapshotList,
        context: &RequestContext,
    ) -> Result<Page<Snapshot>, ListSnapshotsError> {
        if !list.is_consistent() {
            return Err(ListSnapshotsError::ForeignPosition);
        }
        let page = self.snapshots.list(list, context).await?;
        // Whoever has snapshots is there.
        if page.items.is_empty() && self.connections.find(list.connection, context).await?.is_none() {
            return Err(ListSnapshotsError::NotFound(list.connection));
        }
        Ok(page)
    }
}

impl fmt::Debug for ListSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListSnapshots").finish_non_exhaustive()
    }
}

/// Reads one snapshot, with or without its document.
#[derive(Clone)]
pub struct ReadSnapshot {
    snapshots: Arc<dyn SnapshotRepository>,
}

/// Why a snapshot was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadSnapshotError {
    /// There is no such snapshot, or it is another connection's.
    #[error("there is no snapshot {0}")]
    NotFound(SnapshotId),
    /// The database failed.
    #[error("the snapshot could not be read")]
    Database(#[from] DatabaseError),
}

impl ReadSnapshot {
    /// The use case over its port.
    pub fn new(snapshots: Arc<dyn SnapshotRepository>) -> Self {
        Self { snapshots }
    }

    /// What is known of a connection's snapshot.
    ///
    /// # Errors
    /// [`ReadSnapshotError`]
    pub async fn facts(
        &self,
        connection: ConnectionId,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<Snapshot, ReadSnapshotError> {
        let found = self.snapshots.find(id, context).await?;
        let found = found.filter(|snapshot| snapshot.record().connection == connection);
        found.ok_or(ReadSnapshotError::NotFound(id))
    }

    /// A connection's snapshot and its document.
    ///
    /// # Errors
    /// [`ReadSnapshotError`]
    pub async fn execute(
        &self,
        connection: ConnectionId,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<(Snapshot, Document), ReadSnapshotError> {
        let (snapshot, document) = self.of_any(id, context).await?;
        if snapshot.record().connection == connection {
            Ok((snapshot, document))
        } else {
            Err(ReadSnapshotError::NotFound(id))
        }
    }

    /// The same of whichever connection, to compare with.
    ///
    /// # Errors
    /// [`ReadSnapshotError`]
    pub async fn of_any(
        &self,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<(Snapshot, Document), ReadSnapshotError> {
        self.snapshots.read(id, context).await?.ok_or(ReadSnapshotError::NotFound(id))
    }
}

impl fmt::Debug for ReadSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadSnapshot").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::paging::{Limit, Position, SortKey};
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, FakeSnapshots, password, snapshot};

    #[tokio::test]
    async fn snapshots_are_found_with_their_own_connection_alone() {
        let (bench, snapshots) = (Bench::default(), Arc::new(FakeSnapshots::default()));
        let mine = bench.store("Sales", password("x")).await.id();
        let other = bench.store("Other", password("x")).await.id();
        let kept = snapshot(mine);
        snapshots.put(&kept);
        let read = ReadSnapshot::new(snapshots.clone());
        assert_eq!(read.facts(mine, kept.id(), &bench.context).await.expect("there"), kept);
        assert_eq!(read.execute(mine, kept.id(), &bench.context).await.expect("there").0, kept);
        assert_eq!(read.of_any(kept.id(), &bench.context).await.expect("there").0, kept);
        let foreign = read.execute(other, kept.id(), &bench.context).await;
        assert!(matches!(foreign, Err(ReadSnapshotError::NotFound(_))), "{foreign:?}");
        let foreign = read.facts(other, kept.id(), &bench.context).await;
        assert!(matches!(foreign, Err(ReadSnapshotError::NotFound(_))), "{foreign:?}");

        let list = ListSnapshots::new(bench.connections.clone(), snapshots);
        let of = |connection, after| SnapshotList { connection, after, limit: Limit::default() };
        assert_eq!(list.execute(&of(mine, None), &bench.context).await.expect("a page").items, [kept]);
        assert_eq!(list.execute(&of(other, None), &bench.context).await.expect("a page").items, []);
        let absent = list.execute(&of(ConnectionId::new(Uuid::nil()), None), &bench.context).await;
        assert!(matches!(absent, Err(ListSnapshotsError::NotFound(_))), "{absent:?}");
        let position = Position { key: Some(SortKey::Integer(1)), id: Uuid::nil() };
        let foreign = list.execute(&of(mine, Some(position)), &bench.context).await;
        assert!(matches!(foreign, Err(ListSnapshotsError::ForeignPosition)), "{foreign:?}");
        assert_eq!(format!("{read:?} {list:?}"), "ReadSnapshot { .. } ListSnapshots { .. }");
    }
}

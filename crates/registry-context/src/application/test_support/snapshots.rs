use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::DateTime;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use shared_kernel::idempotency::{Claim, IdempotencyError, Receipt, Stored};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};
use uuid::Uuid;

use crate::domain::{
    AddSnapshotError, ConnectionId, Document, EarlierSnapshotError, PartName, SchemaError, SchemaLook, SchemaReader,
    Snapshot, SnapshotId, SnapshotList, SnapshotRepository,
};

/// What goes wrong in the next calls of [`FakeSnapshots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::application) enum SnapshotFault {
    /// The database is away.
    Away,
    /// Somebody takes the last place right before this caller does.
    Overtaken,
    /// Somebody deletes the connection right before this caller writes.
    Gone,
    /// Every key was used before, for the same.
    Known,
    /// Every key was used before, for something else.
    Mismatch,
}

/// Snapshots in memory, for what a real database shows only by luck.
#[derive(Debug, Default)]
pub(in crate::application) struct FakeSnapshots {
    kept: Mutex<Vec<Snapshot>>,
    fault: Mutex<Option<SnapshotFault>>,
}

impl FakeSnapshots {
    pub(in crate::application) fn fail_with(&self, fault: SnapshotFault) {
        *self.fault.lock().expect("no test panics with the lock") = Some(fault);
    }

    pub(in crate::application) fn put(&self, snapshot: &Snapshot) {
        self.lock().push(snapshot.clone());
    }

    pub(in crate::application) fn kept(&self) -> Vec<Snapshot> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Snapshot>> {
        self.kept.lock().expect("no test panics with the lock")
    }

    fn fault(&self) -> Option<SnapshotFault> {
        *self.fault.lock().expect("no test panics with the lock")
    }
}

fn away() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unreachable, "the database is away")
}

#[async_trait]
impl SnapshotRepository for FakeSnapshots {
    async fn earlier(&self, _: &Claim, _: &RequestContext) -> Result<Option<Vec<u8>>, EarlierSnapshotError> {
        match self.fault() {
            Some(SnapshotFault::Known) => Ok(Some(b"earlier".to_vec())),
            Some(SnapshotFault::Mismatch) => Err(IdempotencyError::Mismatch.into()),
            _ => Ok(None),
        }
    }

    async fn count(&self, connection: ConnectionId, _: &RequestContext) -> Result<u64, DatabaseError> {
        Ok(self.lock().iter().filter(|snapshot| snapshot.record().connection == connection).count() as u64)
    }

    async fn add(
        &self,
        snapshot: &Snapshot,
        _: &Document,
        _: u32,
        _: Option<&Receipt>,
        _: &RequestContext,
    ) -> Result<Stored, AddSnapshotError> {
        match self.fault() {
            Some(SnapshotFault::Away) => Err(away().into()),
            Some(SnapshotFault::Overtaken) => Err(AddSnapshotError::Full),
            Some(SnapshotFault::Gone) => Err(AddSnapshotError::NoConnection),
            _ => {
                self.put(snapshot);
                Ok(Stored::Written)
            }
        }
    }

    async fn list(&self, list: &SnapshotList, _: &RequestContext) -> Result<Page<Snapshot>, DatabaseError> {
        let kept = self.kept().into_iter().filter(|snapshot| snapshot.record().connection == list.connection);
        Ok(Page { items: kept.collect(), next: None })
    }

    async fn find(&self, id: SnapshotId, _: &RequestContext) -> Result<Option<Snapshot>, DatabaseError> {
        Ok(self.lock().iter().find(|snapshot| snapshot.id() == id).cloned())
    }

    async fn read(
        &self,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<Option<(Snapshot, Document)>, DatabaseError> {
        Ok(self.find(id, context).await?.map(|snapshot| (snapshot, document())))
    }

    async fn remove(
        &self,
        connection: ConnectionId,
        id: SnapshotId,
        _: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let mut kept = self.lock();
        let before = kept.len();
        kept.retain(|snapshot| snapshot.id() != id || snapshot.record().connection != connection);
        Ok(kept.len() < before)
    }
}

/// Finds the same every time, and counts how often it was asked.
#[derive(Debug, Default)]
pub(in crate::application) struct FakeSchemas {
    pub(in crate::application) looks: Mutex<usize>,
    pub(in crate::application) unknown: Mutex<bool>,
    document: Mutex<Option<Document>>,
}

impl FakeSchemas {
    /// From now on it finds this.
    pub(in crate::application) fn document(&self, document: Document) {
        *self.document.lock().expect("no test panics with the lock") = Some(document);
    }
}

#[async_trait]
impl SchemaReader for FakeSchemas {
    async fn look(
        &self,
        _: ConnectionId,
        _: Version,
        _: Option<&PartName>,
        _: &RequestContext,
    ) -> Result<SchemaLook, SchemaError> {
        *self.looks.lock().expect("no test panics with the lock") += 1;
        if *self.unknown.lock().expect("no test panics with the lock") {
            return Err(SchemaError::UnknownEngine);
        }
        let given = self.document.lock().expect("no test panics with the lock").clone();
        Ok(SchemaLook { document: given.unwrap_or_else(document), ..look() })
    }
}

fn document() -> Document {
    Document::new(vec![1, 2, 3], 9)
}

fn look() -> SchemaLook {
    SchemaLook {
        taken_at: DateTime::UNIX_EPOCH,
        fingerprint: "0".repeat(64),
        engine: "postgres".to_owned(),
        database: "sales".to_owned(),
        relations: 3,
        document: document(),
    }
}

/// A snapshot of a connection.
pub(in crate::application) fn snapshot(connection: ConnectionId) -> Snapshot {
    Snapshot::of(SnapshotId::new(Uuid::from_u128(7)), (connection, Version::FIRST), &look(), None, None)
}

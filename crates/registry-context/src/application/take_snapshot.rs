use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent, Stored};
use shared_kernel::{Clock, IdGenerator, RequestContext};

use crate::domain::{
    AddSnapshotError, ConnectionId, ConnectionRepository, DocumentTooLarge, EarlierSnapshotError, PartName,
    SchemaError, SchemaReader, Snapshot, SnapshotId, SnapshotLabel, SnapshotRepository,
};

/// Looks at a connection's database and keeps what it looks like.
#[derive(Clone)]
pub struct TakeSnapshot {
    connections: Arc<dyn ConnectionRepository>,
    schemas: Arc<dyn SchemaReader>,
    snapshots: Arc<dyn SnapshotRepository>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    most: u32,
}

/// Of what to take a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeSnapshotCommand {
    /// Of which connection's database.
    pub connection: ConnectionId,
    /// Of which part of it; of all of it when there is none.
    pub part: Option<PartName>,
    /// What to call it.
    pub label: Option<SnapshotLabel>,
}

/// Why no snapshot was taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TakeSnapshotError {
    /// There is no connection of this id, or it went meanwhile.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The connection has as many snapshots as it may have.
    #[error("connection {connection} has {most} snapshots, and may not have more")]
    Full {
        /// Which connection.
        connection: ConnectionId,
        /// How many it may have.
        most: u32,
    },
    /// What was found takes more room than a snapshot has.
    #[error(transparent)]
    TooLarge(#[from] DocumentTooLarge),
    /// The database cannot be looked at.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The idempotency key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The registry's own database failed.
    #[error("the snapshot could not be written")]
    Database(#[from] DatabaseError),
}

impl TakeSnapshot {
    /// The name of the operation, which idempotency keys are scoped by.
    pub const OPERATION: &str = "connections.snapshots.take";

    /// The use case over its ports; a connection has `most` snapshots.
    pub fn new(
        connections: Arc<dyn ConnectionRepository>,
        schemas: Arc<dyn SchemaReader>,
        snapshots: Arc<dyn SnapshotRepository>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>),
        most: u32,
    ) -> Self {
        Self { connections, schemas, snapshots, clock, ids, most }
    }

    /// Takes the snapshot; with `idempotent`, once for each caller and key. Whoever gets an earlier answer, or none for want of
    /// room, has nobody's database looked at.
    ///
    /// # Errors
    /// [`TakeSnapshotError`]. A refusal leaves no receipt: its key can be used again.
    pub async fn execute(
        &self,
        command: TakeSnapshotCommand,
        idempotent: Option<&Idempotent<'_, Snapshot>>,
        context: &RequestContext,
    ) -> Result<Creation<Snapshot>, TakeSnapshotError> {
        let TakeSnapshotCommand { connection, part, label } = command;
        let stored = self.connections.load(connection, context).await?;
        let stored = stored.ok_or(TakeSnapshotError::NotFound(connection))?;
        if let Some(wish) = idempotent
            && let Some(answer) = self.snapshots.earlier(&wish.claim(Self::OPERATION, context), context).await?
        {
            return Ok(Creation::Replayed(answer));
        }
        if self.snapshots.count(connection, context).await? >= u64::from(self.most) {
            return self.full(connection, idempotent, context).await;
        }
        let look = self.schemas.look(connection, stored.version(), part.as_ref(), context).await?;
        look.document.check()?;
        let id = SnapshotId::new(self.ids.next());
        let snapshot = Snapshot::of(id, (connection, stored.version()), &look, part, label);
        let receipt = idempotent.map(|wish| wish.receipt(Self::OPERATION, &snapshot, self.clock.now(), context));
        match self.snapshots.add(&snapshot, &look.document, self.most, receipt.as_ref(), context).await {
            Ok(Stored::Written) => Ok(Creation::Created(snapshot)),
            Ok(Stored::Replayed(answer)) => Ok(Creation::Replayed(answer)),
            Err(AddSnapshotError::NoConnection) => Err(TakeSnapshotError::NotFound(connection)),
            Err(AddSnapshotError::Full) => self.full(connection, idempotent, context).await,
            Err(AddSnapshotError::Idempotency(error)) => Err(error.into()),
            Err(AddSnapshotError::Database(error)) => Err(error.into()),
        }
    }

    /// There is no room, unless it is this very request that took the last of it.
    async fn full(
        &self,
        connection: ConnectionId,
        idempotent: Option<&Idempotent<'_, Snapshot>>,
        context: &RequestContext,
    ) -> Result<Creation<Snapshot>, TakeSnapshotError> {
        if let Some(wish) = idempotent
            && let Some(answer) = self.snapshots.earlier(&wish.claim(Self::OPERATION, context), context).await?
        {
            return Ok(Creation::Replayed(answer));
        }
        Err(TakeSnapshotError::Full { connection, most: self.most })
    }
}

impl From<EarlierSnapshotError> for TakeSnapshotError {
    fn from(error: EarlierSnapshotError) -> Self {
        match error {
            EarlierSnapshotError::Idempotency(error) => Self::Idempotency(error),
            EarlierSnapshotError::Database(error) => Self::Database(error),
        }
    }
}

impl fmt::Debug for TakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeSnapshot").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, FakeSchemas, FakeSnapshots, SnapshotFault, password};
    use crate::domain::{Document, StoredConnection};

    struct Scene {
        bench: Bench,
        stored: StoredConnection,
        schemas: Arc<FakeSchemas>,
        snapshots: Arc<FakeSnapshots>,
        take: TakeSnapshot,
    }

    async fn scene(most: u32) -> Scene {
        let bench = Bench::default();
        let stored = bench.store("Sales", password("x")).await;
        let (schemas, snapshots) = (Arc::new(FakeSchemas::default()), Arc::new(FakeSnapshots::default()));
        let take = TakeSnapshot::new(
            bench.connections.clone(),
            schemas.clone(),
            snapshots.clone(),
            (bench.clock.clone(), bench.ids.clone()),
            most,
        );
        Scene { bench, stored, schemas, snapshots, take }
    }

    impl Scene {
        async fn take(&self, connection: ConnectionId) -> Result<Creation<Snapshot>, TakeSnapshotError> {
            let label = SnapshotLabel::parse("before").ok();
            let command = TakeSnapshotCommand { connection, part: PartName::parse("public").ok(), label };
            self.take.execute(command, None, &self.bench.context).await
        }

        fn looks(&self) -> usize {
            *self.schemas.looks.lock().expect("no test panics with the lock")
        }
    }

    #[tokio::test]
    async fn what_was_found_is_kept_with_what_was_asked_for() {
        let scene = scene(1).await;
        let snapshot = scene.take(scene.stored.id()).await.expect("taken").created().expect("new");
        let record = snapshot.record();
        assert_eq!((record.connection, record.connection_version), (scene.stored.id(), scene.stored.version()));
        assert_eq!(record.part.as_ref().map(PartName::as_str), Some("public"));
        assert_eq!(record.label.as_ref().map(SnapshotLabel::as_str), Some("before"));
        assert_eq!((record.relations, record.document_bytes), (3, 9));
        assert_eq!(scene.snapshots.kept(), [snapshot]);
        assert_eq!(format!("{:?}", scene.take), "TakeSnapshot { most: 1, .. }");
    }

    #[tokio::test]
    async fn nobodys_database_is_looked_at_for_nothing() {
        let scene = scene(1).await;
        let absent = ConnectionId::new(Uuid::nil());
        let missing = scene.take(absent).await;
        assert!(matches!(missing, Err(TakeSnapshotError::NotFound(id)) if id == absent), "{missing:?}");
        assert_eq!(scene.looks(), 0);
        scene.take(scene.stored.id()).await.expect("there is room");
        let full = scene.take(scene.stored.id()).await;
        assert!(matches!(full, Err(TakeSnapshotError::Full { most: 1, .. })), "{full:?}");
        assert_eq!(scene.looks(), 1);
        let render = |_: &Snapshot| Vec::new();
        let wish = Idempotent { key: "known".parse().expect("a key"), digest: [1; 32], render: &render };
        let command = TakeSnapshotCommand { connection: scene.stored.id(), part: None, label: None };
        scene.snapshots.fail_with(SnapshotFault::Known);
        let replayed = scene.take.execute(command.clone(), Some(&wish), &scene.bench.context).await;
        assert_eq!(replayed.expect("replayed"), Creation::Replayed(b"earlier".to_vec()));
        scene.snapshots.fail_with(SnapshotFault::Mismatch);
        let other = scene.take.execute(command, Some(&wish), &scene.bench.context).await;
        assert!(matches!(other, Err(TakeSnapshotError::Idempotency(IdempotencyError::Mismatch))), "{other:?}");
        assert_eq!(scene.looks(), 1);
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_told() {
        let scene = scene(2).await;
        scene.schemas.document(Document::new(vec![0; Document::MAX + 1], 1));
        let large = scene.take(scene.stored.id()).await;
        assert!(matches!(large, Err(TakeSnapshotError::TooLarge(_))), "{large:?}");
        scene.schemas.document(Document::new(vec![0; 3], 9));
        for (fault, expected) in [
            (SnapshotFault::Overtaken, "may not have more"),
            (SnapshotFault::Gone, "there is no connection"),
            (SnapshotFault::Away, "could not be written"),
        ] {
            scene.snapshots.fail_with(fault);
            let refused = scene.take(scene.stored.id()).await.expect_err("refused");
            assert!(refused.to_string().contains(expected), "{refused}");
        }
        assert_eq!(scene.snapshots.kept(), []);
        *scene.schemas.unknown.lock().expect("no test panics with the lock") = true;
        let unknown = scene.take(scene.stored.id()).await;
        assert!(matches!(unknown, Err(TakeSnapshotError::Schema(SchemaError::UnknownEngine))), "{unknown:?}");
    }
}

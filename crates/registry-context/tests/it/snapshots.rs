use std::sync::Arc;
use std::time::Duration;

use registry_context::domain::{
    AddSnapshotError, ConnectionId, Document, PartName, SchemaLook, Snapshot, SnapshotId, SnapshotLabel, SnapshotList,
    SnapshotRepository,
};
use registry_context::infrastructure::SqlSnapshotRepository;
use shared_kernel::idempotency::{IdempotencyError, Idempotent, Stored};
use shared_kernel::paging::Limit;
use shared_kernel::{Clock as _, IdGenerator as _, SystemIdGenerator, Version};
use testkit::Server;
use uuid::Uuid;

use crate::fixture::{Fixture, definition, password};

struct Scene {
    repository: Arc<dyn SnapshotRepository>,
    fixture: Fixture,
}

impl Scene {
    async fn new(server: Server) -> Self {
        let fixture = Fixture::new(server).await;
        let repository = Arc::new(SqlSnapshotRepository::new(fixture.connections.clone(), "registry"));
        Self { repository, fixture }
    }

    async fn connection(&self, name: &str) -> ConnectionId {
        self.fixture.store(definition(name), password("secret")).await.id()
    }

    /// A snapshot of now, with a part and a label of these characters.
    fn snapshot(&self, connection: ConnectionId, text: &str) -> (Snapshot, Document) {
        let document = Document::new((0..=255).collect(), 1_000);
        let look = SchemaLook {
            taken_at: self.fixture.clock.now(),
            fingerprint: "0123456789abcdef".repeat(4),
            engine: "postgres".to_owned(),
            database: text.repeat(3),
            relations: 7,
            document: document.clone(),
        };
        let id = SnapshotId::new(SystemIdGenerator.next());
        let part = Some(PartName::parse(&text.repeat(2)).expect("a name"));
        let label = Some(SnapshotLabel::parse(text).expect("a label"));
        (Snapshot::of(id, (connection, Version::FIRST), &look, part, label), document)
    }

    async fn add(&self, (snapshot, document): &(Snapshot, Document), most: u32) -> Result<Stored, AddSnapshotError> {
        self.repository.add(snapshot, document, most, None, &self.fixture.context).await
    }

    async fn kept(&self, connection: ConnectionId, limit: u16) -> Vec<Snapshot> {
        let limit = Limit::try_new(limit.into()).expect("a limit");
        let mut list = SnapshotList { connection, after: None, limit };
        let mut kept = Vec::new();
        loop {
            let page = self.repository.list(&list, &self.fixture.context).await.expect("a page");
            kept.extend(page.items);
            match page.next {
                Some(position) => list.after = Some(position),
                None => return kept,
            }
        }
    }
}

async fn a_snapshot_reads_back_as_it_was_kept(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.connection("Sales").await;
    // As long as may be, of characters that take the most room.
    let kept = scene.snapshot(connection, &"\u{1f600}".repeat(100));
    scene.add(&kept, 100).await.expect("kept");
    let context = &scene.fixture.context;
    assert_eq!(scene.repository.read(kept.0.id(), context).await.expect("read"), Some(kept.clone()));
    assert_eq!(scene.repository.find(kept.0.id(), context).await.expect("read"), Some(kept.0.clone()));
    let mut least = kept.0.record().clone();
    (least.id, least.part, least.label) = (SnapshotId::new(SystemIdGenerator.next()), None, None);
    least.taken_at += chrono::TimeDelta::microseconds(1);
    let least = Snapshot::restore(least);
    scene.add(&(least.clone(), kept.1.clone()), 100).await.expect("kept");
    assert_eq!(scene.kept(connection, 1).await, [least, kept.0]);
    let nobody = SnapshotId::new(Uuid::from_u128(7));
    assert_eq!(scene.repository.read(nobody, context).await.expect("read"), None);
    assert_eq!(scene.repository.find(nobody, context).await.expect("read"), None);
}

async fn the_largest_document_is_kept(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.connection("Sales").await;
    let (snapshot, _) = scene.snapshot(connection, "large");
    // Bytes of every value, in no order that a protocol could shorten.
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let large = Document::new((0..Document::MAX).map(|_| byte()).collect(), 1_000);
    assert_eq!(large.check(), Ok(()));
    scene.add(&(snapshot.clone(), large.clone()), 1).await.expect("kept");
    let read = scene.repository.read(snapshot.id(), &scene.fixture.context).await.expect("read");
    let (_, document) = read.expect("it is there");
    assert!(document == large, "{document:?}");
}

async fn a_connection_has_no_more_snapshots_than_it_may(server: Server) {
    let scene = Scene::new(server).await;
    let (connection, other) = (scene.connection("Sales").await, scene.connection("Other").await);
    let context = &scene.fixture.context;
    let several: Vec<_> = (0..8).map(|_| scene.snapshot(connection, "at once")).collect();
    let outcomes = futures_util::future::join_all(several.iter().map(|each| scene.add(each, 3))).await;
    let kept = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(kept, 3, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(AddSnapshotError::Full))), "{outcomes:?}");
    assert_eq!(scene.repository.count(connection, context).await.expect("counted"), 3);
    assert_eq!(scene.repository.count(other, context).await.expect("counted"), 0);
    // There were more places once.
    let late = scene.snapshot(connection, "late");
    assert!(matches!(scene.add(&late, 2).await, Err(AddSnapshotError::Full)));
    scene.add(&late, 4).await.expect("there is room again");
    let first = scene.kept(connection, 200).await.pop().expect("one");
    let remove = async |connection, id| scene.repository.remove(connection, id, context).await.expect("removed");
    assert!(!remove(other, first.id()).await, "it is not the other's");
    assert!(remove(connection, first.id()).await);
    assert!(!remove(connection, first.id()).await);
    scene.add(&scene.snapshot(connection, "in its place"), 4).await.expect("there is room again");
}

async fn snapshots_go_with_their_connection(server: Server) {
    let scene = Scene::new(server).await;
    let (connection, other) = (scene.connection("Sales").await, scene.connection("Other").await);
    for _ in 0..3 {
        scene.add(&scene.snapshot(connection, "mine"), 100).await.expect("kept");
        scene.fixture.clock.advance(Duration::from_micros(1));
    }
    let others = scene.snapshot(other, "another's");
    scene.add(&others, 100).await.expect("kept");
    let pages = [scene.kept(connection, 2).await, scene.kept(connection, 200).await];
    assert_eq!((pages[0].len(), &pages[0]), (3, &pages[1]));
    assert!(pages[0].is_sorted_by(|one, next| one.record().taken_at > next.record().taken_at), "{pages:?}");
    let removed = scene.fixture.repository.remove(connection, Version::FIRST, &scene.fixture.context).await;
    assert!(removed.expect("the database answers"));
    assert_eq!(scene.kept(connection, 200).await, []);
    assert_eq!(scene.repository.find(pages[0][0].id(), &scene.fixture.context).await.expect("read"), None);
    assert_eq!(scene.kept(other, 200).await, [others.0]);
    for gone in [connection, ConnectionId::new(Uuid::from_u128(7))] {
        let refused = scene.add(&scene.snapshot(gone, "late"), 100).await;
        assert!(matches!(refused, Err(AddSnapshotError::NoConnection)), "{refused:?}");
    }
}

async fn a_snapshot_with_a_key_is_kept_once(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.connection("Sales").await;
    let context = &scene.fixture.context;
    let render = |snapshot: &Snapshot| snapshot.id().to_string().into_bytes();
    let wish = |digest: u8| Idempotent { key: "first".parse().expect("a key"), digest: [digest; 32], render: &render };
    let earlier = async |digest| scene.repository.earlier(&wish(digest).claim("take", context), context).await;
    assert_eq!(earlier(1).await.expect("read"), None);
    let (first, again) = (scene.snapshot(connection, "first"), scene.snapshot(connection, "again"));
    let add = async |kept: &(Snapshot, Document), digest| {
        let receipt = wish(digest).receipt("take", &kept.0, scene.fixture.clock.now(), context);
        scene.repository.add(&kept.0, &kept.1, 2, Some(&receipt), context).await
    };
    assert_eq!(add(&first, 1).await.expect("kept"), Stored::Written);
    let answer = first.0.id().to_string().into_bytes();
    assert_eq!(add(&again, 1).await.expect("replayed"), Stored::Replayed(answer.clone()));
    assert_eq!(earlier(1).await.expect("read"), Some(answer));
    let other = add(&again, 2).await;
    assert!(matches!(other, Err(AddSnapshotError::Idempotency(IdempotencyError::Mismatch))), "{other:?}");
    assert!(earlier(2).await.is_err());
    assert_eq!(scene.kept(connection, 200).await, [first.0]);
}

testkit::on_every_engine!(
    a_snapshot_reads_back_as_it_was_kept,
    the_largest_document_is_kept,
    a_connection_has_no_more_snapshots_than_it_may,
    snapshots_go_with_their_connection,
    a_snapshot_with_a_key_is_kept_once,
);

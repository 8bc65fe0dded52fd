//! Looks into collections of a server that is made up: what it is asked, and what is told when it refuses or tells too much.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use schema_model::{Gap, ObjectName, SampleMethod, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, Collection, CollectionKind, CollectionSummary, DatabaseError, DatabaseErrorKind, DatabaseSummary,
    Document, DocumentValue, Documents, Ending, Find, Replaced,
};

use super::look::{Look, Looked};
use super::refusal;
use crate::SamplingOptions;
use crate::asking::Asking;

/// Has one index, and picks no documents.
struct Server {
    indexes: Ending,
    sample: DatabaseErrorKind,
    asked: Mutex<Vec<(&'static str, Bounds)>>,
}

impl Server {
    fn new(indexes: Ending, sample: DatabaseErrorKind) -> Self {
        Self { indexes, sample, asked: Mutex::default() }
    }

    fn note(&self, operation: &'static str, bounds: Bounds) {
        self.asked.lock().expect("nobody panics").push((operation, bounds));
    }

    fn asked(&self, operation: &str) -> Vec<Bounds> {
        let asked = self.asked.lock().expect("nobody panics");
        asked.iter().filter(|(name, _)| *name == operation).map(|(_, bounds)| *bounds).collect()
    }
}

#[async_trait]
impl Documents for Server {
    fn database(&self) -> Option<&str> {
        None
    }

    async fn list_databases(&self, _: Bounds, _: &RequestContext) -> Result<Bounded<DatabaseSummary>, DatabaseError> {
        unreachable!("a look is into a collection")
    }

    async fn list_collections(
        &self,
        _: &str,
        _: Bounds,
        _: &RequestContext,
    ) -> Result<Bounded<CollectionSummary>, DatabaseError> {
        unreachable!("a look is into a collection")
    }

    async fn list_indexes(
        &self,
        _: &Collection,
        bounds: Bounds,
        _: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.note("list_indexes", bounds);
        let index = Document::new().with("name", "_id_").with("key", Document::new().with("_id", 1));
        Ok(Bounded { items: vec![index], ending: self.indexes })
    }

    async fn find(
        &self,
        _: &Collection,
        _: &Find,
        bounds: Bounds,
        _: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.note("find", bounds);
        Ok(Bounded { items: Vec::new(), ending: Ending::All })
    }

    async fn aggregate(
        &self,
        _: &Collection,
        _: &[Document],
        bounds: Bounds,
        _: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.note("aggregate", bounds);
        Ok(Bounded { items: Vec::new(), ending: Ending::All })
    }

    async fn sample(
        &self,
        _: &Collection,
        bounds: Bounds,
        _: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.note("sample", bounds);
        Err(DatabaseError::new(self.sample.clone(), "no"))
    }

    async fn count(&self, _: &Collection, _: &Document, _: &RequestContext) -> Result<u64, DatabaseError> {
        unreachable!("nothing is counted one by one")
    }

    async fn estimated_count(&self, _: &Collection, _: &RequestContext) -> Result<u64, DatabaseError> {
        Ok(0)
    }

    async fn insert_one(
        &self,
        _: &Collection,
        _: &Document,
        _: &RequestContext,
    ) -> Result<DocumentValue, DatabaseError> {
        unreachable!("an inspection writes nothing")
    }

    async fn replace_one(
        &self,
        _: &Collection,
        _: &Document,
        _: &Document,
        _: bool,
        _: &RequestContext,
    ) -> Result<Replaced, DatabaseError> {
        unreachable!("an inspection writes nothing")
    }

    async fn delete_one(&self, _: &Collection, _: &Document, _: &RequestContext) -> Result<bool, DatabaseError> {
        unreachable!("an inspection writes nothing")
    }
}

/// What a look sees; indexes within so many bytes are kept, and what is left of the bytes comes with it.
async fn looked(server: &Server, kind: CollectionKind, options: Document, mut bytes: usize) -> (Looked, usize) {
    let context = RequestContext::system();
    let asking = Asking { context: &context, until: Instant::now() + Duration::from_mins(10), refusal };
    let sampling = SamplingOptions::default();
    let look = Look { documents: server, database: "shop", options: &sampling, asking };
    let summary = CollectionSummary { name: "log".to_owned(), kind, options, read_only: false };
    let looked = look.at(&summary).await.expect("a look");
    (look.fit(looked, &mut bytes), bytes)
}

fn gap(part: &str, reason: Unavailable) -> Gap {
    Gap { object: Some(ObjectName::new("shop", "log")), part: part.to_owned(), reason }
}

#[tokio::test]
async fn ends_are_read_where_that_is_cheap_and_the_server_refuses_to_pick() {
    for (kind, refused, is_read) in [
        (CollectionKind::Collection, DatabaseErrorKind::Query, true),
        (CollectionKind::Collection, DatabaseErrorKind::Unsupported, true),
        (CollectionKind::Collection, DatabaseErrorKind::Decode, false),
        (CollectionKind::TimeSeries, DatabaseErrorKind::Query, false),
        (CollectionKind::Other("queue".to_owned()), DatabaseErrorKind::Unsupported, false),
    ] {
        let server = Server::new(Ending::All, refused.clone());
        let (looked, _) = looked(&server, kind.clone(), Document::new(), usize::MAX).await;
        let sample = looked.sample.expect("a sample");
        let expected =
            if is_read { (SampleMethod::Ends, None) } else { (SampleMethod::Random, Some(Unavailable::Broken)) };
        assert_eq!((sample.method, sample.unavailable), expected, "{kind:?}, {refused:?}");
        assert_eq!(!server.asked("find").is_empty(), is_read, "{kind:?}, {refused:?}");
    }
}

#[tokio::test]
async fn indexes_that_are_too_much_are_a_gap() {
    for (ending, reason) in [
        (Ending::All, None),
        (Ending::Documents, Some(Unavailable::OverLimit)),
        (Ending::Bytes, Some(Unavailable::TooLong)),
    ] {
        let server = Server::new(ending, DatabaseErrorKind::Query);
        let (looked, _) = looked(&server, CollectionKind::Collection, Document::new(), usize::MAX).await;
        assert_eq!(looked.collection.indexes.len(), usize::from(reason.is_none()), "{ending:?}");
        let expected: Vec<Gap> = reason.map(|reason| gap("indexes", reason)).into_iter().collect();
        assert_eq!(looked.gaps, expected, "{ending:?}");
        assert_eq!(server.asked("list_indexes"), [Bounds::documents(1_000).within(1024 * 1024)]);
    }
}

#[tokio::test]
async fn indexes_take_up_the_bytes_for_all() {
    let server = Server::new(Ending::All, DatabaseErrorKind::Query);
    let (whole, left) = looked(&server, CollectionKind::Collection, Document::new(), 10_000).await;
    let taken = 10_000 - left;
    assert!(taken > 0 && whole.gaps.is_empty(), "{taken}");
    let (exact, left) = looked(&server, CollectionKind::Collection, Document::new(), taken).await;
    assert_eq!((exact.collection.indexes.len(), left), (1, 0));
    let (cut, left) = looked(&server, CollectionKind::Collection, Document::new(), taken - 1).await;
    assert_eq!((cut.collection.indexes.len(), left), (0, taken - 1));
    assert_eq!(cut.gaps, [gap("indexes", Unavailable::OverLimit)]);
}

#[tokio::test]
async fn fields_that_are_too_many_are_a_gap() {
    let server = Server::new(Ending::All, DatabaseErrorKind::Query);
    for (count, expected) in [(1_000, Vec::new()), (1_001, vec![gap("fields", Unavailable::OverLimit)])] {
        let properties: Document = (0..count).map(|number| (number.to_string(), Document::new())).collect();
        let schema = Document::new().with("properties", properties);
        let options = Document::new().with("validator", Document::new().with("$jsonSchema", schema));
        let (looked, _) = looked(&server, CollectionKind::Collection, options, usize::MAX).await;
        assert_eq!((looked.collection.fields.len(), looked.gaps), (1_000, expected));
    }
}

//! Somebody between the inspector and the server, who counts what is asked and refuses some of it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, CloseReport, Collection, CollectionSummary, ConnectionName, ConnectionStats, DatabaseConnection,
    DatabaseError, DatabaseErrorKind, DatabaseSummary, Document, DocumentValue, Documents, Ending, Engine, Find,
    Health, Replaced,
};

pub(super) struct Between {
    inner: Arc<dyn DatabaseConnection>,
    refused: Vec<(&'static str, DatabaseError)>,
    databases: Option<Vec<DatabaseSummary>>,
    asked: AtomicU32,
}

impl Between {
    pub(super) fn new(inner: &Arc<dyn DatabaseConnection>) -> Self {
        Self { inner: Arc::clone(inner), refused: Vec::new(), databases: None, asked: AtomicU32::new(0) }
    }

    /// The same that lets an operation fail as a server would that does not know it, or with a code of the server's.
    pub(super) fn refusing(mut self, operation: &'static str, code: &str) -> Self {
        let error = DatabaseError::new(DatabaseErrorKind::Query, "refused").with_code(code);
        self.refused.push((operation, error));
        self
    }

    /// The same whose settings name no database, and whose server has these.
    pub(super) fn of_many(mut self, databases: Vec<DatabaseSummary>) -> Self {
        self.databases = Some(databases);
        self
    }

    /// How often something was asked.
    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn documents_of(&self, operation: &str) -> Result<&dyn Documents, DatabaseError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.refused.iter().find(|(refused, _)| *refused == operation) {
            Some((_, error)) => Err(error.clone()),
            None => self.inner.documents(),
        }
    }
}

#[async_trait]
impl DatabaseConnection for Between {
    fn name(&self) -> &ConnectionName {
        self.inner.name()
    }

    fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.documents_of("ping")?;
        self.inner.ping(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.inner.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.inner.stats()
    }

    fn documents(&self) -> Result<&dyn Documents, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.inner.native()
    }
}

#[async_trait]
impl Documents for Between {
    fn database(&self) -> Option<&str> {
        if self.databases.is_some() { None } else { self.inner.documents().ok()?.database() }
    }

    async fn list_databases(
        &self,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<DatabaseSummary>, DatabaseError> {
        let inner = self.documents_of("list_databases")?;
        match &self.databases {
            Some(databases) => Ok(Bounded { items: databases.clone(), ending: Ending::All }),
            None => inner.list_databases(bounds, context).await,
        }
    }

    async fn list_collections(
        &self,
        database: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<CollectionSummary>, DatabaseError> {
        self.documents_of("list_collections")?.list_collections(database, bounds, context).await
    }

    async fn list_indexes(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.documents_of("list_indexes")?.list_indexes(collection, bounds, context).await
    }

    async fn find(
        &self,
        collection: &Collection,
        find: &Find,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.documents_of("find")?.find(collection, find, bounds, context).await
    }

    async fn aggregate(
        &self,
        collection: &Collection,
        pipeline: &[Document],
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.documents_of("aggregate")?.aggregate(collection, pipeline, bounds, context).await
    }

    async fn sample(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        self.documents_of("sample")?.sample(collection, bounds, context).await
    }

    async fn count(
        &self,
        collection: &Collection,
        filter: &Document,
        context: &RequestContext,
    ) -> Result<u64, DatabaseError> {
        self.documents_of("count")?.count(collection, filter, context).await
    }

    async fn estimated_count(&self, collection: &Collection, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.documents_of("estimated_count")?.estimated_count(collection, context).await
    }

    async fn insert_one(
        &self,
        _: &Collection,
        _: &Document,
        _: &RequestContext,
    ) -> Result<DocumentValue, DatabaseError> {
        panic!("an inspection writes nothing")
    }

    async fn replace_one(
        &self,
        _: &Collection,
        _: &Document,
        _: &Document,
        _: bool,
        _: &RequestContext,
    ) -> Result<Replaced, DatabaseError> {
        panic!("an inspection writes nothing")
    }

    async fn delete_one(&self, _: &Collection, _: &Document, _: &RequestContext) -> Result<bool, DatabaseError> {
        panic!("an inspection writes nothing")
    }
}

impl fmt::Debug for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Between").field("inner", &self.inner).finish_non_exhaustive()
    }
}

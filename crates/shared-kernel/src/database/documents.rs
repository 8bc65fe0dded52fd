use async_trait::async_trait;

use super::document::{Document, DocumentValue};
use super::{DatabaseError, DatabaseErrorKind};
use crate::RequestContext;

/// The document capability of a connection: collections of documents, with what an explorer of schemas and a small service
/// ask for. Filters, projections and stages are written in the engine's own language.
///
/// Every list is bounded in number and in bytes, and every call by the context's deadline, of which the server is told where
/// it can be, so that it works no longer than somebody waits.
///
/// Cancellation: dropping a future that was returned here is safe. The physical connection it used is thrown away unless the
/// operation had finished, and whether an interrupted write took effect is unknown. The same holds for the error `Timeout`.
///
/// # Errors
/// Every operation can fail with every [`DatabaseErrorKind`] that names the way to the server; `Timeout` when the context's
/// deadline passes first; `UniqueViolation` for a write that a unique index refuses; `ReadOnlyTarget` for one that reached a
/// server that only reads; `Decode` for what came back and is no document of BSON, or is nested deeper than an engine lets
/// anybody write; `Query` for the rest, a missing right included.
#[async_trait]
pub trait Documents: Send + Sync {
    /// The database that the connection's settings name.
    fn database(&self) -> Option<&str>;

    /// The databases that the user may see.
    async fn list_databases(
        &self,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<DatabaseSummary>, DatabaseError>;

    /// The collections and views of a database, in no order. One that is not there has none.
    async fn list_collections(
        &self,
        database: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<CollectionSummary>, DatabaseError>;

    /// The indexes of a collection, as the engine describes them. One that is not there has none.
    async fn list_indexes(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError>;

    /// The documents that a filter selects.
    async fn find(
        &self,
        collection: &Collection,
        find: &Find,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError>;

    /// What comes out of a pipeline that reads. `Unsupported` for one that would write (`$out`, `$merge`).
    async fn aggregate(
        &self,
        collection: &Collection,
        pipeline: &[Document],
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError>;

    /// Documents that the server picks at random, `bounds.documents` of them at most. The same one may come twice.
    async fn sample(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError>;

    /// How many documents a filter selects, counted one by one.
    async fn count(
        &self,
        collection: &Collection,
        filter: &Document,
        context: &RequestContext,
    ) -> Result<u64, DatabaseError>;

    /// How many documents there are, as the server's book has it, which costs nothing and may be wrong after a crash.
    async fn estimated_count(&self, collection: &Collection, context: &RequestContext) -> Result<u64, DatabaseError>;

    /// Puts a document into a collection, which is made if there is none. Returns its `_id`, which is made as well.
    async fn insert_one(
        &self,
        collection: &Collection,
        document: &Document,
        context: &RequestContext,
    ) -> Result<DocumentValue, DatabaseError>;

    /// Puts a document in the place of one that the filter selects; where there is none, inserts it if `or_insert` says so.
    async fn replace_one(
        &self,
        collection: &Collection,
        filter: &Document,
        replacement: &Document,
        or_insert: bool,
        context: &RequestContext,
    ) -> Result<Replaced, DatabaseError>;

    /// Deletes one document that the filter selects; says whether there was one.
    async fn delete_one(
        &self,
        collection: &Collection,
        filter: &Document,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;
}

/// A collection by its names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collection {
    database: String,
    name: String,
}

impl Collection {
    /// A collection of a database.
    ///
    /// # Errors
    /// `Query` for names that cannot be: empty ones, ones with U+0000, a database with a full stop.
    pub fn try_new(database: impl Into<String>, name: impl Into<String>) -> Result<Self, DatabaseError> {
        let (database, name) = (database.into(), name.into());
        let unfit = |text: &str| text.is_empty() || text.contains('\0');
        if unfit(&database) || database.contains('.') || unfit(&name) {
            let message = "a collection has the name of a database without a full stop, and a name of its own; neither is \
                           empty or holds U+0000";
            return Err(DatabaseError::new(DatabaseErrorKind::Query, message));
        }
        Ok(Self { database, name })
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The collection's own name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What to find.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Find {
    /// Which documents; an empty one selects all.
    pub filter: Document,
    /// Which of their fields; `None` for all.
    pub projection: Option<Document>,
    /// In which order; `None` for the one in which the engine finds them.
    pub sort: Option<Document>,
    /// How many of them to pass over.
    pub skip: u64,
}

impl Find {
    /// All that a filter selects.
    pub fn filter(filter: Document) -> Self {
        Self { filter, ..Self::default() }
    }
}

/// How much of a list is wanted at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many items.
    pub documents: u32,
    /// How many bytes of BSON they have in all.
    pub bytes: u64,
}

impl Bounds {
    /// So many items within 16 MiB, which is what one document may have.
    pub const fn documents(documents: u32) -> Self {
        Self { documents, bytes: 16 * 1024 * 1024 }
    }

    /// The same within so many bytes.
    #[must_use]
    pub const fn within(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }
}

/// A list, and why it ends where it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounded<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Why there is no more.
    pub ending: Ending,
}

/// Why a list ends where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left out.
    All,
    /// There were more than were wanted.
    Documents,
    /// The next one would have been more bytes than were wanted.
    Bytes,
}

/// A database as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSummary {
    /// Its name.
    pub name: String,
    /// How many bytes it takes up on the server's disk, when the server tells.
    pub size_on_disk: Option<u64>,
    /// Whether there is nothing in it, when the server tells.
    pub empty: Option<bool>,
}

/// A collection as the server lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSummary {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CollectionKind,
    /// What it was made with: a validator, the pipeline of a view, a collation … in the engine's words.
    pub options: Document,
    /// Whether it takes no writes.
    pub read_only: bool,
}

/// What a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionKind {
    /// Documents.
    Collection,
    /// What a pipeline makes of another.
    View,
    /// Measurements over time.
    TimeSeries,
    /// Something that the kernel has no word for, by the engine's.
    Other(String),
}

/// What became of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// A document was replaced.
    Replaced,
    /// There was none, and one was inserted.
    Inserted,
    /// There was none.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_collections_are_checked() {
        let collection = Collection::try_new("books", "system.views").unwrap();
        assert_eq!((collection.database(), collection.name()), ("books", "system.views"));
        for (database, name) in [("", "a"), ("a", ""), ("a.b", "c"), ("a\0", "b"), ("a", "b\0")] {
            let error = Collection::try_new(database, name).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::Query, "{database:?} {name:?}");
        }
    }
}

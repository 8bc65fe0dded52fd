use std::time::Duration;

use ::mongodb::Client;
use ::mongodb::bson::oid::ObjectId as NewId;
use ::mongodb::bson::{RawDocument, RawDocumentBuf, rawdoc};
use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, Catalog, Collection, CollectionKind, CollectionSummary, DatabaseError, DatabaseErrorKind,
    DatabaseSummary, Document, DocumentValue, Documents, Effect, Ending, Find, MOST_NAMES, ObjectId, Replaced,
};
use tokio::time::Instant;

use super::bson::{append, array, read, write};
use super::connection::MongoDbConnection;
use super::error::{self, Problem};
use crate::pool::{Deadline, Holder};

/// The most documents that are asked for in one answer; the server ends an answer at 16 MiB in any case.
const BATCH: u32 = 1_000;

/// The stages that write.
pub(super) const WRITING: [&str; 2] = ["$merge", "$out"];

/// What a server says about a collection or a database that is not there.
const NAMESPACE_NOT_FOUND: &str = "26";

/// Names alone: what the databases take up is not counted.
#[async_trait]
impl Catalog for MongoDbConnection {
    async fn databases(&self, limit: usize, context: &RequestContext) -> Result<Vec<String>, DatabaseError> {
        let answer = databases(self, &rawdoc! { "listDatabases": 1, "nameOnly": true }, context).await?;
        let mut names = listed(&answer).map(named).collect::<Result<Vec<_>, _>>()?;
        // Servers do not promise an order.
        names.sort_unstable();
        names.truncate(limit.min(MOST_NAMES));
        Ok(names)
    }
}

/// Those that the user may use, of a server that does not let it see all of them.
async fn databases(
    connection: &MongoDbConnection,
    command: &RawDocumentBuf,
    context: &RequestContext,
) -> Result<Document, DatabaseError> {
    connection.ask("listDatabases", Effect::Nothing, "admin", command, context).await
}

fn listed(answer: &Document) -> impl Iterator<Item = &Document> {
    let found = answer.get("databases").map_or(&[][..], |found| match found {
        DocumentValue::Array(found) => found,
        _ => &[],
    });
    found.iter().filter_map(DocumentValue::as_document)
}

#[async_trait]
impl Documents for MongoDbConnection {
    fn database(&self) -> Option<&str> {
        self.pool().driver().options().database.as_deref()
    }

    async fn list_databases(
        &self,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<DatabaseSummary>, DatabaseError> {
        let answer = databases(self, &rawdoc! { "listDatabases": 1 }, context).await?;
        let mut taken = Taken::new(bounds);
        for database in listed(&answer) {
            let summary = database_summary(database)?;
            // Their bytes are no more than the one answer that they came in.
            if !taken.takes(summary.name.len(), || Ok(summary))? {
                break;
            }
        }
        Ok(taken.list)
    }

    async fn list_collections(
        &self,
        database: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<CollectionSummary>, DatabaseError> {
        let command = rawdoc! { "listCollections": 1, "cursor": { "batchSize": batch(bounds) } };
        self.list("listCollections", database, command, bounds, collection_summary, context).await
    }

    async fn list_indexes(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        let command = rawdoc! { "listIndexes": collection.name(), "cursor": { "batchSize": batch(bounds) } };
        match self.list("listIndexes", collection.database(), command, bounds, read, context).await {
            Err(error) if error.code() == Some(NAMESPACE_NOT_FOUND) => {
                Ok(Bounded { items: Vec::new(), ending: Ending::All })
            }
            outcome => outcome,
        }
    }

    async fn find(
        &self,
        collection: &Collection,
        find: &Find,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        let mut command = rawdoc! {
            "find": collection.name(),
            "filter": write(&find.filter)?,
            "limit": i64::from(bounds.documents) + 1,
            "batchSize": batch(bounds),
        };
        for (name, part) in [("projection", &find.projection), ("sort", &find.sort)] {
            if let Some(part) = part {
                append(&mut command, name, write(part)?)?;
            }
        }
        if find.skip > 0 {
            append(&mut command, "skip", i64::try_from(find.skip).unwrap_or(i64::MAX))?;
        }
        self.list("find", collection.database(), command, bounds, read, context).await
    }

    async fn aggregate(
        &self,
        collection: &Collection,
        pipeline: &[Document],
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        let stages = pipeline.iter().flat_map(Document::iter);
        if let Some(stage) = stages.map(|(name, _)| name).find(|name| WRITING.contains(name)) {
            let message = format!("a pipeline that reads has no stage `{stage}`");
            return Err(DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(self.pool().name()));
        }
        let mut stages = pipeline.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        stages.push(rawdoc! { "$limit": i64::from(bounds.documents) + 1 });
        self.list("aggregate", collection.database(), aggregate(collection, stages, bounds), bounds, read, context)
            .await
    }

    async fn sample(
        &self,
        collection: &Collection,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Document>, DatabaseError> {
        if bounds.documents == 0 {
            return Ok(Bounded { items: Vec::new(), ending: Ending::All });
        }
        let stages = vec![rawdoc! { "$sample": { "size": i64::from(bounds.documents) } }];
        self.list("aggregate", collection.database(), aggregate(collection, stages, bounds), bounds, read, context)
            .await
    }

    async fn count(
        &self,
        collection: &Collection,
        filter: &Document,
        context: &RequestContext,
    ) -> Result<u64, DatabaseError> {
        let stages = vec![rawdoc! { "$match": write(filter)? }, rawdoc! { "$group": { "_id": 1, "n": { "$sum": 1 } } }];
        let bounds = Bounds::documents(1);
        let command = aggregate(collection, stages, bounds);
        let groups = self.list("aggregate", collection.database(), command, bounds, read, context).await?;
        groups.items.first().map_or(Ok(0), |group| number(group, "n"))
    }

    async fn estimated_count(&self, collection: &Collection, context: &RequestContext) -> Result<u64, DatabaseError> {
        let command = rawdoc! { "count": collection.name() };
        let answer = self.ask("count", Effect::Nothing, collection.database(), &command, context).await?;
        number(&answer, "n")
    }

    async fn insert_one(
        &self,
        collection: &Collection,
        document: &Document,
        context: &RequestContext,
    ) -> Result<DocumentValue, DatabaseError> {
        let (id, document) = if let Some(id) = document.get("_id") {
            (id.clone(), write(document)?)
        } else {
            let id = DocumentValue::ObjectId(ObjectId(NewId::new().bytes()));
            let fields = document.clone().into_iter();
            let with_id: Document = std::iter::once(("_id".to_owned(), id.clone())).chain(fields).collect();
            (id, write(&with_id)?)
        };
        let command = rawdoc! { "insert": collection.name(), "documents": array([document]) };
        self.change("insert", collection, &command, context).await?;
        Ok(id)
    }

    async fn replace_one(
        &self,
        collection: &Collection,
        filter: &Document,
        replacement: &Document,
        or_insert: bool,
        context: &RequestContext,
    ) -> Result<Replaced, DatabaseError> {
        if let Some((name, _)) = replacement.iter().find(|(name, _)| name.starts_with('$')) {
            let message = format!("a replacement is a document, and `{}` is an operator", name.replace('`', ""));
            return Err(DatabaseError::new(DatabaseErrorKind::Query, message).on(self.pool().name()));
        }
        let update = rawdoc! { "q": write(filter)?, "u": write(replacement)?, "multi": false, "upsert": or_insert };
        let command = rawdoc! { "update": collection.name(), "updates": array([update]) };
        let answer = self.change("update", collection, &command, context).await?;
        let inserted = matches!(answer.get("upserted"), Some(DocumentValue::Array(upserted)) if !upserted.is_empty());
        Ok(match number(&answer, "n")? {
            0 => Replaced::Nothing,
            _ if inserted => Replaced::Inserted,
            _ => Replaced::Replaced,
        })
    }

    async fn delete_one(
        &self,
        collection: &Collection,
        filter: &Document,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let delete = rawdoc! { "q": write(filter)?, "limit": 1 };
        let command = rawdoc! { "delete": collection.name(), "deletes": array([delete]) };
        Ok(number(&self.change("delete", collection, &command, context).await?, "n")? > 0)
    }
}

impl MongoDbConnection {
    /// How long the server may take for a command at most, whatever the caller's patience.
    fn longest(&self) -> Option<Duration> {
        Some(self.pool().driver().options().egress.as_ref()?.limits().statement)
    }

    /// Sends a command with one answer.
    async fn ask(
        &self,
        operation: &'static str,
        effect: Effect,
        database: &str,
        command: &RawDocumentBuf,
        context: &RequestContext,
    ) -> Result<Document, DatabaseError> {
        let longest = self.longest();
        let work = |client: Client, deadline: Deadline| async move {
            let command = limited(command.clone(), deadline, longest)?;
            let answer = client.database(database).run_raw_command(command).await?;
            let raw = RawDocumentBuf::try_from(&answer).map_err(::mongodb::error::Error::from)?;
            Ok(read(&raw)?)
        };
        let answer = self.run(operation, effect, Holder::CALL, context, &work).await;
        answer.map_err(|error| error.on(self.pool().name()))
    }

    /// Sends a command that writes. What becomes of the one thing that it writes is told within the answer.
    async fn change(
        &self,
        operation: &'static str,
        collection: &Collection,
        command: &RawDocumentBuf,
        context: &RequestContext,
    ) -> Result<Document, DatabaseError> {
        if self.pool().driver().options().egress.is_some() {
            let message = "a connection that was defined from outside only reads";
            return Err(DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message).on(self.pool().name()));
        }
        let longest = self.longest();
        let work = |client: Client, deadline: Deadline| async move {
            let command = limited(command.clone(), deadline, longest)?;
            let answer = client.database(collection.database()).run_raw_command(command).await?;
            let raw = RawDocumentBuf::try_from(&answer).map_err(::mongodb::error::Error::from)?;
            let answer = read(&raw)?;
            match refusal(&answer, operation) {
                Some(refusal) => Err(Problem::Typed(refusal)),
                None => Ok(answer),
            }
        };
        let answer = self.run(operation, Effect::Whole, Holder::CALL, context, &work).await;
        answer.map_err(|error| error.on(self.pool().name()))
    }

    /// Sends a command that answers with a cursor, and follows it up to the bounds.
    async fn list<T: Send>(
        &self,
        operation: &'static str,
        database: &str,
        command: RawDocumentBuf,
        bounds: Bounds,
        item: fn(&RawDocument) -> Result<T, DatabaseError>,
        context: &RequestContext,
    ) -> Result<Bounded<T>, DatabaseError> {
        let command = &command;
        let longest = self.longest();
        let work = |client: Client, deadline: Deadline| async move {
            let command = limited(command.clone(), deadline, longest)?;
            let database = client.database(database);
            let mut cursor = database.run_raw_cursor_command(command).batch_size(batch(bounds).unsigned_abs()).await?;
            let mut taken = Taken::new(bounds);
            while cursor.advance().await? {
                let raw = cursor.current();
                if !taken.takes(raw.as_bytes().len(), || item(raw))? {
                    break;
                }
            }
            Ok(taken.list)
        };
        let list = self.run(operation, Effect::Nothing, Holder::CALL, context, &work).await;
        list.map_err(|error| error.on(self.pool().name()))
    }
}

/// A list as far as it has come.
struct Taken<T> {
    list: Bounded<T>,
    bounds: Bounds,
    bytes: u64,
}

impl<T> Taken<T> {
    fn new(bounds: Bounds) -> Self {
        Self { list: Bounded { items: Vec::new(), ending: Ending::All }, bounds, bytes: 0 }
    }

    /// Takes one more item of so many bytes, or says that the list ends here.
    fn takes(&mut self, bytes: usize, item: impl FnOnce() -> Result<T, DatabaseError>) -> Result<bool, DatabaseError> {
        let full = u32::try_from(self.list.items.len()).is_ok_and(|count| count >= self.bounds.documents);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if full || self.bytes > self.bounds.bytes {
            self.list.ending = if full { Ending::Documents } else { Ending::Bytes };
            return Ok(false);
        }
        self.list.items.push(item()?);
        Ok(true)
    }
}

fn batch(bounds: Bounds) -> i32 {
    i32::try_from(bounds.documents.saturating_add(1).min(BATCH)).unwrap_or_default()
}

fn aggregate(collection: &Collection, stages: Vec<RawDocumentBuf>, bounds: Bounds) -> RawDocumentBuf {
    rawdoc! { "aggregate": collection.name(), "pipeline": array(stages), "cursor": { "batchSize": batch(bounds) } }
}

/// The command with the time that the server may take for it.
fn limited(
    mut command: RawDocumentBuf,
    deadline: Deadline,
    longest: Option<Duration>,
) -> Result<RawDocumentBuf, DatabaseError> {
    let left = deadline.instant().map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if let Some(left) = left.into_iter().chain(longest).min() {
        let left = left.max(Duration::from_millis(1));
        append(
            &mut command,
            "maxTimeMS",
            i64::try_from(left.as_millis()).unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX)),
        )?;
    }
    Ok(command)
}

/// Why the one thing that a command was to write was not written, or not as safely as it had to be.
fn refusal(answer: &Document, operation: &str) -> Option<DatabaseError> {
    let first = |name| match answer.get(name) {
        Some(DocumentValue::Array(errors)) => errors.first(),
        other => other,
    };
    let cause = first("writeErrors").or_else(|| first("writeConcernError"))?.as_document()?;
    let code = cause.get("code").and_then(DocumentValue::as_i64).and_then(|code| i32::try_from(code).ok());
    let text = |name| cause.get(name).and_then(DocumentValue::as_str).unwrap_or_default();
    Some(error::answered(code.unwrap_or_default(), text("codeName"), text("errmsg"), operation))
}

/// A count, which servers tell in whatever width they have it.
fn number(answer: &Document, name: &str) -> Result<u64, DatabaseError> {
    let number = match answer.get(name) {
        #[expect(clippy::cast_possible_truncation, reason = "a count is whole, and one beyond 2^53 is no count")]
        Some(DocumentValue::Double(number)) => Some(*number as i64),
        value => value.and_then(DocumentValue::as_i64),
    };
    number.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
        DatabaseError::new(DatabaseErrorKind::Decode, format!("the server's answer has no count `{name}`"))
    })
}

fn named(document: &Document) -> Result<String, DatabaseError> {
    let name = document.get("name").and_then(DocumentValue::as_str).map(str::to_owned);
    name.ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Decode, "the server listed something without a name"))
}

fn is_set(document: &Document, name: &str) -> Option<bool> {
    match document.get(name) {
        Some(DocumentValue::Boolean(set)) => Some(*set),
        _ => None,
    }
}

fn database_summary(document: &Document) -> Result<DatabaseSummary, DatabaseError> {
    let size_on_disk = number(document, "sizeOnDisk").ok();
    Ok(DatabaseSummary { name: named(document)?, size_on_disk, empty: is_set(document, "empty") })
}

fn collection_summary(raw: &RawDocument) -> Result<CollectionSummary, DatabaseError> {
    let document = read(raw)?;
    let part = |name| document.get(name).and_then(DocumentValue::as_document);
    let kind = match document.get("type").and_then(DocumentValue::as_str) {
        // Servers before views had no word for it.
        None | Some("collection") => CollectionKind::Collection,
        Some("view") => CollectionKind::View,
        Some("timeseries") => CollectionKind::TimeSeries,
        Some(other) => CollectionKind::Other(other.to_owned()),
    };
    Ok(CollectionSummary {
        name: named(&document)?,
        kind,
        options: part("options").cloned().unwrap_or_default(),
        read_only: part("info").and_then(|info| is_set(info, "readOnly")).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_whichever_bound_comes_first() {
        let taken = |documents, bytes| {
            let mut taken = Taken::new(Bounds { documents, bytes });
            for item in 0..5 {
                if !taken.takes(10, || Ok(item)).unwrap() {
                    break;
                }
            }
            (taken.list.items.len(), taken.list.ending)
        };
        assert_eq!(taken(5, 50), (5, Ending::All));
        assert_eq!(taken(4, 50), (4, Ending::Documents));
        assert_eq!(taken(5, 49), (4, Ending::Bytes));
        assert_eq!(taken(0, 0), (0, Ending::Documents));
    }

    #[test]
    fn a_write_that_failed_is_told_by_its_own_error() {
        let cause = Document::new().with("index", 0).with("code", 11000).with("errmsg", "Index 'a_1' has it");
        let answer = Document::new().with("ok", 1.0).with("writeErrors", vec![cause.into()]);
        let refused = refusal(&answer, "insert").unwrap();
        let expected = DatabaseErrorKind::UniqueViolation { constraint: Some("a_1".to_owned()) };
        assert_eq!(*refused.kind(), expected);
        assert!(refusal(&Document::new().with("ok", 1.0).with("n", 1), "insert").is_none());
        let unsafe_write = Document::new().with("code", 64).with("errmsg", "waiting for replication timed out");
        let answer = Document::new().with("n", 1).with("writeConcernError", unsafe_write);
        assert_eq!(refusal(&answer, "insert").unwrap().code(), Some("64"));
    }
}

//! What a look at a database has found, as the bytes of a snapshot: JSON in which the model is canonical, packed with zlib (RFC 1950).

use std::io::{self, BufWriter, Read as _, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use registry_context::domain::{Document, SchemaError, SchemaLook};
use schema_diff::{Diff, compare};
use schema_model::{Canonical, Identities, Inspection, KeySample, RelationStatistics, Report, Sample};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::KeptSchema;

/// A document that cannot be read as one: another version of the service wrote it, or something else did.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableDocument {
    /// It does not unpack to as many bytes as it had.
    #[error("the document does not unpack")]
    Packing(#[source] io::Error),
    /// It is no inspection.
    #[error("the document is no inspection")]
    Json(#[source] serde_json::Error),
    /// The work was given up.
    #[error("the document was not read")]
    GivenUp,
}

/// What a snapshot is compared with.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Another one of the same connection.
    Document(Document),
    /// One of another connection. A copy of a server's files has that server's name, and numbers what comes later by itself, so
    /// that numbers of objects say nothing.
    Elsewhere(Document),
    /// What was just found.
    Kept(Arc<KeptSchema>),
}

/// How many documents are packed, unpacked, compared, exported or judged at once: each may take some hundred megabytes.
const AT_ONCE: usize = 2;

/// Makes documents and reads them, a few at once. Those that wait wait in line.
///
/// Cancellation: what was begun is ended, as nobody can interrupt it, and its place is free for others then.
#[derive(Debug, Clone)]
pub(crate) struct Documents(Arc<Semaphore>);

impl Documents {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// What is kept of a schema, with its document. Large ones take a while, so that it is not done where requests are served.
    pub(super) async fn look(&self, kept: Arc<KeptSchema>) -> Result<SchemaLook, SchemaError> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| SchemaError::Failed)?;
        let made = spawn_blocking(move || {
            let _place = place;
            let inspection = &kept.inspection;
            Ok::<_, io::Error>(SchemaLook {
                taken_at: kept.taken_at,
                fingerprint: kept.fingerprint.to_string(),
                engine: inspection.database.engine.clone(),
                database: inspection.database.name.clone(),
                relations: (inspection.database.relations().count() + inspection.database.collections().count()) as u64,
                document: pack(inspection)?,
            })
        });
        match made.await {
            Ok(Ok(look)) => Ok(look),
            // Neither happens to what is packed into memory.
            Ok(Err(_)) | Err(_) => Err(SchemaError::Failed),
        }
    }

    /// What `work` makes of the inspection in a document, apart from where requests are served.
    pub(crate) async fn unpacked<T: Send + 'static>(
        &self,
        document: Document,
        work: impl FnOnce(Inspection) -> T + Send + 'static,
    ) -> Result<T, UnreadableDocument> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| UnreadableDocument::GivenUp)?;
        let read = spawn_blocking(move || {
            let _place = place;
            unpack(&document).map(work)
        });
        read.await.map_err(|_| UnreadableDocument::GivenUp)?
    }

    /// What `work` makes, apart from where requests are served; `None` where it was given up.
    pub(crate) async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let made = spawn_blocking(move || {
            let _place = place;
            work()
        });
        made.await.ok()
    }

    /// What has changed since a snapshot, found out apart from where requests are served.
    pub(crate) async fn differences(&self, before: Document, after: Seen) -> Result<Diff, UnreadableDocument> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| UnreadableDocument::GivenUp)?;
        let compared = spawn_blocking(move || {
            let _place = place;
            let mut before = unpack(&before)?;
            Ok(match after {
                Seen::Document(after) => compare(&before, &unpack(&after)?),
                Seen::Elsewhere(after) => {
                    before.identities = None;
                    compare(&before, &unpack(&after)?)
                }
                Seen::Kept(after) => compare(&before, &after.inspection),
            })
        });
        compared.await.map_err(|_| UnreadableDocument::GivenUp)?
    }
}

/// An [`Inspection`] as it is packed, its model in the canonical form.
#[derive(Serialize)]
struct Unpacked<'a> {
    database: Canonical<'a>,
    statistics: &'a [RelationStatistics],
    samples: &'a [Sample],
    key_samples: &'a [KeySample],
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    identities: Option<&'a Identities>,
}

/// Packs as it writes, so that the text itself is never held.
pub(super) fn pack(inspection: &Inspection) -> io::Result<Document> {
    let Inspection { database, statistics, samples, key_samples, report, identities } = inspection;
    let (database, identities) = (database.canonical(), identities.as_ref());
    let mut text = BufWriter::new(Counted { to: ZlibEncoder::new(Vec::new(), Compression::default()), bytes: 0 });
    serde_json::to_writer(&mut text, &Unpacked { database, statistics, samples, key_samples, report, identities })?;
    let Counted { to, bytes } = text.into_inner()?;
    Ok(Document::new(to.finish()?, bytes))
}

/// Hands on what is written and counts it.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads no more than the document had when it was packed, whatever its bytes would unpack to.
pub(super) fn unpack(document: &Document) -> Result<Inspection, UnreadableDocument> {
    document.check().map_err(|_| UnreadableDocument::Packing(io::ErrorKind::FileTooLarge.into()))?;
    let mut json = Vec::new();
    let mut decoder = ZlibDecoder::new(document.packed()).take(document.unpacked_len() + 1);
    decoder.read_to_end(&mut json).map_err(UnreadableDocument::Packing)?;
    if json.len() as u64 != document.unpacked_len() {
        return Err(UnreadableDocument::Packing(io::ErrorKind::InvalidData.into()));
    }
    serde_json::from_slice(&json).map_err(UnreadableDocument::Json)
}

#[cfg(test)]
mod tests {
    use schema_model::{Database, Namespace, Native, Report};

    use super::*;

    fn inspection() -> Inspection {
        let database = Database {
            engine: "postgres".to_owned(),
            version: "17.2".to_owned(),
            name: "shop \u{1f600}".to_owned(),
            comment: None,
            character_set: None,
            collation: None,
            namespaces: (0..50).map(|number| Namespace::new(format!("part \"{number}\""))).collect(),
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native: Native::new(),
        };
        Inspection {
            database,
            statistics: Vec::new(),
            samples: Vec::new(),
            key_samples: Vec::new(),
            report: Report::default(),
            identities: None,
        }
    }

    #[test]
    fn what_is_packed_unpacks_to_the_same_and_is_smaller() {
        let packed = pack(&inspection()).expect("packed");
        assert_eq!(unpack(&packed).expect("unpacked"), inspection());
        assert!((packed.packed().len() as u64) < packed.unpacked_len() / 4, "{packed:?}");
    }

    #[test]
    fn a_document_is_read_as_far_as_it_was_written() {
        let packed = pack(&inspection()).expect("packed");
        let bytes = packed.packed().to_vec();
        for length in [0, packed.unpacked_len() - 1, packed.unpacked_len() + 1] {
            let other = unpack(&Document::new(bytes.clone(), length));
            assert!(matches!(other, Err(UnreadableDocument::Packing(_))), "{length}: {other:?}");
        }
        let cut = unpack(&Document::new(bytes[..bytes.len() / 2].to_vec(), packed.unpacked_len()));
        assert!(matches!(cut, Err(UnreadableDocument::Packing(_))), "{cut:?}");
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"{}").expect("written");
        let other = unpack(&Document::new(encoder.finish().expect("packed"), 2));
        assert!(matches!(other, Err(UnreadableDocument::Json(_))), "{other:?}");
    }
}

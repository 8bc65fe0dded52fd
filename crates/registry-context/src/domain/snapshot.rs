use std::fmt;

use chrono::{DateTime, Utc};
use shared_kernel::Version;
use shared_kernel::text::{Controls, bounded};

use super::verbatim::text_value;
use super::{ConnectionId, PartName, SchemaLook};

shared_kernel::typed_id! {
    /// Identifies a snapshot (UUID version 7).
    pub struct SnapshotId;
}

text_value!(
    /// What whoever takes a snapshot calls it: 1 to 100 characters in NFC, trimmed, without control characters.
    SnapshotLabel,
    SnapshotLabelError,
    "the label",
    |text| bounded(text, 1..=SnapshotLabel::MAX, Controls::Refused)
);

impl SnapshotLabel {
    /// The most characters.
    pub const MAX: usize = 100;
}

/// All that was found in a database, packed. Whoever makes documents knows what is in them; to a snapshot they are bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    packed: Vec<u8>,
    unpacked: u64,
}

/// A document takes more room than a snapshot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the document has {packed} bytes when packed and {unpacked} when not, a snapshot at most {max} and {max_unpacked}",
    max = Document::MAX, max_unpacked = Document::MAX_UNPACKED
)]
pub struct DocumentTooLarge {
    /// How many bytes it has.
    pub packed: usize,
    /// How many bytes there are when they are unpacked.
    pub unpacked: u64,
}

impl Document {
    /// The most bytes of a packed document. With all around it, it fits into what MySQL and MariaDB take as one packet when
    /// nobody has told them otherwise (64 and 16 MiB).
    pub const MAX: usize = 12 << 20;
    /// The most bytes of a document that is unpacked: what is read again is held in memory, twice where two are compared.
    pub const MAX_UNPACKED: u64 = 64 << 20;

    /// A document of these bytes, which are `unpacked` many when they are unpacked.
    pub const fn new(packed: Vec<u8>, unpacked: u64) -> Self {
        Self { packed, unpacked }
    }

    /// The bytes, packed.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// How many bytes there are when they are unpacked.
    pub const fn unpacked_len(&self) -> u64 {
        self.unpacked
    }

    /// Whether it can be kept.
    ///
    /// # Errors
    /// [`DocumentTooLarge`]
    pub const fn check(&self) -> Result<(), DocumentTooLarge> {
        if self.packed.len() > Self::MAX || self.unpacked > Self::MAX_UNPACKED {
            return Err(DocumentTooLarge { packed: self.packed.len(), unpacked: self.unpacked });
        }
        Ok(())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("packed", &self.packed.len()).field("unpacked", &self.unpacked).finish()
    }
}

/// What a database looked like at an instant, kept under an id. It never changes; its document is read apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(SnapshotRecord);

/// All that is known of a snapshot, laid open: for repositories and for what shows snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// Which snapshot it is.
    pub id: SnapshotId,
    /// Of which connection's database.
    pub connection: ConnectionId,
    /// Which version of the connection was followed.
    pub connection_version: Version,
    /// When the database was looked at.
    pub taken_at: DateTime<Utc>,
    /// SHA-256 of what it looked like, as 64 hexadecimal digits.
    pub fingerprint: String,
    /// The product, such as `postgres`.
    pub engine: String,
    /// The database's name.
    pub database: String,
    /// The part that was looked at; `None` where it was all of it.
    pub part: Option<PartName>,
    /// What whoever took it calls it.
    pub label: Option<SnapshotLabel>,
    /// How many tables, views, collections and the like there were.
    pub relations: u64,
    /// How many bytes its document has when it is unpacked.
    pub document_bytes: u64,
}

impl Snapshot {
    /// The one version that a snapshot has.
    pub const VERSION: Version = Version::FIRST;

    /// Keeps what a look has found. The document is not part of it.
    pub fn of(
        id: SnapshotId,
        (connection, connection_version): (ConnectionId, Version),
        look: &SchemaLook,
        part: Option<PartName>,
        label: Option<SnapshotLabel>,
    ) -> Self {
        Self(SnapshotRecord {
            id,
            connection,
            connection_version,
            taken_at: look.taken_at,
            fingerprint: look.fingerprint.clone(),
            engine: look.engine.clone(),
            database: look.database.clone(),
            part,
            label,
            relations: look.relations,
            document_bytes: look.document.unpacked_len(),
        })
    }

    /// A snapshot that was kept somewhere.
    pub const fn restore(record: SnapshotRecord) -> Self {
        Self(record)
    }

    /// Which snapshot it is.
    pub const fn id(&self) -> SnapshotId {
        self.0.id
    }

    /// All that is known of it.
    pub const fn record(&self) -> &SnapshotRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::validation::Fault as _;

    use super::*;

    #[test]
    fn labels_are_names_on_one_line() {
        assert_eq!(SnapshotLabel::parse("  before 2.0 ").expect("a label").as_str(), "before 2.0");
        for (text, code) in [(" ", "empty"), ("a\nb", "control_character"), (&*"x".repeat(101), "too_long")] {
            assert_eq!(SnapshotLabel::parse(text).expect_err("no label").code(), code);
        }
    }

    #[test]
    fn a_document_is_bounded_and_never_printed() {
        assert_eq!(Document::new(vec![0; Document::MAX], 1).check(), Ok(()));
        let refused = Document::new(vec![0; Document::MAX + 1], 1).check().expect_err("too large");
        let expected =
            "the document has 12582913 bytes when packed and 1 when not, a snapshot at most 12582912 and 67108864";
        assert_eq!(refused.to_string(), expected);
        // A little may unpack to a lot.
        assert_eq!(Document::new(vec![0], Document::MAX_UNPACKED).check(), Ok(()));
        assert!(Document::new(vec![0], Document::MAX_UNPACKED + 1).check().is_err());
        assert_eq!(format!("{:?}", Document::new(vec![7; 3], 9)), "Document { packed: 3, unpacked: 9 }");
    }
}

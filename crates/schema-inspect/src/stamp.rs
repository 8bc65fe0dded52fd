use std::fmt;

use schema_model::{Inspection, Report};
use sha2::{Digest as _, Sha256};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::InspectError;

/// The state that a database's schema is in: while a database has the same one, looks with the same options find the same in it.
///
/// It is not the fingerprint of a model, which tells what a schema looks like whatever way it came about. A stamp belongs to one
/// database and one login, and may differ where a look finds no difference.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp([u8; 32]);

impl Stamp {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// That of what an engine said, part by part.
    pub fn of<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Nothing is another length than any that a text has.
            let length = part.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }

    /// One that was kept as its bytes.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes as which it can be kept.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// 64 hexadecimal digits.
impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What came of a look at a database that may be in a known state.
#[derive(Debug)]
pub enum Look {
    /// It is in that state, so that another look would find what was found before; and what was asked to find that out.
    Unchanged(Report),
    /// It is in another state, or nothing was known.
    Found {
        /// What was found.
        inspection: Box<Inspection>,
        /// The state that it was in before, where the engine tells.
        stamp: Option<Stamp>,
    },
}

impl Look {
    /// What was found by whoever knew nothing before.
    pub(crate) fn found(self) -> Result<Inspection, InspectError> {
        match self {
            Self::Found { inspection, .. } => Ok(*inspection),
            Self::Unchanged(_) => {
                let message = "the database was taken for unchanged, though nothing was known of it";
                let source = DatabaseError::new(DatabaseErrorKind::Decode, message);
                Err(InspectError::Database { stage: "stamp", source })
            }
        }
    }
}

/// What is asked of a database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// What is in it.
    Schema,
    /// Its state, and what is in it unless the state is this one.
    StateFirst(Option<Stamp>),
}

/// Whether it is this question that an engine does not answer, or not in time or because of a lock; others may fare better.
pub(crate) fn is_unanswered(error: &InspectError) -> bool {
    use DatabaseErrorKind::{Decode, Query, SerializationConflict, Timeout, Unsupported};
    let InspectError::Database { source, .. } = error else { return false };
    matches!(source.kind(), Query | Decode | SerializationConflict | Timeout | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_from_each_other() {
        let stamps = [
            Stamp::of([Some("ab"), Some("c")]),
            Stamp::of([Some("a"), Some("bc")]),
            Stamp::of([Some("abc")]),
            Stamp::of([Some("abc"), Some("")]),
            Stamp::of([Some("abc"), None]),
        ];
        for (position, one) in stamps.iter().enumerate() {
            assert!(stamps[..position].iter().all(|other| other != one), "{position}");
            assert_eq!(Stamp::from_bytes(*one.as_bytes()), *one);
        }
        assert_eq!(format!("{:?}", Stamp::from_bytes([0x0a; 32])), "0a".repeat(32));
    }
}

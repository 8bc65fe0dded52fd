use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared_kernel::database::DatabaseError;
use shared_kernel::text::{ControlCharacter, TextError};
use shared_kernel::{RequestContext, Version};

use super::verbatim::text_value;
use super::{ConnectionId, Document};

text_value!(
    /// The name of a part of a database, such as `public`: 1 to 200 characters, none of them U+0000. It is kept as it is, since
    /// engines compare names byte by byte.
    PartName,
    PartNameError,
    "the name",
    part_name
);

impl PartName {
    /// The most characters.
    pub const MAX: usize = 200;
}

fn part_name(text: &str) -> Result<String, TextError> {
    let actual = text.chars().count();
    match actual {
        0 => Err(TextError::Empty),
        1..=PartName::MAX if text.contains('\0') => Err(ControlCharacter('\0').into()),
        1..=PartName::MAX => Ok(text.to_owned()),
        _ => Err(TextError::TooLong { max: PartName::MAX, actual }),
    }
}

/// What a look at a database has found: facts, and the whole of it as a document that nothing here reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaLook {
    /// When it was looked at.
    pub taken_at: DateTime<Utc>,
    /// SHA-256 of what it looks like, as 64 hexadecimal digits.
    pub fingerprint: String,
    /// The product, such as `postgres`.
    pub engine: String,
    /// The database's name.
    pub database: String,
    /// How many tables, views, collections and the like there are.
    pub relations: u64,
    /// All that was found.
    pub document: Document,
}

/// Why a database was not looked at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SchemaError {
    /// Databases of the connection's engine cannot be looked at.
    #[error("databases of the engine cannot be looked at")]
    UnknownEngine,
    /// The server has no database of the name that was asked for, or shows the user none.
    #[error("there is no such database on the server")]
    UnknownDatabase,
    /// The database has no part of the name that was asked for, or shows the user none.
    #[error("there is no such part of the database")]
    UnknownPart,
    /// The server is too old.
    #[error("the server is too old: {needed} or later is needed")]
    TooOld {
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// The database, or the way to it, failed.
    #[error("the database could not be looked at")]
    Database(#[source] DatabaseError),
    /// Something else.
    #[error("the database cannot be looked at")]
    Failed,
}

/// Looks at what is in the database that a stored connection leads to.
#[async_trait]
pub trait SchemaReader: Send + Sync + fmt::Debug {
    /// Looks at it now, whatever was seen before. Ends within a limit of the reader's own; dropping the future gives up.
    ///
    /// # Errors
    /// [`SchemaError`]
    async fn look(
        &self,
        connection: ConnectionId,
        version: Version,
        part: Option<&PartName>,
        context: &RequestContext,
    ) -> Result<SchemaLook, SchemaError>;
}

#[cfg(test)]
mod tests {
    use shared_kernel::validation::Fault as _;

    use super::*;

    #[test]
    fn a_part_is_called_as_its_engine_lets_it_be() {
        for name in ["public", " ", "old; stock", "a\n\"b\"", &"\u{1f600}".repeat(200)] {
            assert_eq!(PartName::parse(name).expect("a name").as_str(), name);
        }
        for (text, code) in [("", "empty"), ("a\0", "control_character"), (&*"x".repeat(201), "too_long")] {
            assert_eq!(PartName::parse(text).expect_err("no name").code(), code);
        }
    }
}

use std::fmt;

use shared_kernel::database::{ConnectionName, DatabaseError};

/// Why a [`SecretSource`](super::SecretSource) has no answer, and whether what it said before still counts.
///
/// A `DatabaseError` becomes one after which earlier answers do not count: a source that refuses, or that was away for too
/// long, takes back what it said. Whoever only asks for credentials turns it into a `DatabaseError` with `?`.
#[derive(Debug, Clone)]
pub struct SourceError {
    error: DatabaseError,
    earlier_answers_count: bool,
}

impl SourceError {
    /// Says that the source is only away for the moment, so that what it answered before may still be used.
    #[must_use]
    pub fn earlier_answers_count(mut self) -> Self {
        self.earlier_answers_count = true;
        self
    }

    /// Whether what the source answered before may still be used.
    pub fn do_earlier_answers_count(&self) -> bool {
        self.earlier_answers_count
    }

    /// Names the connection. The first name given stays.
    #[must_use]
    pub fn on(mut self, connection: &ConnectionName) -> Self {
        self.error = self.error.on(connection);
        self
    }

    /// The reason.
    pub fn error(&self) -> &DatabaseError {
        &self.error
    }
}

impl From<DatabaseError> for SourceError {
    fn from(error: DatabaseError) -> Self {
        Self { error, earlier_answers_count: false }
    }
}

impl From<SourceError> for DatabaseError {
    fn from(error: SourceError) -> Self {
        error.error
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

use std::io;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::drivers::sqlx_error::{self, ServerMessage};

/// SQLite's number for a file that is none of its own.
pub(crate) const NOT_A_DATABASE: i32 = 26;

/// SQLite's result codes (<https://sqlite.org/rescode.html>), by what a caller can do.
pub(super) fn map(error: sqlx::Error, attempt: &str) -> DatabaseError {
    if matches!(&error, sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData) {
        let what = format!("{attempt}: the answer takes more memory than there is for it");
        return DatabaseError::new(DatabaseErrorKind::Query, what).with_source(error);
    }
    sqlx_error::map(error, attempt, |server| {
        let extended = extended_code(server);
        let message = server.message();
        let kind = kind(extended, message);
        let what = match kind {
            DatabaseErrorKind::FileUnusable => format!("{attempt}: the file cannot be used"),
            DatabaseErrorKind::UnknownDatabase => format!("{attempt}: the file is no SQLite database, or is encrypted"),
            _ => sqlx_error::message(&kind, attempt),
        };
        DatabaseError::new(kind, what).with_code(extended.to_string()).with_source(ServerMessage(message.to_owned()))
    })
}

fn extended_code(server: &dyn sqlx::error::DatabaseError) -> i32 {
    server.code().and_then(|code| code.parse().ok()).unwrap_or_default()
}

fn kind(extended: i32, message: &str) -> DatabaseErrorKind {
    match (extended & 0xff, extended) {
        (_, 2067 | 1555 | 2579) => DatabaseErrorKind::UniqueViolation { constraint: constraint(message) },
        (_, 787) => DatabaseErrorKind::ForeignKeyViolation { constraint: None },
        // BUSY and LOCKED: another writer, for longer than the busy timeout.
        (5 | 6, _) => DatabaseErrorKind::SerializationConflict,
        (8, _) => DatabaseErrorKind::ReadOnlyTarget,
        // INTERRUPT: whoever watches the statement had it end.
        (9, _) => DatabaseErrorKind::Timeout,
        // IOERR, CORRUPT, FULL, CANTOPEN: the file, not the statement.
        (10 | 11 | 13 | 14, _) => DatabaseErrorKind::FileUnusable,
        (NOT_A_DATABASE, _) => DatabaseErrorKind::UnknownDatabase,
        _ => DatabaseErrorKind::Query,
    }
}

/// SQLite names the columns (`UNIQUE constraint failed: users.email`) or an expression index (`index 'name'`).
fn constraint(message: &str) -> Option<String> {
    let what = message.split_once("constraint failed: ")?.1;
    let what = what.strip_prefix("index '").and_then(|name| name.strip_suffix('\'')).unwrap_or(what);
    Some(what.to_owned())
}

/// What a caller can do about an error.
#[cfg(feature = "sea-orm")]
pub(crate) fn kind_of(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(server) => kind(extended_code(server.as_ref()), server.message()),
        other => sqlx_error::kind(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constraint_is_read_from_the_message() {
        assert_eq!(constraint("UNIQUE constraint failed: users.email").as_deref(), Some("users.email"));
        assert_eq!(constraint("UNIQUE constraint failed: index 'users_email'").as_deref(), Some("users_email"));
        assert_eq!(constraint("database is locked"), None);
    }
}

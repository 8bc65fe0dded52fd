use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

/// What the drivers of sqlx have in common: everything but the server's own errors, which `from_server` reads.
pub(super) fn map(
    error: sqlx::Error,
    attempt: &str,
    from_server: impl FnOnce(&dyn sqlx::error::DatabaseError) -> DatabaseError,
) -> DatabaseError {
    if let sqlx::Error::Database(server) = &error {
        return from_server(server.as_ref());
    }
    let kind = kind(&error);
    let what = message(&kind, attempt);
    DatabaseError::new(kind, what).with_source(error)
}

/// What a caller can do about an error that the server did not send.
pub(super) fn kind(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Io(cause) if crate::tls::is_at_fault(cause) => DatabaseErrorKind::TlsFailed,
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => DatabaseErrorKind::Unreachable,
        sqlx::Error::Tls(_) => DatabaseErrorKind::TlsFailed,
        sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => DatabaseErrorKind::Misconfigured,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => DatabaseErrorKind::Decode,
        _ => DatabaseErrorKind::Query,
    }
}

/// What was attempted and, where it says more than the server's code, how it ended.
pub(super) fn message(kind: &DatabaseErrorKind, attempt: &str) -> String {
    match kind {
        DatabaseErrorKind::AuthRejected => format!("{attempt}: login rejected"),
        DatabaseErrorKind::UnknownDatabase => format!("{attempt}: no such database, or it is closed to this user"),
        DatabaseErrorKind::Saturated => format!("{attempt}: the server takes no further connection"),
        DatabaseErrorKind::Unreachable => format!("{attempt}: the server cannot be reached or went away"),
        DatabaseErrorKind::TlsFailed => format!("{attempt}: TLS could not be agreed on"),
        DatabaseErrorKind::ReadOnlyTarget => format!("{attempt}: the target only reads"),
        DatabaseErrorKind::UniqueViolation { constraint: Some(constraint) } => {
            format!("{attempt}: unique constraint `{constraint}` violated")
        }
        DatabaseErrorKind::ForeignKeyViolation { constraint: Some(constraint) } => {
            format!("{attempt}: foreign key `{constraint}` violated")
        }
        DatabaseErrorKind::SerializationConflict => format!("{attempt}: in conflict with another transaction"),
        _ => attempt.to_owned(),
    }
}

/// The server's own words, without the driver's type around them and without details that repeat values.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ServerMessage(pub(super) String);

/// The message up to its first quotation mark of any language, for errors that repeat what was sent: where a value
/// ends cannot be told, because it may hold quotation marks of its own.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), expect(dead_code, reason = "SQLite repeats no values"))]
pub(super) fn masked(message: &str) -> String {
    const QUOTES: [char; 14] = ['\'', '"', '`', '´', '«', '»', '‹', '›', '‘', '’', '‚', '“', '”', '„'];
    match message.find(QUOTES) {
        Some(at) => format!("{}…", &message[..at]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_first_quotation_mark_on_is_kept() {
        assert_eq!(masked("Incorrect integer value: 'it's me' for column"), "Incorrect integer value: …");
        assert_eq!(masked("invalid input syntax for type uuid: \"x\""), "invalid input syntax for type uuid: …");
        assert_eq!(masked("ungültige Eingabesyntax für Typ uuid: »geheim«"), "ungültige Eingabesyntax für Typ uuid: …");
        assert_eq!(masked("cut off in 'the middle"), "cut off in …");
        assert_eq!(masked("division by zero"), "division by zero");
    }
}

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

/// What the drivers of sqlx have in common: everything but the server's own errors, which `from_server` reads.
pub(super) fn map(
    error: sqlx::Error,
    attempt: &str,
    from_server: impl FnOnce(&dyn sqlx::error::DatabaseError) -> DatabaseError,
) -> DatabaseError {
    let kind = match &error {
        sqlx::Error::Database(server) => return from_server(server.as_ref()),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => DatabaseErrorKind::Unreachable,
        sqlx::Error::Tls(_) => DatabaseErrorKind::TlsFailed,
        sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => DatabaseErrorKind::Misconfigured,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => DatabaseErrorKind::Decode,
        _ => DatabaseErrorKind::Query,
    };
    let what = match kind {
        DatabaseErrorKind::Unreachable => format!("{attempt}: the server cannot be reached or went away"),
        DatabaseErrorKind::TlsFailed => format!("{attempt}: TLS could not be agreed on"),
        _ => attempt.to_owned(),
    };
    DatabaseError::new(kind, what).with_source(error)
}

/// The server's own words, without the driver's type around them and without details that repeat values.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ServerMessage(pub(super) String);

use std::error::Error;
use std::fmt;
use std::time::Duration;

use sql_dialect::RenderError;

use super::ConnectionName;

/// What a caller can do about a failure, not where in a driver it arose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// Every connection is in use and none came free in time. Try again later.
    Saturated,
    /// The server cannot be reached, or went away: name resolution, TCP, reset, shutdown.
    Unreachable,
    /// The file of an embedded database is damaged, or this process cannot read or write it. There is no server to be reached.
    FileUnusable,
    /// TLS could not be agreed on: certificate, host name, protocol, or a server without TLS.
    TlsFailed,
    /// The server rejected the credentials.
    AuthRejected,
    /// The credentials could not be read.
    SecretUnavailable,
    /// The server has no such database, or the user may not enter it.
    UnknownDatabase,
    /// No connection of this name is configured.
    UnknownConnection,
    /// The connection is kept per tenant, and the request names no tenant.
    TenantRequired,
    /// There is no tenant of this name.
    UnknownTenant,
    /// The database is there, and its schema is not the one that the program needs.
    SchemaUnfit,
    /// The connection's configuration cannot work.
    Misconfigured,
    /// A write reached a server that only reads: a replica or a demoted primary.
    ReadOnlyTarget,
    /// Calls are refused for a while because the server failed lately.
    CircuitOpen,
    /// The caller's deadline or the connection's own limit passed. Whether the statement took effect is unknown.
    Timeout,
    /// The connection was closed on purpose.
    Closed,
    /// A unique or primary key exists already.
    UniqueViolation {
        /// The constraint's name, where the engine tells it.
        constraint: Option<String>,
    },
    /// A row that is referred to is missing, or a row is still referred to.
    ForeignKeyViolation {
        /// The constraint's name, where the engine tells it.
        constraint: Option<String>,
    },
    /// A deadlock, a lock timeout or a serialization failure: the transaction can be run again.
    SerializationConflict,
    /// The engine or the dialect lacks what was asked for.
    Unsupported,
    /// A value came back that is not of the type asked for.
    Decode,
    /// The engine refused the statement for another reason.
    Query,
}

impl DatabaseErrorKind {
    /// A stable, lower-case word for metrics, logs and problem types.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Saturated => "saturated",
            Self::Unreachable => "unreachable",
            Self::FileUnusable => "file_unusable",
            Self::TlsFailed => "tls_failed",
            Self::AuthRejected => "auth_rejected",
            Self::SecretUnavailable => "secret_unavailable",
            Self::UnknownDatabase => "unknown_database",
            Self::UnknownConnection => "unknown_connection",
            Self::TenantRequired => "tenant_required",
            Self::UnknownTenant => "unknown_tenant",
            Self::SchemaUnfit => "schema_unfit",
            Self::Misconfigured => "misconfigured",
            Self::ReadOnlyTarget => "read_only_target",
            Self::CircuitOpen => "circuit_open",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::UniqueViolation { .. } => "unique_violation",
            Self::ForeignKeyViolation { .. } => "foreign_key_violation",
            Self::SerializationConflict => "serialization_conflict",
            Self::Unsupported => "unsupported",
            Self::Decode => "decode",
            Self::Query => "query",
        }
    }
}

/// A failure of a database or of the way to it.
///
/// `Display` and `Debug` hold neither a password nor a connection string nor a statement's values. One pointer wide.
/// Cloning shares the cause: a failed build is handed to everybody who waited for it.
#[derive(Clone)]
pub struct DatabaseError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: DatabaseErrorKind,
    message: String,
    connection: Option<ConnectionName>,
    code: Option<String>,
    retry_after: Option<Duration>,
    source: Option<std::sync::Arc<dyn Error + Send + Sync>>,
}

impl DatabaseError {
    /// An error of `kind`; `message` says what was attempted, in lower case and without a full stop.
    pub fn new(kind: DatabaseErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            connection: None,
            code: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Names the connection. The first name given stays.
    #[must_use]
    pub fn on(mut self, connection: &ConnectionName) -> Self {
        self.0.connection.get_or_insert_with(|| connection.clone());
        self
    }

    /// Adds the engine's own code, such as `23505` or `1062`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Says when another try may do better.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Keeps the cause. Its `Display` must hold no secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(std::sync::Arc::new(source));
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> &DatabaseErrorKind {
        &self.0.kind
    }

    /// What was attempted.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The connection it happened on.
    pub fn connection(&self) -> Option<&ConnectionName> {
        self.0.connection.as_ref()
    }

    /// The engine's own code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// When another try may do better, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether this is a unique violation, of whatever constraint.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self.0.kind, DatabaseErrorKind::UniqueViolation { .. })
    }

    /// Whether the database, rather than the request, is at fault, so that the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.0.kind,
            DatabaseErrorKind::Saturated
                | DatabaseErrorKind::Unreachable
                | DatabaseErrorKind::FileUnusable
                | DatabaseErrorKind::TlsFailed
                | DatabaseErrorKind::AuthRejected
                | DatabaseErrorKind::SecretUnavailable
                | DatabaseErrorKind::UnknownDatabase
                | DatabaseErrorKind::SchemaUnfit
                | DatabaseErrorKind::ReadOnlyTarget
                | DatabaseErrorKind::CircuitOpen
                | DatabaseErrorKind::Timeout
                | DatabaseErrorKind::Closed
        )
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(connection) = &self.0.connection {
            write!(f, "connection `{connection}`: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(f, " (code {code})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("connection", &self.0.connection)
            .field("code", &self.0.code)
            .field("retry_after", &self.0.retry_after)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<RenderError> for DatabaseError {
    fn from(error: RenderError) -> Self {
        Self::new(DatabaseErrorKind::Unsupported, "the statement cannot be rendered").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_connection_and_code_once() {
        let name: ConnectionName = "books".parse().expect("valid");
        let other: ConnectionName = "users".parse().expect("valid");
        let error = DatabaseError::new(DatabaseErrorKind::AuthRejected, "login rejected for user `svc_books`")
            .with_code("1045")
            .on(&name)
            .on(&other);
        assert_eq!(error.to_string(), "connection `books`: login rejected for user `svc_books` (code 1045)");
    }

    #[test]
    fn a_database_that_is_away_is_told_from_a_request_that_is_wrong() {
        assert!(DatabaseError::new(DatabaseErrorKind::Saturated, "no connection came free").is_unavailable());
        assert!(
            !DatabaseError::new(DatabaseErrorKind::UniqueViolation { constraint: None }, "exists").is_unavailable()
        );
    }

    #[test]
    fn the_error_is_one_pointer_wide() {
        assert_eq!(size_of::<DatabaseError>(), size_of::<usize>());
    }
}

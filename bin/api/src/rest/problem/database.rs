use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use super::{Problem, ProblemKind};

/// How long a caller is asked to wait when the database itself named no time.
const DEFAULT_RETRY: Duration = Duration::from_secs(2);

/// The one place that decides what a caller learns of a database's error: whether and when to try again, never why.
///
/// The cause is logged here, once, with its chain. A pool that is full is no fault of who finds it so: 503 and not 429
/// (ADR 0028).
impl From<&DatabaseError> for Problem {
    fn from(error: &DatabaseError) -> Self {
        let retry_after = error.retry_after().unwrap_or(DEFAULT_RETRY);
        let problem = match error.kind() {
            DatabaseErrorKind::Timeout => {
                Self::new(ProblemKind::TimedOut, "the database did not answer in time").retry_after(retry_after)
            }
            DatabaseErrorKind::Saturated
            | DatabaseErrorKind::Unreachable
            | DatabaseErrorKind::FileUnusable
            | DatabaseErrorKind::TlsFailed
            | DatabaseErrorKind::AuthRejected
            | DatabaseErrorKind::SecretUnavailable
            | DatabaseErrorKind::UnknownDatabase
            | DatabaseErrorKind::ReadOnlyTarget
            | DatabaseErrorKind::CircuitOpen
            | DatabaseErrorKind::Closed => {
                Self::new(ProblemKind::Unavailable, "a database that the request needs is away")
                    .retry_after(retry_after)
            }
            DatabaseErrorKind::SchemaUnfit => Self::schema_behind(),
            DatabaseErrorKind::TenantRequired => Self::new(ProblemKind::TenantRequired, "the request names no tenant"),
            DatabaseErrorKind::UnknownTenant => Self::new(ProblemKind::UnknownTenant, "there is no such tenant"),
            DatabaseErrorKind::SerializationConflict => {
                Self::new(ProblemKind::WriteConflict, "another change came first; nothing was changed")
                    .retry_after(Duration::from_secs(1))
            }
            DatabaseErrorKind::UniqueViolation { .. } => {
                Self::new(ProblemKind::AlreadyExists, "a value that has to be unique is taken")
            }
            // A foreign key that the contexts did not foresee, a statement that the engine refuses, a value that cannot
            // be read, a connection that is not configured: faults of ours. A kind that is added later is one until
            // somebody decides otherwise here.
            DatabaseErrorKind::ForeignKeyViolation { .. }
            | DatabaseErrorKind::UnknownConnection
            | DatabaseErrorKind::Misconfigured
            | DatabaseErrorKind::Unsupported
            | DatabaseErrorKind::Decode
            | DatabaseErrorKind::Query
            | _ => Self::internal(),
        };
        let cause = crate::telemetry::chain(error);
        if problem.kind() == ProblemKind::Internal {
            tracing::error!(event = "database.error", kind = error.kind().as_str(), error = %cause, "a request failed");
        } else {
            tracing::warn!(event = "database.error", kind = error.kind().as_str(), error = %cause, "a request failed");
        }
        problem
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_503_with_a_time_and_without_a_reason() {
        let error = DatabaseError::new(DatabaseErrorKind::AuthRejected, "login rejected for user `svc`")
            .with_retry_after(Duration::from_secs(7));
        let problem = Problem::from(&error);
        let response = problem.render("/x", &shared_kernel::TraceContext::default());
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").expect("the header"), "7");
        assert!(!problem.detail().contains("svc"));
    }

    #[test]
    fn what_is_unavailable_in_the_kernels_words_is_503_here() {
        for kind in [
            DatabaseErrorKind::Saturated,
            DatabaseErrorKind::Unreachable,
            DatabaseErrorKind::FileUnusable,
            DatabaseErrorKind::TlsFailed,
            DatabaseErrorKind::AuthRejected,
            DatabaseErrorKind::SecretUnavailable,
            DatabaseErrorKind::UnknownDatabase,
            DatabaseErrorKind::SchemaUnfit,
            DatabaseErrorKind::ReadOnlyTarget,
            DatabaseErrorKind::CircuitOpen,
            DatabaseErrorKind::Timeout,
            DatabaseErrorKind::Closed,
        ] {
            let error = DatabaseError::new(kind, "x");
            assert!(error.is_unavailable());
            assert_eq!(Problem::from(&error).kind().status(), 503, "{error:?}");
        }
    }

    #[test]
    fn a_fault_of_ours_is_500_and_silent() {
        let error = DatabaseError::new(DatabaseErrorKind::Query, "syntax error near `SELEC`");
        let problem = Problem::from(&error);
        assert_eq!(problem.kind(), ProblemKind::Internal);
        assert!(!problem.to_string().contains("SELEC"));
    }
}

//! Each error of the registry's use cases as a problem: the one place that decides on it.

use registry_context::application::{
    ChangeConnectionError, CreateConnectionError, DeleteConnectionError, ListAuditError, ListConnectionsError,
    ReadConnectionError, ReadHealthError, TestConnectionError, TestStoredConnectionError,
};
use registry_context::domain::SealerError;
use shared_kernel::validation::Violations;

use crate::rest::problem::{Fault, Problem, ProblemKind};
use crate::rest::versions::stale;

fn not_found() -> Problem {
    Problem::not_found("connection")
}

fn name_taken() -> Problem {
    let fault = Fault::at("/name", "taken", "another connection has this name");
    Problem::new(ProblemKind::AlreadyExists, "another connection has this name").with_faults(vec![fault])
}

fn invalid(violations: Violations) -> Problem {
    let faults = violations.into_iter().map(|fault| Fault::at(fault.pointer, fault.code, fault.message));
    Problem::validation(faults.collect())
}

/// A key that is missing is for the operator to find, not for whoever asks.
fn unsealed(error: &SealerError) -> Problem {
    tracing::error!(event = "registry.sealing_failed", error = %error, "secrets of a stored connection cannot be used");
    Problem::internal()
}

impl From<CreateConnectionError> for Problem {
    fn from(error: CreateConnectionError) -> Self {
        match error {
            CreateConnectionError::Invalid(violations) => invalid(violations),
            CreateConnectionError::NameTaken => name_taken(),
            CreateConnectionError::Idempotency(error) => Self::from(&error),
            CreateConnectionError::Sealing(error) => unsealed(&error),
            CreateConnectionError::Database(error) => error.into(),
        }
    }
}

impl From<ReadConnectionError> for Problem {
    fn from(error: ReadConnectionError) -> Self {
        match error {
            ReadConnectionError::NotFound(_) => not_found(),
            ReadConnectionError::Database(error) => error.into(),
        }
    }
}

impl From<ListConnectionsError> for Problem {
    fn from(error: ListConnectionsError) -> Self {
        match error {
            ListConnectionsError::ForeignPosition => {
                Self::new(ProblemKind::InvalidCursor, "the cursor does not belong to this list")
            }
            ListConnectionsError::Database(error) => error.into(),
        }
    }
}

impl From<ListAuditError> for Problem {
    fn from(error: ListAuditError) -> Self {
        match error {
            ListAuditError::ForeignPosition => {
                Self::new(ProblemKind::InvalidCursor, "the cursor does not belong to this list")
            }
            ListAuditError::Database(error) => error.into(),
        }
    }
}

impl From<TestConnectionError> for Problem {
    fn from(error: TestConnectionError) -> Self {
        match error {
            TestConnectionError::Invalid(violations) => invalid(violations),
        }
    }
}

impl From<TestStoredConnectionError> for Problem {
    fn from(error: TestStoredConnectionError) -> Self {
        match error {
            TestStoredConnectionError::NotFound(_) => not_found(),
            TestStoredConnectionError::Invalid(violations) => invalid(violations),
            TestStoredConnectionError::Sealing(error) => unsealed(&error),
            TestStoredConnectionError::Database(error) => error.into(),
        }
    }
}

impl From<ReadHealthError> for Problem {
    fn from(error: ReadHealthError) -> Self {
        match error {
            ReadHealthError::NotFound(_) => not_found(),
            ReadHealthError::Untested(_) => Self::not_found("result: the connection was never tested"),
            ReadHealthError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeConnectionError> for Problem {
    fn from(error: ChangeConnectionError) -> Self {
        match error {
            ChangeConnectionError::NotFound(_) => not_found(),
            ChangeConnectionError::Stale { .. } => stale(),
            ChangeConnectionError::Invalid(violations) => invalid(violations),
            ChangeConnectionError::NameTaken => name_taken(),
            ChangeConnectionError::Sealing(error) => unsealed(&error),
            ChangeConnectionError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteConnectionError> for Problem {
    fn from(error: DeleteConnectionError) -> Self {
        match error {
            DeleteConnectionError::NotFound(_) => not_found(),
            DeleteConnectionError::Stale { .. } => stale(),
            DeleteConnectionError::Database(error) => error.into(),
        }
    }
}

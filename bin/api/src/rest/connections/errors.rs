//! Each error of the registry's use cases as a problem: the one place that decides on it.

use registry_context::application::{
    ChangeConnectionError, CreateConnectionError, DeleteConnectionError, DeleteSnapshotError, ListAuditError,
    ListConnectionsError, ListSnapshotsError, ReadConnectionError, ReadHealthError, ReadSnapshotError,
    TakeSnapshotError, TestConnectionError, TestStoredConnectionError,
};
use registry_context::domain::{SchemaError, SealerError};
use shared_kernel::validation::Violations;

use super::databases;
use crate::registry::UnreadableDocument;
use crate::rest::problem::{Fault, MAX_FAULTS, Problem, ProblemKind};
use crate::rest::versions::stale;

/// What is said where a stored secret would have to be opened.
const SEALED: &str = "the connection's secrets open with none of the registry's keys as they are configured now; give all of them \
                      anew, or have the operator see to the key that they were sealed with";

fn not_found() -> Problem {
    Problem::not_found("connection")
}

fn name_taken() -> Problem {
    let fault = Fault::at("/name", "taken", "another connection has this name");
    Problem::new(ProblemKind::AlreadyExists, "another connection has this name").with_faults(vec![fault])
}

fn invalid(violations: Violations) -> Problem {
    let faults = violations.into_iter().map(|fault| Fault::at(fault.pointer, fault.code, fault.message));
    let mut faults: Vec<Fault> = faults.collect();
    let more = faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    Problem::validation(faults).and_more(more)
}

/// Which key is missing is for the operator to find, not for whoever asks.
fn unsealed(error: &SealerError) -> Problem {
    match error {
        SealerError::Unreadable { .. } => Problem::new(ProblemKind::ConnectionUnusable, SEALED),
        SealerError::NotSealed { .. } => {
            tracing::error!(event = "registry.sealing_failed", %error, "secrets of a stored connection cannot be kept");
            Problem::internal()
        }
    }
}

fn no_snapshot() -> Problem {
    Problem::not_found("snapshot of this connection")
}

/// What was kept and cannot be read any more is for the operator to find.
pub(super) fn unreadable(error: &UnreadableDocument) -> Problem {
    let cause = crate::telemetry::chain(error);
    tracing::error!(event = "registry.snapshot_unreadable", error = %cause, "a snapshot's document cannot be read");
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

impl From<SchemaError> for Problem {
    fn from(error: SchemaError) -> Self {
        let unusable = |detail: &str| Self::new(ProblemKind::ConnectionUnusable, detail.to_owned());
        match error {
            SchemaError::Database(source) => databases::problem(&source),
            SchemaError::UnknownEngine => unusable("databases of the connection's engine cannot be looked at"),
            SchemaError::UnknownDatabase => Self::new(
                ProblemKind::UnknownDatabase,
                "the server shows the connection's user no database of that name",
            ),
            SchemaError::UnknownPart => {
                Self::new(ProblemKind::UnknownSchema, "the database shows the connection's user no schema of that name")
            }
            SchemaError::TooOld { needed } => unusable(&format!("the server is too old: {needed} or later is needed")),
            SchemaError::Failed => unusable("the database cannot be looked at"),
        }
    }
}

impl From<TakeSnapshotError> for Problem {
    fn from(error: TakeSnapshotError) -> Self {
        match error {
            TakeSnapshotError::NotFound(_) => not_found(),
            TakeSnapshotError::Full { most, .. } => {
                let detail = format!("the connection has {most} snapshots, and may not have more; delete one first");
                Self::new(ProblemKind::LimitReached, detail)
            }
            TakeSnapshotError::TooLarge(error) => {
                Self::new(ProblemKind::LimitReached, format!("{error}; take it of a part, with `schema`"))
            }
            TakeSnapshotError::Schema(error) => error.into(),
            TakeSnapshotError::Idempotency(error) => Self::from(&error),
            TakeSnapshotError::Database(error) => error.into(),
        }
    }
}

impl From<ListSnapshotsError> for Problem {
    fn from(error: ListSnapshotsError) -> Self {
        match error {
            ListSnapshotsError::NotFound(_) => not_found(),
            ListSnapshotsError::ForeignPosition => {
                Self::new(ProblemKind::InvalidCursor, "the cursor does not belong to this list")
            }
            ListSnapshotsError::Database(error) => error.into(),
        }
    }
}

impl From<ReadSnapshotError> for Problem {
    fn from(error: ReadSnapshotError) -> Self {
        match error {
            ReadSnapshotError::NotFound(_) => no_snapshot(),
            ReadSnapshotError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteSnapshotError> for Problem {
    fn from(error: DeleteSnapshotError) -> Self {
        match error {
            DeleteSnapshotError::NotFound(_) => no_snapshot(),
            DeleteSnapshotError::Stale(_) => stale(),
            DeleteSnapshotError::Database(error) => error.into(),
        }
    }
}

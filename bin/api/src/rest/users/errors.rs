//! Each error of the user use cases as a problem: the one place that decides on it.

use user_context::application::{ChangeUserError, CreateUserError, DeleteUserError, ListUsersError, ReadUserError};

use crate::rest::problem::{Fault, Problem, ProblemKind};
use crate::rest::versions::stale;

fn not_found() -> Problem {
    Problem::not_found("user")
}

fn email_taken() -> Problem {
    let fault = Fault::at("/email", "taken", "another user has this e-mail address");
    Problem::new(ProblemKind::AlreadyExists, "another user has this e-mail address").with_faults(vec![fault])
}

impl From<CreateUserError> for Problem {
    fn from(error: CreateUserError) -> Self {
        match error {
            CreateUserError::EmailTaken => email_taken(),
            CreateUserError::Idempotency(error) => Self::from(&error),
            CreateUserError::Database(error) => error.into(),
        }
    }
}

impl From<ReadUserError> for Problem {
    fn from(error: ReadUserError) -> Self {
        match error {
            ReadUserError::NotFound(_) => not_found(),
            ReadUserError::Database(error) => error.into(),
        }
    }
}

impl From<ListUsersError> for Problem {
    fn from(error: ListUsersError) -> Self {
        match error {
            ListUsersError::ForeignPosition => {
                Self::new(ProblemKind::InvalidCursor, "the cursor does not belong to this list")
            }
            ListUsersError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeUserError> for Problem {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::NotFound(_) => not_found(),
            ChangeUserError::Stale { .. } => stale(),
            ChangeUserError::EmailTaken => email_taken(),
            ChangeUserError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteUserError> for Problem {
    fn from(error: DeleteUserError) -> Self {
        match error {
            DeleteUserError::NotFound(_) => not_found(),
            DeleteUserError::Stale { .. } => stale(),
            DeleteUserError::Database(error) => error.into(),
        }
    }
}

use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{UserId, UserRepository};

/// Deletes a user for good.
#[derive(Clone)]
pub struct DeleteUser {
    users: Arc<dyn UserRepository>,
}

/// Which user, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteUserCommand {
    /// Which user.
    pub id: UserId,
    /// The version that the caller read.
    pub expected: Version,
}

/// Why a user was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeleteUserError {
    /// There is no user of this id.
    #[error("there is no user {0}")]
    NotFound(UserId),
    /// The user was written since the caller read it.
    #[error("user {id} is no longer at version {expected}")]
    Stale {
        /// Which user.
        id: UserId,
        /// The version that the caller knew.
        expected: Version,
    },
    /// The database failed.
    #[error("the user could not be deleted")]
    Database(#[from] DatabaseError),
}

impl DeleteUser {
    /// The use case over its port.
    pub fn new(users: Arc<dyn UserRepository>) -> Self {
        Self { users }
    }

    /// Deletes the user.
    ///
    /// # Errors
    /// [`DeleteUserError`]
    pub async fn execute(&self, command: DeleteUserCommand, context: &RequestContext) -> Result<(), DeleteUserError> {
        let DeleteUserCommand { id, expected } = command;
        if self.users.remove(id, expected, context).await? {
            return Ok(());
        }
        match self.users.load(id, context).await? {
            Some(_) => Err(DeleteUserError::Stale { id, expected }),
            None => Err(DeleteUserError::NotFound(id)),
        }
    }
}

impl fmt::Debug for DeleteUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteUser").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, Fault};

    #[tokio::test]
    async fn a_deleted_user_is_gone() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let delete = DeleteUser::new(bench.users.clone());
        let command = DeleteUserCommand { id: ann.id(), expected: ann.version() };
        delete.execute(command, &bench.context).await.expect("deleted");
        let again = delete.execute(command, &bench.context).await;
        assert!(matches!(again, Err(DeleteUserError::NotFound(id)) if id == ann.id()), "{again:?}");
        assert_eq!(format!("{delete:?}"), "DeleteUser { .. }");
    }

    #[tokio::test]
    async fn a_user_who_was_written_meanwhile_stays() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        bench.users.fail_with(Fault::Overtaken);
        let command = DeleteUserCommand { id: ann.id(), expected: ann.version() };
        let stale = DeleteUser::new(bench.users.clone()).execute(command, &bench.context).await;
        assert!(matches!(stale, Err(DeleteUserError::Stale { expected, .. }) if expected == ann.version()));
        bench.users.fail_with(Fault::Away);
        let away = DeleteUser::new(bench.users.clone()).execute(command, &bench.context).await;
        assert!(matches!(&away, Err(DeleteUserError::Database(error)) if error.is_unavailable()), "{away:?}");
    }
}

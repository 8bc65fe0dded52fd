use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{UpdateUserError, User, UserId, UserRepository};

/// Why a user was not changed; the same for replacing and patching.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeUserError {
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
    /// Another user has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The database failed.
    #[error("the user could not be changed")]
    Database(#[from] DatabaseError),
}

impl From<UpdateUserError> for ChangeUserError {
    fn from(error: UpdateUserError) -> Self {
        match error {
            UpdateUserError::EmailTaken => Self::EmailTaken,
            UpdateUserError::Database(error) => Self::Database(error),
        }
    }
}

/// Loads the user at the version the caller knows, lets `change` change it, and writes it when it did.
pub(super) async fn change_user(
    users: &dyn UserRepository,
    id: UserId,
    expected: Version,
    change: impl FnOnce(&mut User) -> bool + Send,
    context: &RequestContext,
) -> Result<User, ChangeUserError> {
    let mut user = users.load(id, context).await?.ok_or(ChangeUserError::NotFound(id))?;
    if user.version() != expected {
        return Err(ChangeUserError::Stale { id, expected });
    }
    if !change(&mut user) || users.update(&user, expected, context).await? {
        return Ok(user);
    }
    // Somebody wrote between the two statements: it matters to the caller whether there is still a user to read.
    match users.load(id, context).await? {
        Some(_) => Err(ChangeUserError::Stale { id, expected }),
        None => Err(ChangeUserError::NotFound(id)),
    }
}

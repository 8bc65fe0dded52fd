use std::fmt;
use std::sync::Arc;

use shared_kernel::{Clock, RequestContext, Version};

use super::ChangeUserError;
use super::change::change_user;
use crate::domain::{Email, User, UserId, UserName, UserRepository, UserStatus};

/// Changes what is named of a user and leaves the rest.
#[derive(Clone)]
pub struct PatchUser {
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
}

/// Which user, as last read, and what shall be different. `None` leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchUserCommand {
    /// Which user.
    pub id: UserId,
    /// The version that the caller read.
    pub expected: Version,
    /// What the user shall be called.
    pub name: Option<UserName>,
    /// Where the user shall be reached.
    pub email: Option<Email>,
    /// Whether the user shall take part.
    pub status: Option<UserStatus>,
}

impl PatchUser {
    /// The use case over its ports.
    pub fn new(users: Arc<dyn UserRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { users, clock }
    }

    /// Changes the user and returns it as it is now. When it is already so, its version stays.
    ///
    /// # Errors
    /// [`ChangeUserError`]; of two callers with the same version exactly one succeeds in changing it.
    pub async fn execute(&self, command: PatchUserCommand, context: &RequestContext) -> Result<User, ChangeUserError> {
        let PatchUserCommand { id, expected, name, email, status } = command;
        let now = self.clock.now();
        let change = |user: &mut User| user.change(name, email, status, now);
        change_user(self.users.as_ref(), id, expected, change, context).await
    }
}

impl fmt::Debug for PatchUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatchUser").finish_non_exhaustive()
    }
}

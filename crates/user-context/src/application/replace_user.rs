use std::fmt;
use std::sync::Arc;

use shared_kernel::{Clock, RequestContext, Version};

use super::ChangeUserError;
use super::change::change_user;
use crate::domain::{Email, User, UserId, UserName, UserRepository};

/// Puts new values in the place of all that a caller may set of a user.
#[derive(Clone)]
pub struct ReplaceUser {
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
}

/// Which user, as last read, and what it shall be. The status is not part of it: it is changed by patching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceUserCommand {
    /// Which user.
    pub id: UserId,
    /// The version that the caller read.
    pub expected: Version,
    /// What the user shall be called.
    pub name: UserName,
    /// Where the user shall be reached.
    pub email: Email,
}

impl ReplaceUser {
    /// The use case over its ports.
    pub fn new(users: Arc<dyn UserRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { users, clock }
    }

    /// Replaces the user and returns it as it is now. When it is already so, its version stays.
    ///
    /// # Errors
    /// [`ChangeUserError`]; of two callers with the same version exactly one succeeds in changing it.
    pub async fn execute(
        &self,
        command: ReplaceUserCommand,
        context: &RequestContext,
    ) -> Result<User, ChangeUserError> {
        let ReplaceUserCommand { id, expected, name, email } = command;
        let now = self.clock.now();
        let change = |user: &mut User| user.change(Some(name), Some(email), None, now);
        change_user(self.users.as_ref(), id, expected, change, context).await
    }
}

impl fmt::Debug for ReplaceUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplaceUser").finish_non_exhaustive()
    }
}

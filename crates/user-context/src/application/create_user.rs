use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent, Stored};
use shared_kernel::{Clock, IdGenerator, RequestContext};

use crate::domain::{AddUserError, Email, User, UserId, UserName, UserRepository};

/// Registers a user.
#[derive(Clone)]
pub struct CreateUser {
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// Whom to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUserCommand {
    /// What the user is called.
    pub name: UserName,
    /// Where the user is reached; no other user may have it, whatever its letter case.
    pub email: Email,
}

/// Why a user was not registered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateUserError {
    /// Another user has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The idempotency key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the user could not be written")]
    Database(#[from] DatabaseError),
}

impl CreateUser {
    /// The name of the operation, which idempotency keys are scoped by.
    pub const OPERATION: &str = "users.create";

    /// The use case over its ports.
    pub fn new(users: Arc<dyn UserRepository>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { users, clock, ids }
    }

    /// Registers the user; with `idempotent`, once for each caller and key.
    ///
    /// # Errors
    /// [`CreateUserError`]. A refused registration leaves no receipt: its key can be used again.
    pub async fn execute(
        &self,
        command: CreateUserCommand,
        idempotent: Option<&Idempotent<'_, User>>,
        context: &RequestContext,
    ) -> Result<Creation<User>, CreateUserError> {
        let now = self.clock.now();
        let user = User::register(UserId::new(self.ids.next()), command.name, command.email, now);
        let receipt = idempotent.map(|wish| wish.receipt(Self::OPERATION, &user, now, context));
        match self.users.add(&user, receipt.as_ref(), context).await? {
            Stored::Written => Ok(Creation::Created(user)),
            Stored::Replayed(answer) => Ok(Creation::Replayed(answer)),
        }
    }
}

impl From<AddUserError> for CreateUserError {
    fn from(error: AddUserError) -> Self {
        match error {
            AddUserError::EmailTaken => Self::EmailTaken,
            AddUserError::Idempotency(error) => Self::Idempotency(error),
            AddUserError::Database(error) => Self::Database(error),
        }
    }
}

impl fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateUser").finish_non_exhaustive()
    }
}

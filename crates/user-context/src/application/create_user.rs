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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, Fault, command};
    use crate::domain::UserStatus;

    fn wish() -> Idempotent<'static, User> {
        Idempotent {
            key: "key".parse().expect("a key"),
            digest: [7; 32],
            render: &|user| user.id().to_string().into_bytes(),
        }
    }

    #[tokio::test]
    async fn a_new_user_is_active_and_gets_an_id_and_the_time() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        assert_eq!((ann.status(), ann.version().get()), (UserStatus::Active, 1));
        assert_eq!((ann.created_at(), ann.updated_at()), (bench.clock.now(), bench.clock.now()));
        assert_eq!(ann.id().uuid().get_version_num(), 7);
        assert_eq!(bench.users.find(ann.id(), &bench.context).await.expect("a user"), Some(ann));
        assert!(bench.users.receipts().is_empty());
    }

    #[tokio::test]
    async fn the_receipt_holds_the_answer_of_the_user_it_comes_with() {
        let bench = Bench::default();
        let create = bench.create_user();
        let created = create.execute(command("Ann", "ann@example.org"), Some(&wish()), &bench.context).await;
        let ann = created.expect("created").created().expect("by this call");
        let receipts = bench.users.receipts();
        assert_eq!(receipts.len(), 1);
        assert_eq!((&receipts[0].answer, receipts[0].digest), (&ann.id().to_string().into_bytes(), [7; 32]));
    }

    #[tokio::test]
    async fn a_replay_is_told_from_a_creation() {
        let bench = Bench::default();
        bench.users.fail_with(Fault::Replay);
        let replayed = bench.create_user().execute(command("A", "a@example.org"), Some(&wish()), &bench.context).await;
        assert!(matches!(replayed, Ok(Creation::Replayed(_))), "{replayed:?}");
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        bench.ann().await;
        let create = bench.create_user();
        let taken = create.execute(command("Bob", "ANN@example.org"), None, &bench.context).await;
        assert!(matches!(taken, Err(CreateUserError::EmailTaken)), "{taken:?}");
        bench.users.fail_with(Fault::Mismatch);
        let mismatch = create.execute(command("Bob", "bob@example.org"), Some(&wish()), &bench.context).await;
        assert!(matches!(mismatch, Err(CreateUserError::Idempotency(IdempotencyError::Mismatch))), "{mismatch:?}");
        bench.users.fail_with(Fault::Away);
        let away = create.execute(command("Bob", "bob@example.org"), None, &bench.context).await;
        assert!(matches!(&away, Err(CreateUserError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{create:?}"), "CreateUser { .. }");
    }
}

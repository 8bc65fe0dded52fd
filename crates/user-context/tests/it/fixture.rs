use std::sync::Arc;

use shared_kernel::database::Connections;
use shared_kernel::idempotency::Idempotent;
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::{FakeClock, Server, TestDatabase, Transcript};
use user_context::application::{CreateUser, CreateUserCommand, CreateUserError, PatchUser, PatchUserCommand};
use user_context::domain::{Email, User, UserName, UserRepository};
use user_context::infrastructure::SqlUserRepository;

/// A migrated database of the test's own, and the use cases over it.
pub(crate) struct Fixture {
    // Let go of before the database is dropped.
    pub(crate) connections: Arc<dyn Connections>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) context: RequestContext,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn new(server: Server) -> Self {
        let database = TestDatabase::migrated(server, "users").await;
        let connections: Arc<dyn Connections> = Arc::new(Transcript::of(database.manager("users")));
        let users = SqlUserRepository::new(connections.clone(), "users");
        Self {
            connections,
            clock: Arc::new(FakeClock::default()),
            users: Arc::new(users),
            context: RequestContext::system(),
            database,
        }
    }

    pub(crate) fn create_user(&self) -> CreateUser {
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIdGenerator);
        CreateUser::new(self.users.clone(), self.clock.clone(), ids)
    }

    pub(crate) async fn try_create(&self, name: &str, email: &str) -> Result<User, CreateUserError> {
        let creation = self.create_user().execute(command(name, email), None, &self.context).await?;
        Ok(creation.created().expect("without a key nothing is replayed"))
    }

    pub(crate) async fn create(&self, name: &str, email: &str) -> User {
        self.try_create(name, email).await.expect("the user is created")
    }

    /// Changes the user and returns it as the use case does.
    pub(crate) async fn patch(&self, user: &User, change: impl FnOnce(&mut PatchUserCommand)) -> User {
        let mut command =
            PatchUserCommand { id: user.id(), expected: user.version(), name: None, email: None, status: None };
        change(&mut command);
        let patch = PatchUser::new(self.users.clone(), self.clock.clone());
        patch.execute(command, &self.context).await.expect("the user is patched")
    }

    pub(crate) async fn stored(&self, user: &User) -> Option<User> {
        self.users.find(user.id(), &self.context).await.expect("the database answers")
    }
}

pub(crate) fn command(name: &str, email: &str) -> CreateUserCommand {
    CreateUserCommand { name: self::name(name), email: self::email(email) }
}

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

/// A wish with a key; the digest tells one request from another.
pub(crate) fn wish(key: &str, digest: u8) -> Idempotent<'static, User> {
    Idempotent { key: key.parse().expect("a key"), digest: [digest; 32], render: &answer }
}

/// What the caller is told; bytes that are no text show that nothing is re-encoded.
pub(crate) fn answer(user: &User) -> Vec<u8> {
    let mut answer = user.id().to_string().into_bytes();
    answer.extend([0, 0xff]);
    answer
}

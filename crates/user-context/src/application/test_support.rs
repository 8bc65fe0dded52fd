use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use shared_kernel::idempotency::{IdempotencyError, Receipt, Stored};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};
use testkit::{FakeClock, SequentialIds};

use crate::application::{CreateUser, CreateUserCommand};
use crate::domain::{AddUserError, Email, UpdateUserError, User, UserId, UserList, UserName, UserRepository};

/// What goes wrong in the next calls of [`FakeUsers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The database is away.
    Away,
    /// Somebody writes the user right before this caller does.
    Overtaken,
    /// Somebody deletes the user right before this caller writes.
    Deleted,
    /// The receipt's key stands for another request.
    Mismatch,
    /// The receipt is known already.
    Replay,
}

/// Users in memory, for what a real database shows only by luck: races and failures at a given moment.
#[derive(Debug, Default)]
pub(super) struct FakeUsers {
    users: Mutex<Vec<User>>,
    fault: Mutex<Option<Fault>>,
    receipts: Mutex<Vec<Receipt>>,
}

impl FakeUsers {
    pub(super) fn fail_with(&self, fault: Fault) {
        *self.fault.lock().expect("no test panics with the lock") = Some(fault);
    }

    pub(super) fn receipts(&self) -> Vec<Receipt> {
        self.receipts.lock().expect("no test panics with the lock").clone()
    }

    fn users(&self) -> MutexGuard<'_, Vec<User>> {
        self.users.lock().expect("no test panics with the lock")
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().expect("no test panics with the lock")
    }

    fn reach(&self) -> Result<(), DatabaseError> {
        match self.fault() {
            Some(Fault::Away) => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "the database is away")),
            _ => Ok(()),
        }
    }

    /// Does to the user what the fault says that somebody else does.
    fn interfere(&self, id: UserId) {
        let mut users = self.users();
        match self.fault() {
            Some(Fault::Deleted) => users.retain(|user| user.id() != id),
            Some(Fault::Overtaken) => {
                for user in users.iter_mut().filter(|user| user.id() == id) {
                    let now = user.updated_at();
                    user.change(Some(name("Somebody else was here")), None, None, now);
                }
            }
            _ => {}
        }
    }

    fn taken(&self, user: &User) -> bool {
        self.users().iter().any(|other| other.id() != user.id() && other.email() == user.email())
    }
}

#[async_trait]
impl UserRepository for FakeUsers {
    async fn find(&self, id: UserId, context: &RequestContext) -> Result<Option<User>, DatabaseError> {
        self.load(id, context).await
    }

    async fn load(&self, id: UserId, _: &RequestContext) -> Result<Option<User>, DatabaseError> {
        self.reach()?;
        Ok(self.users().iter().find(|user| user.id() == id).cloned())
    }

    async fn list(&self, list: &UserList, _: &RequestContext) -> Result<Page<User>, DatabaseError> {
        self.reach()?;
        let items = self.users().iter().take(list.limit.get().into()).cloned().collect();
        Ok(Page { items, next: None })
    }

    async fn add(&self, user: &User, receipt: Option<&Receipt>, _: &RequestContext) -> Result<Stored, AddUserError> {
        self.reach()?;
        match (self.fault(), receipt) {
            (Some(Fault::Mismatch), _) => return Err(IdempotencyError::Mismatch.into()),
            (Some(Fault::Replay), Some(receipt)) => return Ok(Stored::Replayed(receipt.answer.clone())),
            _ => {}
        }
        if self.taken(user) {
            return Err(AddUserError::EmailTaken);
        }
        self.users().push(user.clone());
        self.receipts.lock().expect("no test panics with the lock").extend(receipt.cloned());
        Ok(Stored::Written)
    }

    async fn update(&self, user: &User, expected: Version, _: &RequestContext) -> Result<bool, UpdateUserError> {
        self.reach()?;
        self.interfere(user.id());
        if self.taken(user) {
            return Err(UpdateUserError::EmailTaken);
        }
        let mut users = self.users();
        let stored = users.iter_mut().find(|stored| stored.id() == user.id() && stored.version() == expected);
        Ok(stored.map(|stored| *stored = user.clone()).is_some())
    }

    async fn remove(&self, id: UserId, expected: Version, _: &RequestContext) -> Result<bool, DatabaseError> {
        self.reach()?;
        self.interfere(id);
        let mut users = self.users();
        let before = users.len();
        users.retain(|user| user.id() != id || user.version() != expected);
        Ok(users.len() < before)
    }
}

/// Use cases over users in memory, with a clock that stands still.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) users: Arc<FakeUsers>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) context: RequestContext,
    ids: Arc<SequentialIds>,
}

impl Bench {
    pub(super) fn create_user(&self) -> CreateUser {
        CreateUser::new(self.users.clone(), self.clock.clone(), self.ids.clone())
    }

    /// A user called Ann, at her first version.
    pub(super) async fn ann(&self) -> User {
        let creation = self.create_user().execute(command("Ann", "ann@example.org"), None, &self.context).await;
        creation.expect("the address is free").created().expect("nothing is replayed without a key")
    }
}

pub(super) fn command(name: &str, email: &str) -> CreateUserCommand {
    CreateUserCommand { name: self::name(name), email: self::email(email) }
}

pub(super) fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}

pub(super) fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

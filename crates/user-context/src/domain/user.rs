use chrono::{DateTime, Utc};
use shared_kernel::Version;

use super::{Email, UserName, UserStatus};

shared_kernel::typed_id! {
    /// Identifies a user (UUID version 7).
    pub struct UserId;
}

/// A person who uses the library.
///
/// The verbs that change a user say whether they changed anything; only then does the version go up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(UserRecord);

/// All that is known of a user, laid open: for repositories and for what shows users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Who it is.
    pub id: UserId,
    /// What the user is called.
    pub name: UserName,
    /// Where the user is reached.
    pub email: Email,
    /// Whether the user takes part.
    pub status: UserStatus,
    /// How often the user was written.
    pub version: Version,
    /// When the user was registered.
    pub created_at: DateTime<Utc>,
    /// When the user was last changed.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// A new user, active.
    pub const fn register(id: UserId, name: UserName, email: Email, now: DateTime<Utc>) -> Self {
        Self(UserRecord {
            id,
            name,
            email,
            status: UserStatus::Active,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        })
    }

    /// A user who was kept somewhere.
    pub const fn restore(record: UserRecord) -> Self {
        Self(record)
    }

    /// Changes what is given, in one step, and says whether that changed anything.
    ///
    /// The version goes up by one and `updated_at` moves on only when it did: a wish that is already fulfilled leaves
    /// no trace. An address that differs in letter case alone is a change.
    pub fn change(
        &mut self,
        name: Option<UserName>,
        email: Option<Email>,
        status: Option<UserStatus>,
        now: DateTime<Utc>,
    ) -> bool {
        let name = name.filter(|name| *name != self.0.name);
        let email = email.filter(|email| !email.is_written_as(&self.0.email));
        let status = status.filter(|status| *status != self.0.status);
        let changed = name.is_some() || email.is_some() || status.is_some();
        if let Some(name) = name {
            self.0.name = name;
        }
        if let Some(email) = email {
            self.0.email = email;
        }
        if let Some(status) = status {
            self.0.status = status;
        }
        if changed {
            self.0.version = self.0.version.next();
            // A clock that was set back does not make a change older than the one before it.
            self.0.updated_at = now.max(self.0.updated_at);
        }
        changed
    }

    /// Who it is.
    pub const fn id(&self) -> UserId {
        self.0.id
    }

    /// What the user is called.
    pub const fn name(&self) -> &UserName {
        &self.0.name
    }

    /// Where the user is reached.
    pub const fn email(&self) -> &Email {
        &self.0.email
    }

    /// Whether the user takes part.
    pub const fn status(&self) -> UserStatus {
        self.0.status
    }

    /// How often the user was written.
    pub const fn version(&self) -> Version {
        self.0.version
    }

    /// When the user was registered.
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the user was last changed.
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// All that is known of the user.
    pub const fn record(&self) -> &UserRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn ann() -> User {
        let name = UserName::parse("Ann").expect("a name");
        let email = Email::parse("ann@example.org").expect("an address");
        User::register(UserId::new(Uuid::from_u128(1)), name, email, DateTime::UNIX_EPOCH)
    }

    fn later() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1)
    }

    #[test]
    fn a_new_user_is_active_and_at_its_first_version() {
        let ann = ann();
        assert_eq!((ann.status(), ann.version()), (UserStatus::Active, Version::FIRST));
        assert_eq!((ann.created_at(), ann.updated_at()), (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH));
        assert_eq!((ann.id().uuid(), ann.name().as_str()), (Uuid::from_u128(1), "Ann"));
        assert_eq!(User::restore(ann.record().clone()), ann);
    }

    #[test]
    fn a_change_of_anything_is_one_version() {
        let mut user = ann();
        let name = UserName::parse("Ann Lee").expect("a name");
        let email = Email::parse("lee@example.org").expect("an address");
        assert!(user.change(Some(name), Some(email), Some(UserStatus::Suspended), later()));
        assert_eq!((user.version().get(), user.updated_at()), (2, later()));
        assert_eq!(user.created_at(), DateTime::UNIX_EPOCH);
        assert_eq!((user.name().as_str(), user.email().as_str()), ("Ann Lee", "lee@example.org"));
        assert_eq!(user.status(), UserStatus::Suspended);
    }

    #[test]
    fn a_wish_already_fulfilled_changes_nothing() {
        let mut user = ann();
        let (name, email) = (user.name().clone(), user.email().clone());
        assert!(!user.change(Some(name), Some(email), Some(UserStatus::Active), later()));
        assert!(!user.change(None, None, None, later()));
        assert_eq!(user, ann());
    }

    #[test]
    fn another_spelling_of_the_address_is_a_change() {
        let mut user = ann();
        let email = Email::parse("Ann@example.org").expect("an address");
        assert!(user.change(None, Some(email), None, later()));
        assert_eq!(user.email().as_str(), "Ann@example.org");
    }

    #[test]
    fn time_never_runs_backwards_for_a_user() {
        let mut user = ann();
        user.change(None, None, Some(UserStatus::Suspended), later());
        user.change(None, None, Some(UserStatus::Active), DateTime::UNIX_EPOCH);
        assert_eq!((user.version().get(), user.updated_at()), (3, later()));
    }
}

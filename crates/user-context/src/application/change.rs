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

#[cfg(test)]
mod tests {
    use shared_kernel::Clock;
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, Fault, command, email, name};
    use crate::application::{PatchUser, PatchUserCommand, ReplaceUser, ReplaceUserCommand};
    use crate::domain::UserStatus;

    fn rename(user: &User) -> PatchUserCommand {
        let name = Some(name("Ann Lee"));
        PatchUserCommand { id: user.id(), expected: user.version(), name, email: None, status: None }
    }

    fn patch_user(bench: &Bench) -> PatchUser {
        PatchUser::new(bench.users.clone(), bench.clock.clone())
    }

    #[tokio::test]
    async fn a_patch_changes_what_it_names() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        bench.clock.advance(std::time::Duration::from_secs(1));
        let patched = patch_user(&bench).execute(rename(&ann), &bench.context).await.expect("patched");
        assert_eq!(
            (patched.name().as_str(), patched.email(), patched.status()),
            ("Ann Lee", ann.email(), ann.status())
        );
        assert_eq!((patched.version().get(), patched.updated_at()), (2, bench.clock.now()));
        assert_eq!(bench.users.load(ann.id(), &bench.context).await.expect("a user"), Some(patched));
        assert_eq!(format!("{:?}", patch_user(&bench)), "PatchUser { .. }");
    }

    #[tokio::test]
    async fn a_replacement_leaves_the_status() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let suspend = PatchUserCommand { name: None, status: Some(UserStatus::Suspended), ..rename(&ann) };
        let ann = patch_user(&bench).execute(suspend, &bench.context).await.expect("patched");
        let replace = ReplaceUser::new(bench.users.clone(), bench.clock.clone());
        let (id, expected) = (ann.id(), ann.version());
        let command = ReplaceUserCommand { id, expected, name: name("Bea"), email: email("bea@example.org") };
        let replaced = replace.execute(command, &bench.context).await.expect("replaced");
        assert_eq!((replaced.name().as_str(), replaced.email().as_str()), ("Bea", "bea@example.org"));
        assert_eq!((replaced.status(), replaced.version().get()), (UserStatus::Suspended, 3));
        assert_eq!(format!("{replace:?}"), "ReplaceUser { .. }");
    }

    #[tokio::test]
    async fn what_is_so_already_is_not_written() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        // Whoever wrote would meet the one who overtook.
        bench.users.fail_with(Fault::Overtaken);
        let same = PatchUserCommand { name: Some(ann.name().clone()), ..rename(&ann) };
        let unchanged = patch_user(&bench).execute(same, &bench.context).await.expect("nothing to do");
        assert_eq!(unchanged, ann);
    }

    #[tokio::test]
    async fn whoever_comes_second_is_told_whether_there_is_something_left_to_read() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let patch = patch_user(&bench);
        bench.users.fail_with(Fault::Overtaken);
        let overtaken = patch.execute(rename(&ann), &bench.context).await;
        assert!(matches!(overtaken, Err(ChangeUserError::Stale { id, .. }) if id == ann.id()), "{overtaken:?}");
        let stale = patch.execute(rename(&ann), &bench.context).await;
        assert!(matches!(stale, Err(ChangeUserError::Stale { expected, .. }) if expected == ann.version()));
        let now = bench.users.load(ann.id(), &bench.context).await.expect("a user").expect("she is there");
        bench.users.fail_with(Fault::Deleted);
        let deleted = patch.execute(rename(&now), &bench.context).await;
        assert!(matches!(deleted, Err(ChangeUserError::NotFound(id)) if id == ann.id()), "{deleted:?}");
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let patch = patch_user(&bench);
        bench.create_user().execute(command("Bob", "bob@example.org"), None, &bench.context).await.expect("free");
        let taken = PatchUserCommand { email: Some(email("BOB@example.org")), ..rename(&ann) };
        let taken = patch.execute(taken, &bench.context).await;
        assert!(matches!(taken, Err(ChangeUserError::EmailTaken)), "{taken:?}");
        let absent = PatchUserCommand { id: UserId::new(Uuid::nil()), ..rename(&ann) };
        let absent = patch.execute(absent, &bench.context).await;
        assert!(matches!(absent, Err(ChangeUserError::NotFound(_))), "{absent:?}");
        bench.users.fail_with(Fault::Away);
        let away = patch.execute(rename(&ann), &bench.context).await;
        assert!(matches!(&away, Err(ChangeUserError::Database(error)) if error.is_unavailable()), "{away:?}");
        let away = ChangeUserError::from(UpdateUserError::from(
            bench.users.load(ann.id(), &bench.context).await.expect_err("away"),
        ));
        assert_eq!(away.to_string(), "the user could not be changed");
    }
}

use testkit::Server;
use user_context::application::{
    ChangeUserError, DeleteUser, DeleteUserCommand, DeleteUserError, PatchUser, PatchUserCommand, ReplaceUser,
    ReplaceUserCommand,
};
use user_context::domain::{User, UserStatus};

use crate::fixture::{Fixture, email, name};

fn replacement(user: &User, text: &str) -> ReplaceUserCommand {
    ReplaceUserCommand { id: user.id(), expected: user.version(), name: name(text), email: email("new@example.org") }
}

async fn of_two_writers_exactly_one_wins(server: Server) {
    let fixture = Fixture::new(server).await;
    let replace = ReplaceUser::new(fixture.users.clone(), fixture.clock.clone());
    let mut user = fixture.create("Ann", "ann@example.org").await;
    for round in 0..10 {
        let (one, other) = tokio::join!(
            replace.execute(replacement(&user, &format!("One {round}")), &fixture.context),
            replace.execute(replacement(&user, &format!("Other {round}")), &fixture.context),
        );
        let (winner, loser) = if one.is_ok() { (one, other) } else { (other, one) };
        let winner = winner.unwrap_or_else(|error| panic!("round {round}: nobody won: {error:?}, {loser:?}"));
        assert!(matches!(loser, Err(ChangeUserError::Stale { .. })), "round {round}: {loser:?}");
        assert_eq!(winner.version(), user.version().next());
        assert_eq!(fixture.stored(&user).await, Some(winner.clone()));
        user = winner;
    }
}

async fn a_stale_writer_changes_nothing(server: Server) {
    let fixture = Fixture::new(server).await;
    let first = fixture.create("Ann", "ann@example.org").await;
    let second = fixture.patch(&first, |patch| patch.status = Some(UserStatus::Suspended)).await;
    let replace = ReplaceUser::new(fixture.users.clone(), fixture.clock.clone());
    let refused = replace.execute(replacement(&first, "Late"), &fixture.context).await;
    assert!(matches!(refused, Err(ChangeUserError::Stale { expected, .. }) if expected == first.version()));
    let delete = DeleteUser::new(fixture.users.clone());
    let command = DeleteUserCommand { id: first.id(), expected: first.version() };
    let refused = delete.execute(command, &fixture.context).await;
    assert!(matches!(refused, Err(DeleteUserError::Stale { expected, .. }) if expected == first.version()));
    assert_eq!(fixture.stored(&first).await, Some(second));
}

async fn what_was_deleted_is_gone_for_everybody(server: Server) {
    let fixture = Fixture::new(server).await;
    let user = fixture.create("Ann", "ann@example.org").await;
    let delete = DeleteUser::new(fixture.users.clone());
    let command = DeleteUserCommand { id: user.id(), expected: user.version() };
    let (one, other) =
        tokio::join!(delete.execute(command, &fixture.context), delete.execute(command, &fixture.context));
    assert_eq!(one.is_ok(), other.is_err());
    let refused = one.err().or(other.err()).expect("one came second");
    assert!(matches!(refused, DeleteUserError::NotFound(id) if id == user.id()), "{refused:?}");
    assert_eq!(fixture.stored(&user).await, None);
    let replace = ReplaceUser::new(fixture.users.clone(), fixture.clock.clone());
    let refused = replace.execute(replacement(&user, "Late"), &fixture.context).await;
    assert!(matches!(refused, Err(ChangeUserError::NotFound(id)) if id == user.id()));
    let patch = PatchUser::new(fixture.users.clone(), fixture.clock.clone());
    let command = PatchUserCommand { id: user.id(), expected: user.version(), name: None, email: None, status: None };
    assert!(matches!(patch.execute(command, &fixture.context).await, Err(ChangeUserError::NotFound(_))));
    fixture.create("Ann again", "ann@example.org").await;
}

testkit::on_every_engine!(
    of_two_writers_exactly_one_wins,
    a_stale_writer_changes_nothing,
    what_was_deleted_is_gone_for_everybody,
);

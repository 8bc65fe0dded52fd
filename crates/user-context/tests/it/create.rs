use testkit::Server;
use user_context::application::{
    ChangeUserError, CreateUserError, PatchUser, PatchUserCommand, ReadUser, ReadUserError,
};
use user_context::domain::{UserId, UserStatus};

use crate::fixture::{Fixture, email};

async fn a_user_reads_back_as_it_was_created(server: Server) {
    let fixture = Fixture::new(server).await;
    let user = fixture.create("Zoë 😀 O'Hara \\ % \"quoted\"", "Zoe.OHara@Example.org").await;
    let read = ReadUser::new(fixture.users.clone());
    assert_eq!(read.execute(user.id(), &fixture.context).await.expect("the user is there").record(), user.record());
    assert_eq!(fixture.stored(&user).await.expect("the user is there").email().as_str(), "Zoe.OHara@Example.org");
    let absent = UserId::new(uuid::Uuid::from_u128(7));
    assert!(matches!(read.execute(absent, &fixture.context).await, Err(ReadUserError::NotFound(id)) if id == absent));
}

async fn the_longest_values_fit(server: Server) {
    let fixture = Fixture::new(server).await;
    // U+0390 is two bytes long and folds to three code points, which compose again; U+1F600 has four bytes.
    for (number, character) in ["x", "😀", "\u{390}", "\u{1fb7}"].iter().enumerate() {
        let local = if number % 2 == 0 { "x".repeat(64) } else { "é".repeat(32) };
        let domain = format!("{}.{}.{}.{number}.org", "a".repeat(60), "b".repeat(60), "c".repeat(60));
        let user = fixture.create(&character.repeat(200), &format!("{local}@{domain}")).await;
        assert_eq!(fixture.stored(&user).await, Some(user));
    }
}

async fn an_address_is_taken_whatever_its_case(server: Server) {
    let fixture = Fixture::new(server).await;
    let ann = fixture.create("Ann", "Ann.Straße@Example.org").await;
    for taken in ["ann.strasse@example.org", "ANN.STRASSE@EXAMPLE.ORG", "Ann.Straße@Example.org"] {
        let refused = fixture.try_create("Another", taken).await;
        assert!(matches!(refused, Err(CreateUserError::EmailTaken)), "{taken}: {refused:?}");
    }
    let bob = fixture.create("Bob", "bob@example.org").await;
    let command = PatchUserCommand {
        id: bob.id(),
        expected: bob.version(),
        name: None,
        email: Some(email("ANN.strasse@example.org")),
        status: None,
    };
    let patch = PatchUser::new(fixture.users.clone(), fixture.clock.clone());
    let refused = patch.execute(command, &fixture.context).await;
    assert!(matches!(refused, Err(ChangeUserError::EmailTaken)), "{refused:?}");
    assert_eq!(fixture.stored(&bob).await, Some(bob));

    // Its owner may write it in another way, and anybody may have it once it is free.
    let ann = fixture.patch(&ann, |patch| patch.email = Some(email("ann.strasse@example.org"))).await;
    assert_eq!(ann.version().get(), 2);
    fixture.patch(&ann, |patch| patch.email = Some(email("lee@example.org"))).await;
    fixture.create("Another", "ANN.STRASSE@example.org").await;
}

async fn accents_tell_addresses_apart(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.create("Rene", "rene@example.org").await;
    fixture.create("René", "rené@example.org").await;
    assert!(matches!(fixture.try_create("R", "rene\u{301}@example.org").await, Err(CreateUserError::EmailTaken)));
}

async fn a_change_is_stored_as_a_whole(server: Server) {
    let fixture = Fixture::new(server).await;
    let user = fixture.create("Ann", "ann@example.org").await;
    fixture.clock.advance(std::time::Duration::from_micros(1));
    let changed = fixture.patch(&user, |patch| patch.status = Some(UserStatus::Suspended)).await;
    let stored = fixture.stored(&user).await.expect("the user is there");
    assert_eq!(stored.record(), changed.record());
    assert_eq!((stored.status(), stored.version().get()), (UserStatus::Suspended, 2));
    assert_eq!((stored.updated_at() - stored.created_at()).num_microseconds(), Some(1));
    // What is so already is not written again.
    let same = fixture.patch(&stored, |patch| patch.status = Some(UserStatus::Suspended)).await;
    assert_eq!(same, stored);
}

async fn two_contexts_can_share_a_database(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.database.migrate("books").await;
    let user = fixture.create("Ann", "ann@example.org").await;
    assert_eq!(fixture.stored(&user).await, Some(user));
}

testkit::on_every_engine!(
    two_contexts_can_share_a_database,
    a_user_reads_back_as_it_was_created,
    the_longest_values_fit,
    an_address_is_taken_whatever_its_case,
    accents_tell_addresses_apart,
    a_change_is_stored_as_a_whole,
);

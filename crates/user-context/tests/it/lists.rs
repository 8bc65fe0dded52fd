use std::time::Duration;

use shared_kernel::paging::{Direction, Limit};
use shared_kernel::text::SearchTerm;
use testkit::Server;
use user_context::application::{DeleteUser, DeleteUserCommand, ListUsers};
use user_context::domain::{User, UserFilter, UserList, UserSort, UserStatus};

use crate::fixture::Fixture;

fn by(sort: UserSort, direction: Direction, limit: u64) -> UserList {
    UserList { sort, direction, limit: Limit::try_new(limit).expect("a limit"), ..UserList::default() }
}

/// All pages of a list, one after the other.
async fn all(fixture: &Fixture, mut list: UserList) -> Vec<User> {
    let use_case = ListUsers::new(fixture.users.clone());
    let mut users = Vec::new();
    loop {
        let page = use_case.execute(&list, &fixture.context).await.expect("the list is read");
        assert!(page.items.len() <= usize::from(list.limit.get()));
        users.extend(page.items);
        match page.next {
            Some(position) => list.after = Some(position),
            None => return users,
        }
    }
}

async fn names(fixture: &Fixture, list: UserList) -> Vec<String> {
    all(fixture, list).await.iter().map(|user| user.name().to_string()).collect()
}

/// Names in the order of their folded code points, which is no language's order and no engine's default.
const IN_ORDER: [&str; 10] =
    ["10 Downing", "Ann", "ann lee", "ANNA", "Zoe", "zoë", "Élan", "Œuvre", "\u{ff5e}wave", "😀 smile"];

async fn pages_follow_code_points_in_both_directions(server: Server) {
    let fixture = Fixture::new(server).await;
    for number in [4, 0, 9, 2, 6, 8, 1, 3, 7, 5] {
        fixture.create(IN_ORDER[number], &format!("{number}@example.org")).await;
    }
    let mut expected: Vec<&str> = IN_ORDER.to_vec();
    for limit in [1, 3, 10, 50] {
        assert_eq!(names(&fixture, by(UserSort::Name, Direction::Ascending, limit)).await, expected);
        assert_eq!(names(&fixture, by(UserSort::Email, Direction::Ascending, limit)).await, expected);
    }
    expected.reverse();
    for limit in [1, 4, 10] {
        assert_eq!(names(&fixture, by(UserSort::Name, Direction::Descending, limit)).await, expected);
    }
}

async fn equals_stand_in_the_order_of_their_ids(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut ids = Vec::new();
    for number in 0..7 {
        // Only the first 200 code points of a key count, and folding can lengthen a name.
        let name = format!("{}{}", "ŉ".repeat(199), if number % 2 == 0 { "x" } else { "X" });
        ids.push(fixture.create(&name, &format!("{number}@example.org")).await.id());
    }
    for sort in [UserSort::Name, UserSort::CreatedAt, UserSort::UpdatedAt] {
        let forward = all(&fixture, by(sort, Direction::Ascending, 2)).await;
        assert_eq!(forward.iter().map(User::id).collect::<Vec<_>>(), ids, "{sort:?}");
        let backward = all(&fixture, by(sort, Direction::Descending, 3)).await;
        assert_eq!(backward.iter().rev().map(User::id).collect::<Vec<_>>(), ids, "{sort:?}");
    }
}

async fn instants_are_told_apart_by_the_microsecond(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut expected = Vec::new();
    // Fractions of different lengths: as text they would have to be padded to stand in order.
    for step in [1_000_000, 1, 9, 90, 900, 9_000, 90_000, 900_000] {
        fixture.clock.advance(Duration::from_micros(step));
        let name = format!("After {step}");
        fixture.create(&name, &format!("{step}@example.org")).await;
        expected.push(name);
    }
    assert_eq!(names(&fixture, by(UserSort::CreatedAt, Direction::Ascending, 2)).await, expected);
    expected.reverse();
    assert_eq!(names(&fixture, by(UserSort::CreatedAt, Direction::Descending, 2)).await, expected);
}

async fn the_list_goes_on_where_it_was_whatever_happens_to_others(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut users = Vec::new();
    for letter in ["b", "d", "f", "h", "j"] {
        users.push(fixture.create(letter, &format!("{letter}@example.org")).await);
    }
    let use_case = ListUsers::new(fixture.users.clone());
    let mut list = by(UserSort::Name, Direction::Ascending, 2);
    let first = use_case.execute(&list, &fixture.context).await.expect("the first page");
    list.after = first.next;
    // One before the position, the item at the position itself, and one behind it.
    fixture.create("a", "a@example.org").await;
    let command = DeleteUserCommand { id: users[1].id(), expected: users[1].version() };
    DeleteUser::new(fixture.users.clone()).execute(command, &fixture.context).await.expect("it is deleted");
    fixture.create("e", "e@example.org").await;
    assert_eq!(names(&fixture, list).await, ["e", "f", "h", "j"]);
}

async fn search_finds_pieces_whatever_their_case(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.create("Ann Straße", "first@example.org").await;
    fixture.create("100%_sure [a-z]! \\ ok", "second@example.org").await;
    fixture.create("Élan 😀 Vital", "Third@Example.net").await;
    for (term, expected) in [
        ("STRASSE", vec!["Ann Straße"]),
        ("example.NET", vec!["Élan 😀 Vital"]),
        ("E\u{301}LAN 😀", vec!["Élan 😀 Vital"]),
        ("elan", vec![]),
        ("100%_s", vec!["100%_sure [a-z]! \\ ok"]),
        ("[A-Z]!", vec!["100%_sure [a-z]! \\ ok"]),
        ("\\ ok", vec!["100%_sure [a-z]! \\ ok"]),
        ("1_0", vec![]),
        ("%", vec!["100%_sure [a-z]! \\ ok"]),
        ("first%org", vec![]),
        ("ßefirst", vec![]),
        ("'; DROP TABLE users; --", vec![]),
    ] {
        let q = Some(SearchTerm::parse(term).expect("a term"));
        let list = UserList { filter: UserFilter { q, status: None }, ..UserList::default() };
        assert_eq!(names(&fixture, list).await, expected, "{term}");
    }
}

async fn filters_hold_on_every_page(server: Server) {
    let fixture = Fixture::new(server).await;
    for number in 0..6 {
        let user = fixture.create(&format!("User {number}"), &format!("{number}@example.org")).await;
        if number % 2 == 1 {
            fixture.patch(&user, |patch| patch.status = Some(UserStatus::Suspended)).await;
        }
    }
    fixture.create("Somebody else", "else@example.org").await;
    for (status, expected) in [
        (UserStatus::Active, vec!["User 4", "User 2", "User 0"]),
        (UserStatus::Suspended, vec!["User 5", "User 3", "User 1"]),
    ] {
        let q = Some(SearchTerm::parse("user").expect("a term"));
        let filter = UserFilter { q, status: Some(status) };
        let list = UserList { filter, ..by(UserSort::Name, Direction::Descending, 2) };
        assert_eq!(names(&fixture, list).await, expected);
    }
}

testkit::on_every_engine!(
    pages_follow_code_points_in_both_directions,
    equals_stand_in_the_order_of_their_ids,
    instants_are_told_apart_by_the_microsecond,
    the_list_goes_on_where_it_was_whatever_happens_to_others,
    search_finds_pieces_whatever_their_case,
    filters_hold_on_every_page,
);

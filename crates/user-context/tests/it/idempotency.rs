use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_query::{Asterisk, Expr, Func, Query};
use shared_kernel::database::{Access, SqlTransaction, TransactionMode};
use shared_kernel::idempotency::{Creation, IdempotencyError, Receipt, ReceiptSweeper};
use shared_kernel::{Actor, Clock, RequestContext};
use testkit::Server;
use user_context::application::{CreateUser, CreateUserError};
use user_context::domain::{User, UserList};
use user_context::infrastructure::SqlUserRepository;

use crate::fixture::{Fixture, answer, command, wish};

async fn create(
    fixture: &Fixture,
    email: &str,
    key: &str,
    digest: u8,
    context: &RequestContext,
) -> Result<Creation<User>, CreateUserError> {
    fixture.create_user().execute(command("Ann", email), Some(&wish(key, digest)), context).await
}

async fn count(fixture: &Fixture, table: &'static str) -> i64 {
    let connection = fixture.connections.get("users", Access::Write, &fixture.context).await.expect("the database");
    let count = Query::select().expr_as(Func::count(Expr::col(Asterisk)), "rows_found").from(table).to_owned();
    let row = connection.sql().expect("SQL").query_one(&count.into(), &fixture.context).await.expect("the count");
    row.expect("a row").get("rows_found").expect("a number")
}

/// An open transaction that has written a receipt, as a request does that has come first and not ended.
async fn first_request(fixture: &Fixture, key: &str, digest: u8) -> Box<dyn SqlTransaction> {
    let user = User::register(
        user_context::domain::UserId::new(uuid::Uuid::from_u128(1)),
        crate::fixture::name("First"),
        crate::fixture::email("first@example.org"),
        fixture.clock.now(),
    );
    let receipt: Receipt =
        wish(key, digest).receipt(CreateUser::OPERATION, &user, fixture.clock.now(), &fixture.context);
    let connection = fixture.connections.get("users", Access::Write, &fixture.context).await.expect("the database");
    let transaction = connection
        .sql()
        .expect("SQL")
        .begin(TransactionMode::ReadWrite, &fixture.context)
        .await
        .expect("a transaction");
    let insert = Query::insert()
        .into_table("user_receipts")
        .columns(["scope", "idempotency_key", "request_digest", "answer", "created_at"])
        .values_panic([
            Expr::val(receipt.scope.to_vec()),
            Expr::val(receipt.key.as_str()),
            Expr::val(receipt.digest.to_vec()),
            Expr::val(receipt.answer),
            Expr::val(receipt.created_at),
        ])
        .to_owned();
    transaction.execute(&insert.into(), &fixture.context).await.expect("the receipt is written");
    transaction
}

async fn the_same_key_is_answered_the_same(server: Server) {
    let fixture = Fixture::new(server).await;
    let context = &fixture.context;
    let created = create(&fixture, "ann@example.org", "key", 1, context).await.expect("it is created");
    let user = created.created().expect("by this call");
    fixture.clock.advance(Duration::from_mins(1));
    fixture.patch(&user, |patch| patch.name = Some(crate::fixture::name("Changed"))).await;
    let replayed = create(&fixture, "ann@example.org", "key", 1, context).await.expect("it is replayed");
    assert_eq!(replayed, Creation::Replayed(answer(&user)));
    assert_eq!((count(&fixture, "users").await, count(&fixture, "user_receipts").await), (1, 1));
}

async fn another_request_under_the_same_key_is_refused(server: Server) {
    let fixture = Fixture::new(server).await;
    create(&fixture, "ann@example.org", "key", 1, &fixture.context).await.expect("it is created");
    let refused = create(&fixture, "bob@example.org", "key", 2, &fixture.context).await;
    assert!(matches!(refused, Err(CreateUserError::Idempotency(IdempotencyError::Mismatch))), "{refused:?}");
    assert_eq!(count(&fixture, "users").await, 1);
}

async fn keys_of_different_callers_do_not_meet(server: Server) {
    let fixture = Fixture::new(server).await;
    let ann = RequestContext { actor: Actor::Principal("ann".into()), ..RequestContext::default() };
    let bob = RequestContext { actor: Actor::Principal("bob".into()), ..RequestContext::default() };
    for (context, email) in [(&ann, "ann@example.org"), (&bob, "bob@example.org")] {
        let created = create(&fixture, email, "key", 1, context).await.expect("it is created");
        assert!(matches!(created, Creation::Created(_)));
    }
    // Letter case counts in a key.
    let created = create(&fixture, "lee@example.org", "KEY", 1, &ann).await.expect("it is created");
    assert!(matches!(created, Creation::Created(_)));
}

async fn a_refused_creation_leaves_no_receipt(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.create("Ann", "ann@example.org").await;
    let refused = create(&fixture, "ANN@example.org", "key", 1, &fixture.context).await;
    assert!(matches!(refused, Err(CreateUserError::EmailTaken)), "{refused:?}");
    assert_eq!(count(&fixture, "user_receipts").await, 0);
    let created = create(&fixture, "bob@example.org", "key", 2, &fixture.context).await.expect("the key is free");
    assert!(matches!(created, Creation::Created(_)));
}

async fn of_many_twins_one_creates_and_all_agree(server: Server) {
    let fixture = Arc::new(Fixture::new(server).await);
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let fixture = fixture.clone();
        twins.spawn(async move { create(&fixture, "ann@example.org", "key", 1, &fixture.context).await });
    }
    let outcomes: Vec<_> =
        twins.join_all().await.into_iter().map(|outcome| outcome.expect("every twin has an answer")).collect();
    let answers: Vec<Vec<u8>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Creation::Created(user) => answer(user),
            Creation::Replayed(answer) => answer.clone(),
        })
        .collect();
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Creation::Created(_))).count(), 1);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!((count(&fixture, "users").await, count(&fixture, "user_receipts").await), (1, 1));
}

async fn a_twin_waits_for_the_first_and_replays(server: Server) {
    let fixture = Arc::new(Fixture::new(server).await);
    let first = first_request(&fixture, "key", 1).await;
    let twin = tokio::spawn({
        let fixture = fixture.clone();
        async move { create(&fixture, "ann@example.org", "key", 1, &fixture.context).await }
    });
    is_waiting(&twin).await;
    first.commit(&fixture.context).await.expect("the first request ends well");
    let outcome = twin.await.expect("no panic").expect("the twin is answered");
    assert!(matches!(outcome, Creation::Replayed(_)), "{outcome:?}");
    assert_eq!(count(&fixture, "users").await, 0);
}

async fn a_twin_takes_over_when_the_first_fails(server: Server) {
    let fixture = Arc::new(Fixture::new(server).await);
    let first = first_request(&fixture, "key", 1).await;
    let twins: Vec<_> = (0..3)
        .map(|_| {
            let fixture = fixture.clone();
            tokio::spawn(async move { create(&fixture, "ann@example.org", "key", 1, &fixture.context).await })
        })
        .collect();
    is_waiting(&twins[0]).await;
    first.rollback(&fixture.context).await.expect("the first request fails");
    let mut created = 0;
    for twin in twins {
        let outcome = twin.await.expect("no panic").expect("the twin is answered");
        created += i32::from(matches!(outcome, Creation::Created(_)));
    }
    assert_eq!((created, count(&fixture, "users").await), (1, 1));
}

async fn a_twin_gives_up_after_two_seconds(server: Server) {
    let fixture = Fixture::new(server).await;
    let first = first_request(&fixture, "key", 1).await;
    let began = Instant::now();
    let outcome = create(&fixture, "ann@example.org", "key", 1, &fixture.context).await;
    let waited = began.elapsed();
    assert!(
        matches!(outcome, Err(CreateUserError::Idempotency(IdempotencyError::InProgress { .. }))),
        "after {waited:?}: {outcome:?}"
    );
    assert!(waited >= Duration::from_millis(1_900), "{waited:?}");
    first.rollback(&fixture.context).await.expect("the first request fails");
    create(&fixture, "ann@example.org", "key", 1, &fixture.context).await.expect("the key is free again");
}

/// Lets the twin run into the first request's lock. Nothing shows from outside that it waits there; what matters is
/// that it has not ended, and the outcome is the same if it comes later.
async fn is_waiting<T>(twin: &tokio::task::JoinHandle<T>) {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!twin.is_finished(), "the twin did not wait");
    }
}

async fn receipts_are_swept_after_a_day(server: Server) {
    let fixture = Fixture::new(server).await;
    for number in 0..7 {
        let email = format!("{number}@example.org");
        create(&fixture, &email, &format!("key-{number}"), 1, &fixture.context).await.expect("it is created");
        fixture.clock.advance(Duration::from_hours(1));
    }
    let sweeper = |batch| {
        ReceiptSweeper::new(fixture.connections.clone(), "users", SqlUserRepository::RECEIPTS, fixture.clock.clone())
            .batch(batch)
    };
    fixture.clock.advance(Duration::from_hours(17));
    assert_eq!(sweeper(2).sweep(&fixture.context).await.expect("a sweep"), 0, "the oldest is a day old, not more");
    fixture.clock.advance(Duration::from_micros(1));
    assert_eq!(sweeper(2).sweep(&fixture.context).await.expect("a sweep"), 1);
    fixture.clock.advance(Duration::from_hours(5));
    assert_eq!(sweeper(2).sweep(&fixture.context).await.expect("a sweep"), 5);
    assert_eq!(count(&fixture, "user_receipts").await, 1);
    let replayed = create(&fixture, "6@example.org", "key-6", 1, &fixture.context).await.expect("an answer");
    assert!(matches!(replayed, Creation::Replayed(_)));
    let users = fixture.users.list(&UserList::default(), &fixture.context).await.expect("the users").items;
    assert_eq!(users.len(), 7, "users outlive their receipts");
}

testkit::on_every_engine!(
    the_same_key_is_answered_the_same,
    another_request_under_the_same_key_is_refused,
    keys_of_different_callers_do_not_meet,
    a_refused_creation_leaves_no_receipt,
    of_many_twins_one_creates_and_all_agree,
    a_twin_waits_for_the_first_and_replays,
    a_twin_takes_over_when_the_first_fails,
    a_twin_gives_up_after_two_seconds,
    receipts_are_swept_after_a_day,
);

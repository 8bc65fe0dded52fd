use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::{Credentials, Endpoint, Keyring, PoolSettings, Retries, RetrySettings, SqlPool};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseError, DatabaseErrorKind, Engine, RawStatement, SqlExecutor as _, Statement, TransactionMode,
};
use tokio::time::Instant;

use super::fake::{Connect, FakeDriver, Server, settings};

/// A pool with a budget for all that a test asks for.
fn pool(server: &Arc<Server>, settings: PoolSettings) -> SqlPool<FakeDriver> {
    let retries = Retries::new(RetrySettings::default());
    (0..50).for_each(|_| retries.pay_in());
    pool_with(server, settings, retries)
}

fn pool_with(server: &Arc<Server>, settings: PoolSettings, retries: Retries) -> SqlPool<FakeDriver> {
    let name: shared_kernel::database::ConnectionName = "fake".parse().unwrap();
    let keyring = Keyring::fixed(name.clone(), Credentials::none());
    let endpoint = Endpoint { retries, ..Endpoint::from(keyring) };
    SqlPool::new(name, Engine::from("fake".to_owned()), settings, endpoint, FakeDriver(Arc::clone(server)))
}

fn context() -> RequestContext {
    RequestContext::system()
}

fn select(text: &'static str) -> Statement {
    RawStatement::everywhere("SELECT", text).into()
}

fn other(text: &'static str) -> Statement {
    RawStatement::everywhere("OTHER", text).into()
}

fn insert() -> Statement {
    RawStatement::everywhere("INSERT", "INSERT write").into()
}

fn demoted() -> Arc<Server> {
    let server = Server::default();
    server.demoted.store(true, Ordering::SeqCst);
    Arc::new(server)
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, DatabaseError>) -> DatabaseErrorKind {
    outcome.unwrap_err().kind().clone()
}

const AWAY: Connect = Connect::Fails(DatabaseErrorKind::Unreachable);

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_open_is_tried_again_whatever_it_is_for() {
    for what in 0..5 {
        let server = Server::planned([AWAY, AWAY]);
        let pool = pool(&server, settings(1));
        let context = context();
        match what {
            0 => drop(pool.execute(&other("anything"), &context).await.unwrap()),
            1 => drop(pool.query(&select("SELECT"), &context).await.unwrap()),
            2 => pool.run_script("anything", &context).await.unwrap(),
            3 => drop(pool.begin(TransactionMode::ReadWrite, &context).await.unwrap()),
            _ => drop(pool.session(&context).await.unwrap()),
        }
        assert_eq!(Server::count(&server.attempts), 3, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_last_try_the_caller_is_told() {
    let server = Server::planned(std::iter::repeat_n(AWAY, 10));
    let pool = pool(&server, settings(1));
    assert_eq!(kind(pool.execute(&other("anything"), &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!(Server::count(&server.attempts), 3);
}

#[tokio::test(start_paused = true)]
async fn what_the_next_try_would_answer_just_the_same_is_told_at_once() {
    for refusal in [DatabaseErrorKind::UnknownDatabase, DatabaseErrorKind::TlsFailed, DatabaseErrorKind::Saturated] {
        let server = Server::planned([Connect::Fails(refusal.clone())]);
        let pool = pool(&server, settings(1));
        assert_eq!(kind(pool.query(&select("SELECT"), &context()).await), refusal);
        assert_eq!(Server::count(&server.attempts), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_connection_is_lost_is_sent_again_and_a_write_is_not() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(4));
    let sent = |text: &str| server.logged().iter().filter(|line| line.ends_with(text)).count();
    assert_eq!(kind(pool.query(&select("SELECT lose"), &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!(sent("SELECT lose"), 3);
    assert_eq!(kind(pool.query(&other("lose"), &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!(kind(pool.execute(&select("SELECT lose"), &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!(kind(pool.run_script("lose", &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!((sent(": lose"), sent("SELECT lose")), (2, 4), "each of them once");

    // In a transaction it is the whole that would have to be sent again.
    let transaction = pool.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    assert_eq!(kind(transaction.query(&select("SELECT lose"), &context()).await), DatabaseErrorKind::Unreachable);
    assert_eq!(sent("SELECT lose"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_a_demoted_server_turned_away_goes_to_the_new_one() {
    let server = demoted();
    let pool = pool(&server, settings(1));
    let sent = || server.logged().iter().filter(|line| line.ends_with("write")).count();
    pool.query(&select("SELECT"), &context()).await.unwrap();
    server.demoted.store(false, Ordering::SeqCst);
    pool.execute(&insert(), &context()).await.unwrap();
    assert_eq!(sent(), 2);

    // One that meets no other server is told so, without a third try.
    server.demoted.store(true, Ordering::SeqCst);
    pool.pool().retire();
    assert_eq!(kind(pool.execute(&insert(), &context()).await), DatabaseErrorKind::ReadOnlyTarget);
    assert!(sent() <= 4);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_done_half_before_it_was_turned_away_is_not_sent_again() {
    for script in [false, true] {
        let server = demoted();
        let pool = pool(&server, settings(1));
        pool.query(&select("SELECT"), &context()).await.unwrap();
        server.demoted.store(false, Ordering::SeqCst);
        let outcome = if script {
            pool.run_script("write", &context()).await
        } else {
            pool.execute(&other("write"), &context()).await.map(drop)
        };
        assert_eq!(kind(outcome), DatabaseErrorKind::ReadOnlyTarget);
        assert_eq!(server.logged().iter().filter(|line| line.ends_with("write")).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn no_try_comes_after_the_deadline() {
    let server = Server::planned(std::iter::repeat_n(AWAY, 10));
    let retry =
        RetrySettings { base: Duration::from_secs(1000), cap: Duration::from_secs(1000), ..RetrySettings::default() };
    let retries = Retries::new(retry);
    (0..50).for_each(|_| retries.pay_in());
    let pool = pool_with(&server, settings(1), retries);
    let began = Instant::now();
    // Of a thousand seconds at random, less than ten milliseconds are as good as never.
    let outcome = pool.query(&select("SELECT"), &context().within(Duration::from_millis(10))).await;
    assert_eq!(kind(outcome), DatabaseErrorKind::Unreachable);
    assert!(began.elapsed() < Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(Server::count(&server.attempts), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_server_has_to_bear_a_fifth_more_than_its_callers_send() {
    const CALLERS: u32 = 500;
    let server = Server::planned(std::iter::repeat_n(AWAY, 10_000));
    let pool = Arc::new(pool_with(&server, settings(4), Retries::new(RetrySettings::default())));
    let callers = (0..CALLERS).map(|_| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { kind(pool.query(&select("SELECT"), &context()).await) })
    });
    for told in futures_util::future::join_all(callers).await {
        assert_eq!(told.unwrap(), DatabaseErrorKind::Unreachable);
    }
    let attempts = Server::count(&server.attempts);
    assert!((CALLERS..=CALLERS * 6 / 5).contains(&attempts), "{attempts}");
    assert!(attempts > CALLERS, "some were tried again");
}

#[tokio::test(start_paused = true)]
async fn when_one_connection_is_lost_the_others_show_a_sign_of_life_before_they_are_used() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(3));
    let held = [pool.pool().acquire(None).await.unwrap(), pool.pool().acquire(None).await.unwrap()];
    drop(held);
    pool.execute(&other("anything"), &context()).await.unwrap();
    assert_eq!(Server::count(&server.pings), 0);
    pool.execute(&other("lose"), &context()).await.unwrap_err();
    // The other one is gone as well, and a write finds out before it is sent.
    server.dead.store(true, Ordering::SeqCst);
    tokio::time::advance(Duration::from_millis(1)).await;
    pool.execute(&other("write"), &context()).await.unwrap();
    assert_eq!(Server::count(&server.pings), 1);
    // One that was given back in the same moment is not told from one that was idle before.
    tokio::time::advance(Duration::from_millis(1)).await;
    pool.execute(&other("write"), &context()).await.unwrap();
    let pings = Server::count(&server.pings);
    pool.execute(&other("write"), &context()).await.unwrap();
    assert_eq!(Server::count(&server.pings), pings, "whoever has shown one is trusted");
}

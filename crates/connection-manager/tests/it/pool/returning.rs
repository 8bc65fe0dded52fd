//! A server that was silent and is back. Time is the runtime's, which goes on when nothing else is left to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::{
    Breaker, BreakerSettings, Circuit, Credentials, Endpoint, Keyring, Knock, Pool, PoolSettings,
};
use shared_kernel::database::DatabaseErrorKind;
use tokio::time::{Instant, sleep};

use super::fake::{Connect, FakeDriver, Server, run, settings};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
/// In which a server that is back is found.
const FOUND: Duration = Duration::from_secs(2);

fn silent(plan: impl IntoIterator<Item = Connect>) -> Arc<Server> {
    let server = Server::planned(plan);
    server.is(Knock::Silent);
    server
}

/// An endpoint whose logins have a password, so that one that is not answered is followed by a pause.
fn endpoint(breaker: &Breaker) -> Endpoint {
    let credentials =
        Credentials { username: "svc".to_owned(), password: "hunter2".to_owned().into(), version: "1".to_owned() };
    let keyring = Keyring::fixed("fake".parse().unwrap(), credentials);
    Endpoint { breaker: breaker.clone(), ..Endpoint::from(keyring) }
}

fn pool(server: &Arc<Server>, connect_timeout: Duration, endpoint: Endpoint) -> Pool<FakeDriver> {
    let limits = PoolSettings { connect_timeout, acquire_timeout: HOUR, ..settings(4) };
    Pool::new("fake".parse().unwrap(), limits, endpoint, FakeDriver(Arc::clone(server)))
}

#[tokio::test(start_paused = true)]
async fn a_login_sent_into_the_silence_is_begun_anew_when_the_server_is_back() {
    let server = silent([Connect::Hangs, Connect::Hangs]);
    let pool = pool(&server, HOUR, endpoint(&Breaker::always_closed()));
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(None).await.map(drop) }
    });
    sleep(MINUTE).await;
    assert_eq!((Server::count(&server.attempts), pool.stats().waiting), (1, 1));
    server.is(Knock::Answered);
    server.plan.lock().unwrap().clear();
    let back = Instant::now();
    waiting.await.unwrap().unwrap();
    assert!(back.elapsed() < FOUND, "{:?}", back.elapsed());
    assert_eq!((Server::count(&server.attempts), Server::count(&server.most_handshakes)), (2, 1));
    assert_eq!(pool.stats().open, 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_takes_long_at_a_server_that_answers_is_let_be() {
    let server = Server::planned([Connect::Hangs]);
    server.is(Knock::Answered);
    let pool = pool(&server, MINUTE, endpoint(&Breaker::always_closed()));
    let began = Instant::now();
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed()), (&DatabaseErrorKind::Unreachable, MINUTE));
    assert_eq!((Server::count(&server.attempts), Server::count(&server.knocks)), (1, 1));
    // The server may have been about to reject the password.
    let began = Instant::now();
    pool.acquire(None).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_pause_after_logins_into_the_silence_ends_with_it() {
    // A knock that comes to nothing, as names are not looked up, is followed by a return as well.
    for nothing in [Knock::Silent, Knock::Failed] {
        let server = silent([Connect::Hangs]);
        server.is(nothing);
        let pool = pool(&server, Duration::from_secs(1), endpoint(&Breaker::always_closed()));
        assert_eq!(*pool.acquire(None).await.unwrap_err().kind(), DatabaseErrorKind::Unreachable);
        let error = pool.acquire(None).await.unwrap_err();
        assert!(error.retry_after().is_some_and(|pause| pause > FOUND), "{error:?}");
        server.is(Knock::Answered);
        sleep(FOUND).await;
        pool.acquire(None).await.unwrap();
        assert_eq!(Server::count(&server.attempts), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_the_watch_ends_with_the_silence_if_callers_came_meanwhile() {
    let hanging = (0..8).map(|_| Connect::Hangs);
    let server = silent(hanging);
    let pool = pool(&server, Duration::from_secs(1), endpoint(&Breaker::always_closed()));
    // Until the pauses have become long.
    while pool.acquire(None).await.unwrap_err().retry_after().is_none_or(|pause| pause < MINUTE * 4) {
        sleep(FOUND).await;
    }
    sleep(MINUTE).await;
    let knocks = Server::count(&server.knocks);
    sleep(MINUTE / 2).await;
    assert_eq!(Server::count(&server.knocks), knocks, "nobody has asked for a minute");
    server.is(Knock::Answered);
    server.plan.lock().unwrap().clear();
    assert!(pool.acquire(None).await.is_err(), "nobody has noticed yet");
    sleep(FOUND).await;
    pool.acquire(None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_circuit_lets_probes_pass_when_the_server_is_back() {
    let server = silent([Connect::Hangs]);
    let breaker = Breaker::new("db:1", BreakerSettings { failures: 1, open_for: HOUR, open_for_max: HOUR, probes: 2 });
    let pool = pool(&server, Duration::from_secs(1), endpoint(&breaker));
    assert!(pool.acquire(None).await.is_err());
    assert_eq!(breaker.circuit(), Circuit::Open);
    sleep(FOUND).await;
    assert_eq!(*pool.acquire(None).await.unwrap_err().kind(), DatabaseErrorKind::CircuitOpen);
    server.is(Knock::Answered);
    sleep(FOUND).await;
    assert_eq!(breaker.circuit(), Circuit::Open, "nobody has logged in yet");
    pool.acquire(None).await.unwrap().ping(connection_manager::pool::Deadline::default()).await.unwrap();
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn one_knocks_for_all_who_wait_and_nobody_when_none_does() {
    let server = silent((0..100).map(|_| Connect::Hangs));
    let breaker = Breaker::always_closed();
    let pools: Vec<_> = (0..4).map(|_| pool(&server, MINUTE, endpoint(&breaker))).collect();
    for pool in pools.iter().cycle().take(40) {
        let pool = pool.clone();
        tokio::spawn(async move { pool.acquire(Some(Instant::now() + MINUTE)).await.map(drop) });
    }
    sleep(MINUTE / 2).await;
    let knocks = Server::count(&server.knocks);
    assert!((50..=200).contains(&knocks), "{knocks} in half a minute, each of which fails at once");
    sleep(MINUTE * 2).await;
    assert_eq!(Server::count(&server.handshakes), 0, "who waited has gone, and so have the logins");
    let knocks = Server::count(&server.knocks);
    sleep(MINUTE).await;
    assert_eq!(Server::count(&server.knocks), knocks);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_gone_is_not_kept_by_the_watch() {
    let server = silent([Connect::Hangs]);
    let pool = pool(&server, Duration::from_secs(1), endpoint(&Breaker::always_closed()));
    pool.acquire(None).await.unwrap_err();
    drop(pool);
    sleep(FOUND).await;
    let knocks = Server::count(&server.knocks);
    sleep(MINUTE).await;
    assert_eq!((Server::count(&server.knocks), Arc::strong_count(&server)), (knocks, 1));
}

/// A circuit that would take very many failures to open.
fn patient() -> Breaker {
    Breaker::new("db:1", BreakerSettings { failures: 1000, open_for: HOUR, open_for_max: HOUR, probes: 2 })
}

/// A pool that has logged in, and then nobody answers a knock.
async fn dead(server: &Arc<Server>, breaker: &Breaker) -> Pool<FakeDriver> {
    let pool = pool(server, HOUR, endpoint(breaker));
    drop(pool.acquire(None).await.unwrap());
    pool.retire();
    server.plan.lock().unwrap().extend([Connect::Hangs, Connect::Hangs]);
    server.is(Knock::Silent);
    pool
}

#[tokio::test(start_paused = true)]
async fn two_knocks_without_an_answer_open_the_circuit_of_a_server_that_was_quick() {
    for hang in [false, true] {
        let (server, breaker) = (Arc::new(Server::default()), patient());
        let pool = dead(&server, &breaker).await;
        server.knocks_hang.store(hang, Ordering::SeqCst);
        // Who waits is told as well.
        let error = pool.acquire(None).await.unwrap_err();
        assert_eq!((error.kind(), breaker.circuit()), (&DatabaseErrorKind::CircuitOpen, Circuit::Open), "{error}");
        assert_eq!((Server::count(&server.knocks), Server::count(&server.handshakes)), (2, 1));
        assert_eq!(*pool.acquire(None).await.unwrap_err().kind(), DatabaseErrorKind::CircuitOpen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_far_away_is_not_taken_for_dead() {
    let server = Arc::new(Server { connect_takes: Duration::from_secs(3), ..Server::default() });
    let breaker = patient();
    let pool = dead(&server, &breaker).await;
    server.knocks_hang.store(true, Ordering::SeqCst);
    let late = pool.acquire(Some(Instant::now() + MINUTE)).await.unwrap_err();
    assert_eq!((late.kind(), breaker.circuit()), (&DatabaseErrorKind::Saturated, Circuit::Closed), "{late}");
    assert!(Server::count(&server.knocks) > 10);
}

#[tokio::test(start_paused = true)]
async fn a_knock_that_came_to_nothing_says_nothing_of_the_server() {
    let (server, breaker) = (Arc::new(Server::default()), patient());
    let pool = dead(&server, &breaker).await;
    server.is(Knock::Failed);
    let late = pool.acquire(Some(Instant::now() + MINUTE)).await.unwrap_err();
    assert_eq!((late.kind(), breaker.circuit()), (&DatabaseErrorKind::Saturated, Circuit::Closed), "{late}");
    assert!(Server::count(&server.knocks) > 10, "it is watched on");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_statements_is_not_taken_for_dead() {
    let (server, breaker) = (Arc::new(Server::default()), patient());
    let pool = pool(&server, HOUR, endpoint(&breaker));
    let mut held = pool.acquire(None).await.unwrap();
    server.plan.lock().unwrap().push_back(Connect::Hangs);
    server.is(Knock::Silent);
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(Some(Instant::now() + MINUTE)).await.map(drop) }
    });
    while Server::count(&server.knocks) < 10 {
        run(&mut held, "anything").await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((breaker.circuit(), pool.stats().waiting), (Circuit::Closed, 1));
    waiting.abort();
}

/// All connections are busy with statements that are not answered, so that nobody logs in.
#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_for_a_connection_has_the_server_asked() {
    let (server, breaker) = (Arc::new(Server::default()), patient());
    let limits = PoolSettings { acquire_timeout: MINUTE, ..settings(1) };
    let pool = Pool::new("fake".parse().unwrap(), limits, endpoint(&breaker), FakeDriver(Arc::clone(&server)));
    let mut held = pool.acquire(None).await.unwrap();
    let hanging = tokio::spawn(async move { run(&mut held, "hang").await });
    server.is(Knock::Answered);
    // A busy server is asked once for each, and after a while not at all: it may count those who leave without a login.
    for _ in 0..15 {
        assert_eq!(*pool.acquire(None).await.unwrap_err().kind(), DatabaseErrorKind::Saturated);
    }
    assert_eq!((Server::count(&server.knocks), breaker.circuit()), (10, Circuit::Closed));
    hanging.abort();

    let mut held = pool.acquire(None).await.unwrap();
    let hanging = tokio::spawn(async move { run(&mut held, "hang").await });
    server.knocks_hang.store(true, Ordering::SeqCst);
    server.is(Knock::Silent);
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!((error.kind(), breaker.circuit()), (&DatabaseErrorKind::CircuitOpen, Circuit::Open), "{error}");
    assert_eq!(Server::count(&server.knocks), 12);
    hanging.abort();
}

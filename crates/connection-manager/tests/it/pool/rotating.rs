//! New credentials reach a pool whose every step can be counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::{Credentials, Driver as _, Pool, PoolSettings};
use tokio::time::sleep;

use super::fake::{FakeDriver, Server, rotating_pool, run, settings, until};
use crate::rotation::source::Stages;

/// Longer than it takes to ask the source and to replace a handful of connections.
const LONG: Duration = Duration::from_mins(2);

fn version(version: &str) -> Credentials {
    Credentials { username: format!("svc-{version}"), password: version.into(), version: version.to_owned() }
}

/// A server that lets the version `one` in, and a pool with all its connections open and idle.
async fn filled(min: u32, max: u32) -> (Arc<Server>, Arc<Stages>, Pool<FakeDriver>) {
    let server = Arc::new(Server::default());
    server.accept("one");
    let source = Arc::new(Stages::current(version("one")));
    let pool = rotating_pool(&server, PoolSettings { min, ..settings(max) }, &source);
    until(|| pool.stats().idle == min).await;
    server.fewest_open.store(u32::MAX, Ordering::SeqCst);
    (server, source, pool)
}

/// The server wants `two` from now on, and the source says so.
fn rotate(server: &Server, source: &Stages) {
    server.accept("two");
    source.prepare(version("two"));
    source.promote();
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_goes_after_its_replacement_has_come() {
    let (server, source, pool) = filled(3, 5).await;
    rotate(&server, &source);
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "one", "one", "two", "two", "two"], "none is rejected, none is replaced twice");
    assert_eq!((pool.stats().open, pool.stats().idle), (3, 3));
    assert_eq!(Server::count(&server.fewest_open), 3);
    assert_eq!(Server::count(&server.most_open), 4);
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_one_connection_at_a_time_is_missing() {
    let (server, source, pool) = filled(3, 3).await;
    rotate(&server, &source);
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "one", "one", "two", "two", "two"]);
    assert_eq!((pool.stats().open, pool.stats().idle), (3, 3));
    assert_eq!(Server::count(&server.fewest_open), 2);
    assert_eq!(Server::count(&server.most_open), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pending_version_that_is_wanted_already_replaces_the_old_ones_too() {
    let (server, source, pool) = filled(2, 4).await;
    server.accept("two");
    source.prepare(version("two"));
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "one"], "the current version is the one in use");
    // A new connection is wanted, and so the server is asked.
    let leases = [pool.acquire(None).await.unwrap(), pool.acquire(None).await.unwrap()];
    let third = pool.acquire(None).await.unwrap();
    drop((leases, third));
    sleep(LONG).await;
    let logins = server.logins();
    assert_eq!(logins[..4], ["one", "one", "one", "two"], "rejected once, then the pending one");
    assert!(logins[4..].iter().all(|version| version == "two"), "{logins:?}");
    assert_eq!(logins.len(), 6, "{logins:?}");
    source.promote();
    sleep(LONG).await;
    assert_eq!(server.logins().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_connection_in_use_serves_on_and_goes_when_it_comes_back() {
    let (server, source, pool) = filled(1, 2).await;
    let mut lease = pool.acquire(None).await.unwrap();
    rotate(&server, &source);
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "two"]);
    assert_eq!(run(&mut lease, "which").await.unwrap(), 1);
    drop(lease);
    until(|| Server::count(&server.open) == 1).await;
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "two"], "its replacement was there already");
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_an_old_connection_rather_than_none() {
    let (server, source, pool) = filled(1, 1).await;
    let lease = pool.acquire(None).await.unwrap();
    rotate(&server, &source);
    let outside = FakeDriver(Arc::new(Server::default()));
    let attempt = |credentials: Arc<Credentials>| {
        let outside = &outside;
        async move { outside.connect(&credentials).await }
    };
    assert_eq!(pool.keyring().login(Duration::from_secs(5), attempt).await.unwrap().generation, 2);
    let waiter = tokio::spawn({
        let pool = pool.clone();
        async move { run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap() }
    });
    until(|| pool.stats().waiting == 1).await;
    drop(lease);
    assert_eq!(waiter.await.unwrap(), 1);
    sleep(LONG).await;
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
    assert_eq!(server.logins(), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_server_does_not_know_costs_one_login_and_no_connection() {
    let (server, source, pool) = filled(2, 4).await;
    source.prepare(version("two"));
    source.promote();
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "one", "two", "one"]);
    assert_eq!(Server::count(&server.fewest_open), u32::MAX, "none has gone");
    assert!(pool.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_costs_the_open_connections_nothing() {
    let (server, source, pool) = filled(2, 4).await;
    let unreachable = || super::fake::Connect::Fails(shared_kernel::database::DatabaseErrorKind::Unreachable);
    server.plan.lock().unwrap().extend([unreachable(), unreachable()]);
    rotate(&server, &source);
    sleep(LONG).await;
    assert_eq!(server.logins(), ["one", "one", "two", "two", "two", "two"], "tried until it is back");
    assert_eq!(Server::count(&server.fewest_open), 2);
    assert_eq!(pool.stats().open, 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_says_nothing_holds_up_nothing() {
    let (server, source, pool) = filled(1, 3).await;
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(pool.acquire(None).await.unwrap());
    }
    source.silent.store(true, Ordering::SeqCst);
    drop(leases);
    sleep(Duration::from_mins(12)).await;
    assert_eq!(pool.stats().open, 1, "what nobody needs is closed");
    let asked = source.questions.load(Ordering::SeqCst);
    sleep(LONG).await;
    assert!(source.questions.load(Ordering::SeqCst) > asked, "the source is asked again");
    drop(pool);
    until(|| Server::count(&server.open) == 0).await;
}

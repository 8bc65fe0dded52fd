use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::PoolSettings;
use tokio::time::{advance, sleep};

use super::fake::{Server, pool, run, settings, until};

#[tokio::test(start_paused = true)]
async fn a_connection_is_asked_for_a_sign_of_life_only_after_a_rest() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, PoolSettings { validate_after: Duration::from_secs(30), ..settings(1) });
    drop(pool.acquire(None).await.unwrap());
    drop(pool.acquire(None).await.unwrap());
    assert_eq!(Server::count(&server.pings), 0);
    advance(Duration::from_secs(31)).await;
    drop(pool.acquire(None).await.unwrap());
    assert_eq!(Server::count(&server.pings), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_died_at_rest_is_replaced_unnoticed() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    drop(pool.acquire(None).await.unwrap());
    advance(Duration::from_secs(31)).await;
    server.dead.store(true, Ordering::SeqCst);
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_that_nobody_needs_are_closed_down_to_the_minimum() {
    let server = Arc::new(Server::default());
    let limits = PoolSettings { min: 1, idle_timeout: Some(Duration::from_mins(1)), max_lifetime: None, ..settings(5) };
    let pool = pool(&server, limits);
    let mut leases = Vec::new();
    for _ in 0..5 {
        leases.push(pool.acquire(None).await.unwrap());
    }
    drop(leases);
    assert_eq!(pool.stats().idle, 5);
    sleep(Duration::from_mins(2)).await;
    until(|| pool.stats().open == 1).await;
    assert_eq!(Server::count(&server.open), 1);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_is_opened_before_anybody_asks() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, PoolSettings { min: 3, ..settings(5) });
    sleep(Duration::from_mins(3)).await;
    until(|| pool.stats().idle == 3).await;
    assert_eq!(Server::count(&server.attempts), 3);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_is_opened_at_a_stretch() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, PoolSettings { min: 10, ..settings(20) });
    // Time stands still while this waits.
    until(|| pool.stats().idle == 10).await;
    assert_eq!(Server::count(&server.attempts), 10);
    assert_eq!(Server::count(&server.most_handshakes), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_replaced() {
    let server = Arc::new(Server::default());
    let limits = PoolSettings { max_lifetime: Some(Duration::from_mins(10)), idle_timeout: None, ..settings(1) };
    let pool = pool(&server, limits);
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 1);
    advance(Duration::from_mins(12)).await;
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
    until(|| Server::count(&server.open) == 1).await;
    assert!(server.logged().contains(&"1: goodbye".to_owned()), "{:?}", server.logged());
}

#[tokio::test]
async fn dropping_the_pool_closes_what_is_idle() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(2));
    drop(pool.acquire(None).await.unwrap());
    drop(pool);
    until(|| Server::count(&server.open) == 0).await;
}

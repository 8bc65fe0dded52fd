use std::sync::Arc;
use std::time::Duration;

use connection_manager::PoolSettings;
use shared_kernel::database::DatabaseErrorKind;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fake::{Connect, Server, pool, run, settings, until};

#[tokio::test]
async fn a_failed_attempt_is_told_with_its_cause_and_costs_no_place() {
    let server = Server::planned([Connect::Fails(DatabaseErrorKind::Unreachable)]);
    let pool = pool(&server, settings(1));
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Unreachable);
    assert_eq!(error.message(), "attempt 1 was refused");
    assert!(!pool.is_connected());
    assert_eq!(pool.stats().open, 0);
    pool.acquire(None).await.unwrap();
    assert!(pool.is_connected());
}

#[tokio::test]
async fn each_failed_attempt_is_told_to_one_caller() {
    let failures = (0..3).map(|_| Connect::Fails(DatabaseErrorKind::Unreachable));
    let server = Server::planned(failures);
    let pool = pool(&server, settings(1));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.acquire(None).await.map(drop) })
        })
        .collect();
    let mut refused = 0;
    for caller in callers {
        refused += u32::from(caller.await.unwrap().is_err());
    }
    assert_eq!((refused, Server::count(&server.attempts)), (3, 4));
}

#[tokio::test]
async fn a_rejected_login_is_told_to_everybody_and_not_repeated_for_each() {
    let server = Server::gated();
    server.plan.lock().unwrap().extend((0..50).map(|_| Connect::Fails(DatabaseErrorKind::AuthRejected)));
    let pool = pool(&server, settings(10));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.acquire(None).await.map(drop) })
        })
        .collect();
    until(|| pool.stats().waiting == 50).await;
    server.let_in(50);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::AuthRejected);
    }
    assert!(Server::count(&server.attempts) <= 2, "{}", Server::count(&server.attempts));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_first_connection_is_not_tried_with_more() {
    let server = Server::planned([Connect::Fails(DatabaseErrorKind::AuthRejected), Connect::Hangs]);
    let pool = pool(&server, PoolSettings { min: 10, ..settings(20) });
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::AuthRejected);
    assert_eq!(Server::count(&server.attempts), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up() {
    let server = Server::planned([Connect::Hangs]);
    let limits = PoolSettings { connect_timeout: Duration::from_millis(300), ..settings(1) };
    let pool = pool(&server, limits);
    let began = Instant::now();
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Unreachable);
    assert_eq!(began.elapsed(), Duration::from_millis(300));
    assert_eq!(Server::count(&server.handshakes), 0);
    pool.acquire(None).await.unwrap();
}

#[tokio::test]
async fn a_driver_that_panics_takes_no_place_along() {
    let server = Server::planned([Connect::Panics]);
    let pool = pool(&server, settings(1));
    assert_eq!(pool.acquire(None).await.unwrap_err().kind(), &DatabaseErrorKind::Unreachable);
    assert_eq!(pool.stats().open, 0);
    pool.acquire(None).await.unwrap();
}

#[tokio::test]
async fn two_handshakes_at_most_are_under_way() {
    let server = Server::gated();
    let pool = pool(&server, settings(10));
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut lease = pool.acquire(None).await.unwrap();
                run(&mut lease, "which").await.unwrap();
                lease
            })
        })
        .collect();
    until(|| pool.stats().waiting == 10).await;
    server.let_in(10);
    let mut leases = Vec::new();
    for caller in callers {
        leases.push(caller.await.unwrap());
    }
    assert_eq!(pool.stats().in_use, 10);
    assert_eq!(Server::count(&server.most_handshakes), 2);
}

#[tokio::test]
async fn what_was_opened_with_old_credentials_is_not_handed_out_after_they_were_retired() {
    let server = Server::gated();
    let pool = pool(&server, settings(1));
    let caller = tokio::spawn({
        let pool = pool.clone();
        async move { run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap() }
    });
    until(|| Server::count(&server.handshakes) == 1).await;
    // The attempt began before; that it ends after does not make it new.
    pool.retire();
    server.let_in(2);
    assert_eq!(caller.await.unwrap(), 2);
}

#[tokio::test]
async fn a_connection_in_use_is_closed_when_it_comes_back_after_retirement() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(2));
    let mut held = pool.acquire(None).await.unwrap();
    drop(pool.acquire(None).await.unwrap());
    pool.retire();
    run(&mut held, "anything").await.unwrap();
    drop(held);
    until(|| pool.stats().open == 0).await;
    assert_eq!(Server::count(&server.open), 0);
}

/// Connects take 150 ms and statements 2 ms. By the time the first two connections are there, these can serve everybody
/// before more would be.
#[tokio::test(start_paused = true)]
async fn a_burst_of_callers_is_served_by_a_few_connections() {
    let server = Arc::new(Server {
        connect_takes: Duration::from_millis(150),
        statement_takes: Duration::from_millis(2),
        ..Server::default()
    });
    let pool = pool(&server, settings(50));
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let pool = pool.clone();
        callers.spawn(async move { run(&mut pool.acquire(None).await.unwrap(), "anything").await.unwrap() });
    }
    callers.join_all().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let stats = pool.stats();
    assert!(stats.open <= 6, "{stats:?}");
    assert_eq!(u64::from(stats.open), stats.opened_total);
    assert_eq!(stats.open, Server::count(&server.most_open));
}

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use connection_manager::pool::Deadline;
use sea_query::Values;
use shared_kernel::database::{DatabaseErrorKind, Rendered};

use super::fake::{Server, pool, run, settings, until};

/// Polls a call `polls` times, letting the pool's own tasks run in between, and drops it wherever it is by then.
async fn abandon_after(polls: u32, call: impl Future) -> bool {
    let mut call = pin!(call);
    for _ in 0..polls {
        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn no_place_is_lost_wherever_a_caller_gives_up() {
    for max in [1, 3] {
        let server = Arc::new(Server::default());
        let pool = pool(&server, settings(max));
        let mut finished = false;
        for polls in 0..20 {
            for busy in 0..=max {
                let held: Vec<_> = {
                    let mut held = Vec::new();
                    for _ in 0..busy {
                        held.push(pool.acquire(None).await.unwrap());
                    }
                    held
                };
                let call = async {
                    let mut lease = pool.acquire(None).await.unwrap();
                    run(&mut lease, "anything").await.unwrap();
                };
                finished |= abandon_after(polls, call).await;
                drop(held);
                until(|| pool.stats().in_use == 0 && pool.stats().waiting == 0).await;
            }
        }
        assert!(finished, "some of the calls run to their end");
        let mut all = Vec::new();
        for _ in 0..max {
            let mut lease = pool.acquire(None).await.unwrap();
            run(&mut lease, "anything").await.unwrap();
            all.push(lease);
        }
        assert_eq!(pool.stats().in_use, max);
        assert!(Server::count(&server.most_open) <= max);
    }
}

#[tokio::test]
async fn a_connection_sent_to_a_caller_who_has_gone_goes_to_the_next() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let held = pool.acquire(None).await.unwrap();
    {
        let mut gone = pin!(pool.acquire(None));
        assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // The connection is handed to this caller, who never looks.
        drop(held);
        assert_eq!(pool.stats().idle, 0);
    }
    assert_eq!(pool.stats().idle, 1);
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 1);
}

#[tokio::test]
async fn a_statement_dropped_half_way_takes_its_connection_along() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    assert!(!abandon_after(3, run(&mut lease, "hang")).await);
    assert_eq!(Server::count(&server.open), 0, "the session went with the statement's future");
    assert_eq!(run(&mut lease, "anything").await.unwrap_err().kind(), &DatabaseErrorKind::Unreachable);
    drop(lease);
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
}

#[tokio::test]
async fn a_lost_connection_is_replaced_and_a_refused_statement_keeps_its_own() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    run(&mut pool.acquire(None).await.unwrap(), "refuse").await.unwrap_err();
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 1);
    run(&mut pool.acquire(None).await.unwrap(), "lose").await.unwrap_err();
    assert!(!pool.is_connected());
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 2);
    assert!(pool.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_statement_and_its_connection() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    let statement = Rendered { sql: "hang".to_owned(), values: Values(Vec::new()) };
    let error = lease.execute(Deadline::within(Duration::from_millis(50)), statement).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Timeout);
    assert_eq!(Server::count(&server.open), 0);
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing_and_keeps_the_connection() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    let statement = Rendered { sql: "anything".to_owned(), values: Values(Vec::new()) };
    let error = lease.execute(Deadline::within(Duration::ZERO), statement).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Timeout);
    assert_eq!(server.logged(), Vec::<String>::new());
    assert_eq!(run(&mut lease, "which").await.unwrap(), 1);
}

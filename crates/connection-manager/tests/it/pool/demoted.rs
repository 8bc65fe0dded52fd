use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::pool::Deadline;
use shared_kernel::database::{DatabaseErrorKind, TransactionMode};

use super::fake::{Server, pool, run, settings, until};

const TICK: Duration = Duration::from_millis(1);

fn demoted() -> Arc<Server> {
    let server = Server::default();
    server.demoted.store(true, Ordering::SeqCst);
    Arc::new(server)
}

#[tokio::test(start_paused = true)]
async fn a_demoted_server_loses_the_whole_pool_at_once() {
    let server = demoted();
    let pool = pool(&server, settings(4));
    let (mut writing, mut busy, idle) =
        (pool.acquire(None).await.unwrap(), pool.acquire(None).await.unwrap(), pool.acquire(None).await.unwrap());
    drop(idle);
    // Who connects from now on meets the new primary.
    server.demoted.store(false, Ordering::SeqCst);
    let error = run(&mut writing, "write").await.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget);
    assert!(error.retry_after().is_some(), "{error:?}");
    drop(writing);
    until(|| Server::count(&server.open) == 1).await;

    // Another caller's complaint about the old server is nothing new.
    run(&mut busy, "write").await.unwrap_err();
    drop(busy);
    until(|| Server::count(&server.open) == 0).await;
    for _ in 0..3 {
        run(&mut pool.acquire(None).await.unwrap(), "write").await.unwrap();
    }
    assert_eq!(Server::count(&server.attempts), 4, "one new connection serves on");
}

#[tokio::test(start_paused = true)]
async fn as_long_as_the_address_leads_there_connections_are_renewed_at_a_pace() {
    let server = demoted();
    let pool = pool(&server, settings(1));
    // Ten seconds of a write each millisecond.
    for _ in 0..10_000 {
        let error = run(&mut pool.acquire(None).await.unwrap(), "write").await.unwrap_err();
        assert!(error.retry_after().is_some(), "{error:?}");
        tokio::time::sleep(TICK).await;
    }
    // At the beginning and after 0.25, 0.75, 1.75, 3.75 and 7.75 s.
    assert_eq!(Server::count(&server.attempts), 1 + 6);
    // What only reads goes on meanwhile.
    run(&mut pool.acquire(None).await.unwrap(), "read").await.unwrap();
}

#[tokio::test]
async fn a_caller_who_wants_to_read_and_writes_has_made_a_mistake() {
    let server = demoted();
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    lease.begin(Deadline::default(), TransactionMode::ReadOnly).await.unwrap();
    let error = run(&mut lease, "write").await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (&DatabaseErrorKind::ReadOnlyTarget, None));
    lease.rollback(Deadline::default()).await.unwrap();
    drop(lease);
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 1, "the pool is as before");

    // A session may have been told to read only by its caller's own statements.
    let mut session = pool.acquire(None).await.unwrap();
    session.spoil();
    assert_eq!(run(&mut session, "write").await.unwrap_err().retry_after(), None);
}

#[tokio::test]
async fn the_transaction_after_one_for_reading_is_judged_by_itself() {
    let server = demoted();
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    for mode in [TransactionMode::ReadOnly, TransactionMode::ReadWrite] {
        lease.begin(Deadline::default(), mode).await.unwrap();
        let error = run(&mut lease, "write").await.unwrap_err();
        assert_eq!(error.retry_after().is_some(), mode == TransactionMode::ReadWrite);
        lease.rollback(Deadline::default()).await.unwrap();
    }
}

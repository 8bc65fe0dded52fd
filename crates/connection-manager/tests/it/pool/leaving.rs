//! The server is told of callers who leave in the middle of a statement.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connection_manager::Pool;
use connection_manager::pool::Deadline;
use sea_query::Values;
use shared_kernel::database::{DatabaseErrorKind, Rendered};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::fake::{Connect, FakeDriver, Server, pool, run, settings, until};

fn listening() -> Arc<Server> {
    let server = Server::default();
    server.listens.store(true, Ordering::SeqCst);
    Arc::new(server)
}

fn cancelled(server: &Server) -> Vec<u64> {
    server.cancelled.lock().unwrap().clone()
}

/// Callers in the middle of statements that never end.
async fn hanging(server: &Server, pool: &Pool<FakeDriver>, callers: usize) -> JoinSet<()> {
    let before = server.logged().len();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let pool = pool.clone();
        tasks.spawn(async move { drop(run(&mut pool.acquire(None).await.unwrap(), "hang").await) });
    }
    until(|| server.logged().len() == before + callers).await;
    tasks
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_ended_at_the_server() {
    let server = listening();
    let pool = pool(&server, settings(1));
    hanging(&server, &pool, 1).await.shutdown().await;
    until(|| cancelled(&server) == [1]).await;
    assert!(Server::count(&server.open) <= 1, "at most the connection to cancel over is left");
}

#[tokio::test(start_paused = true)]
async fn a_call_past_its_deadline_is_ended_at_the_server() {
    let server = listening();
    let pool = pool(&server, settings(1));
    let mut lease = pool.acquire(None).await.unwrap();
    let statement = Rendered { sql: "hang".to_owned(), values: Values(Vec::new()) };
    let error = lease.execute(Deadline::within(Duration::from_millis(50)), statement).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Timeout);
    until(|| cancelled(&server) == [1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_answered_is_not() {
    let server = listening();
    let pool = pool(&server, settings(1));
    run(&mut pool.acquire(None).await.unwrap(), "anything").await.unwrap();
    run(&mut pool.acquire(None).await.unwrap(), "refuse").await.unwrap_err();
    run(&mut pool.acquire(None).await.unwrap(), "lose").await.unwrap_err();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(cancelled(&server), [0; 0]);
    assert_eq!(Server::count(&server.attempts), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_who_leave_cost_one_login() {
    let server = listening();
    let pool = pool(&server, settings(100));
    for round in 1..=10 {
        hanging(&server, &pool, 100).await.shutdown().await;
        until(|| cancelled(&server).len() == round * 100).await;
    }
    assert_eq!(Server::count(&server.attempts), 1_001);
    let mut all = cancelled(&server);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1_000, "each was told once");
    assert_eq!(pool.stats().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn the_connection_to_cancel_over_goes_when_nobody_leaves_for_a_while() {
    let server = listening();
    let pool = pool(&server, settings(1));
    hanging(&server, &pool, 1).await.shutdown().await;
    until(|| cancelled(&server) == [1]).await;
    sleep(Duration::from_secs(10)).await;
    until(|| Server::count(&server.open) == 0).await;
    assert_eq!(server.logged().last().unwrap(), "2: goodbye");
    hanging(&server, &pool, 1).await.shutdown().await;
    until(|| cancelled(&server) == [1, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lets_nobody_in_is_not_pressed() {
    let server = listening();
    let pool = pool(&server, settings(20));
    let mut callers = hanging(&server, &pool, 20).await;
    server.plan.lock().unwrap().push_back(Connect::Fails(DatabaseErrorKind::Unreachable));
    callers.shutdown().await;
    until(|| Server::count(&server.attempts) == 21).await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!((Server::count(&server.attempts), cancelled(&server)), (21, Vec::new()));
    assert_eq!(run(&mut pool.acquire(None).await.unwrap(), "which").await.unwrap(), 22);
}

#[tokio::test(start_paused = true)]
async fn a_close_waits_until_the_server_knows_what_was_cut() {
    let server = listening();
    let pool = pool(&server, settings(3));
    let mut callers = hanging(&server, &pool, 3).await;
    let report = pool.close(Duration::ZERO).await;
    assert_eq!(report.cut, 3);
    let mut told = cancelled(&server);
    told.sort_unstable();
    assert_eq!(told, [1, 2, 3]);
    while callers.join_next().await.is_some() {}
    until(|| Server::count(&server.open) == 0).await;
    assert_eq!(cancelled(&server).len(), 3, "each was told once");
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_dropped_waits_for_nobody() {
    let server = listening();
    let pool = pool(&server, settings(2));
    let idle = pool.acquire(None).await.unwrap();
    hanging(&server, &pool, 1).await.shutdown().await;
    drop(idle);
    until(|| cancelled(&server) == [2]).await;
    drop(pool);
    until(|| Server::count(&server.open) == 1).await;
    sleep(Duration::from_secs(10)).await;
    until(|| Server::count(&server.open) == 0).await;
}

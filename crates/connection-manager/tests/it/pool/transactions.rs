use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseErrorKind, RawStatement, SqlExecutor, Statement, TransactionMode,
};
use tokio::time::Instant;

use super::fake::{Server, settings, sql_pool, until};

fn statement(text: &'static str) -> Statement {
    RawStatement::everywhere("TEST", text).into()
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_before_anybody_else_gets_its_connection() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    let transaction = pool.begin(TransactionMode::ReadWrite, &context).await.unwrap();
    transaction.execute(&statement("write"), &context).await.unwrap();
    drop(transaction);
    pool.execute(&statement("next"), &context).await.unwrap();
    assert_eq!(server.logged(), ["1: begin ReadWrite", "1: write", "1: rollback", "1: next"]);
}

#[tokio::test]
async fn a_connection_whose_rollback_failed_is_closed() {
    let server = Arc::new(Server::default());
    server.rollback_fails.store(true, Ordering::SeqCst);
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    drop(pool.begin(TransactionMode::ReadWrite, &context).await.unwrap());
    assert_eq!(pool.execute(&statement("which"), &context).await.unwrap(), 2);
    assert_eq!(server.logged(), ["1: begin ReadWrite", "1: rollback", "1: goodbye", "2: which"]);
}

#[tokio::test]
async fn a_committed_transaction_gives_its_connection_back() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    let transaction = pool.begin(TransactionMode::ReadOnly, &context).await.unwrap();
    transaction.commit(&context).await.unwrap();
    assert_eq!(pool.execute(&statement("which"), &context).await.unwrap(), 1);
    assert_eq!(server.logged(), ["1: begin ReadOnly", "1: commit", "1: which"]);
}

#[test]
fn a_transaction_dropped_where_no_runtime_is_left_costs_its_connection() {
    let server = Arc::new(Server::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let context = RequestContext::system();
    let (pool, transaction) = runtime.block_on(async {
        let pool = sql_pool(&server, settings(1));
        let transaction = pool.begin(TransactionMode::ReadWrite, &context).await.unwrap();
        (pool, transaction)
    });
    drop(runtime);
    drop(transaction);
    assert_eq!(Server::count(&server.open), 0, "closing the connection undoes the changes too");
    assert_eq!((pool.stats().open, pool.stats().in_use), (0, 0));
}

#[tokio::test]
async fn a_session_is_closed_when_it_ends() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    let mut session = pool.session(&context).await.unwrap();
    session.execute(&statement("lock"), &context).await.unwrap();
    session.begin(TransactionMode::ReadWrite, &context).await.unwrap().commit(&context).await.unwrap();
    drop(session.begin(TransactionMode::ReadWrite, &context).await.unwrap());
    session.execute(&statement("after"), &context).await.unwrap();
    // Not even released: dropping it must do.
    drop(session);
    assert_eq!(pool.execute(&statement("which"), &context).await.unwrap(), 2);
    let expected = [
        "1: lock",
        "1: begin ReadWrite",
        "1: commit",
        "1: begin ReadWrite",
        "1: rollback",
        "1: after",
        "1: goodbye",
        "2: which",
    ];
    assert_eq!(server.logged(), expected);
}

#[tokio::test]
async fn a_scripts_connection_is_not_used_again() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    pool.run_script("set something", &context).await.unwrap();
    assert_eq!(pool.execute(&statement("which"), &context).await.unwrap(), 2);
    until(|| Server::count(&server.open) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_another_statement_of_the_same_transaction_is_answered_at_the_own_deadline() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let patient = RequestContext::system();
    let transaction = pool.begin(TransactionMode::ReadWrite, &patient).await.unwrap();
    let hang = statement("hang");
    let mut first = transaction.execute(&hang, &patient);
    assert!(futures_util::poll!(&mut first).is_pending());
    let began = Instant::now();
    let impatient = RequestContext::system().within(Duration::from_millis(50));
    let error = transaction.execute(&statement("next"), &impatient).await.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(!server.logged().contains(&"1: next".to_owned()), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn the_rollback_before_a_statement_counts_against_its_deadline() {
    let server = Arc::new(Server::default());
    let pool = sql_pool(&server, settings(1));
    let context = RequestContext::system();
    let mut session = pool.session(&context).await.unwrap();
    drop(session.begin(TransactionMode::ReadWrite, &context).await.unwrap());
    server.rollback_hangs.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let impatient = RequestContext::system().within(Duration::from_millis(50));
    let error = session.execute(&statement("next"), &impatient).await.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(session);
    until(|| pool.stats().open == 0).await;
}

use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseErrorKind, TransactionMode};

use super::Target;
use super::target::{answer, context, refused};
use super::transactions::{count_items, insert_item, items};
use crate::proxy::Traffic;
use crate::{eventually, eventually_some};

const SOON: Duration = Duration::from_secs(10);

/// A server that goes down is `Unreachable`; when it is back, the same connection serves on.
pub async fn a_restarted_server_is_reached_again(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    let connection = target.open_with(settings).await;
    target.assert_serves(&connection, 1).await;
    proxy.set(Traffic::Refuse).await;
    for _ in 0..3 {
        refused(target.ask(&connection, 1, &context()).await, &DatabaseErrorKind::Unreachable);
    }
    assert!(!connection.is_connected());
    refused(connection.ping(&context()).await, &DatabaseErrorKind::Unreachable);
    proxy.set(Traffic::Pass).await;
    eventually_some(SOON, || async { target.ask(&connection, 2, &context()).await.ok() }).await;
    assert!(connection.is_connected());
    assert_eq!(connection.stats().in_use, 0);
}

/// A connection that is reset while the server works ends the call at once.
pub async fn a_reset_in_mid_query_is_unreachable(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    let connection = target.open_with(settings).await;
    let running = target.lingering(&connection, Duration::from_secs(40)).await;
    proxy.set(Traffic::Reset).await;
    let outcome = tokio::time::timeout(SOON, running).await.expect("a reset is noticed at once").unwrap();
    refused(outcome, &DatabaseErrorKind::Unreachable);
    proxy.set(Traffic::Pass).await;
    eventually_some(SOON, || async { target.ask(&connection, 2, &context()).await.ok() }).await;
}

/// A server that says nothing holds nobody beyond the deadline, and its place in the pool is free again.
pub async fn a_silent_server_is_given_up_at_the_deadline(target: Target) {
    let (proxy, mut settings) = target.behind_a_proxy().await;
    settings.pool.max = 1;
    settings.pool.acquire_timeout = SOON;
    let connection = target.open_with(settings).await;
    target.assert_serves(&connection, 1).await;
    proxy.set(Traffic::Swallow).await;
    let outcome = target.ask(&connection, 1, &RequestContext::system().within(Duration::from_millis(300))).await;
    refused(outcome, &DatabaseErrorKind::Timeout);
    proxy.set(Traffic::Pass).await;
    eventually(SOON, || connection.stats().in_use == 0).await;
    target.assert_serves(&connection, 2).await;
}

/// What was not committed when the server was lost never was.
pub async fn a_transaction_that_loses_its_server_takes_no_effect(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    let connection = target.open_with(settings).await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let transaction = sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    transaction.execute(&insert_item(1, "one"), &context()).await.unwrap();
    proxy.set(Traffic::Reset).await;
    let outcome = transaction.execute(&insert_item(2, "two"), &context()).await;
    refused(outcome, &DatabaseErrorKind::Unreachable);
    drop(transaction);
    proxy.set(Traffic::Pass).await;
    eventually_some(SOON, || async { sql.query(&answer(1), &context()).await.ok() }).await;
    // The server may take a moment to notice that the client is gone and to undo its work.
    assert_eq!(count_items(sql).await, 0);
}

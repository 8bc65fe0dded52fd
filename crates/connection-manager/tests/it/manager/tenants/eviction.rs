use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionManager, PerTenantSettings};
use shared_kernel::database::{DatabaseErrorKind, TransactionMode};
use testkit::eventually;

use super::{Watching, context, get, manager, tenant};

const KEEP: Duration = Duration::from_mins(10);
const SOON: Duration = Duration::from_secs(10);

fn keeping(settings: PerTenantSettings) -> PerTenantSettings {
    settings.with_idle_evict(Some(KEEP))
}

fn is_live(manager: &ConnectionManager, name: &str) -> bool {
    manager.live_for("books", &tenant(name)).is_some()
}

/// Lets time pass, in steps in which every task has its turn.
async fn pass(time: Duration) {
    let step = Duration::from_millis(500);
    for _ in 0..time.as_millis() / step.as_millis() {
        tokio::time::advance(step).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_nobody_uses_is_closed_and_comes_back_by_itself() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme", "globex"], keeping);
    get(&manager, "acme").await.unwrap();
    get(&manager, "globex").await.unwrap();
    for _ in 0..3 {
        pass(KEEP / 2).await;
        get(&manager, "globex").await.unwrap();
    }
    assert!(!is_live(&manager, "acme") && is_live(&manager, "globex"));
    eventually(SOON, || connector.open() == 1).await;
    assert_eq!(manager.tenant_pools("books").unwrap().evicted_total, 1);
    get(&manager, "acme").await.unwrap();
    assert_eq!((connector.builds(), connector.open()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_not_closed_while_somebody_holds_it() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme"], keeping);
    let held = get(&manager, "acme").await.unwrap();
    pass(KEEP * 3).await;
    held.ping(&context("acme")).await.unwrap();
    drop(held);
    pass(KEEP.saturating_sub(Duration::from_secs(2))).await;
    assert!(is_live(&manager, "acme"), "it is idle from the moment it was let go");
    pass(Duration::from_secs(5)).await;
    assert!(!is_live(&manager, "acme"));
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_not_closed_under_a_transaction() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme"], keeping);
    // The connection itself is let go at once; the transaction alone is held.
    let transaction = {
        let connection = get(&manager, "acme").await.unwrap();
        connection.sql().unwrap().begin(TransactionMode::ReadWrite, &context("acme")).await.unwrap()
    };
    pass(KEEP * 3).await;
    assert!(is_live(&manager, "acme"));
    transaction.commit(&context("acme")).await.unwrap();
    pass(KEEP + Duration::from_secs(5)).await;
    assert!(!is_live(&manager, "acme"));
}

#[tokio::test(start_paused = true)]
async fn where_idle_pools_are_kept_none_is_closed() {
    let manager = manager(Watching::new(), &["acme"], |settings| settings.with_idle_evict(None));
    get(&manager, "acme").await.unwrap();
    pass(KEEP * 6).await;
    assert!(is_live(&manager, "acme"));
}

#[tokio::test]
async fn a_tenant_taken_from_the_list_is_refused_at_once_and_what_it_does_may_finish() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme", "globex"], |settings| settings);
    let held = get(&manager, "acme").await.unwrap();
    let session = held.sql().unwrap().session(&context("acme")).await.unwrap();
    get(&manager, "globex").await.unwrap();
    manager.set_tenants([tenant("globex"), tenant("initech")]);
    assert_eq!(get(&manager, "acme").await.unwrap_err().kind(), &DatabaseErrorKind::UnknownTenant);
    assert!(manager.knows(&tenant("initech")) && !manager.knows(&tenant("acme")));
    assert_eq!(connector.open(), 2, "the session is still at work");
    drop(session);
    eventually(SOON, || connector.open() == 1).await;
    get(&manager, "initech").await.unwrap();
    get(&manager, "globex").await.unwrap();
    assert_eq!(connector.builds(), 3);
}

#[tokio::test]
async fn a_build_for_a_tenant_taken_from_the_list_is_thrown_away() {
    let connector = crate::manager::Counting::new(0);
    let manager = manager(connector.clone(), &["acme"], |settings| settings);
    let caller = tokio::spawn({
        let manager = manager.clone();
        async move { get(&manager, "acme").await.map(drop) }
    });
    while connector.builds() == 0 {
        tokio::task::yield_now().await;
    }
    manager.set_tenants([]);
    connector.gate.add_permits(1);
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::UnknownTenant);
    assert!(!is_live(&manager, "acme"));
}

#[tokio::test]
async fn closing_the_manager_closes_every_tenants_pool() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme", "globex"], |settings| settings);
    let held = get(&manager, "acme").await.unwrap();
    get(&manager, "globex").await.unwrap();
    let reports = manager.close(SOON).await;
    assert_eq!((reports.len(), connector.open()), (2, 0));
    assert_eq!(get(&manager, "acme").await.unwrap_err().kind(), &DatabaseErrorKind::Closed);
    assert_eq!(held.ping(&context("acme")).await.unwrap_err().kind(), &DatabaseErrorKind::Closed);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test]
async fn a_build_that_ends_after_the_close_is_closed_too() {
    let connector = crate::manager::Counting::new(0);
    let manager = manager(connector.clone(), &["acme"], |settings| settings);
    let caller = tokio::spawn({
        let manager = manager.clone();
        async move { get(&manager, "acme").await.map(drop) }
    });
    while connector.builds() == 0 {
        tokio::task::yield_now().await;
    }
    manager.close(SOON).await;
    connector.gate.add_permits(1);
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::Closed);
}

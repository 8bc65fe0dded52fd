use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, SettingFault};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine,
};
use tokio::task::JoinSet;

use super::Target;
use super::target::{built, context, refused};
use crate::eventually;
use crate::proxy::Traffic;

const SOON: Duration = Duration::from_secs(10);

/// The counts follow what is done with the pool.
pub async fn statistics_count_what_is_open(target: Target) {
    let connection = target.open_with(target.pooled(3)).await;
    target.assert_serves(&connection, 1).await;
    let stats = connection.stats();
    assert_eq!((stats.max, stats.in_use, stats.waiting, stats.timeouts_total), (3, 0, 0, 0), "{stats:?}");
    assert!(stats.open >= 1 && stats.open == stats.idle, "{stats:?}");
    let held = target.hold(&connection).await;
    assert_eq!(connection.stats().in_use, 1, "{:?}", connection.stats());
    held.release().await;
    eventually(SOON, || connection.stats().in_use == 0).await;
    eventually(SOON, || connection.stats().closed_total == 1).await;
    let stats = connection.stats();
    assert_eq!(u64::from(stats.open) + stats.closed_total, stats.opened_total, "{stats:?}");
}

/// When every connection is in use, a caller is told so after the wait that was set, and when to come again.
pub async fn a_full_pool_turns_callers_away(target: Target) {
    let connection = target.open_with(target.pooled(2)).await;
    let (first, second) = (target.hold(&connection).await, target.hold(&connection).await);
    let error = refused(target.ask(&connection, 1, &context()).await, &DatabaseErrorKind::Saturated);
    assert!(error.retry_after().is_some_and(|delay| delay > Duration::ZERO), "{error:?}");
    let stats = connection.stats();
    assert_eq!((stats.in_use, stats.open, stats.waiting, stats.timeouts_total), (2, 2, 0, 1), "{stats:?}");
    first.release().await;
    second.release().await;
    target.assert_serves(&connection, 1).await;
}

/// A caller who waits gets the connection that comes free.
pub async fn a_returned_connection_serves_who_waits(target: Target) {
    let mut settings = target.pooled(1);
    settings.pool.acquire_timeout = Duration::from_secs(20);
    let connection = target.open_with(settings).await;
    let held = target.hold(&connection).await;
    let waiter = tokio::spawn(target.assert_serves(&connection, 7));
    eventually(SOON, || connection.stats().waiting == 1).await;
    held.release().await;
    waiter.await.unwrap();
    assert_eq!(connection.stats().timeouts_total, 0);
}

/// A query whose future is dropped takes nothing with it: the only place in the pool is free again, and the next
/// answer is the next question's.
pub async fn a_cancelled_query_leaves_the_pool_healthy(target: Target) {
    let mut settings = target.pooled(1);
    settings.pool.acquire_timeout = SOON;
    let connection = target.open_with(settings).await;
    for round in 1..=3 {
        let moment = Duration::from_millis(150);
        let context = context();
        let call = target.linger(&connection, Duration::from_secs(30), &context);
        tokio::time::timeout(moment, call).await.expect_err("the slow query is dropped while it runs");
        target.assert_serves(&connection, round).await;
    }
    eventually(SOON, || connection.stats().in_use == 0).await;
    assert!(connection.stats().open <= 1, "{:?}", connection.stats());
}

/// A deadline that passes in mid-query is `Timeout`, not a hang, and the pool serves on.
pub async fn a_deadline_ends_a_query_and_leaves_the_pool_healthy(target: Target) {
    let mut settings = target.pooled(1);
    settings.pool.acquire_timeout = SOON;
    let connection = target.open_with(settings).await;
    let soon = RequestContext::system().within(Duration::from_millis(300));
    refused(target.linger(&connection, Duration::from_secs(30), &soon).await, &DatabaseErrorKind::Timeout);
    target.assert_serves(&connection, 5).await;
}

/// Closing lets a running query finish, and refuses whoever comes later.
pub async fn a_graceful_close_lets_a_running_query_finish(target: Target) {
    let connection = target.open().await;
    let running = target.lingering(&connection, Duration::from_millis(700)).await;
    let report = connection.close(Duration::from_secs(30)).await;
    assert_eq!(report.cut, 0, "{report:?}");
    running.await.unwrap().unwrap();
    refused(target.ask(&connection, 1, &context()).await, &DatabaseErrorKind::Closed);
    refused(connection.ping(&context()).await, &DatabaseErrorKind::Closed);
    assert!(!connection.is_connected());
    assert_eq!(connection.stats().open, 0, "{:?}", connection.stats());
    let again = connection.close(Duration::ZERO).await;
    assert_eq!(again, report, "closing twice tells the same");
}

/// A query that outlives the grace is cut, and its caller learns why.
pub async fn a_close_cuts_what_outlives_its_grace(target: Target) {
    let connection = target.open().await;
    let running = target.lingering(&connection, Duration::from_secs(50)).await;
    let report = connection.close(Duration::from_millis(200)).await;
    assert_eq!(report.cut, 1, "{report:?}");
    refused(running.await.unwrap(), &DatabaseErrorKind::Closed);
}

/// However many ask for a connection at once, it is built once, and all get the same.
pub async fn a_thousand_callers_cause_one_build(target: Target) {
    let (manager, builds) = counting(&target, target.settings());
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        let manager = manager.clone();
        callers.spawn(async move { manager.get("test", Access::Read, &context()).await.unwrap() });
    }
    let connections = callers.join_all().await;
    assert_eq!(builds.load(Ordering::SeqCst), 1);
    assert!(connections.iter().all(|connection| Arc::ptr_eq(connection, &connections[0])));
    assert_eq!(connections[0].stats().opened_total, 1);
}

/// A build that fails is shared by those who waited for it, and the next caller tries anew.
pub async fn a_failed_build_is_shared_and_not_kept(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    let (manager, builds) = counting(&target, settings);
    // Callers who arrive while the build is under way share it; a server that is silent keeps it under way.
    proxy.set(Traffic::Swallow).await;
    let mut callers = JoinSet::new();
    let arrived = Arc::new(AtomicU32::new(0));
    for _ in 0..100 {
        let (manager, arrived) = (manager.clone(), arrived.clone());
        callers.spawn(async move {
            arrived.fetch_add(1, Ordering::SeqCst);
            manager.get("test", Access::Read, &context()).await.map(drop)
        });
    }
    eventually(SOON, || arrived.load(Ordering::SeqCst) == 100).await;
    eventually(SOON, || builds.load(Ordering::SeqCst) == 1).await;
    proxy.set(Traffic::Reset).await;
    for outcome in callers.join_all().await {
        let error = outcome.expect_err("the build failed");
        assert!(error.is_unavailable(), "{error:?}");
    }
    assert_eq!(builds.load(Ordering::SeqCst), 1, "the waiters shared one build");
    proxy.set(Traffic::Pass).await;
    let connection = manager.get("test", Access::Read, &context()).await.unwrap();
    target.assert_serves(&connection, 3).await;
    assert_eq!(builds.load(Ordering::SeqCst), 2, "the failure was not kept");
}

fn counting(target: &Target, settings: ConnectionSettings) -> (Arc<ConnectionManager>, Arc<AtomicU32>) {
    let builds = Arc::new(AtomicU32::new(0));
    let connector = Counting { inner: target.connector(), builds: builds.clone() };
    let factory = ConnectionFactory::empty().register(Arc::new(connector));
    (Arc::new(built(ConnectionManager::builder(factory).connection("test", settings))), builds)
}

/// A connector that counts its builds.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Connector>,
    builds: Arc<AtomicU32>,
}

#[async_trait]
impl Connector for Counting {
    fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    fn default_port(&self) -> Option<u16> {
        self.inner.default_port()
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        self.inner.validate(settings)
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.builds.fetch_add(1, Ordering::SeqCst);
        self.inner.connect(name, settings, endpoint).await
    }
}

//! The manager's own part: from a name to one connection, on a connector that counts.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, PasswordSource, SettingFault,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine,
};
use tokio::sync::Semaphore;

mod defined;
mod tenants;

/// Opens a database in memory, after a permit, and counts how often it was asked to.
#[derive(Debug)]
struct Counting {
    engine: Engine,
    builds: AtomicU32,
    gate: Semaphore,
    failures: Mutex<VecDeque<DatabaseErrorKind>>,
}

impl Counting {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            engine: Engine::from("counting".to_owned()),
            builds: AtomicU32::new(0),
            gate: Semaphore::new(permits),
            failures: Mutex::default(),
        })
    }

    fn builds(&self) -> u32 {
        self.builds.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Connector for Counting {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let unwanted = settings.host.as_ref().map(|_| SettingFault::new("host", "not wanted"));
        unwanted.into_iter().collect()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        _settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.builds.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("the gate stays open").forget();
        let failure = self.failures.lock().unwrap().pop_front();
        if let Some(kind) = failure {
            return Err(DatabaseError::new(kind, "as planned"));
        }
        connection_manager::connectors::SqliteConnector
            .connect(name, &ConnectionSettings::sqlite(":memory:"), endpoint)
            .await
    }
}

fn settings() -> ConnectionSettings {
    ConnectionSettings::new(Engine::from("counting".to_owned()))
}

fn manager(connector: &Arc<Counting>) -> ConnectionManager {
    let factory = ConnectionFactory::empty().register(Arc::clone(connector) as Arc<dyn Connector>);
    ConnectionManager::builder(factory).connection("users", settings()).build().unwrap()
}

async fn get(manager: &ConnectionManager) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
    manager.get("users", Access::Write, &RequestContext::system()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_cause_one_build() {
    let connector = Counting::new(0);
    let manager = manager(&connector);
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { get(&manager).await.unwrap() })
        })
        .collect();
    connector.gate.add_permits(1000);
    let mut connections = Vec::new();
    for caller in callers {
        connections.push(caller.await.unwrap());
    }
    assert_eq!(connector.builds(), 1);
    assert!(connections.iter().all(|connection| Arc::ptr_eq(connection, &connections[0])));
}

#[tokio::test]
async fn a_failed_build_is_shared_by_its_waiters_and_not_kept() {
    let connector = Counting::new(0);
    connector.failures.lock().unwrap().push_back(DatabaseErrorKind::AuthRejected);
    let manager = manager(&connector);
    let waiters = futures_util::future::join_all((0..10).map(|_| get(&manager)));
    let (outcomes, ()) = tokio::join!(waiters, async {
        tokio::task::yield_now().await;
        connector.gate.add_permits(2);
    });
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), &DatabaseErrorKind::AuthRejected);
        assert_eq!(error.connection().map(ConnectionName::as_str), Some("users"));
    }
    assert_eq!(connector.builds(), 1);
    get(&manager).await.unwrap();
    assert_eq!(connector.builds(), 2);
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_from_the_others() {
    let connector = Counting::new(0);
    let manager = manager(&connector);
    let first = tokio::spawn({
        let manager = manager.clone();
        async move { get(&manager).await.map(drop) }
    });
    while connector.builds() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    connector.gate.add_permits(1);
    get(&manager).await.unwrap();
    assert_eq!(connector.builds(), 1);
}

#[tokio::test]
async fn a_deadline_ends_the_wait_and_not_the_build() {
    let connector = Counting::new(0);
    let manager = manager(&connector);
    let context = RequestContext::system().within(Duration::from_millis(50));
    let error = manager.get("users", Access::Read, &context).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Timeout);
    connector.gate.add_permits(1);
    get(&manager).await.unwrap();
    assert_eq!(connector.builds(), 1);
}

#[tokio::test]
async fn an_unknown_name_is_told_with_those_that_are_known() {
    let manager = manager(&Counting::new(1));
    let error = manager.get("user", Access::Read, &RequestContext::system()).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::UnknownConnection);
    assert!(error.message().contains("users"), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_work_never_reach_the_connector() {
    let connector = Counting::new(1);
    let factory = ConnectionFactory::empty().register(Arc::clone(&connector) as Arc<dyn Connector>);
    let builder = ConnectionManager::builder(factory).connection("users", settings().with_host("somewhere"));
    let error = get(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Misconfigured);
    assert!(error.message().contains("`host`: not wanted"), "{error}");
    assert_eq!(connector.builds(), 0);
}

#[tokio::test]
async fn a_missing_secret_is_told_by_the_name_of_its_place() {
    let factory = ConnectionFactory::empty().register(Counting::new(1));
    let secret = PasswordSource::Environment("BINDERY_SURELY_NOT_SET".to_owned());
    let builder = ConnectionManager::builder(factory).connection("users", settings().with_password(secret));
    let error = get(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::SecretUnavailable);
    assert!(error.message().contains("BINDERY_SURELY_NOT_SET"), "{error}");
}

#[tokio::test]
async fn an_engine_without_a_connector_is_told_with_those_there_are() {
    let builder = ConnectionManager::builder(ConnectionFactory::empty()).connection("users", settings());
    let error = get(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Misconfigured);
    assert!(error.message().contains("counting"), "{error}");
}

#[tokio::test]
async fn a_closed_manager_opens_nothing_any_more() {
    let connector = Counting::new(2);
    let manager = manager(&connector);
    let connection = get(&manager).await.unwrap();
    let reports = manager.close(Duration::from_secs(1)).await;
    assert_eq!(reports.len(), 1);
    assert_eq!(get(&manager).await.unwrap_err().kind(), &DatabaseErrorKind::Closed);
    assert!(!connection.is_connected());
    assert!(manager.live("users").is_none());
    assert_eq!(connector.builds(), 1);
}

#[tokio::test]
async fn a_build_that_ends_after_the_close_is_closed_too() {
    let connector = Counting::new(0);
    let manager = manager(&connector);
    let caller = tokio::spawn({
        let manager = manager.clone();
        async move { get(&manager).await.map(drop) }
    });
    while connector.builds() == 0 {
        tokio::task::yield_now().await;
    }
    manager.close(Duration::from_secs(1)).await;
    connector.gate.add_permits(1);
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::Closed);
    assert!(manager.live("users").is_none());
}

//! From a name and a tenant to that tenant's connection: whose it is, how many there are, and when one goes.

mod eviction;
mod isolation;
mod limits;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, PerTenantSettings, PoolSettings,
    SettingFault, SqlPool,
};
use shared_kernel::database::{
    Access, CloseReport, ConnectionName, ConnectionStats, Connections, DatabaseConnection, DatabaseError, Engine,
    Health, SqlConnection,
};
use shared_kernel::{RequestContext, TenantId};

use crate::pool::fake::FakeDriver;

pub(super) fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(super) fn context(name: &str) -> RequestContext {
    RequestContext { tenant: Some(tenant(name)), ..RequestContext::system() }
}

pub(super) async fn get(manager: &ConnectionManager, name: &str) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
    manager.get("books", Access::Write, &context(name)).await
}

/// A connection `books` for each of some tenants, in memory, opened by `connector`.
pub(super) fn manager(
    connector: Arc<dyn Connector>,
    tenants: &[&str],
    limits: impl FnOnce(PerTenantSettings) -> PerTenantSettings,
) -> ConnectionManager {
    let mut template = ConnectionSettings::new(connector.engine().clone()).with_database("books_{tenant}");
    template.pool = PoolSettings { acquire_timeout: Duration::from_secs(5), ..PerTenantSettings::usual_pool() };
    ConnectionManager::builder(ConnectionFactory::empty().register(connector))
        .per_tenant("books", limits(PerTenantSettings::new(template)))
        .tenants(tenants.iter().map(|name| tenant(name)))
        .build()
        .unwrap()
}

/// Opens databases that are none and counts how many pools are open, and how many there were at most.
#[derive(Debug)]
pub(super) struct Watching {
    engine: Engine,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    builds: AtomicUsize,
}

impl Watching {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { engine: Engine::from("watching".to_owned()), counts: Arc::default() })
    }

    pub(super) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    pub(super) fn most(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }

    pub(super) fn builds(&self) -> usize {
        self.counts.builds.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Connector for Watching {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn validate(&self, _settings: &ConnectionSettings) -> Vec<SettingFault> {
        Vec::new()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let now = self.counts.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.counts.most.fetch_max(now, Ordering::SeqCst);
        self.counts.builds.fetch_add(1, Ordering::SeqCst);
        let driver = FakeDriver(Arc::default());
        let inner = SqlPool::open(name.clone(), self.engine.clone(), settings.pool.clone(), endpoint, driver).await?;
        Ok(Arc::new(Watched { inner, counts: Arc::clone(&self.counts) }))
    }
}

#[derive(Debug)]
struct Watched {
    inner: SqlPool<FakeDriver>,
    counts: Arc<Counts>,
}

#[async_trait]
impl DatabaseConnection for Watched {
    fn name(&self) -> &ConnectionName {
        self.inner.name()
    }

    fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.inner.ping(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        let report = self.inner.close(grace).await;
        self.counts.open.fetch_sub(1, Ordering::SeqCst);
        report
    }

    fn stats(&self) -> ConnectionStats {
        self.inner.stats()
    }

    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        self.inner.sql()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.inner.native()
    }
}

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use futures_util::FutureExt;
use shared_kernel::database::{
    CloseReport, ConnectionName, ConnectionStats, DatabaseConnection, DatabaseError, Effect, Engine, Health, KeyValue,
    Tables,
};
use shared_kernel::{Clock, RequestContext};
use tracing::Instrument as _;

use super::driver::DynamoDbDriver;
use super::only_reads;
use super::session::{DynamoDbSession, no_table};
use crate::endpoint::Endpoint;
use crate::operation::Operations;
use crate::pool::{Driver, Failure, Holder, Pool};
use crate::settings::PoolSettings;

/// A live connection to DynamoDB: [`DatabaseConnection`] with the key-value capability over one table, when its settings
/// name one, and with the capability to tell of tables.
///
/// It is its own native handle: `connection.native_as::<DynamoDbConnection>()` gives [`DynamoDbConnection::with_client`] for
/// everything that the SDK can do. A place in the pool stands for one call under way; the HTTP connections are the SDK's.
pub struct DynamoDbConnection {
    pool: Pool<DynamoDbDriver>,
    clock: Arc<dyn Clock>,
    operations: Operations,
}

impl DynamoDbConnection {
    /// A connection over a new pool with its first session opened, so that a wrong key is known now. The clock says when
    /// values have ended.
    ///
    /// # Errors
    /// Why the session could not be opened.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(
        name: ConnectionName,
        settings: PoolSettings,
        endpoint: impl Into<Endpoint>,
        driver: DynamoDbDriver,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DatabaseError> {
        let endpoint = endpoint.into();
        let operations = Operations::new(driver.system_name(), &name, &endpoint);
        let pool = Pool::new(name, settings, endpoint, driver);
        Ok(Self { pool: pool.opened().await?, clock, operations })
    }

    /// The pool, for what this surface leaves out.
    pub fn pool(&self) -> &Pool<DynamoDbDriver> {
        &self.pool
    }

    /// The table of the key-value capability, when the settings name one.
    pub fn table(&self) -> Option<&str> {
        self.pool.driver().options().table.as_deref()
    }

    /// Does any work with the SDK's client, which tries nothing twice, in a place of the pool and within the limits of the
    /// context. The client is current when the work begins: keep none for later. Where somebody from outside has defined the
    /// connection, the client sends no operation but those that read.
    ///
    /// Dropping the future gives the work up; whether what it had under way took effect is then unknown.
    ///
    /// # Errors
    /// The work's own; `Saturated`, `CircuitOpen` and `Closed` when there is no place for it, `Timeout` when the context's
    /// deadline passes first.
    #[track_caller]
    pub fn with_client<'a, T, F, Work>(
        &'a self,
        work: Work,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<T, DatabaseError>> + Send + use<'a, T, F, Work>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, DatabaseError>> + Send + 'a,
        Work: FnOnce(Client) -> F + Send + 'a,
    {
        let holder = Holder::lease(Location::caller());
        async move {
            let call = self.operations.call("CALL", Some(context));
            let outcome = async {
                let mut tries = self.pool.tries(context);
                // What the work does nobody knows, so it is done once; until there is a place for it nothing was sent.
                let mut lease = loop {
                    let outcome = self.pool.acquire_for(context, holder).await.map_err(Failure::unsent);
                    if let Some(outcome) = tries.settle(outcome).await {
                        break outcome?;
                    }
                };
                lease
                    .run(self.pool.deadline_of(context), |session| {
                        async move {
                            let outcome = work(session.client().clone()).await;
                            (session, outcome)
                        }
                        .boxed()
                    })
                    .await
            }
            .instrument(call.span())
            .await;
            self.operations.ended(&call, &outcome);
            outcome
        }
    }

    /// Does one piece of work on a session, measured as `operation`; again when it failed without effect.
    pub(super) async fn run<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        context: &RequestContext,
        work: impl Fn(Box<DynamoDbSession>) -> F + Send + Sync,
    ) -> Result<T, DatabaseError>
    where
        F: Future<Output = (Box<DynamoDbSession>, Result<T, DatabaseError>)> + Send,
    {
        if effect != Effect::Nothing {
            self.admit_change(operation)?;
        }
        let call = self.operations.call(operation, Some(context));
        let outcome = async {
            let mut tries = self.pool.tries(context);
            loop {
                let outcome = self.try_run(effect, context, &work).await;
                if let Some(outcome) = tries.settle(outcome).await {
                    return outcome;
                }
            }
        }
        .instrument(call.span())
        .await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    async fn try_run<T, F>(
        &self,
        effect: Effect,
        context: &RequestContext,
        work: &(impl Fn(Box<DynamoDbSession>) -> F + Send + Sync),
    ) -> Result<T, Failure>
    where
        F: Future<Output = (Box<DynamoDbSession>, Result<T, DatabaseError>)> + Send,
    {
        let mut lease = self.pool.acquire_for(context, Holder::CALL).await.map_err(Failure::unsent)?;
        // Boxed, because the SDK's futures are large and deep.
        let answer = lease.run(self.pool.deadline_of(context), |session| work(session).boxed()).await;
        answer.map_err(|error| Failure::on(&lease, effect, error))
    }

    /// Whether values may be changed.
    pub(super) fn admit_change(&self, operation: &str) -> Result<(), DatabaseError> {
        if self.pool.driver().options().egress.is_none() {
            return Ok(());
        }
        Err(only_reads::refused(operation).on(self.pool.name()))
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

#[async_trait]
impl DatabaseConnection for DynamoDbConnection {
    fn name(&self) -> &ConnectionName {
        self.pool.name()
    }

    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::DYNAMODB;
        &ENGINE
    }

    fn is_connected(&self) -> bool {
        self.pool.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.pool.health(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.pool.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.pool.stats()
    }

    fn key_value(&self) -> Result<&dyn KeyValue, DatabaseError> {
        if self.table().is_some() { Ok(self) } else { Err(no_table().on(self.name())) }
    }

    fn tables(&self) -> Result<&dyn Tables, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl fmt::Debug for DynamoDbConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbConnection").field("pool", &self.pool).finish_non_exhaustive()
    }
}

//! The kernel's connection traits on a [`Pool`].

mod catalog;
mod held;
mod session;
mod transaction;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Catalog, CloseReport, ConnectionName, ConnectionStats, DatabaseConnection, DatabaseError, DatabaseErrorKind,
    Dialect, Effect, Engine, Health, Rendered, Row, SqlConnection, SqlExecutor, SqlSession, SqlTransaction, Statement,
    TransactionMode,
};
use tracing::Instrument as _;

use self::held::Held;
use self::session::PinnedSession;
use self::transaction::PooledTransaction;
use crate::endpoint::Endpoint;
use crate::operation::Operations;
use crate::pool::{Call, Driver, Failure, Holder, Lease, Pool};
use crate::settings::PoolSettings;

/// A live connection to an SQL engine: [`DatabaseConnection`] over a pool of `D`'s sessions.
///
/// It is its own native handle: `connection.native_as::<SqlPool<SqliteDriver>>()`.
pub struct SqlPool<D: Driver> {
    pool: Pool<D>,
    engine: Engine,
    operations: Arc<Operations>,
}

impl<D: Driver> SqlPool<D> {
    /// A connection over a new pool. Opens nothing yet; see [`SqlPool::open`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(
        name: ConnectionName,
        engine: Engine,
        settings: PoolSettings,
        endpoint: impl Into<Endpoint>,
        driver: D,
    ) -> Self {
        let endpoint = endpoint.into();
        let operations = Arc::new(Operations::new(driver.system_name(), &name, &endpoint));
        Self { pool: Pool::new(name, settings, endpoint, driver), engine, operations }
    }

    /// A connection over a new pool with its first physical connection opened, so that a wrong password or an unknown
    /// database is known now.
    ///
    /// # Errors
    /// Why the physical connection could not be opened.
    pub async fn open(
        name: ConnectionName,
        engine: Engine,
        settings: PoolSettings,
        endpoint: impl Into<Endpoint>,
        driver: D,
    ) -> Result<Self, DatabaseError> {
        let Self { pool, engine, operations } = Self::new(name, engine, settings, endpoint, driver);
        Ok(Self { pool: pool.opened().await?, engine, operations })
    }

    /// The pool, for what the kernel's traits leave out.
    pub fn pool(&self) -> &Pool<D> {
        &self.pool
    }

    /// As the kernel's [`begin`](trait.SqlConnection.html#method.begin), for whoever has the pool's own type in hand.
    ///
    /// # Errors
    /// As [`SqlConnection::begin_at`].
    #[track_caller]
    pub fn begin<'a>(
        &'a self,
        mode: TransactionMode,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<Box<dyn SqlTransaction>, DatabaseError>> + Send + use<'a, D> {
        self.begin_at(mode, context, Location::caller())
    }

    /// As the kernel's [`session`](trait.SqlConnection.html#method.session), for whoever has the pool's own type in hand.
    ///
    /// # Errors
    /// As [`SqlConnection::session_at`].
    #[track_caller]
    pub fn session<'a>(
        &'a self,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<Box<dyn SqlSession>, DatabaseError>> + Send + use<'a, D> {
        self.session_at(context, Location::caller())
    }

    async fn rows(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        let mut rendered = render(&self.pool, statement)?;
        let operation = self.operations.statement(statement, &rendered.sql, context);
        // One span for all tries, as the caller sees one call.
        let outcome = async {
            let mut tries = self.pool.tries(context);
            loop {
                let outcome = match self.pool.acquire_in_turn(Call::Text(&rendered.sql), context, Holder::CALL).await {
                    Ok(mut lease) => {
                        let outcome = lease.query(self.pool.deadline_of(context), rendered).await;
                        outcome.map_err(|error| Failure::on(&lease, statement.effect(), error))
                    }
                    Err(error) => Err(Failure::unsent(error)),
                };
                if let Some(outcome) = tries.settle(outcome).await {
                    break outcome;
                }
                rendered = render(&self.pool, statement)?;
            }
        }
        .instrument(operation.span())
        .await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    async fn try_script(&self, script: &str, context: &RequestContext) -> Result<(), Failure> {
        let lease = self.pool.acquire_in_turn(Call::Text(script), context, Holder::CALL).await;
        let mut lease = lease.map_err(Failure::unsent)?;
        // A script may leave settings, locks or an open transaction behind: nobody else gets this connection.
        let outcome = lease.run_script(self.pool.deadline_of(context), script).await;
        outcome.map_err(|error| Failure::on(&lease, Effect::Unknown, error))
    }

    async fn try_begin(
        &self,
        mode: TransactionMode,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Held<D>, Failure> {
        let lease = self.pool.acquire_in_turn(Call::Begin(mode), context, Holder::transaction(place)).await;
        if lease.is_err() {
            // A beginning that found no connection is one that failed.
            self.operations.ended(&self.operations.call("BEGIN", Some(context)), &lease);
        }
        let mut held = self.hold(lease.map_err(Failure::unsent)?);
        // Nothing of the caller's was sent, and a transaction that was begun on a lost connection is over.
        held.begin(mode, context).await.map_err(Failure::unsent)?;
        Ok(held)
    }

    fn hold(&self, lease: Lease<D>) -> Held<D> {
        Held::new(lease, self.pool.clone(), Arc::clone(&self.operations))
    }
}

#[async_trait]
impl<D: Driver> DatabaseConnection for SqlPool<D> {
    fn name(&self) -> &ConnectionName {
        self.pool.name()
    }

    fn engine(&self) -> &Engine {
        &self.engine
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

    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        Ok(self)
    }

    fn catalog(&self) -> Result<&dyn Catalog, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

#[async_trait]
impl<D: Driver> SqlExecutor for SqlPool<D> {
    fn dialect(&self) -> Dialect {
        self.pool.driver().dialect()
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        let mut rendered = render(&self.pool, statement)?;
        let operation = self.operations.statement(statement, &rendered.sql, context);
        // One span for all tries, as the caller sees one call.
        let outcome = async {
            let mut tries = self.pool.tries(context);
            loop {
                let outcome = match self.pool.acquire_in_turn(Call::Text(&rendered.sql), context, Holder::CALL).await {
                    Ok(mut lease) => {
                        let outcome = lease.execute(self.pool.deadline_of(context), rendered).await;
                        // Who asks for the number of rows that were changed means to change some.
                        outcome.map_err(|error| Failure::on(&lease, statement.effect().max(Effect::Whole), error))
                    }
                    Err(error) => Err(Failure::unsent(error)),
                };
                if let Some(outcome) = tries.settle(outcome).await {
                    break outcome;
                }
                rendered = render(&self.pool, statement)?;
            }
        }
        .instrument(operation.span())
        .await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        self.rows(statement, context).await
    }

    /// As the trait does it, with one boxed future instead of two.
    async fn query_one(&self, statement: &Statement, context: &RequestContext) -> Result<Option<Row>, DatabaseError> {
        Ok(self.rows(statement, context).await?.into_iter().next())
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        let operation = self.operations.call("SCRIPT", Some(context));
        let outcome = async {
            let mut tries = self.pool.tries(context);
            loop {
                if let Some(outcome) = tries.settle(self.try_script(script, context).await).await {
                    break outcome;
                }
            }
        }
        .instrument(operation.span())
        .await;
        self.operations.ended(&operation, &outcome);
        outcome
    }
}

#[async_trait]
impl<D: Driver> SqlConnection for SqlPool<D> {
    async fn begin_at(
        &self,
        mode: TransactionMode,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlTransaction>, DatabaseError> {
        let mut tries = self.pool.tries(context);
        let held = loop {
            if let Some(outcome) = tries.settle(self.try_begin(mode, context, place).await).await {
                break outcome?;
            }
        };
        Ok(Box::new(PooledTransaction::new(held)))
    }

    async fn session_at(
        &self,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlSession>, DatabaseError> {
        let mut tries = self.pool.tries(context);
        let lease = loop {
            let outcome = self.pool.acquire_for(context, Holder::session(place)).await.map_err(Failure::unsent);
            if let Some(outcome) = tries.settle(outcome).await {
                break outcome?;
            }
        };
        Ok(Box::new(PinnedSession::new(self.hold(lease))))
    }
}

impl<D: Driver> fmt::Debug for SqlPool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlPool").field("engine", &self.engine).field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// Renders for a pool's dialect; nothing has been sent when this fails.
fn render<D: Driver>(pool: &Pool<D>, statement: &Statement) -> Result<Rendered, DatabaseError> {
    statement.render(pool.driver().dialect()).map_err(|error| DatabaseError::from(error).on(pool.name()))
}

fn over(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Closed, "the transaction is over").on(name)
}

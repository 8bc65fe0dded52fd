use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    CloseReport, ConnectionName, ConnectionStats, DatabaseConnection, DatabaseError, Dialect, Effect, Engine, Health,
    Row, SqlConnection, SqlExecutor, SqlSession, SqlTransaction, Statement, TransactionMode,
};

use super::super::{Inner, Outcome, closed};
use super::{Needed, Replica, is_away};
use crate::metrics::ReadMetrics;

/// A connection for reads: selects go to a replica as long as it has what their context needs, and again to the primary when it
/// fails. All else goes to the primary at once. The native handle is that of the replica's connection.
pub(super) struct Reading {
    name: ConnectionName,
    /// The replica's own.
    connection: Arc<dyn DatabaseConnection>,
    replica: Weak<Replica>,
    manager: Weak<Inner>,
    metrics: Arc<ReadMetrics>,
}

impl Reading {
    pub(super) fn new(
        name: ConnectionName,
        connection: Arc<dyn DatabaseConnection>,
        replica: &Arc<Replica>,
        manager: &Arc<Inner>,
    ) -> Self {
        let metrics = Arc::clone(&replica.of_reads);
        Self { name, connection, replica: Arc::downgrade(replica), manager: Arc::downgrade(manager), metrics }
    }

    /// The replica's answer; `None` when the primary is to be asked.
    async fn read(&self, statement: &Statement, context: &RequestContext) -> Option<Vec<Row>> {
        if statement.effect() != Effect::Nothing {
            return None;
        }
        let (manager, replica) = (self.manager.upgrade()?, self.replica.upgrade()?);
        let need = context.freshness.need(&self.name, |name| manager.is_replicated(name));
        let needed = Needed::of(&need)?;
        let opened = replica.vouches(&needed)?;
        drop(manager);
        match self.connection.sql().ok()?.query(statement, &half(context)).await {
            // Who asked for a position was promised it of the connections that there were.
            Ok(_) if needed.0.is_some() && self.connection.stats().opened_total != opened => None,
            Ok(rows) => {
                replica.reads.fetch_add(1, Ordering::Relaxed);
                Some(rows)
            }
            Err(error) => {
                // Whatever it is, the primary has the last word: a replica may lack a table that was just made.
                tracing::debug!(replica = replica.endpoint, %error, "a read is sent to the primary");
                if is_away(&error) {
                    replica.leave_out(error.to_string());
                }
                None
            }
        }
    }

    async fn primary(&self, context: &RequestContext) -> Outcome {
        let manager = self.manager.upgrade().ok_or_else(|| closed(&self.name))?;
        let slot = manager.slot(self.name.as_str()).ok_or_else(|| closed(&self.name))?;
        Inner::primary(&manager, slot, context.deadline).await
    }

    /// The primary, for what may write.
    async fn primary_to_write(&self, context: &RequestContext) -> Outcome {
        context.freshness.wrote(&self.name);
        self.primary(context).await
    }
}

/// The same request with half of its time, so that the other half is left for the primary.
fn half(context: &RequestContext) -> RequestContext {
    context.time_left().map_or_else(|| context.clone(), |left| context.within(left / 2))
}

#[async_trait]
impl DatabaseConnection for Reading {
    fn name(&self) -> &ConnectionName {
        &self.name
    }

    fn engine(&self) -> &Engine {
        self.connection.engine()
    }

    fn is_connected(&self) -> bool {
        self.connection.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.connection.ping(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.connection.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.connection.stats()
    }

    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.connection.native()
    }
}

#[async_trait]
impl SqlExecutor for Reading {
    fn dialect(&self) -> Dialect {
        // Connections that have replicas speak SQL, and their replicas the same.
        self.connection.sql().map_or(Dialect::Postgres, SqlExecutor::dialect)
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.primary_to_write(context).await?.sql()?.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        if let Some(rows) = self.read(statement, context).await {
            self.metrics.replica();
            return Ok(rows);
        }
        self.metrics.fell_back();
        let primary = match statement.effect() {
            Effect::Nothing => self.primary(context).await?,
            Effect::Whole | Effect::Unknown => self.primary_to_write(context).await?,
        };
        primary.sql()?.query(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.primary_to_write(context).await?.sql()?.run_script(script, context).await
    }
}

#[async_trait]
impl SqlConnection for Reading {
    async fn begin_at(
        &self,
        mode: TransactionMode,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlTransaction>, DatabaseError> {
        let primary = match mode {
            TransactionMode::ReadOnly => self.primary(context).await?,
            TransactionMode::ReadWrite => self.primary_to_write(context).await?,
        };
        primary.sql()?.begin_at(mode, context, place).await
    }

    async fn session_at(
        &self,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlSession>, DatabaseError> {
        self.primary_to_write(context).await?.sql()?.session_at(context, place).await
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("connection", &self.connection).finish_non_exhaustive()
    }
}

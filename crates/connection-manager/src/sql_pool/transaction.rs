use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, Dialect, Row, SqlExecutor, SqlTransaction, Statement};

use super::held::{Held, ROLLBACK};
use crate::pool::{Deadline, Driver};

/// An open transaction on a connection of its own.
pub(super) struct PooledTransaction<D: Driver> {
    /// Gone once the transaction is over.
    held: Option<Held<D>>,
    pool: crate::pool::Pool<D>,
}

impl<D: Driver> PooledTransaction<D> {
    pub(super) fn new(held: Held<D>) -> Self {
        Self { pool: held.pool().clone(), held: Some(held) }
    }

    fn held(&self) -> Result<&Held<D>, DatabaseError> {
        self.held.as_ref().ok_or_else(|| super::over(self.pool.name()))
    }
}

#[async_trait]
impl<D: Driver> SqlExecutor for PooledTransaction<D> {
    fn dialect(&self) -> Dialect {
        self.pool.driver().dialect()
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.held()?.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        self.held()?.query(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.held()?.run_script(script, context).await
    }
}

#[async_trait]
impl<D: Driver> SqlTransaction for PooledTransaction<D> {
    async fn commit(mut self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        let Some(held) = &mut self.held else { return Err(super::over(self.pool.name())) };
        let outcome = held.commit(context).await;
        if outcome.is_ok() {
            self.held = None;
        }
        // A refused commit leaves the transaction to the rollback that dropping brings.
        outcome
    }

    async fn rollback(mut self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        let Some(mut held) = self.held.take() else { return Err(super::over(self.pool.name())) };
        // When this fails or is given up, the connection is closed, which undoes the changes as well.
        held.rollback(Deadline::of(context, Some(ROLLBACK))).await
    }
}

impl<D: Driver> Drop for PooledTransaction<D> {
    /// Rolls back in a task of its own. Until the rollback is confirmed the lease counts as unfit, so that the
    /// connection is closed whatever becomes of the task.
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        let runtime = self.pool.runtime().clone();
        runtime.spawn(async move {
            if let Err(error) = held.rollback(Deadline::within(ROLLBACK)).await {
                tracing::debug!(%error, "a dropped transaction could not be rolled back, its connection is closed");
            }
        });
    }
}

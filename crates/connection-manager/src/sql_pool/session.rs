use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseError, Dialect, Row, SqlExecutor, SqlSession, SqlTransaction, Statement, TransactionMode,
};

use super::held::{Held, ROLLBACK};
use crate::pool::{Deadline, Driver};

/// One connection held for as long as the value lives, and closed afterwards.
pub(super) struct PinnedSession<D: Driver>(Held<D>);

impl<D: Driver> PinnedSession<D> {
    pub(super) fn new(mut held: Held<D>) -> Self {
        held.lease_mut().spoil();
        Self(held)
    }
}

#[async_trait]
impl<D: Driver> SqlExecutor for PinnedSession<D> {
    fn dialect(&self) -> Dialect {
        self.0.pool().driver().dialect()
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.0.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        self.0.query(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.0.run_script(script, context).await
    }
}

#[async_trait]
impl<D: Driver> SqlSession for PinnedSession<D> {
    async fn begin<'session>(
        &'session mut self,
        mode: TransactionMode,
        context: &RequestContext,
    ) -> Result<Box<dyn SqlTransaction + 'session>, DatabaseError> {
        self.0.begin(mode, context).await?;
        Ok(Box::new(SessionTransaction { held: &mut self.0, over: false }))
    }

    async fn release(self: Box<Self>) -> Result<(), DatabaseError> {
        drop(self.0.into_lease());
        Ok(())
    }
}

/// A transaction on a pinned connection.
struct SessionTransaction<'session, D: Driver> {
    held: &'session mut Held<D>,
    over: bool,
}

#[async_trait]
impl<D: Driver> SqlExecutor for SessionTransaction<'_, D> {
    fn dialect(&self) -> Dialect {
        self.held.pool().driver().dialect()
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.held.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        self.held.query(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.held.run_script(script, context).await
    }
}

#[async_trait]
impl<D: Driver> SqlTransaction for SessionTransaction<'_, D> {
    async fn commit(mut self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        let outcome = self.held.commit(context).await;
        self.over = outcome.is_ok();
        outcome
    }

    async fn rollback(mut self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        let outcome = self.held.rollback(Deadline::of(context, Some(ROLLBACK))).await;
        self.over = outcome.is_ok();
        outcome
    }
}

impl<D: Driver> Drop for SessionTransaction<'_, D> {
    fn drop(&mut self) {
        if !self.over {
            self.held.abandon();
        }
    }
}

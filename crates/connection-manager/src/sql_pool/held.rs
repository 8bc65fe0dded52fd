use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row, Statement, TransactionMode};
use tokio::sync::{Mutex, MutexGuard};
use tracing::Instrument as _;

use super::render;
use crate::operation::Operations;
use crate::pool::{Cut, Deadline, Driver, Lease, Pool, limited};

/// How long a rollback may take that nobody waits for.
pub(super) const ROLLBACK: Duration = Duration::from_secs(5);

/// One connection held by a transaction or a session; statements on it run one after the other.
pub(super) struct Held<D: Driver> {
    pool: Pool<D>,
    operations: Arc<Operations>,
    line: Mutex<Line<D>>,
}

struct Line<D: Driver> {
    lease: Lease<D>,
    /// A transaction on this connection was dropped and has yet to be rolled back.
    abandoned: bool,
}

impl<D: Driver> Held<D> {
    pub(super) fn new(lease: Lease<D>, pool: Pool<D>, operations: Arc<Operations>) -> Self {
        Self { pool, operations, line: Mutex::new(Line { lease, abandoned: false }) }
    }

    pub(super) fn pool(&self) -> &Pool<D> {
        &self.pool
    }

    pub(super) fn lease_mut(&mut self) -> &mut Lease<D> {
        &mut self.line.get_mut().lease
    }

    pub(super) fn into_lease(self) -> Lease<D> {
        self.line.into_inner().lease
    }

    /// Marks the open transaction for rollback before anything else runs on the connection.
    pub(super) fn abandon(&mut self) {
        self.line.get_mut().abandoned = true;
    }

    /// The connection, once the statements before this one are through. Whoever waits longer than a statement may take has
    /// sent nothing.
    async fn in_turn(&self, context: &RequestContext) -> Result<MutexGuard<'_, Line<D>>, DatabaseError> {
        let deadline = self.pool.deadline_of(context);
        let mut line = limited(pin!(self.line.lock()), deadline, &Cut::default()).await.map_err(|_| {
            let message = "another statement on the same connection was not through before the deadline";
            DatabaseError::new(DatabaseErrorKind::Timeout, message).on(self.pool.name())
        })?;
        line.settle(deadline).await?;
        Ok(line)
    }

    pub(super) async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        let rendered = render(&self.pool, statement)?;
        let mut line = self.in_turn(context).await?;
        let operation = self.operations.statement(statement, &rendered.sql, context);
        let work = line.lease.execute(self.pool.deadline_of(context), rendered);
        let outcome = work.instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    pub(super) async fn query(
        &self,
        statement: &Statement,
        context: &RequestContext,
    ) -> Result<Vec<Row>, DatabaseError> {
        let rendered = render(&self.pool, statement)?;
        let mut line = self.in_turn(context).await?;
        let operation = self.operations.statement(statement, &rendered.sql, context);
        let work = line.lease.query(self.pool.deadline_of(context), rendered);
        let outcome = work.instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    pub(super) async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        let mut line = self.in_turn(context).await?;
        let operation = self.operations.call("SCRIPT", Some(context));
        let work = line.lease.run_script(self.pool.deadline_of(context), script);
        let outcome = work.instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    pub(super) async fn begin(&mut self, mode: TransactionMode, context: &RequestContext) -> Result<(), DatabaseError> {
        let deadline = self.pool.deadline_of(context);
        let line = self.line.get_mut();
        line.settle(deadline).await?;
        let operation = self.operations.call("BEGIN", Some(context));
        let outcome = line.lease.begin(deadline, mode).instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    pub(super) async fn commit(&mut self, context: &RequestContext) -> Result<(), DatabaseError> {
        let deadline = self.pool.deadline_of(context);
        let operation = self.operations.call("COMMIT", Some(context));
        let outcome = self.lease_mut().commit(deadline).instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }

    pub(super) async fn rollback(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        // Most rollbacks are nobody's wish: they follow a caller who has left.
        let operation = self.operations.call("ROLLBACK", None);
        let outcome = self.lease_mut().rollback(deadline).instrument(operation.span()).await;
        self.operations.ended(&operation, &outcome);
        outcome
    }
}

impl<D: Driver> Line<D> {
    /// Rolls back what was abandoned. A caller who cannot wait for that costs the connection, not its order.
    async fn settle(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        if self.abandoned {
            self.lease.rollback(deadline.at_most(ROLLBACK)).await?;
            self.abandoned = false;
        }
        Ok(())
    }
}

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{DbBackend, ExecResult, QueryResult, Statement};
use sea_query::Values;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, TransactionMode};
use tokio::runtime::Handle;

use crate::pool::{Deadline, Driver, DriverSession, Holder, Lease, Pool};

/// The driver's error, kept as the cause so that it can be handed to SeaORM as it came.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct SqlxCause(pub(super) Arc<sqlx::Error>);

/// A session whose rows and results SeaORM understands.
pub(super) trait OrmSession: DriverSession {
    const BACKEND: DbBackend;

    fn execute_statement(
        &mut self,
        sql: String,
        values: Values,
    ) -> impl Future<Output = Result<ExecResult, DatabaseError>> + Send;

    fn execute_text(&mut self, sql: &str) -> impl Future<Output = Result<ExecResult, DatabaseError>> + Send;

    fn query_statement(
        &mut self,
        sql: String,
        values: Values,
    ) -> impl Future<Output = Result<Vec<QueryResult>, DatabaseError>> + Send;

    /// Takes note of a failure and gives it the pool's form.
    fn failed(&mut self, error: sqlx::Error) -> DatabaseError;
}

/// A pool without its driver's type.
#[async_trait]
pub(super) trait Backend: Send + Sync {
    fn backend(&self) -> DbBackend;

    fn runtime(&self) -> &Handle;

    /// When a request's next statement has to be over.
    fn deadline_of(&self, context: &RequestContext) -> Deadline;

    async fn acquire(&self, context: &RequestContext, holder: Holder) -> Result<Box<dyn OrmLease>, DatabaseError>;
}

#[async_trait]
impl<D: Driver> Backend for Pool<D>
where
    D::Session: OrmSession,
{
    fn backend(&self) -> DbBackend {
        D::Session::BACKEND
    }

    fn runtime(&self) -> &Handle {
        self.runtime()
    }

    fn deadline_of(&self, context: &RequestContext) -> Deadline {
        self.deadline_of(context)
    }

    async fn acquire(&self, context: &RequestContext, holder: Holder) -> Result<Box<dyn OrmLease>, DatabaseError> {
        let lease = self.acquire_for(context, holder).await?;
        Ok(Box::new(OnLease { lease, pool: self.clone() }))
    }
}

/// A lease without its driver's type.
#[async_trait]
pub(super) trait OrmLease: Send {
    fn set_fit(&mut self, fit: bool);

    async fn execute(&mut self, context: &RequestContext, statement: Statement) -> Result<ExecResult, DatabaseError>;

    async fn execute_unprepared(&mut self, context: &RequestContext, sql: &str) -> Result<ExecResult, DatabaseError>;

    async fn query(
        &mut self,
        context: &RequestContext,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, DatabaseError>;

    async fn begin(&mut self, context: &RequestContext, mode: TransactionMode) -> Result<(), DatabaseError>;

    async fn commit(&mut self, context: &RequestContext) -> Result<(), DatabaseError>;

    async fn rollback(&mut self, deadline: Deadline) -> Result<(), DatabaseError>;
}

struct OnLease<D: Driver> {
    lease: Lease<D>,
    pool: Pool<D>,
}

fn parts(statement: Statement) -> (String, Values) {
    (statement.sql, statement.values.unwrap_or_else(|| Values(Vec::new())))
}

#[async_trait]
impl<D: Driver> OrmLease for OnLease<D>
where
    D::Session: OrmSession,
{
    fn set_fit(&mut self, fit: bool) {
        self.lease.set_fit(fit);
    }

    async fn execute(&mut self, context: &RequestContext, statement: Statement) -> Result<ExecResult, DatabaseError> {
        let (sql, values) = parts(statement);
        let call = self.lease.run(self.pool.deadline_of(context), |mut session| async move {
            let outcome = session.execute_statement(sql, values).await;
            (session, outcome)
        });
        call.await
    }

    async fn execute_unprepared(&mut self, context: &RequestContext, sql: &str) -> Result<ExecResult, DatabaseError> {
        let call = self.lease.run(self.pool.deadline_of(context), |mut session| async move {
            let outcome = session.execute_text(sql).await;
            (session, outcome)
        });
        call.await
    }

    async fn query(
        &mut self,
        context: &RequestContext,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, DatabaseError> {
        let (sql, values) = parts(statement);
        let call = self.lease.run(self.pool.deadline_of(context), |mut session| async move {
            let outcome = session.query_statement(sql, values).await;
            (session, outcome)
        });
        call.await
    }

    async fn begin(&mut self, context: &RequestContext, mode: TransactionMode) -> Result<(), DatabaseError> {
        self.lease.begin(self.pool.deadline_of(context), mode).await
    }

    async fn commit(&mut self, context: &RequestContext) -> Result<(), DatabaseError> {
        self.lease.commit(self.pool.deadline_of(context)).await
    }

    async fn rollback(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        self.lease.rollback(deadline).await
    }
}

/// What the pool must know of an error, with the driver's own as its cause.
fn caused(kind: DatabaseErrorKind, error: sqlx::Error) -> DatabaseError {
    DatabaseError::new(kind, "running a statement of SeaORM").with_source(SqlxCause(Arc::new(error)))
}

macro_rules! orm_session {
    ($feature:literal, $driver:ident, $session:ident, $backend:ident) => {
        #[cfg(feature = $feature)]
        impl OrmSession for crate::drivers::$driver::$session {
            const BACKEND: DbBackend = DbBackend::$backend;

            async fn execute_statement(&mut self, sql: String, values: Values) -> Result<ExecResult, DatabaseError> {
                let _turn = self.turn_of_orm(&sql).await?;
                let query = self.statement_of_orm(sql, values).await?;
                let fenced = self.fence().await?;
                let done = sqlx::Executor::execute(self.connection(), query).await;
                let done = self.unfence(fenced, done).await;
                done.map(ExecResult::from).map_err(|error| self.failed(error))
            }

            async fn execute_text(&mut self, sql: &str) -> Result<ExecResult, DatabaseError> {
                let _turn = self.turn_of_script_of_orm(sql).await?;
                let text = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                let done = sqlx::Executor::execute(self.connection(), text).await;
                done.map(ExecResult::from).map_err(|error| self.failed(error))
            }

            async fn query_statement(
                &mut self,
                sql: String,
                values: Values,
            ) -> Result<Vec<QueryResult>, DatabaseError> {
                let _turn = self.turn_of_orm(&sql).await?;
                let query = self.statement_of_orm(sql, values).await?;
                let fenced = self.fence().await?;
                let rows = sqlx::Executor::fetch_all(self.connection(), query).await;
                let rows = self.unfence(fenced, rows).await;
                let rows = rows.map_err(|error| self.failed(error))?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }

            fn failed(&mut self, error: sqlx::Error) -> DatabaseError {
                let kind = crate::drivers::$driver::kind_of(&error);
                self.note_failure(&kind);
                caused(kind, error)
            }
        }
    };
}

orm_session!("mysql", mysql, MySqlSession, MySql);
orm_session!("postgres", postgres, PostgresSession, Postgres);
orm_session!("sqlite", sqlite, SqliteSession, Sqlite);

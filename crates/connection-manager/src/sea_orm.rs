//! SeaORM's entities on the hardened pool: [`on`] a live connection to MySQL, MariaDB, PostgreSQL or SQLite.
//!
//! Statements of entities run on the same physical connections, under the same limits and deadlines, as those of the
//! kernel's traits. Errors are SeaORM's own, so that `DbErr::sql_err` works; unlike the kernel's they may repeat values.
//!
//! On a connection that was defined from outside, which only reads, `execute_unprepared` is refused: its text may be several
//! statements. The size of an answer, which is limited there for the kernel's queries, is not limited here.

mod lease;
mod transaction;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, RuntimeErr,
    Statement, TransactionError, TransactionOptions, TransactionTrait,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind};

use self::lease::{Backend, SqlxCause};
pub use self::transaction::SeaOrmTransaction;
use crate::pool::{Driver, Holder};
use crate::sql_pool::SqlPool;

/// A live connection as SeaORM sees it. Every call takes a connection from the pool and gives it back.
#[derive(Clone)]
pub struct SeaOrmConnection {
    pool: Arc<dyn Backend>,
    context: RequestContext,
    place: &'static Location<'static>,
}

/// A live connection as SeaORM sees it; the context's deadline holds for every statement. The line that calls this is the
/// one that is named when a transaction is never ended.
///
/// # Errors
/// `Unsupported` when the engine is none that SeaORM knows.
#[track_caller]
pub fn on(connection: &dyn DatabaseConnection, context: &RequestContext) -> Result<SeaOrmConnection, DatabaseError> {
    let mut pool: Option<Arc<dyn Backend>> = None;
    #[cfg(feature = "mysql")]
    {
        pool = pool.or_else(|| backend::<crate::drivers::mysql::MySqlDriver>(connection));
    }
    #[cfg(feature = "postgres")]
    {
        pool = pool.or_else(|| backend::<crate::drivers::postgres::PostgresDriver>(connection));
    }
    #[cfg(feature = "sqlite")]
    {
        pool = pool.or_else(|| backend::<crate::drivers::sqlite::SqliteDriver>(connection));
    }
    let pool = pool.ok_or_else(|| {
        let message = format!("SeaORM has no backend for {}", connection.engine());
        DatabaseError::new(DatabaseErrorKind::Unsupported, message).on(connection.name())
    })?;
    Ok(SeaOrmConnection { pool, context: context.clone(), place: Location::caller() })
}

fn backend<D: Driver>(connection: &dyn DatabaseConnection) -> Option<Arc<dyn Backend>>
where
    D::Session: lease::OrmSession,
{
    connection.native().downcast_ref::<SqlPool<D>>().map(|pool| Arc::new(pool.pool().clone()) as Arc<dyn Backend>)
}

#[async_trait]
impl ConnectionTrait for SeaOrmConnection {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lease = self.pool.acquire(&self.context, Holder::CALL).await.map_err(into_db_err)?;
        lease.execute(&self.context, statement).await.map_err(into_db_err)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lease = self.pool.acquire(&self.context, Holder::CALL).await.map_err(into_db_err)?;
        // A text may hold anything; see the same in the kernel's `run_script`.
        lease.set_fit(false);
        lease.execute_unprepared(&self.context, sql).await.map_err(into_db_err)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lease = self.pool.acquire(&self.context, Holder::CALL).await.map_err(into_db_err)?;
        lease.query(&self.context, statement).await.map_err(into_db_err)
    }
}

#[async_trait]
impl TransactionTrait for SeaOrmConnection {
    type Transaction = SeaOrmTransaction;

    async fn begin(&self) -> Result<SeaOrmTransaction, DbErr> {
        self.begin_with_options(TransactionOptions::default()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<SeaOrmTransaction, DbErr> {
        let options = TransactionOptions { isolation_level, access_mode, ..TransactionOptions::default() };
        self.begin_with_options(options).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<SeaOrmTransaction, DbErr> {
        SeaOrmTransaction::begin(&self.pool, &self.context, options, self.place).await.map_err(into_db_err)
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SeaOrmTransaction) -> transaction::Running<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.transaction_with_config(callback, None, None).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SeaOrmTransaction) -> transaction::Running<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        let transaction =
            self.begin_with_config(isolation_level, access_mode).await.map_err(TransactionError::Connection)?;
        transaction.run(callback).await
    }
}

impl fmt::Debug for SeaOrmConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaOrmConnection").field("backend", &self.pool.backend()).finish_non_exhaustive()
    }
}

/// The driver's own error where there is one, so that SeaORM can look into it.
#[expect(clippy::needless_pass_by_value, reason = "it stands where `map_err` hands the error over")]
fn into_db_err(error: DatabaseError) -> DbErr {
    if let Some(SqlxCause(cause)) = std::error::Error::source(&error).and_then(|source| source.downcast_ref()) {
        return DbErr::Exec(RuntimeErr::SqlxError(Arc::clone(cause)));
    }
    match error.kind() {
        DatabaseErrorKind::Saturated => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        DatabaseErrorKind::Closed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        _ => DbErr::Conn(RuntimeErr::Internal(error.to_string())),
    }
}

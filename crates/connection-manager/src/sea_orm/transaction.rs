use std::fmt;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, RuntimeErr, Statement,
    TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, TransactionMode};
use tokio::sync::Mutex;

use super::into_db_err;
use super::lease::{Backend, OrmLease};
use crate::pool::{Cut, Deadline, Holder, limited};

/// How long a rollback may take that nobody waits for.
const ROLLBACK: Duration = Duration::from_secs(5);
/// No nested transaction waits to be rolled back.
const NONE: u32 = u32::MAX;

/// What a callback in a transaction returns.
pub(super) type Running<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// An open transaction on a connection of its own, or nested in one by a savepoint. Dropped, it is rolled back.
pub struct SeaOrmTransaction {
    shared: Arc<Shared>,
    /// 0 for the outermost.
    depth: u32,
    open: bool,
}

struct Shared {
    lease: Mutex<Box<dyn OrmLease>>,
    pool: Arc<dyn Backend>,
    context: RequestContext,
    /// The outermost transaction has ended; nothing may run on the connection any more.
    over: AtomicBool,
    /// The shallowest nested transaction that was dropped and has yet to be rolled back, or [`NONE`].
    abandoned: AtomicU32,
}

impl SeaOrmTransaction {
    pub(super) async fn begin(
        pool: &Arc<dyn Backend>,
        context: &RequestContext,
        options: TransactionOptions,
        place: &'static Location<'static>,
    ) -> Result<Self, DatabaseError> {
        let mode = match options.access_mode {
            Some(AccessMode::ReadOnly) => TransactionMode::ReadOnly,
            Some(AccessMode::ReadWrite) | None => TransactionMode::ReadWrite,
        };
        let mut lease = pool.acquire(context, Holder::transaction(place)).await?;
        let isolation = options.isolation_level.map(|level| format!("SET TRANSACTION ISOLATION LEVEL {level}"));
        // MySQL sets the level of the next transaction, PostgreSQL that of the open one; SQLite's is serializable.
        match (pool.backend(), isolation) {
            (DbBackend::MySql, Some(isolation)) => {
                lease.set_fit(false);
                lease.execute_unprepared(context, &isolation).await?;
                lease.begin(context, mode).await?;
            }
            (DbBackend::Postgres, Some(isolation)) => {
                lease.begin(context, mode).await?;
                lease.execute_unprepared(context, &isolation).await?;
            }
            _ => lease.begin(context, mode).await?,
        }
        let shared = Shared {
            lease: Mutex::new(lease),
            pool: Arc::clone(pool),
            context: context.clone(),
            over: AtomicBool::new(false),
            abandoned: AtomicU32::new(NONE),
        };
        Ok(Self { shared: Arc::new(shared), depth: 0, open: true })
    }

    pub(super) async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Running<'c, T, E> + Send,
        E: fmt::Display + fmt::Debug,
    {
        match callback(&self).await {
            Ok(value) => {
                self.commit().await.map_err(TransactionError::Connection)?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await.map_err(TransactionError::Connection)?;
                Err(TransactionError::Transaction(error))
            }
        }
    }

    /// The connection, once nested transactions that were dropped are rolled back.
    async fn line(&self) -> Result<tokio::sync::MutexGuard<'_, Box<dyn OrmLease>>, DbErr> {
        let shared = &self.shared;
        let deadline = shared.pool.deadline_of(&shared.context);
        let mut lease = limited(pin!(shared.lease.lock()), deadline, &Cut::default()).await.map_err(|_| {
            let message = "another statement of the same transaction was not through before the deadline";
            into_db_err(DatabaseError::new(DatabaseErrorKind::Timeout, message))
        })?;
        if shared.over.load(Ordering::Acquire) {
            return Err(DbErr::Conn(RuntimeErr::Internal("the transaction around this one is over".to_owned())));
        }
        let abandoned = self.shared.abandoned.swap(NONE, Ordering::AcqRel);
        if abandoned != NONE {
            let sql = format!("ROLLBACK TO SAVEPOINT bindery_{abandoned}");
            lease.execute_unprepared(&self.shared.context, &sql).await.map_err(into_db_err)?;
        }
        Ok(lease)
    }

    async fn send(&self, sql: &str) -> Result<(), DbErr> {
        let mut lease = self.line().await?;
        lease.execute_unprepared(&self.shared.context, sql).await.map(drop).map_err(into_db_err)
    }
}

#[async_trait]
impl TransactionSession for SeaOrmTransaction {
    async fn commit(mut self) -> Result<(), DbErr> {
        if self.depth > 0 {
            self.send(&format!("RELEASE SAVEPOINT bindery_{}", self.depth)).await?;
            self.open = false;
            return Ok(());
        }
        let mut lease = self.line().await?;
        lease.commit(&self.shared.context).await.map_err(into_db_err)?;
        self.shared.over.store(true, Ordering::Release);
        drop(lease);
        self.open = false;
        Ok(())
    }

    async fn rollback(mut self) -> Result<(), DbErr> {
        if self.depth > 0 {
            self.send(&format!("ROLLBACK TO SAVEPOINT bindery_{}", self.depth)).await?;
            self.open = false;
            return Ok(());
        }
        let mut lease = self.line().await?;
        let deadline = Deadline::of(&self.shared.context, Some(ROLLBACK));
        lease.rollback(deadline).await.map_err(into_db_err)?;
        self.shared.over.store(true, Ordering::Release);
        drop(lease);
        self.open = false;
        Ok(())
    }
}

impl Drop for SeaOrmTransaction {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if self.depth > 0 {
            self.shared.abandoned.fetch_min(self.depth, Ordering::AcqRel);
            return;
        }
        self.shared.over.store(true, Ordering::Release);
        // Until the rollback is confirmed the lease is unfit, so that the connection is closed whatever becomes of it.
        let shared = Arc::clone(&self.shared);
        self.shared.pool.runtime().spawn(async move {
            let mut lease = shared.lease.lock().await;
            if let Err(error) = lease.rollback(Deadline::within(ROLLBACK)).await {
                tracing::debug!(%error, "a dropped transaction could not be rolled back, its connection is closed");
            }
        });
    }
}

#[async_trait]
impl ConnectionTrait for SeaOrmTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.pool.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.line().await?.execute(&self.shared.context, statement).await.map_err(into_db_err)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.line().await?.execute_unprepared(&self.shared.context, sql).await.map_err(into_db_err)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.line().await?.query(&self.shared.context, statement).await.map_err(into_db_err)
    }
}

#[async_trait]
impl TransactionTrait for SeaOrmTransaction {
    type Transaction = Self;

    async fn begin(&self) -> Result<Self, DbErr> {
        let depth = self.depth + 1;
        self.send(&format!("SAVEPOINT bindery_{depth}")).await?;
        Ok(Self { shared: Arc::clone(&self.shared), depth, open: true })
    }

    /// Isolation and access are those of the outermost transaction; what is asked for here has no effect.
    async fn begin_with_config(
        &self,
        _isolation_level: Option<IsolationLevel>,
        _access_mode: Option<AccessMode>,
    ) -> Result<Self, DbErr> {
        self.begin().await
    }

    async fn begin_with_options(&self, _options: TransactionOptions) -> Result<Self, DbErr> {
        self.begin().await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Running<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin().await.map_err(TransactionError::Connection)?.run(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        _isolation_level: Option<IsolationLevel>,
        _access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Running<'c, T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.transaction(callback).await
    }
}

impl fmt::Debug for SeaOrmTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaOrmTransaction")
            .field("backend", &self.shared.pool.backend())
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

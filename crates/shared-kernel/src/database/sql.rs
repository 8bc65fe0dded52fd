use std::future::Future;
use std::panic::Location;

use async_trait::async_trait;
use sql_dialect::Dialect;

use super::{DatabaseError, Row, Statement};
use crate::RequestContext;

/// Something that runs statements: a pool, one pinned session, or an open transaction.
///
/// Cancellation: dropping a future that was returned here is safe. The physical connection it used is thrown away
/// unless the statement had finished, and whether an interrupted write took effect is unknown.
#[async_trait]
pub trait SqlExecutor: Send + Sync {
    /// The dialect that statements are rendered in.
    fn dialect(&self) -> Dialect;

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// Every [`super::DatabaseErrorKind`]; `Timeout` when the context's deadline passes first.
    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError>;

    /// Runs a statement and returns all its rows.
    ///
    /// # Errors
    /// Every [`super::DatabaseErrorKind`]; `Timeout` when the context's deadline passes first.
    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError>;

    /// Sends a text as it stands: several statements are allowed, parameters are not. For migrations and settings.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`]. Without a surrounding transaction, statements before the failing one stay in effect.
    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError>;

    /// Runs a statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// As [`SqlExecutor::query`].
    async fn query_one(&self, statement: &Statement, context: &RequestContext) -> Result<Option<Row>, DatabaseError> {
        Ok(self.query(statement, context).await?.into_iter().next())
    }
}

/// Whether a transaction means to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionMode {
    /// Reads and writes. SQLite takes its write lock at once (`BEGIN IMMEDIATE`), so that it never has to upgrade.
    #[default]
    ReadWrite,
    /// Reads one consistent state: MySQL, MariaDB and PostgreSQL in `REPEATABLE READ`, SQLite as ever, SQL Server as far as
    /// the database's own default gives one.
    ReadOnly,
}

/// The SQL capability of a connection: statements, transactions and pinned sessions over its pool.
///
/// Callers write [`begin`](trait.SqlConnection.html#method.begin) and [`session`](trait.SqlConnection.html#method.session),
/// which say by themselves where they stand. What implements the trait is told the place as an argument, because
/// `#[track_caller]` does not reach through a trait object.
#[async_trait]
pub trait SqlConnection: SqlExecutor {
    /// Opens a transaction on a connection of its own. `place` is who is to be named when it is never ended.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`], and `Saturated` when no connection comes free.
    async fn begin_at(
        &self,
        mode: TransactionMode,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlTransaction>, DatabaseError>;

    /// Pins one physical connection, for what belongs to a session: advisory locks, settings, temporary tables. `place`
    /// is who is to be named when it is never released.
    ///
    /// # Errors
    /// As [`SqlConnection::begin_at`].
    async fn session_at(
        &self,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlSession>, DatabaseError>;
}

impl dyn SqlConnection + '_ {
    /// Opens a transaction on a connection of its own, in the name of the line that calls this.
    ///
    /// # Errors
    /// As [`SqlConnection::begin_at`].
    #[track_caller]
    pub fn begin<'a>(
        &'a self,
        mode: TransactionMode,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<Box<dyn SqlTransaction>, DatabaseError>> + Send + use<'a> {
        self.begin_at(mode, context, Location::caller())
    }

    /// Pins one physical connection, in the name of the line that calls this.
    ///
    /// # Errors
    /// As [`SqlConnection::session_at`].
    #[track_caller]
    pub fn session<'a>(
        &'a self,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<Box<dyn SqlSession>, DatabaseError>> + Send + use<'a> {
        self.session_at(context, Location::caller())
    }
}

/// An open transaction. Dropping it rolls back: the connection goes back to the pool only after the rollback was
/// confirmed, and is closed otherwise.
#[async_trait]
pub trait SqlTransaction: SqlExecutor {
    /// Makes the changes permanent.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`]. After `Timeout` or `Unreachable` it is unknown whether the changes are permanent.
    async fn commit(self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError>;

    /// Undoes the changes.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`]; the changes are undone in any case.
    async fn rollback(self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError>;
}

/// One physical connection held for as long as the value lives.
#[async_trait]
pub trait SqlSession: SqlExecutor {
    /// Opens a transaction on this very connection.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`].
    async fn begin<'session>(
        &'session mut self,
        mode: TransactionMode,
        context: &RequestContext,
    ) -> Result<Box<dyn SqlTransaction + 'session>, DatabaseError>;

    /// Ends the session. The physical connection is closed, so that none of its settings or locks reach anybody else.
    ///
    /// # Errors
    /// As [`SqlExecutor::execute`]; the session is over in any case.
    async fn release(self: Box<Self>) -> Result<(), DatabaseError>;
}

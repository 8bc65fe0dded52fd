//! SQLite, embedded, over single sqlx connections.

mod bind;
mod error;
mod limits;
mod row;

use std::fmt;
use std::sync::Arc;

use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, TransactionMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::error::map;
use self::limits::Watch;
use self::row::SqliteRowSource;
use crate::credentials::Credentials;
use crate::drivers::guard;
use crate::egress::SessionLimits;
use crate::pool::{Call, Driver, DriverSession, Turn};

#[cfg(feature = "sea-orm")]
pub(crate) use self::error::kind_of;

/// How many steps of SQLite's machine are run between two looks at whether somebody still wants the result.
const STEPS: i32 = 1_000;

/// Opens connections to one SQLite database.
pub struct SqliteDriver {
    options: SqliteConnectOptions,
    /// SQLite has one writer at a time and lets the others poll. Here they queue, and the first to come is the next.
    writer: Arc<Semaphore>,
    /// Keeps a database in memory alive while the pool has no connection open.
    keeper: Option<SqliteConnection>,
    /// What a session may take where it only reads.
    limits: Option<SessionLimits>,
}

impl SqliteDriver {
    /// A driver for a file.
    pub fn new(options: SqliteConnectOptions) -> Self {
        let writer = Arc::new(Semaphore::new(1));
        Self { options: options.disable_statement_logging(), writer, keeper: None, limits: None }
    }

    /// Has sessions take single statements that begin with a reading word, and no others. That the file is opened for reading, as
    /// the options have to say, keeps nobody from opening other files (`ATTACH`), and from writing them (`VACUUM INTO`).
    ///
    /// Whoever made the file means ill, perhaps. A statement may run for as long as these limits say; its rows may take four times as
    /// many bytes as an answer may have, and so may what all of SQLite in this process comes to keep meanwhile; no value is longer than 1 MB, and nothing that the file says makes
    /// SQLite trust it.
    #[must_use]
    pub fn only_reading(self, limits: SessionLimits) -> Self {
        // SQLite goes on ahead of whoever takes the rows: by one, and not by fifty.
        Self { options: self.options.row_buffer_size(1), limits: Some(limits), ..self }
    }

    /// A driver for a database that lives as long as the driver does and no longer.
    ///
    /// # Errors
    /// `FileUnusable` when SQLite cannot open it.
    pub async fn in_memory(options: SqliteConnectOptions) -> Result<Self, DatabaseError> {
        let mut driver = Self::new(options);
        let keeper = driver.options.connect().await.map_err(|error| map(error, "opening the database in memory"))?;
        driver.keeper = Some(keeper);
        Ok(driver)
    }
}

impl fmt::Debug for SqliteDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDriver")
            .field("file", &self.options.get_filename())
            .field("in_memory", &self.keeper.is_some())
            .finish_non_exhaustive()
    }
}

impl Driver for SqliteDriver {
    type Session = SqliteSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn expects_to_write(&self) -> bool {
        false
    }

    async fn turn(&self, call: Call<'_>) -> Option<Turn> {
        if self.limits.is_some() {
            return None;
        }
        let writes = match call {
            Call::Text(sql) => may_write(sql),
            Call::Begin(mode) => mode == TransactionMode::ReadWrite,
        };
        if !writes {
            return None;
        }
        Arc::clone(&self.writer).acquire_owned().await.ok().map(Turn)
    }

    async fn connect(&self, _credentials: &Credentials) -> Result<SqliteSession, DatabaseError> {
        let opening = |error| map(error, "opening the database file");
        let mut connection = self.options.connect().await.map_err(opening)?;
        let watch = Arc::new(Watch::new(self.limits.as_ref()));
        let abandon = Abandon(Arc::clone(&watch));
        {
            let mut handle = connection.lock_handle().await.map_err(opening)?;
            if let Some(limits) = &self.limits {
                limits::impose(&mut handle, limits);
            }
            let watch = Arc::clone(&watch);
            handle.set_progress_handler(STEPS, move || watch.is_wanted());
        }
        if self.limits.is_some() {
            // The first one to look into the file: its time is short already.
            watch.start();
            let said = connection.execute(limits::MISTRUST).await;
            said.map_err(|error| watch.told(opening(error), DatabaseErrorKind::FileUnusable))?;
        }
        let writer = Arc::clone(&self.writer);
        let answer = self.limits.as_ref().map(|limits| limits.answer);
        Ok(SqliteSession {
            connection,
            writer,
            transaction: None,
            granted: None,
            answer,
            is_lost: false,
            watch: abandon,
        })
    }
}

/// One connection to an SQLite database.
pub struct SqliteSession {
    connection: SqliteConnection,
    writer: Arc<Semaphore>,
    transaction: Option<Transaction>,
    /// The turn that the next call was given beforehand.
    granted: Option<OwnedSemaphorePermit>,
    /// How many bytes an answer may have, of a session that only reads: nothing is sent that may write or open another file, nor a
    /// transaction begun that would be allowed to.
    answer: Option<usize>,
    /// The file was found to be no database any more: another connection may find another one in its place.
    is_lost: bool,
    watch: Abandon,
}

/// Ends the statement that the driver's thread is at when the session is dropped.
struct Abandon(Arc<Watch>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

enum Transaction {
    /// Has the writers' turn until its end.
    Write { _turn: Option<OwnedSemaphorePermit> },
    /// Has forbidden the connection to write until its end.
    Read,
}

impl SqliteSession {
    /// The driver's own connection.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// The right to send a text of SeaORM: where it may write, the writers' turn.
    #[cfg(feature = "sea-orm")]
    pub(crate) async fn turn_of_orm(&mut self, sql: &str) -> Result<Option<OwnedSemaphorePermit>, DatabaseError> {
        self.admit(sql)?;
        Ok(self.turn_for(sql).await)
    }

    /// The same for a text that nobody prepares.
    #[cfg(feature = "sea-orm")]
    pub(crate) async fn turn_of_script_of_orm(
        &mut self,
        sql: &str,
    ) -> Result<Option<OwnedSemaphorePermit>, DatabaseError> {
        if self.reads_only() { Err(guard::no_scripts()) } else { self.turn_of_orm(sql).await }
    }

    /// Takes note of how a statement failed, of which SQLite itself makes nothing.
    pub(crate) fn note_failure(&mut self, kind: &DatabaseErrorKind) {
        self.is_lost |= *kind == DatabaseErrorKind::UnknownDatabase;
    }

    /// On PostgreSQL a statement of SeaORM has a transaction around it, with which what it sets ends. Here it has none.
    #[cfg(feature = "sea-orm")]
    #[expect(clippy::unused_async, reason = "the same call on PostgreSQL begins a transaction")]
    pub(crate) async fn fence(&mut self) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    #[cfg(feature = "sea-orm")]
    #[expect(clippy::unused_async, reason = "the same call on PostgreSQL ends the transaction")]
    pub(crate) async fn unfence<T>(&mut self, _fenced: bool, outcome: sqlx::Result<T>) -> sqlx::Result<T> {
        outcome
    }

    /// A statement of SeaORM, ready to be sent.
    #[cfg(feature = "sea-orm")]
    #[expect(clippy::unused_async, reason = "the same call on PostgreSQL may have to wait")]
    pub(crate) async fn statement_of_orm(
        &mut self,
        sql: String,
        values: Values,
    ) -> Result<sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>, DatabaseError> {
        Ok(sqlx::query_with(AssertSqlSafe(sql), bind::arguments_of_orm(values)?))
    }

    /// Whether a statement may be sent, asked before each one whoever sends it; what the session itself says is not asked about. The
    /// time of one that may begins.
    fn admit(&self, sql: &str) -> Result<(), DatabaseError> {
        if self.reads_only() {
            guard::admit_sqlite(sql)?;
        }
        self.watch.0.start();
        Ok(())
    }

    const fn reads_only(&self) -> bool {
        self.answer.is_some()
    }

    /// A turn to write, for a statement outside a transaction.
    async fn turn_for(&mut self, sql: &str) -> Option<OwnedSemaphorePermit> {
        if let Some(granted) = self.granted.take() {
            return Some(granted);
        }
        if self.transaction.is_some() || self.reads_only() || !may_write(sql) {
            return None;
        }
        // Boxed, so that those who only read do not carry it around.
        Box::pin(Arc::clone(&self.writer).acquire_owned()).await.ok()
    }

    async fn end(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        self.send(sql).await?;
        if let Some(Transaction::Read) = self.transaction.take() {
            self.send("PRAGMA query_only = OFF").await?;
        }
        Ok(())
    }

    async fn send(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        self.watch.0.start();
        let done = self.connection.execute(sql).await.map(drop);
        self.noted(done, "running a statement")
    }

    /// Takes note of a file that has become something else.
    fn noted<T>(&mut self, outcome: sqlx::Result<T>, attempt: &str) -> Result<T, DatabaseError> {
        outcome.map_err(|error| {
            let error = self.watch.0.told(map(error, attempt), DatabaseErrorKind::Query);
            self.note_failure(error.kind());
            error
        })
    }
}

impl DriverSession for SqliteSession {
    fn grant(&mut self, turn: Turn) {
        self.granted = Some(turn.0);
    }

    async fn execute(&mut self, sql: String, values: Values) -> Result<u64, DatabaseError> {
        self.admit(&sql)?;
        let _turn = self.turn_for(&sql).await;
        let arguments = bind::arguments(values)?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let done = self.connection.execute(query).await;
        self.noted(done, "running a statement").map(|done| done.rows_affected())
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.admit(&sql)?;
        let _turn = self.turn_for(&sql).await;
        let arguments = bind::arguments(values)?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = match self.answer {
            None => self.connection.fetch_all(query).await,
            Some(answer) => limits::gather(&mut self.connection, query, answer).await,
        };
        let rows = self.noted(rows, "running a query")?;
        Ok(rows.into_iter().map(|row| Row::new(SqliteRowSource(row))).collect())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        if self.reads_only() {
            return Err(guard::no_scripts());
        }
        let _turn = self.turn_for(script).await;
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        let done = self.connection.execute(script).await;
        self.noted(done, "running a script").map(drop)
    }

    async fn begin(&mut self, mode: TransactionMode) -> Result<(), DatabaseError> {
        let granted = self.granted.take();
        match mode {
            TransactionMode::ReadWrite if !self.reads_only() => {
                let turn = match granted {
                    Some(granted) => Some(granted),
                    None => Arc::clone(&self.writer).acquire_owned().await.ok(),
                };
                self.send("BEGIN IMMEDIATE").await?;
                self.transaction = Some(Transaction::Write { _turn: turn });
            }
            TransactionMode::ReadWrite | TransactionMode::ReadOnly => {
                self.send("PRAGMA query_only = ON").await?;
                self.transaction = Some(Transaction::Read);
                self.send("BEGIN DEFERRED").await?;
            }
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.end("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.end("ROLLBACK").await
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        // A read of the file's header: the connection's own ping never touches the file.
        self.send("PRAGMA schema_version").await
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        self.watch.0.start();
        let version = sqlx::query_scalar::<_, String>("SELECT sqlite_version()").fetch_one(&mut self.connection).await;
        self.noted(version, "asking for the version").map(Some)
    }

    fn is_usable(&self) -> bool {
        !self.is_lost
    }

    async fn close(self) {
        // What SQLite has to say at this point nobody can act on.
        let _ = self.connection.close().await;
    }
}

/// Whether a text may change the database, judged by its first word; one that does not is spared the queue.
fn may_write(sql: &str) -> bool {
    let text = sql.trim_start().as_bytes();
    let length = text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text.get(..length).unwrap_or_default();
    ![&b"SELECT"[..], b"VALUES", b"PRAGMA", b"EXPLAIN"].iter().any(|reading| word.eq_ignore_ascii_case(reading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_reads_is_spared_the_queue() {
        for sql in ["SELECT 1", "  select\n1", "PRAGMA user_version", "EXPLAIN QUERY PLAN SELECT 1"] {
            assert!(!may_write(sql), "{sql}");
        }
        for sql in ["INSERT INTO t VALUES (1)", "WITH x AS (SELECT 1) DELETE FROM t", "-- note\nDELETE FROM t", ""] {
            assert!(may_write(sql), "{sql}");
        }
    }
}

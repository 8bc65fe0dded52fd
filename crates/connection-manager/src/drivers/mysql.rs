//! MySQL and MariaDB over single sqlx connections.

mod bind;
mod error;
mod row;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use sea_query::Values;
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, TransactionMode};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _};
use tokio::time::Instant;

use self::error::map;
use self::row::MySqlRowSource;
use crate::credentials::Credentials;
use crate::drivers::gather::gather;
use crate::drivers::guard;
use crate::egress::relay::{self, Protocol, Relay, Target};
use crate::egress::{Egress, SessionLimits};
use crate::endpoint::NotAsked;
use crate::knock::{Knock, knock};
use crate::pool::{Driver, DriverSession, ServerSession};

#[cfg(feature = "sea-orm")]
pub(crate) use self::error::kind_of;

/// What every session begins with, whatever the server's configuration says: text is utf8mb4, instants are UTC, and
/// what does not fit is refused rather than cut. `||` joins text, as in the other dialects.
const SESSION: &str = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,\
    ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT'";

/// What follows where somebody from outside has defined the connection. The limit of a statement is in milliseconds to MySQL
/// and in seconds to MariaDB, and each reads its own alone.
fn guards(limits: &SessionLimits) -> [String; 2] {
    let (statement, lock) = (limits.statement.as_millis().max(1), limits.lock_wait.as_secs().max(1));
    let (idle, seconds, fraction) = (limits.idle.as_secs().max(1), statement / 1000, statement % 1000);
    [
        "SET SESSION TRANSACTION READ ONLY".to_owned(),
        format!(
            "SET SESSION lock_wait_timeout = {lock}, SESSION innodb_lock_wait_timeout = {lock}, \
             SESSION wait_timeout = {idle} /*!50708 , SESSION max_execution_time = {statement} */ \
             /*M!100101 , SESSION max_statement_time = {seconds}.{fraction:03} */"
        ),
    ]
}

/// How many statements a session keeps prepared, as sqlx does by itself.
const PREPARED: usize = 100;

/// Number and server of a session.
const IDENTITY: &str = "SELECT CONCAT_WS(' ', CONNECTION_ID(), @@hostname, @@port)";

/// `ER_NO_SUCH_THREAD`
const NO_SUCH_THREAD: &str = "1094";

/// Opens connections to one MySQL or MariaDB database. Affected rows are the rows that matched, changed or not.
pub struct MySqlDriver {
    options: MySqlConnectOptions,
    cancels: bool,
    egress: Option<Egress>,
    tls: Option<Arc<ClientConfig>>,
    keepalive: Option<Duration>,
}

impl MySqlDriver {
    /// A driver for what the options reach. User and password come with each attempt to connect.
    pub fn new(options: MySqlConnectOptions) -> Self {
        let options = options.timezone(None).set_names(false).pipes_as_concat(false).no_engine_substitution(false);
        // With room for one more than are kept, so that it closes none by itself.
        let options = options.statement_cache_capacity(PREPARED + 1);
        Self { options: options.disable_statement_logging(), cancels: true, egress: None, tls: None, keepalive: None }
    }

    /// Whether the server is told (`KILL`) to leave off a statement whose caller has left; it is unless this says no.
    /// Behind a proxy whose sessions are not the server's it must not be.
    #[must_use]
    pub fn with_cancel(self, cancels: bool) -> Self {
        Self { cancels, ..self }
    }

    /// Where the server may be; `None` goes where the options say. With it, sessions only read, and the server holds them to
    /// the policy's [`SessionLimits`]; TLS is then spoken as `tls` says, or not at all, whatever the options say of it.
    #[must_use]
    pub fn with_egress(self, egress: Option<Egress>, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { egress, tls, ..self }
    }

    /// See [`PoolSettings::keepalive`](crate::PoolSettings::keepalive). It counts with an egress alone: without one sqlx dials by
    /// itself.
    #[must_use]
    pub fn with_keepalive(self, keepalive: Option<Duration>) -> Self {
        Self { keepalive, ..self }
    }
}

impl fmt::Debug for MySqlDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options would print the password.
        f.debug_struct("MySqlDriver").finish_non_exhaustive()
    }
}

impl Driver for MySqlDriver {
    type Session = MySqlSession;

    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    fn expects_to_write(&self) -> bool {
        self.egress.is_none()
    }

    /// The server speaks first. It counts a client that leaves without a word, and ends the count with the next that logs in.
    async fn knock(&self) -> Knock {
        knock(self.egress.as_ref(), self.options.get_host(), self.options.get_port(), &[]).await
    }

    async fn connect(&self, credentials: &Credentials) -> Result<MySqlSession, DatabaseError> {
        crate::tls::install_provider();
        let options =
            self.options.clone().username(&credentials.username).password(credentials.password.expose_secret());
        let (host, port) = (options.get_host(), options.get_port());
        let (tls, keepalive) = (self.tls.as_ref(), self.keepalive);
        let target = Target { host, port, protocol: Protocol::MySql, tls, keepalive };
        let relay = relay::to(self.egress.as_ref(), target).await?;
        // What the driver says to the relay nobody overhears; that there is TLS decides how it logs in.
        let tls = if self.tls.is_some() { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
        let options = match &relay {
            Some(relay) => options.socket(relay.file()).ssl_mode(tls),
            None => options,
        };
        let mut connection = options.connect().await.map_err(|error| {
            let failure = relay.as_ref().and_then(Relay::failure);
            map(failure.map_or(error, sqlx::Error::Io), "connecting")
        })?;
        connection.execute(SESSION).await.map_err(|error| map(error, "setting up the session"))?;
        for guard in self.egress.iter().flat_map(|egress| guards(egress.limits())) {
            connection.execute(AssertSqlSafe(guard)).await.map_err(|error| map(error, "setting up the session"))?;
        }
        let server = if self.cancels { identity(&mut connection).await? } else { None };
        let answer = self.egress.as_ref().map(|egress| egress.limits().answer);
        Ok(MySqlSession { connection, transaction: Transaction::None, server, reads_only: answer.is_some(), answer })
    }
}

/// How the server knows a session; `None` when it does not say.
async fn identity(connection: &mut MySqlConnection) -> Result<Option<ServerSession>, DatabaseError> {
    let row = match connection.fetch_one(sqlx::raw_sql(IDENTITY)).await {
        Ok(row) => row,
        Err(sqlx::Error::Database(_)) => return Ok(None),
        Err(error) => return Err(map(error, "setting up the session")),
    };
    let text: Option<String> = row.try_get_unchecked(0).ok();
    Ok(text.as_deref().and_then(|text| {
        let (number, mark) = text.split_once(' ')?;
        Some(ServerSession { number: number.parse().ok()?, mark: mark.to_owned(), since: Instant::now() })
    }))
}

/// One connection to a MySQL or MariaDB server.
pub struct MySqlSession {
    connection: MySqlConnection,
    transaction: Transaction,
    server: Option<ServerSession>,
    /// The server says no to writing; this one does not ask, nor begin a transaction that would be allowed to.
    reads_only: bool,
    /// How many bytes the server may answer with, where that is limited.
    answer: Option<usize>,
}

/// How the transaction of a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A deadlock or the like: the server has rolled back, of its own accord, all of it or the last statement. Whatever
    /// was sent now might be permanent at once, without what came before.
    Lost,
}

impl MySqlSession {
    /// The driver's own connection.
    pub fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.connection
    }

    /// The right to send a text of SeaORM.
    #[cfg(feature = "sea-orm")]
    #[expect(clippy::unused_async, reason = "the same call on SQLite may have to wait")]
    pub(crate) async fn turn_of_orm(&self, sql: &str) -> Result<(), DatabaseError> {
        self.admit(sql)
    }

    /// The same for a text that nobody prepares, which may be several statements.
    #[cfg(feature = "sea-orm")]
    pub(crate) async fn turn_of_script_of_orm(&self, sql: &str) -> Result<(), DatabaseError> {
        if self.reads_only { Err(guard::no_scripts()) } else { self.turn_of_orm(sql).await }
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
    pub(crate) async fn statement_of_orm(
        &mut self,
        sql: String,
        values: Values,
    ) -> Result<sqlx::query::Query<'static, sqlx::MySql, sqlx::mysql::MySqlArguments>, DatabaseError> {
        self.make_room().await?;
        Ok(sqlx::query_with(AssertSqlSafe(sql), bind::arguments(values)?))
    }

    /// Sees to it that a statement can be prepared without closing a single other one. The server does not answer when one is
    /// closed, and sqlx 0.9.0 leaves Nagle's algorithm on (its pull request 4336 takes that back): what is sent next waits until
    /// the server's system acknowledges the first packet, up to 40 ms. Where all are closed at once, that is waited for once.
    async fn make_room(&mut self) -> Result<(), DatabaseError> {
        if self.connection.cached_statements_size() > PREPARED {
            let closed = self.connection.clear_cached_statements().await;
            closed.map_err(|error| map(error, "closing prepared statements"))?;
        }
        Ok(())
    }

    /// Whether a statement may be sent, asked before each one whoever sends it.
    fn admit(&self, sql: &str) -> Result<(), DatabaseError> {
        if self.reads_only {
            guard::admit_mysql(sql)?;
        }
        self.is_not_lost()
    }

    fn is_not_lost(&self) -> Result<(), DatabaseError> {
        if self.transaction == Transaction::Lost {
            let message = "the server rolled the transaction back after a conflict, and it has to be begun again";
            let error = DatabaseError::new(DatabaseErrorKind::SerializationConflict, message);
            return Err(error.with_source(NotAsked::at_all()));
        }
        Ok(())
    }

    fn note<T>(&mut self, outcome: sqlx::Result<T>, attempt: &str) -> Result<T, DatabaseError> {
        let outcome = outcome.map_err(|error| map(error, attempt));
        if let Err(error) = &outcome {
            self.note_failure(error.kind());
        }
        outcome
    }

    /// Takes note of how a statement failed.
    pub(crate) fn note_failure(&mut self, kind: &DatabaseErrorKind) {
        if *kind == DatabaseErrorKind::SerializationConflict && self.transaction == Transaction::Open {
            self.transaction = Transaction::Lost;
        }
    }

    /// How long the server has been up, in seconds.
    async fn uptime(&mut self) -> Result<Option<u64>, DatabaseError> {
        let row = self.connection.fetch_optional(sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Uptime'")).await;
        let row = row.map_err(|error| map(error, "asking how long the server is up"))?;
        Ok(row.and_then(|row| row.try_get_unchecked::<String, _>(1).ok()?.parse().ok()))
    }

    async fn send(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        self.connection.execute(sql).await.map(drop).map_err(|error| map(error, "running a statement"))
    }
}

impl DriverSession for MySqlSession {
    async fn execute(&mut self, sql: String, values: Values) -> Result<u64, DatabaseError> {
        self.admit(&sql)?;
        self.make_room().await?;
        let query = sqlx::query_with(AssertSqlSafe(sql), bind::arguments(values)?);
        let done = self.connection.execute(query).await;
        self.note(done, "running a statement").map(|done| done.rows_affected())
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.admit(&sql)?;
        self.make_room().await?;
        let query = sqlx::query_with(AssertSqlSafe(sql), bind::arguments(values)?);
        let rows = gather(&mut self.connection, query, self.answer).await;
        let rows = self.note(rows, "running a query")?;
        Ok(rows.into_iter().map(|row| Row::new(MySqlRowSource(row))).collect())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        if self.reads_only {
            return Err(guard::no_scripts());
        }
        self.is_not_lost()?;
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        let done = self.connection.execute(script).await;
        self.note(done, "running a script").map(drop)
    }

    async fn begin(&mut self, mode: TransactionMode) -> Result<(), DatabaseError> {
        self.send(match mode {
            TransactionMode::ReadWrite if !self.reads_only => "START TRANSACTION READ WRITE",
            TransactionMode::ReadWrite | TransactionMode::ReadOnly => "START TRANSACTION READ ONLY",
        })
        .await?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.is_not_lost()?;
        self.send("COMMIT").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        // Also after a conflict, which on some settings undoes the last statement alone.
        self.send("ROLLBACK").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        self.connection.ping().await.map_err(|error| map(error, "asking for a sign of life"))
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        self.make_room().await?;
        let version = sqlx::query_scalar::<_, String>("SELECT VERSION()").fetch_one(&mut self.connection).await;
        version.map(Some).map_err(|error| map(error, "asking for the version"))
    }

    fn server_session(&self) -> Option<ServerSession> {
        self.server.clone()
    }

    async fn cancel(&mut self, other: &ServerSession) -> Result<(), DatabaseError> {
        // Behind one address there may be several servers, and after a restart the numbers begin anew.
        if self.server.as_ref().is_none_or(|own| own.mark != other.mark) {
            return Ok(());
        }
        // The seconds are rounded down.
        if self.uptime().await?.is_none_or(|uptime| uptime + 1 < other.since.elapsed().as_secs()) {
            return Ok(());
        }
        let kill = sqlx::raw_sql(AssertSqlSafe(format!("KILL CONNECTION {}", other.number)));
        match self.connection.execute(kill).await.map_err(|error| map(error, "cancelling a statement")) {
            Err(error) if error.code() == Some(NO_SUCH_THREAD) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn close(self) {
        // What the server has to say at this point nobody can act on.
        let _ = self.connection.close().await;
    }
}

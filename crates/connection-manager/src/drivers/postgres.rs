//! PostgreSQL over single sqlx connections.

mod bind;
mod error;
mod numeric;
mod row;

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use sea_query::Values;
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, TransactionMode};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _};
use tokio::time::Instant;

use self::bind::Signature;
use self::error::{map, map_login};
use self::row::PostgresRowSource;
use crate::credentials::Credentials;
use crate::drivers::gather::gather;
use crate::drivers::guard;
use crate::egress::relay::{self, Protocol, Relay, Target};
use crate::egress::{Egress, SessionLimits};
use crate::knock::{Knock, knock};
use crate::pool::{Driver, DriverSession, ServerSession};

#[cfg(feature = "sea-orm")]
pub(crate) use self::error::kind_of;

/// Statements whose parameter types are remembered; a little more than the driver keeps prepared.
const REMEMBERED: usize = 200;

/// `in_failed_sql_transaction`
const IN_FAILED_TRANSACTION: &str = "25P02";

/// A transaction that is left alone keeps the server from clearing up.
const IDLE_IN_TRANSACTION: Duration = Duration::from_mins(1);

/// What a session is given at its start where somebody from outside has defined the connection. They are no statements: a
/// pooler that lends sessions to several clients would keep what those set, and make others' sessions read-only.
fn guards(limits: &SessionLimits) -> [(&'static str, String); 5] {
    let text = |limit: Duration| format!("{}ms", limit.as_millis().max(1));
    [
        ("default_transaction_read_only", "on".to_owned()),
        ("statement_timeout", text(limits.statement)),
        ("lock_timeout", text(limits.lock_wait)),
        ("idle_session_timeout", text(limits.idle)),
        ("idle_in_transaction_session_timeout", text(limits.idle.min(IDLE_IN_TRANSACTION))),
    ]
}

/// Number and beginning of a session; the number alone is used again.
const IDENTITY: &str = "SELECT pid::text || ' ' || extract(epoch FROM backend_start)::text \
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";

const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
    WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2";

/// `SSLRequest` (PostgreSQL's protocol, section 55.7): its length and its code. A server answers yes or no.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Opens connections to one PostgreSQL database.
pub struct PostgresDriver {
    options: PgConnectOptions,
    cancels: bool,
    egress: Option<Egress>,
    tls: Option<Arc<ClientConfig>>,
    keepalive: Option<Duration>,
}

impl PostgresDriver {
    /// A driver for what the options reach. User and password come with each attempt to connect.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options: options.disable_statement_logging(), cancels: true, egress: None, tls: None, keepalive: None }
    }

    /// Whether the server is told (`pg_cancel_backend`) to leave off a statement whose caller has left; it is unless this
    /// says no. Behind a pooler that lends one of the server's sessions to several clients it must not be.
    #[must_use]
    pub fn with_cancel(self, cancels: bool) -> Self {
        Self { cancels, ..self }
    }

    /// Where the server may be; `None` goes where the options say. With it, sessions only read, each statement in a
    /// transaction that is rolled back, and the server holds them to the policy's [`SessionLimits`]; TLS is then spoken as `tls`
    /// says, or not at all, whatever the options say of it.
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

impl fmt::Debug for PostgresDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options would print the password.
        f.debug_struct("PostgresDriver").finish_non_exhaustive()
    }
}

impl Driver for PostgresDriver {
    type Session = PostgresSession;

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn expects_to_write(&self) -> bool {
        self.egress.is_none()
    }

    async fn knock(&self) -> Knock {
        knock(self.egress.as_ref(), self.options.get_host(), self.options.get_port(), &SSL_REQUEST).await
    }

    async fn connect(&self, credentials: &Credentials) -> Result<PostgresSession, DatabaseError> {
        crate::tls::install_provider();
        let options =
            self.options.clone().username(&credentials.username).password(credentials.password.expose_secret());
        let (host, port) = (options.get_host(), options.get_port());
        let (tls, keepalive) = (self.tls.as_ref(), self.keepalive);
        let target = Target { host, port, protocol: Protocol::Postgres, tls, keepalive };
        let relay = relay::to(self.egress.as_ref(), target).await?;
        // What the driver says to the relay nobody overhears; that there is TLS decides how it logs in.
        let tls = if self.tls.is_some() { PgSslMode::Require } else { PgSslMode::Disable };
        let options = match (&relay, &self.egress) {
            (Some(relay), Some(egress)) => {
                options.socket(relay.folder()).ssl_mode(tls).options(guards(egress.limits()))
            }
            _ => options,
        };
        let mut connection = options.connect().await.map_err(|error| {
            let failure = relay.as_ref().and_then(Relay::failure);
            map_login(failure.map_or(error, sqlx::Error::Io))
        })?;
        let server = if self.cancels { identity(&mut connection).await? } else { None };
        let answer = self.egress.as_ref().map(|egress| egress.limits().answer);
        Ok(PostgresSession {
            connection,
            signatures: HashMap::new(),
            doubtful: false,
            server,
            reads_only: answer.is_some(),
            answer,
            in_transaction: false,
            in_step: true,
        })
    }
}

/// How the server knows a session; `None` when it does not say.
async fn identity(connection: &mut PgConnection) -> Result<Option<ServerSession>, DatabaseError> {
    let row = match connection.fetch_optional(sqlx::raw_sql(IDENTITY)).await {
        Ok(row) => row,
        Err(sqlx::Error::Database(_)) => return Ok(None),
        Err(error) => return Err(map(error, "setting up the session")),
    };
    let text: Option<String> = row.and_then(|row| row.try_get_unchecked(0).ok());
    Ok(text.as_deref().and_then(|text| {
        let (number, mark) = text.split_once(' ')?;
        Some(ServerSession { number: number.parse().ok()?, mark: mark.to_owned(), since: Instant::now() })
    }))
}

/// One connection to a PostgreSQL server.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and they change apart")]
pub struct PostgresSession {
    connection: PgConnection,
    /// The driver prepares a text once and binds by it ever after, even when the parameters are of other types. So the
    /// types that a text was first sent with are remembered, and the same text with others is made another text.
    signatures: HashMap<Box<str>, Signature>,
    /// A statement may have failed since the transaction began. The server then answers COMMIT with a rollback, and the
    /// driver does not tell the two apart.
    doubtful: bool,
    server: Option<ServerSession>,
    /// The server says no to writing; this one does not ask, nor begin a transaction that would be allowed to.
    reads_only: bool,
    /// How many bytes the server may answer with, where that is limited.
    answer: Option<usize>,
    in_transaction: bool,
    /// Nothing of a guarded statement was left behind.
    in_step: bool,
}

impl PostgresSession {
    /// The driver's own connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.doubtful = true;
        &mut self.connection
    }

    /// Sees to it that another text can be remembered. Before any statement, as what it forgets is to be asked of the server.
    async fn make_room(&mut self) -> Result<(), DatabaseError> {
        if self.signatures.len() > REMEMBERED {
            self.signatures.clear();
            let cleared = self.connection.clear_cached_statements().await;
            cleared.map_err(|error| map(error, "forgetting prepared statements"))?;
        }
        Ok(())
    }

    fn prepared(&mut self, mut sql: String, values: Values) -> Result<(String, PgArguments), DatabaseError> {
        let (arguments, signature) = bind::arguments(values)?;
        if signature.is_empty() {
            return Ok((sql, arguments));
        }
        match self.signatures.get(sql.as_str()) {
            Some(first) if *first == signature => {}
            Some(_) => {
                // Writing to a String cannot fail.
                let _ = write!(sql, " /* {signature} */");
            }
            None => {
                self.signatures.insert(sql.as_str().into(), signature);
            }
        }
        Ok((sql, arguments))
    }

    /// The right to send a text of SeaORM. A failed transaction refuses it at the server.
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

    /// Takes note of how a statement failed.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn note_failure(&mut self, _kind: &DatabaseErrorKind) {
        self.doubtful = true;
    }

    /// A statement of SeaORM, ready to be sent.
    #[cfg(feature = "sea-orm")]
    pub(crate) async fn statement_of_orm(
        &mut self,
        sql: String,
        values: Values,
    ) -> Result<sqlx::query::Query<'static, sqlx::Postgres, PgArguments>, DatabaseError> {
        self.make_room().await?;
        let (sql, arguments) = self.prepared(sql, values)?;
        Ok(sqlx::query_with(AssertSqlSafe(sql), arguments))
    }

    fn note<T>(&mut self, outcome: sqlx::Result<T>, attempt: &str) -> Result<T, DatabaseError> {
        outcome.map_err(|error| {
            self.doubtful = true;
            map(error, attempt)
        })
    }

    /// Whether a statement may be sent, asked before each one whoever sends it.
    fn admit(&self, sql: &str) -> Result<(), DatabaseError> {
        if self.reads_only { guard::admit(sql) } else { Ok(()) }
    }

    /// A function may change settings in the middle of a query, and with them what the session may do. So a statement of a
    /// guarded session has a transaction, whose end takes them back. Whether there is one to be ended.
    pub(crate) async fn fence(&mut self) -> Result<bool, DatabaseError> {
        let fenced = self.reads_only && !self.in_transaction;
        if fenced {
            self.send("BEGIN READ ONLY").await?;
        }
        Ok(fenced)
    }

    /// Ends the transaction around a statement, whose own error goes before one of the rollback. A server that was not heard out is
    /// asked nothing more; such a session goes, and so does one whose transaction may be open still.
    pub(crate) async fn unfence<T>(&mut self, fenced: bool, outcome: sqlx::Result<T>) -> sqlx::Result<T> {
        if !fenced {
            return outcome;
        }
        if matches!(outcome, Err(sqlx::Error::Io(_) | sqlx::Error::Protocol(_))) {
            self.in_step = false;
            return outcome;
        }
        let ended = self.connection.execute("ROLLBACK").await;
        self.in_step &= ended.is_ok();
        let value = outcome?;
        ended.map(|_| value)
    }

    async fn send(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        self.connection.execute(sql).await.map(drop).map_err(|error| map(error, "running a statement"))
    }
}

impl DriverSession for PostgresSession {
    async fn execute(&mut self, sql: String, values: Values) -> Result<u64, DatabaseError> {
        self.admit(&sql)?;
        self.make_room().await?;
        let (sql, arguments) = self.prepared(sql, values)?;
        let fenced = self.fence().await?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let done = self.connection.execute(query).await;
        let done = self.unfence(fenced, done).await;
        self.note(done, "running a statement").map(|done| done.rows_affected())
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.admit(&sql)?;
        self.make_room().await?;
        let (sql, arguments) = self.prepared(sql, values)?;
        let fenced = self.fence().await?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = gather(&mut self.connection, query, self.answer).await;
        let rows = self.unfence(fenced, rows).await;
        let rows = self.note(rows, "running a query")?;
        Ok(rows.into_iter().map(|row| Row::new(PostgresRowSource(row))).collect())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        if self.reads_only {
            return Err(guard::no_scripts());
        }
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        let done = self.connection.execute(script).await;
        self.note(done, "running a script").map(drop)
    }

    async fn begin(&mut self, mode: TransactionMode) -> Result<(), DatabaseError> {
        self.doubtful = false;
        self.send(match mode {
            TransactionMode::ReadWrite if !self.reads_only => "BEGIN READ WRITE",
            TransactionMode::ReadWrite | TransactionMode::ReadOnly => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
        .await?;
        self.in_transaction = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        if self.doubtful && self.send("SELECT 1").await.is_err() {
            self.rollback().await?;
            let message = "committing: a statement failed before, so the transaction was rolled back";
            return Err(DatabaseError::new(DatabaseErrorKind::Query, message).with_code(IN_FAILED_TRANSACTION));
        }
        // Of one that only read, nothing is to be kept but settings that it was not to change.
        self.send(if self.reads_only { "ROLLBACK" } else { "COMMIT" }).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.doubtful = false;
        self.send("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        self.connection.ping().await.map_err(|error| map(error, "asking for a sign of life"))
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        let version = sqlx::query_scalar::<_, String>("SHOW server_version").fetch_one(&mut self.connection).await;
        version.map(Some).map_err(|error| map(error, "asking for the version"))
    }

    fn server_session(&self) -> Option<ServerSession> {
        self.server.clone()
    }

    async fn cancel(&mut self, other: &ServerSession) -> Result<(), DatabaseError> {
        let Ok(number) = i32::try_from(other.number) else { return Ok(()) };
        let cancel = sqlx::query(CANCEL).bind(number).bind(other.mark.as_str()).persistent(false);
        let done = self.connection.fetch_optional(cancel).await;
        done.map(drop).map_err(|error| map(error, "cancelling a statement"))
    }

    async fn close(self) {
        // What the server has to say at this point nobody can act on.
        let _ = self.connection.close().await;
    }

    fn is_usable(&self) -> bool {
        self.in_step
    }
}

//! SQL Server over single tiberius clients.

mod bind;
mod error;
mod row;
mod verb;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sea_query::Values;
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, TransactionMode};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, QueryItem, QueryStream, ToSql};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::Dispatch;
use tracing::instrument::{WithDispatch, WithSubscriber};

use self::bind::{Bound, bind};
use self::error::{map, map_connecting};
use self::row::SqlServerRowSource;
use crate::credentials::Credentials;
use crate::drivers::guard;
use crate::egress::{self, Egress, Metered, Room};
use crate::endpoint::NotAsked;
use crate::knock::{Knock, knock};
use crate::pool::{Driver, DriverSession};
use crate::settings::{PoolSettings, TlsMode};
use crate::socket;

/// How often a server may send a client on to another address before the client stops believing it.
const MOST_REDIRECTIONS: usize = 3;

/// PRELOGIN (MS-TDS, section 2.2.6.5) with the least that it may hold: a version of the client, and that it asks for no
/// encryption but what the server insists on. A server answers with its own.
const PRELOGIN: [u8; 26] = [
    0x12, 0x01, 0, 26, 0, 0, 0, 0, // The packet: its type, the last of the message, its length.
    0x00, 0, 11, 0, 6, // VERSION: where, and how long.
    0x01, 0, 17, 0, 1,    // ENCRYPTION
    0xff, // The end of the list.
    0, 0, 0, 0, 0, 0,    // The version.
    0x00, // ENCRYPT_OFF
];

/// How one SQL Server is reached.
#[derive(Debug, Clone)]
pub struct SqlServerOptions {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The database; `None` is the user's default.
    pub database: Option<String>,
    /// How the way is protected.
    pub tls: TlsMode,
    /// Authorities to trust besides the system's, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// The name in the server's certificate, where it is not `host`.
    pub certificate_name: Option<String>,
    /// TLS before anything else (TDS 8.0, SQL Server 2022 and later) in place of TLS inside the protocol.
    pub strict: bool,
    /// What the server shows in `sys.dm_exec_sessions`.
    pub application: String,
    /// Promises the server only to read, for which an availability group may choose a replica.
    pub read_only: bool,
    /// See [`PoolSettings::keepalive`](crate::PoolSettings::keepalive).
    pub keepalive: Option<Duration>,
    /// Where the server, and whatever it sends its clients on to, may be. With it, a statement is one SELECT, and whatever it
    /// does all the same is rolled back; the server limits how long it waits for locks. A session that only reads SQL Server
    /// does not know.
    pub egress: Option<Egress>,
}

impl SqlServerOptions {
    /// Port 1433, the user's default database, verified TLS.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: 1433,
            database: None,
            tls: TlsMode::default(),
            authorities: None,
            certificate_name: None,
            strict: false,
            application: "bindery".to_owned(),
            read_only: false,
            keepalive: PoolSettings::default().keepalive,
            egress: None,
        }
    }

    fn config(&self, credentials: &Credentials) -> Config {
        let mut config = Config::new();
        config.host(&self.host);
        config.port(self.port);
        if let Some(database) = &self.database {
            config.database(database);
        }
        config.authentication(AuthMethod::sql_server(&credentials.username, credentials.password.expose_secret()));
        config.application_name(&self.application);
        config.readonly(self.read_only);
        // The pool limits the time of the whole attempt and of every call.
        config.handshake_timeout(None);
        config.encryption(match self.tls {
            TlsMode::Disabled => EncryptionLevel::NotSupported,
            TlsMode::Required | TlsMode::VerifyFull if self.strict => EncryptionLevel::Strict,
            TlsMode::Required | TlsMode::VerifyFull => EncryptionLevel::Required,
        });
        if self.tls == TlsMode::Required {
            config.trust_cert();
        } else if let Some(authorities) = &self.authorities {
            config.trust_cert_ca_bundle(authorities.as_slice());
        }
        if let Some(name) = &self.certificate_name {
            config.hostname_in_certificate(name);
        }
        config
    }
}

/// Opens connections to one SQL Server.
pub struct SqlServerDriver(SqlServerOptions);

impl SqlServerDriver {
    /// A driver for what the options reach.
    pub fn new(options: SqlServerOptions) -> Self {
        Self(options)
    }

    async fn dial(&self, credentials: &Credentials) -> Result<TiberiusClient, DatabaseError> {
        let (mut host, mut port) = (self.0.host.clone(), self.0.port);
        let mut config = self.0.config(credentials);
        let longest = self.0.egress.as_ref().map_or(usize::MAX, |egress| egress.limits().answer);
        for _ in 0..=MOST_REDIRECTIONS {
            let stream = egress::dial(self.0.egress.as_ref(), &host, port).await.map_err(|error| {
                let message = format!("connecting to {host}:{port}: the server cannot be reached");
                DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(error)
            })?;
            // Statements are small; a failure to say so costs time and nothing else.
            let _ = stream.set_nodelay(true);
            socket::keep_alive(&stream, self.0.keepalive);
            // Boxed: the future of a login is large, and a connection is opened seldom.
            let connecting = Box::pin(Client::connect(config.clone(), Metered::new(stream, longest).compat_write()));
            match quietly(connecting).await {
                Ok(client) => return Ok(client),
                Err(tiberius::error::Error::Routing { host: next, port: next_port }) => {
                    config.host(&next);
                    config.port(next_port);
                    (host, port) = (next, next_port);
                }
                Err(error) => return Err(map_connecting(error, self.0.tls != TlsMode::Disabled)),
            }
        }
        let message = format!("connecting to {}: the server sends its clients in circles", self.0.host);
        Err(DatabaseError::new(DatabaseErrorKind::Unreachable, message))
    }
}

impl fmt::Debug for SqlServerDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlServerDriver").field("options", &self.0).finish()
    }
}

impl Driver for SqlServerDriver {
    type Session = SqlServerSession;

    fn dialect(&self) -> Dialect {
        Dialect::SqlServer
    }

    fn expects_to_write(&self) -> bool {
        !self.0.read_only && self.0.egress.is_none()
    }

    async fn knock(&self) -> Knock {
        if self.0.strict {
            // It speaks to nobody before TLS.
            return Knock::Unknown;
        }
        knock(self.0.egress.as_ref(), &self.0.host, self.0.port, &PRELOGIN).await
    }

    async fn connect(&self, credentials: &Credentials) -> Result<SqlServerSession, DatabaseError> {
        crate::tls::install_provider();
        let client = self.dial(credentials).await?;
        let limits = self.0.egress.as_ref().map(Egress::limits);
        let answer = limits.map(|limits| limits.answer);
        let lock_wait = limits.map(|limits| limits.lock_wait).unwrap_or_default();
        let reads_only = answer.is_some();
        let mut session =
            SqlServerSession { client, in_step: true, transaction: Transaction::None, reads_only, lock_wait, answer };
        if let Some(egress) = &self.0.egress {
            let limit = i32::try_from(egress.limits().lock_wait.as_millis().max(1)).unwrap_or(i32::MAX);
            session.batch(&format!("SET LOCK_TIMEOUT {limit}"), "setting up the session").await?;
        }
        Ok(session)
    }
}

type TiberiusClient = Client<Compat<Metered<TcpStream>>>;

/// One connection to a SQL Server.
pub struct SqlServerSession {
    client: TiberiusClient,
    /// Whether what was asked has been answered in full. A future of the driver that was dropped half-way leaves the
    /// rest of its answer on the wire, where the next one would take it for its own.
    in_step: bool,
    transaction: Transaction,
    /// Whoever has defined the connection may not have anything changed over it.
    reads_only: bool,
    /// How long such a session waits for a lock.
    lock_wait: Duration,
    /// How many bytes the server may answer with, where that is limited.
    answer: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// The server has rolled it back of its own accord: whatever is sent now would be permanent at once.
    Lost,
}

impl SqlServerSession {
    /// The driver's own client. Whoever drops one of its futures half-way has to drop the session as well.
    pub fn client(&mut self) -> &mut TiberiusClient {
        &mut self.client
    }

    /// To be called before anything is sent.
    fn begin_call(&mut self) -> Result<(), DatabaseError> {
        if self.transaction == Transaction::Lost {
            return Err(lost());
        }
        self.in_step = false;
        Ok(())
    }

    /// To be called with the answer.
    fn end_call<T>(&mut self, outcome: tiberius::Result<T>, attempt: &str) -> Result<T, DatabaseError> {
        self.in_step = match &outcome {
            Ok(_) => true,
            Err(tiberius::error::Error::Server(message)) => message.class() < error::FATAL,
            Err(_) => false,
        };
        outcome.map_err(|error| map(error, attempt))
    }

    /// As [`Self::end_call`], for a statement that may have cost the transaction.
    async fn end_statement<T>(&mut self, outcome: tiberius::Result<T>, attempt: &str) -> Result<T, DatabaseError> {
        let number = outcome.as_ref().err().and_then(tiberius::error::Error::code);
        let outcome = self.end_call(outcome, attempt);
        if let Some(number) = number
            && self.transaction == Transaction::Open
            && self.in_step
        {
            match self.ends_transaction(number).await {
                Ok(false) => {}
                Ok(true) => self.transaction = Transaction::Lost,
                // The session goes, and with it what may be a transaction: nothing more is done in what may be none.
                Err(_) => self.in_step = false,
            }
        }
        outcome
    }

    /// Whether a text may be sent.
    fn admit(&self, sql: &str) -> Result<(), DatabaseError> {
        if !self.reads_only {
            return Ok(());
        }
        let sql = guard::after_lock_timeout(sql, self.lock_wait)?;
        guard::admit(sql)?;
        if verb::is_one_reading(sql) { Ok(()) } else { Err(guard::one_select()) }
    }

    /// Begins what takes back whatever a guarded statement does all the same. Whether it is there to be ended.
    async fn fence(&mut self) -> Result<bool, DatabaseError> {
        let fenced = self.reads_only && self.transaction == Transaction::None;
        if fenced {
            self.begin(TransactionMode::ReadOnly).await?;
        }
        Ok(fenced)
    }

    /// Ends the transaction around a statement, whose own error goes before one of the rollback. A session that is out of step is
    /// thrown away, and its transaction with it; so is one whose transaction may be open still.
    async fn unfence<T>(&mut self, fenced: bool, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if !fenced || !self.in_step {
            return outcome;
        }
        let ended = self.rollback().await;
        self.in_step &= ended.is_ok();
        let value = outcome?;
        ended.map(|()| value)
    }

    async fn batch(&mut self, script: &str, attempt: &str) -> Result<(), DatabaseError> {
        self.begin_call()?;
        let call = async { self.client.simple_query(script).await?.into_results().await };
        let outcome = quietly(call).await;
        self.end_statement(outcome, attempt).await.map(drop)
    }

    /// Whether the transaction is gone after an error of this number.
    ///
    /// An error ends its statement, or its batch, or its batch and the transaction; which of these is documented for
    /// few of them, so the server is asked about the others.
    async fn ends_transaction(&mut self, number: u32) -> Result<bool, DatabaseError> {
        match number {
            // Constraints, NULL where there must be none, a text that is too long, a lock that did not come in time.
            515 | 547 | 1222 | 2601 | 2627 | 2628 | 8152 => return Ok(false),
            1205 | 3960 => return Ok(true),
            _ => {}
        }
        self.in_step = false;
        let call = async {
            let row = self.client.simple_query("SELECT @@TRANCOUNT").await?.into_row().await?;
            row.map_or(Ok(None), |row| row.try_get::<i32, _>(0))
        };
        let depth = quietly(call).await;
        let depth = self.end_call(depth, "asking for the transaction")?;
        Ok(depth.is_none_or(|depth| depth == 0))
    }
}

fn lost() -> DatabaseError {
    let message = "running a statement: the server has rolled back the transaction after an earlier error";
    DatabaseError::new(DatabaseErrorKind::SerializationConflict, message).with_source(NotAsked::at_all())
}

/// tiberius logs every message of the server, and such a message may repeat a value. What is to be known of a failure
/// is in the error; so nothing of the driver reaches the log.
fn quietly<F: Future>(future: F) -> WithDispatch<F> {
    future.with_subscriber(Dispatch::none())
}

/// The rows of the first result; of a server that may answer with so many `answer` bytes, as many as there is room for.
async fn first_result(mut coming: QueryStream<'_>, answer: Option<usize>) -> tiberius::Result<Vec<tiberius::Row>> {
    let Some(answer) = answer else { return coming.into_first_result().await };
    let mut room = Room::new(answer);
    let mut rows = Vec::new();
    while let Some(item) = coming.try_next().await? {
        let QueryItem::Row(row) = item else { continue };
        room.row(row.len())?;
        if row.result_index() == 0 {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn lend(bound: &[Bound]) -> Vec<&dyn ToSql> {
    bound.iter().map(|parameter| parameter as &dyn ToSql).collect()
}

impl DriverSession for SqlServerSession {
    async fn execute(&mut self, sql: String, values: Values) -> Result<u64, DatabaseError> {
        self.admit(&sql)?;
        let bound = bind(values)?;
        let fenced = self.fence().await?;
        self.begin_call()?;
        let only_reads = verb::only_reads(&sql);
        let outcome = quietly(self.client.execute(sql, &lend(&bound))).await;
        let counts = self.end_statement(outcome, "running a statement").await;
        let counts = self.unfence(fenced, counts).await?;
        Ok(if only_reads { 0 } else { counts.total() })
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.admit(&sql)?;
        let bound = bind(values)?;
        let fenced = self.fence().await?;
        self.begin_call()?;
        let parameters = lend(&bound);
        let call = async { first_result(self.client.query(sql, &parameters).await?, self.answer).await };
        let outcome = quietly(call).await;
        let rows = self.end_statement(outcome, "running a query").await;
        let rows = self.unfence(fenced, rows).await?;
        Ok(rows.into_iter().map(|row| Row::new(SqlServerRowSource(row))).collect())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        if self.reads_only {
            return Err(guard::no_scripts());
        }
        self.batch(script, "running a script").await
    }

    async fn begin(&mut self, _mode: TransactionMode) -> Result<(), DatabaseError> {
        // T-SQL has no transactions that only read.
        self.begin_call()?;
        let outcome = quietly(self.client.begin_transaction()).await;
        self.end_call(outcome, "beginning a transaction")?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        if self.reads_only {
            // Nothing is to be kept.
            return if self.transaction == Transaction::Lost { Err(lost()) } else { self.rollback().await };
        }
        self.begin_call()?;
        let outcome = quietly(self.client.commit_transaction()).await;
        self.end_call(outcome, "committing a transaction")?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        if self.transaction == Transaction::Lost {
            // Done already, by the server.
            self.transaction = Transaction::None;
            return Ok(());
        }
        self.begin_call()?;
        let outcome = quietly(self.client.rollback_transaction()).await;
        let was_none = outcome.as_ref().is_err_and(|error| error.code() == Some(3903));
        let outcome = self.end_call(outcome, "rolling back a transaction");
        if outcome.is_ok() || was_none {
            self.transaction = Transaction::None;
            return Ok(());
        }
        outcome
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        self.batch("SELECT 1", "running a script").await
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        let rows = self.query("SELECT @@VERSION".to_owned(), Values(Vec::new())).await?;
        let version: Option<String> = rows.first().map_or(Ok(None), |row| row.get(0))?;
        Ok(version.and_then(|text| text.lines().next().map(|line| line.trim().to_owned())))
    }

    async fn close(self) {
        // A server that does not hear the goodbye notices the closed connection.
        let _ = quietly(self.client.close()).await;
    }

    fn is_usable(&self) -> bool {
        self.in_step
    }
}

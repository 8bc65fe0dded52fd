use std::future::Future;

use sea_query::Values;
use shared_kernel::database::{DatabaseError, Dialect, Row, TransactionMode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::credentials::Credentials;
use crate::knock::Knock;

/// Opens single connections to one database. The pool asks for them one by one.
///
/// Public so that a connector from outside this crate can stand on the same pool.
pub trait Driver: Send + Sync + 'static {
    /// One open connection.
    type Session: DriverSession;

    /// The dialect that statements are rendered in.
    fn dialect(&self) -> Dialect;

    /// What measurements call the engine: `db.system.name` of OpenTelemetry's registry. The dialect tells it, unless the
    /// engine only shares a dialect or has none.
    fn system_name(&self) -> &'static str {
        crate::metrics::system_name(self.dialect())
    }

    /// Whether the other end is meant to take writes. Where it is, one that says it only reads has been demoted, and the pool
    /// gives its connections up. `false` where another connection would say the same: a file, a replica asked for as one.
    fn expects_to_write(&self) -> bool {
        true
    }

    /// The turn that a call on a connection of its own has to wait for, if it has to. It is waited for before the
    /// connection is taken: whoever waits with a connection in hand keeps it from those who have not to wait.
    fn turn(&self, _call: Call<'_>) -> impl Future<Output = Option<Turn>> + Send {
        std::future::ready(None)
    }

    /// Asks whether anybody is there, without credentials and in a way that costs the server as little as can be. While a login
    /// is not answered, the pool does so once or twice a second. The pool limits the time and may drop the future.
    fn knock(&self) -> impl Future<Output = Knock> + Send {
        std::future::ready(Knock::Unknown)
    }

    /// Connects and logs in with these credentials. The pool limits the time and may drop the future.
    ///
    /// # Errors
    /// Typed as the caller should see it: `Unreachable`, `TlsFailed`, `AuthRejected`, `UnknownDatabase` … `AuthRejected` is
    /// held against the password and its version, unless it says with `with_retry_after` that it is not about these.
    fn connect(&self, credentials: &Credentials) -> impl Future<Output = Result<Self::Session, DatabaseError>> + Send;
}

/// What a connection is taken for.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// One text outside a transaction.
    Text(&'a str),
    /// A transaction.
    Begin(TransactionMode),
}

/// The right to do what one session at a time may do. It passes on when it is dropped.
#[derive(Debug)]
pub struct Turn(pub OwnedSemaphorePermit);

/// How a server tells one of its sessions from all others, so that over another one it can be told to leave off what it
/// does for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSession {
    /// The session's number on the server.
    pub number: u64,
    /// Tells it from a session of the same number on another server behind the same address, or at another time.
    pub mark: String,
    /// When it was opened, or a little later.
    pub since: Instant,
}

/// One open connection to an engine.
///
/// Every future may be dropped at any point; the session is then dropped too and never used again. After an error of
/// kind `Unreachable`, `FileUnusable`, `TlsFailed`, `Timeout` or `Closed` the pool drops the session.
pub trait DriverSession: Send + 'static {
    /// Hands over the turn for the next call, which takes it whatever comes of it.
    fn grant(&mut self, _turn: Turn) {}

    /// Runs a statement and returns how many rows it matched.
    fn execute(&mut self, sql: String, values: Values) -> impl Future<Output = Result<u64, DatabaseError>> + Send;

    /// Runs a statement and returns its rows.
    fn query(&mut self, sql: String, values: Values) -> impl Future<Output = Result<Vec<Row>, DatabaseError>> + Send;

    /// Sends a text of one or more statements as it stands.
    fn run_script(&mut self, script: &str) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Begins a transaction.
    fn begin(&mut self, mode: TransactionMode) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Commits the open transaction.
    fn commit(&mut self) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Rolls the open transaction back.
    fn rollback(&mut self) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Asks for a sign of life.
    fn ping(&mut self) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// The version that the server tells.
    fn server_version(&mut self) -> impl Future<Output = Result<Option<String>, DatabaseError>> + Send;

    /// How the server knows this session. Asked once, after it was opened. `None` where a server needs not be told that a
    /// caller has left, or cannot be.
    fn server_session(&self) -> Option<ServerSession> {
        None
    }

    /// Tells the server to leave off what it does for another session, which is closed on this side already. One that is
    /// gone is no error; one that may be another than the one meant must be left alone.
    fn cancel(&mut self, _other: &ServerSession) -> impl Future<Output = Result<(), DatabaseError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Says goodbye and closes. The pool limits the time; dropping the session must close it as well.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// Whether the session can serve another call. Asked after an error that by its kind leaves it usable.
    fn is_usable(&self) -> bool {
        true
    }
}

use std::future::Future;

use sea_query::Values;
use shared_kernel::database::{DatabaseError, Dialect, Row, TransactionMode};

use crate::credentials::Credentials;

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

    /// Connects and logs in with these credentials. The pool limits the time and may drop the future.
    ///
    /// # Errors
    /// Typed as the caller should see it: `Unreachable`, `TlsFailed`, `AuthRejected`, `UnknownDatabase` … `AuthRejected` is
    /// held against the password and its version, unless it says with `with_retry_after` that it is not about these.
    fn connect(&self, credentials: &Credentials) -> impl Future<Output = Result<Self::Session, DatabaseError>> + Send;
}

/// One open connection to an engine.
///
/// Every future may be dropped at any point; the session is then dropped too and never used again. After an error of
/// kind `Unreachable`, `TlsFailed`, `Timeout` or `Closed` the pool drops the session.
pub trait DriverSession: Send + 'static {
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

    /// Says goodbye and closes. The pool limits the time; dropping the session must close it as well.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// Whether the session can serve another call. Asked after an error that by its kind leaves it usable.
    fn is_usable(&self) -> bool {
        true
    }
}

use std::any::Any;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionSettings, PoolSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, RawStatement, SqlExecutor, Statement,
};

use crate::{Server, TestDatabase};

/// What a case runs against: an engine and the way to an empty database on it.
pub struct Target {
    server: Server,
    settings: ConnectionSettings,
    /// Signed the server's certificate; `None` for the authority of the test servers.
    authority: Option<PathBuf>,
    /// Whatever has to live as long as the case.
    _keep: Box<dyn Any + Send + Sync>,
}

impl Target {
    /// A database of the case's own on a real engine.
    ///
    /// # Panics
    /// When there is no such server.
    pub async fn on(server: Server) -> Self {
        let database = TestDatabase::create(server).await;
        Self::new(server, database.settings(), database)
    }

    /// Something else that speaks as `server` does, such as a scripted one. `keep` is dropped with the target.
    pub fn new(server: Server, settings: ConnectionSettings, keep: impl Any + Send + Sync) -> Self {
        Self { server, settings, authority: None, _keep: Box::new(keep) }
    }

    /// Names the PEM file of the authority that signed the server's certificate.
    #[must_use]
    pub fn with_authority(mut self, file: PathBuf) -> Self {
        self.authority = Some(file);
        self
    }

    /// The PEM file of the authority that signed the server's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.authority.clone().unwrap_or_else(|| self.server.certificate_authority())
    }

    /// The engine.
    pub fn server(&self) -> Server {
        self.server
    }

    /// The way to the database.
    pub fn settings(&self) -> ConnectionSettings {
        self.settings.clone()
    }

    /// The way to the database with a pool of at most `max` connections and a short wait for them.
    pub(crate) fn pooled(&self, max: u32) -> ConnectionSettings {
        let acquire_timeout = Duration::from_secs(2);
        self.settings().with_pool(PoolSettings { acquire_timeout, ..PoolSettings::sized(0, max) })
    }

    pub(crate) async fn open(&self) -> Arc<dyn DatabaseConnection> {
        self.open_with(self.settings()).await
    }

    pub(crate) async fn open_with(&self, settings: ConnectionSettings) -> Arc<dyn DatabaseConnection> {
        match crate::connect(settings).await {
            Ok(connection) => connection,
            Err(error) => panic!("{}: cannot connect: {error:?}", self.server),
        }
    }

    /// A query that runs for about as long as it is told; an engine that cannot wait counts.
    pub(crate) fn slow(time: Duration) -> Statement {
        let milliseconds = time.as_millis();
        let seconds = format!("{}.{:03}", time.as_secs(), time.subsec_millis());
        let count = milliseconds * 3_000;
        RawStatement::per_dialect("SELECT")
            .text(Dialect::MySql, format!("SELECT SLEEP({seconds}) AS slept"))
            .text(Dialect::Postgres, format!("SELECT pg_sleep({seconds})"))
            .text(
                Dialect::Sqlite,
                format!(
                    "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) \
                     SELECT COUNT(*) AS slept FROM counted"
                ),
            )
            // Counts as well: Babelfish has no WAITFOR.
            .text(
                Dialect::SqlServer,
                format!(
                    "DECLARE @counted INT = 0; WHILE @counted < {} SET @counted = @counted + 1; SELECT 0 AS slept",
                    milliseconds * 600
                ),
            )
            .into()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("server", &self.server).field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The context of a case's calls: no case is to wait for longer than this.
pub(crate) fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

/// `SELECT <number> AS answer`.
pub(crate) fn answer(number: i32) -> Statement {
    RawStatement::everywhere("SELECT", format!("SELECT {number} AS answer")).into()
}

/// Asks for a number and gets it.
#[track_caller]
pub(crate) fn assert_answers(database: &(impl SqlExecutor + ?Sized), number: i32) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        match database.query_one(&answer(number), &context()).await {
            Ok(Some(row)) => assert_eq!(row.get::<i32>("answer").ok(), Some(number), "{caller}"),
            other => panic!("{caller}: no answer: {other:?}"),
        }
    }
}

/// Lets a call get under way: fails when it ends by itself within a moment.
pub(crate) async fn under_way<T: std::fmt::Debug>(call: &mut tokio::task::JoinHandle<T>) {
    let moment = Duration::from_millis(150);
    tokio::time::timeout(moment, call).await.expect_err("a slow query is still running after a moment");
}

/// The failure of a call that had to fail in this way.
#[track_caller]
pub fn refused<T>(outcome: Result<T, DatabaseError>, kind: &DatabaseErrorKind) -> DatabaseError {
    match outcome {
        Err(error) if error.kind() == kind => error,
        Err(error) => panic!("expected {}, got {error:?}", kind.as_str()),
        Ok(_) => panic!("expected {}, got success", kind.as_str()),
    }
}

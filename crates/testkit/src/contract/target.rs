use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, ManagerBuilder, PoolSettings, TlsMode,
    TlsSettings,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, RawStatement, SqlExecutor,
    SqlSession, Statement,
};
use tokio::task::JoinHandle;

use super::{SqlSubject, Subject};
use crate::proxy::Proxy;
use crate::{Server, TestDatabase, eventually};

/// What a case runs against: an engine, the way to an empty database on it, and the connector that leads there.
pub struct Target {
    subject: Arc<dyn Subject>,
    settings: ConnectionSettings,
    connectors: ConnectionFactory,
    /// Signed the server's certificate; `None` for the authority that the subject names.
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

    /// Whatever the subject speaks to, by these settings and the connectors of `connection-manager`. `keep` is dropped with
    /// the target.
    pub fn new(subject: impl Subject + 'static, settings: ConnectionSettings, keep: impl Any + Send + Sync) -> Self {
        Self {
            subject: Arc::new(subject),
            settings,
            connectors: ConnectionFactory::compiled(),
            authority: None,
            _keep: Box::new(keep),
        }
    }

    /// Puts a connector under test that `connection-manager` does not have.
    #[must_use]
    pub fn with_connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connectors = self.connectors.register(connector);
        self
    }

    /// Names the PEM file of the authority that signed the server's certificate.
    #[must_use]
    pub fn with_authority(mut self, file: PathBuf) -> Self {
        self.authority = Some(file);
        self
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.subject.engine()
    }

    /// The way to the database.
    pub fn settings(&self) -> ConnectionSettings {
        self.settings.clone()
    }

    /// The way to a database that is not there.
    pub(super) fn astray(&self) -> ConnectionSettings {
        self.subject.astray(self.settings())
    }

    /// The way to the database, protected so.
    pub(super) fn protected(&self, tls: TlsSettings) -> ConnectionSettings {
        let settings = self.settings();
        let settings = if tls.mode == TlsMode::Disabled { settings } else { self.subject.secured(settings) };
        settings.with_tls(tls)
    }

    /// The PEM file of the authority that signed the server's certificate.
    pub(super) fn authority(&self) -> PathBuf {
        let named = self.authority.clone().or_else(|| self.subject.certificate_authority());
        named.unwrap_or_else(|| panic!("{}: name the authority with `Target::with_authority`", self.engine()))
    }

    /// The way to the database with a pool of at most `max` connections and a short wait for them.
    pub(super) fn pooled(&self, max: u32) -> ConnectionSettings {
        let acquire_timeout = Duration::from_secs(2);
        let connect_timeout = self.settings().pool.connect_timeout;
        self.settings().with_pool(PoolSettings { acquire_timeout, connect_timeout, ..PoolSettings::sized(0, max) })
    }

    /// The connector under test.
    pub(super) fn connector(&self) -> Arc<dyn Connector> {
        match self.connectors.connector(&self.engine()) {
            Ok(connector) => Arc::clone(connector),
            Err(error) => panic!("{error}"),
        }
    }

    /// A connection called `test`, with a manager of its own.
    pub(super) async fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let manager = built(ConnectionManager::builder(self.connectors.clone()).connection("test", settings));
        manager.get("test", Access::Write, &RequestContext::system()).await
    }

    pub(super) async fn open(&self) -> Arc<dyn DatabaseConnection> {
        self.open_with(self.settings()).await
    }

    pub(super) async fn open_with(&self, settings: ConnectionSettings) -> Arc<dyn DatabaseConnection> {
        match self.connect(settings).await {
            Ok(connection) => connection,
            Err(error) => panic!("{}: cannot connect: {error:?}", self.engine()),
        }
    }

    /// The way through a proxy of the case's own.
    pub(super) async fn behind_a_proxy(&self) -> (Proxy, ConnectionSettings) {
        self.through_a_proxy(self.settings()).await
    }

    /// The same for other settings.
    pub(super) async fn through_a_proxy(&self, settings: ConnectionSettings) -> (Proxy, ConnectionSettings) {
        let proxy = Proxy::start(self.address(&settings)).await.expect("a port for the proxy");
        let settings = settings.with_host("127.0.0.1").with_port(proxy.port());
        (proxy, settings)
    }

    /// Where the settings lead, as `host:port`.
    pub(super) fn address(&self, settings: &ConnectionSettings) -> String {
        let port = settings.port.or_else(|| self.connector().default_port());
        let (Some(host), Some(port)) = (&settings.host, port) else {
            panic!("{}: the settings of a target on the network name host and port", self.engine());
        };
        format!("{host}:{port}")
    }

    /// Asks for a number.
    pub(super) async fn ask(
        &self,
        connection: &Arc<dyn DatabaseConnection>,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        self.subject.ask(connection.as_ref(), number, context).await
    }

    /// Asks for a number and gets it.
    #[track_caller]
    pub(super) fn assert_serves(
        &self,
        connection: &Arc<dyn DatabaseConnection>,
        number: i32,
    ) -> impl Future<Output = ()> + Send + use<> {
        let caller = Location::caller();
        let (subject, connection) = (Arc::clone(&self.subject), Arc::clone(connection));
        async move {
            match subject.ask(connection.as_ref(), number, &context()).await {
                Ok(answer) => assert_eq!(answer, number, "{caller}"),
                Err(error) => panic!("{caller}: no answer: {error:?}"),
            }
        }
    }

    /// Keeps the server busy for as long as the context allows.
    pub(super) async fn linger(
        &self,
        connection: &Arc<dyn DatabaseConnection>,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        self.subject.linger(connection.as_ref(), time, context).await
    }

    /// A call that is under way and takes about this long.
    pub(super) async fn lingering(
        &self,
        connection: &Arc<dyn DatabaseConnection>,
        time: Duration,
    ) -> JoinHandle<Result<(), DatabaseError>> {
        let busy = connection.stats().in_use;
        let (subject, shared) = (Arc::clone(&self.subject), Arc::clone(connection));
        let mut call = tokio::spawn(async move { subject.linger(shared.as_ref(), time, &context()).await });
        eventually(Duration::from_secs(10), || connection.stats().in_use > busy).await;
        // Taken from the pool, it still has to reach the server: a call that ends by itself within a moment is none.
        let moment = Duration::from_millis(150);
        tokio::time::timeout(moment, &mut call).await.expect_err("a slow call is still running after a moment");
        call
    }

    /// Occupies a place in the pool.
    pub(super) async fn hold(&self, connection: &Arc<dyn DatabaseConnection>) -> Held {
        match connection.sql() {
            Ok(sql) => Held::Session(sql.session(&context()).await.expect("a session")),
            Err(_) => Held::Call(self.lingering(connection, Duration::from_mins(1)).await),
        }
    }
}

/// A place in the pool that is occupied until the value is dropped. The physical connection goes with it.
pub(super) enum Held {
    /// Where the engine has sessions.
    Session(Box<dyn SqlSession>),
    /// Where it has none.
    Call(JoinHandle<Result<(), DatabaseError>>),
}

impl Held {
    /// Gives the place up.
    pub(super) async fn release(self) {
        match self {
            Self::Session(session) => session.release().await.expect("the session ends"),
            Self::Call(call) => call.abort(),
        }
    }
}

#[async_trait]
impl Subject for Server {
    fn engine(&self) -> Engine {
        (*self).engine()
    }

    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        SqlSubject((*self).engine()).ask(connection, number, context).await
    }

    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        SqlSubject((*self).engine()).linger(connection, time, context).await
    }

    fn certificate_authority(&self) -> Option<PathBuf> {
        Some((*self).certificate_authority())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("subject", &self.subject)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

pub(super) fn built(builder: ManagerBuilder) -> ConnectionManager {
    match builder.build() {
        Ok(manager) => manager,
        Err(error) => panic!("the settings are refused: {error}"),
    }
}

/// The context of a case's calls: no case is to wait for longer than this.
pub(super) fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

/// `SELECT <number> AS answer`.
pub(super) fn answer(number: i32) -> Statement {
    RawStatement::everywhere("SELECT", format!("SELECT {number} AS answer")).into()
}

/// Asks a session or a transaction for a number and gets it.
#[track_caller]
pub(super) fn assert_answers(database: &(impl SqlExecutor + ?Sized), number: i32) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        match database.query_one(&answer(number), &context()).await {
            Ok(Some(row)) => assert_eq!(row.get::<i32>("answer").ok(), Some(number), "{caller}"),
            other => panic!("{caller}: no answer: {other:?}"),
        }
    }
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

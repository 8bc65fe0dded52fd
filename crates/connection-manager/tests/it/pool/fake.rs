use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connection_manager::pool::{Deadline, Lease, ServerSession};
use connection_manager::{
    Budget, ConnectionSettings, Credentials, Driver, DriverSession, Endpoint, Keyring, Knock, Pool, PoolSettings,
    SecretSource, SqlPool,
};
use sea_query::Values;
use shared_kernel::database::{
    ConnectionName, DatabaseError, DatabaseErrorKind, Dialect, Engine, Rendered, Row, TransactionMode,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::rotation::source::Stages;

/// What the next attempts to connect come to; when the list is used up they succeed.
#[derive(Debug, Clone)]
pub(crate) enum Connect {
    Fails(DatabaseErrorKind),
    Hangs,
    Panics,
}

/// A server that exists in memory and counts.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) plan: Mutex<VecDeque<Connect>>,
    /// With a gate, each attempt to connect waits for a permit.
    pub(crate) gate: Option<Semaphore>,
    /// How long an attempt to connect takes, and a statement.
    pub(crate) connect_takes: Duration,
    pub(crate) statement_takes: Duration,
    pub(crate) attempts: AtomicU32,
    pub(crate) handshakes: AtomicU32,
    pub(crate) most_handshakes: AtomicU32,
    pub(crate) open: AtomicU32,
    pub(crate) most_open: AtomicU32,
    /// The fewest that were open since a test set it.
    pub(crate) fewest_open: AtomicU32,
    pub(crate) pings: AtomicU32,
    pub(crate) dead: AtomicBool,
    /// Whether it is out of reach: nobody gets in, and whoever is in is lost.
    pub(crate) away: AtomicBool,
    /// Whether sessions that are opened now refuse to write for as long as they live.
    pub(crate) demoted: AtomicBool,
    pub(crate) rollback_fails: AtomicBool,
    pub(crate) rollback_hangs: AtomicBool,
    /// What comes of knocking at present, and how often somebody knocked; `None`: the driver cannot.
    pub(crate) presence: Mutex<Option<Knock>>,
    pub(crate) knocks: AtomicU32,
    /// Whether knocks that are not answered are left hanging, instead of being refused.
    pub(crate) knocks_hang: AtomicBool,
    pub(crate) log: Mutex<Vec<String>>,
    /// Whether it can be told of callers who have left.
    pub(crate) listens: AtomicBool,
    /// The sessions it was told to leave off for.
    pub(crate) cancelled: Mutex<Vec<u64>>,
    /// The one version of the credentials that is let in; without one, all are.
    pub(crate) accepted: Mutex<Option<&'static str>>,
    /// The versions that logins were tried with, in order.
    pub(crate) logins: Mutex<Vec<String>>,
}

impl Server {
    pub(crate) fn planned(plan: impl IntoIterator<Item = Connect>) -> Arc<Self> {
        Arc::new(Self { plan: Mutex::new(plan.into_iter().collect()), ..Self::default() })
    }

    pub(crate) fn gated() -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::default() })
    }

    pub(crate) fn let_in(&self, attempts: usize) {
        self.gate.as_ref().expect("the server has a gate").add_permits(attempts);
    }

    pub(crate) fn count(counter: &AtomicU32) -> u32 {
        counter.load(Ordering::SeqCst)
    }

    pub(crate) fn accept(&self, version: &'static str) {
        *self.accepted.lock().unwrap() = Some(version);
    }

    pub(crate) fn is(&self, presence: Knock) {
        *self.presence.lock().unwrap() = Some(presence);
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        self.logins.lock().unwrap().clone()
    }

    pub(crate) fn logged(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

pub(crate) struct FakeDriver(pub(crate) Arc<Server>);

impl Driver for FakeDriver {
    type Session = FakeSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn knock(&self) -> Knock {
        self.0.knocks.fetch_add(1, Ordering::SeqCst);
        let presence = *self.0.presence.lock().unwrap();
        if presence == Some(Knock::Silent) && self.0.knocks_hang.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        presence.unwrap_or(Knock::Unknown)
    }

    async fn connect(&self, credentials: &Credentials) -> Result<FakeSession, DatabaseError> {
        let server = &self.0;
        server.logins.lock().unwrap().push(credentials.version.clone());
        let _handshake = Counted::new(server, |server| (&server.handshakes, &server.most_handshakes));
        let number = server.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        let plan = server.plan.lock().unwrap().pop_front();
        pass(server.connect_takes).await;
        if let Some(gate) = &server.gate {
            gate.acquire().await.unwrap().forget();
        }
        if server.away.load(Ordering::SeqCst) {
            return Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "away"));
        }
        if server.accepted.lock().unwrap().is_some_and(|accepted| accepted != credentials.version) {
            return Err(DatabaseError::new(DatabaseErrorKind::AuthRejected, "rejected"));
        }
        match plan {
            Some(Connect::Fails(kind)) => Err(DatabaseError::new(kind, format!("attempt {number} was refused"))),
            Some(Connect::Hangs) => std::future::pending().await,
            Some(Connect::Panics) => panic!("the driver panics, as planned"),
            None => Ok(FakeSession {
                number,
                reads_only: server.demoted.load(Ordering::SeqCst),
                _open: Counted::new(server, |server| (&server.open, &server.most_open)),
                _fewest: Fewest(Arc::clone(server)),
                server: Arc::clone(server),
            }),
        }
    }
}

/// Lets others run, for as long as is said.
async fn pass(time: Duration) {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
}

/// Counts one up for as long as it lives.
struct Counted {
    server: Arc<Server>,
    counters: fn(&Server) -> (&AtomicU32, &AtomicU32),
}

impl Counted {
    fn new(server: &Arc<Server>, counters: fn(&Server) -> (&AtomicU32, &AtomicU32)) -> Self {
        let (now, most) = counters(server);
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self { server: Arc::clone(server), counters }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.counters)(&self.server).0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Notes how many are open after it.
struct Fewest(Arc<Server>);

impl Drop for Fewest {
    fn drop(&mut self) {
        self.0.fewest_open.fetch_min(self.0.open.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// Its statements: `hang` never ends, `lose` and `SELECT lose` lose the connection, `refuse` is refused, `write` and `INSERT write` are
/// refused by who only reads, anything else changes one row.
pub(crate) struct FakeSession {
    number: u32,
    reads_only: bool,
    server: Arc<Server>,
    _open: Counted,
    // Dropped after the count.
    _fewest: Fewest,
}

impl FakeSession {
    fn log(&self, what: &str) {
        self.server.log.lock().unwrap().push(format!("{}: {what}", self.number));
    }
}

impl DriverSession for FakeSession {
    async fn execute(&mut self, sql: String, _values: Values) -> Result<u64, DatabaseError> {
        self.log(&sql);
        pass(self.server.statement_takes).await;
        if self.server.away.load(Ordering::SeqCst) {
            return Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "away"));
        }
        match sql.as_str() {
            "hang" => std::future::pending().await,
            "lose" | "SELECT lose" => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "lost")),
            "refuse" => Err(DatabaseError::new(DatabaseErrorKind::Query, "refused")),
            "write" | "INSERT write" if self.reads_only => {
                Err(DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, "only reads"))
            }
            "which" => Ok(self.number.into()),
            _ => Ok(1),
        }
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.execute(sql, values).await.map(|_| Vec::new())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        self.execute(script.to_owned(), Values(Vec::new())).await.map(drop)
    }

    async fn begin(&mut self, mode: TransactionMode) -> Result<(), DatabaseError> {
        self.log(&format!("begin {mode:?}"));
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.log("commit");
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.log("rollback");
        tokio::task::yield_now().await;
        if self.server.rollback_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.server.rollback_fails.load(Ordering::SeqCst) {
            return Err(DatabaseError::new(DatabaseErrorKind::Query, "rollback refused"));
        }
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        self.server.pings.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.server.dead.swap(false, Ordering::SeqCst) {
            return Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "no sign of life"));
        }
        Ok(())
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        Ok(Some("fake".to_owned()))
    }

    fn server_session(&self) -> Option<ServerSession> {
        let listens = self.server.listens.load(Ordering::SeqCst);
        listens.then(|| ServerSession { number: self.number.into(), mark: "fake".to_owned(), since: Instant::now() })
    }

    async fn cancel(&mut self, other: &ServerSession) -> Result<(), DatabaseError> {
        tokio::task::yield_now().await;
        self.server.cancelled.lock().unwrap().push(other.number);
        Ok(())
    }

    async fn close(self) {
        self.log("goodbye");
        tokio::task::yield_now().await;
    }
}

pub(crate) fn settings(max: u32) -> PoolSettings {
    PoolSettings { acquire_timeout: Duration::from_secs(1), ..PoolSettings::sized(0, max) }
}

fn keyring() -> Keyring {
    Keyring::fixed("fake".parse().unwrap(), Credentials::none())
}

/// A pool whose credentials come from `source`.
pub(crate) fn rotating_pool(server: &Arc<Server>, settings: PoolSettings, source: &Arc<Stages>) -> Pool<FakeDriver> {
    let name: ConnectionName = "fake".parse().unwrap();
    let connection = ConnectionSettings::new(Engine::from("fake".to_owned()));
    let keyring = Keyring::new(source.clone(), name.clone(), connection);
    Pool::new(name, settings, keyring, FakeDriver(Arc::clone(server)))
}

pub(crate) fn pool(server: &Arc<Server>, settings: PoolSettings) -> Pool<FakeDriver> {
    Pool::new("fake".parse().unwrap(), settings, keyring(), FakeDriver(Arc::clone(server)))
}

/// A pool that shares the server's connections with others.
pub(crate) fn budgeted_pool(server: &Arc<Server>, settings: PoolSettings, budget: &Budget) -> Pool<FakeDriver> {
    let endpoint = Endpoint { budget: budget.clone(), ..Endpoint::from(keyring()) };
    Pool::new("fake".parse().unwrap(), settings, endpoint, FakeDriver(Arc::clone(server)))
}

/// As [`budgeted_pool`], for an account that others log in to as well.
pub(crate) fn budgeted_pool_with(
    server: &Arc<Server>,
    settings: PoolSettings,
    budget: &Budget,
    keyring: &Keyring,
) -> Pool<FakeDriver> {
    let endpoint = Endpoint { budget: budget.clone(), ..Endpoint::from(keyring.clone()) };
    Pool::new("fake".parse().unwrap(), settings, endpoint, FakeDriver(Arc::clone(server)))
}

/// As [`budgeted_pool`], with credentials that come from `source`.
pub(crate) fn budgeted_pool_of(
    server: &Arc<Server>,
    settings: PoolSettings,
    budget: &Budget,
    source: Arc<dyn SecretSource>,
) -> Pool<FakeDriver> {
    let (name, connection) =
        ("fake".parse::<ConnectionName>().unwrap(), ConnectionSettings::new(Engine::from("fake".to_owned())));
    let keyring = Keyring::new(source, name.clone(), connection);
    let endpoint = Endpoint { budget: budget.clone(), ..Endpoint::from(keyring) };
    Pool::new(name, settings, endpoint, FakeDriver(Arc::clone(server)))
}

pub(crate) fn sql_pool(server: &Arc<Server>, settings: PoolSettings) -> SqlPool<FakeDriver> {
    let engine = Engine::from("fake".to_owned());
    SqlPool::new("fake".parse().unwrap(), engine, settings, keyring(), FakeDriver(Arc::clone(server)))
}

pub(crate) async fn run(lease: &mut Lease<FakeDriver>, sql: &str) -> Result<u64, DatabaseError> {
    let statement = Rendered { sql: sql.to_owned(), values: Values(Vec::new()) };
    lease.execute(Deadline::default(), statement).await
}

/// Lets other tasks run until `condition` holds; time that is paused goes on only when nothing else is left to do.
#[track_caller]
pub(crate) fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..10_000 {
            if condition() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the condition at {caller} does not come to hold");
    }
}

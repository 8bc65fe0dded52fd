use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use connection_manager::pool::{Call, ServerSession, Turn};
use connection_manager::{Credentials, Driver, DriverSession};
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, TransactionMode};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::Instant;

/// Counts the connections that are open.
#[derive(Debug)]
pub(super) struct Peer {
    open: AtomicU32,
    most_open: AtomicU32,
    /// The versions that it was logged in to with, in order.
    logins: Mutex<Vec<String>>,
    /// How often it was told to leave off.
    told: AtomicU32,
    /// One writes at a time.
    turns: Arc<Semaphore>,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            open: AtomicU32::new(0),
            most_open: AtomicU32::new(0),
            logins: Mutex::default(),
            told: AtomicU32::new(0),
            turns: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Peer {
    pub(super) fn open(&self) -> u32 {
        self.open.load(Ordering::SeqCst)
    }

    pub(super) fn most_open(&self) -> u32 {
        self.most_open.load(Ordering::SeqCst)
    }

    /// Logins with one version.
    pub(super) fn logins(&self, version: &str) -> usize {
        self.logins.lock().unwrap().iter().filter(|login| *login == version).count()
    }

    pub(super) fn told(&self) -> u32 {
        self.told.load(Ordering::SeqCst)
    }
}

/// A driver that yields as often as it is told in each of its awaits.
pub(super) struct Stepping {
    pub(super) peer: Arc<Peer>,
    pub(super) steps: u32,
}

pub(super) async fn step(steps: u32) {
    for _ in 0..steps {
        yield_now().await;
    }
}

impl Driver for Stepping {
    type Session = SteppingSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn turn(&self, call: Call<'_>) -> Option<Turn> {
        step(self.steps).await;
        let writes = matches!(call, Call::Text("write") | Call::Begin(TransactionMode::ReadWrite));
        if !writes {
            return None;
        }
        Arc::clone(&self.peer.turns).acquire_owned().await.ok().map(Turn)
    }

    async fn connect(&self, credentials: &Credentials) -> Result<SteppingSession, DatabaseError> {
        step(self.steps).await;
        let peer = Arc::clone(&self.peer);
        peer.logins.lock().unwrap().push(credentials.version.clone());
        let number = peer.open.fetch_add(1, Ordering::SeqCst) + 1;
        peer.most_open.fetch_max(number, Ordering::SeqCst);
        let session = SteppingSession { peer, steps: self.steps, turn: None, number };
        // Dropped here, it is open and has yet to log in.
        step(self.steps).await;
        Ok(session)
    }
}

/// Its statements: `lose` loses the connection, `refuse` is refused, anything else changes one row.
pub(super) struct SteppingSession {
    peer: Arc<Peer>,
    steps: u32,
    turn: Option<Turn>,
    number: u32,
}

impl Drop for SteppingSession {
    fn drop(&mut self) {
        self.peer.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl DriverSession for SteppingSession {
    fn grant(&mut self, turn: Turn) {
        self.turn = Some(turn);
    }

    async fn execute(&mut self, sql: String, _: Values) -> Result<u64, DatabaseError> {
        step(self.steps).await;
        self.turn = None;
        match sql.as_str() {
            "lose" => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "lost")),
            "refuse" => Err(DatabaseError::new(DatabaseErrorKind::Query, "refused")),
            _ => Ok(1),
        }
    }

    async fn query(&mut self, sql: String, values: Values) -> Result<Vec<Row>, DatabaseError> {
        self.execute(sql, values).await.map(|_| Vec::new())
    }

    async fn run_script(&mut self, script: &str) -> Result<(), DatabaseError> {
        self.execute(script.to_owned(), Values(Vec::new())).await.map(drop)
    }

    async fn begin(&mut self, _: TransactionMode) -> Result<(), DatabaseError> {
        step(self.steps).await;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        step(self.steps).await;
        self.turn = None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        step(self.steps).await;
        self.turn = None;
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        step(self.steps).await;
        Ok(())
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        step(self.steps).await;
        Ok(None)
    }

    fn server_session(&self) -> Option<ServerSession> {
        Some(ServerSession { number: self.number.into(), mark: "stepping".to_owned(), since: Instant::now() })
    }

    async fn cancel(&mut self, _: &ServerSession) -> Result<(), DatabaseError> {
        step(self.steps).await;
        self.peer.told.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn close(self) {
        step(self.steps).await;
    }
}

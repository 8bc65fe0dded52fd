use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use connection_manager::{Credentials, Driver, Keyring, PoolSettings, SqlPool};
use shared_kernel::database::{
    ConnectionName, DatabaseError, DatabaseErrorKind, Dialect, RawStatement, SqlExecutor as _,
};
use testkit::eventually;
use tokio::task::JoinSet;

use super::source::Secret;
use super::{SOON, context};

/// Counts the logins that the server rejects.
pub(super) struct Counting<D> {
    driver: D,
    rejected: Rejected,
}

/// The version of each rejected login, and the server's code for it.
type Rejected = Arc<Mutex<Vec<(String, String)>>>;

impl<D: Driver> Driver for Counting<D> {
    type Session = D::Session;

    fn dialect(&self) -> Dialect {
        self.driver.dialect()
    }

    async fn connect(&self, credentials: &Credentials) -> Result<D::Session, DatabaseError> {
        let outcome = self.driver.connect(credentials).await;
        if let Err(error) = &outcome
            && *error.kind() == DatabaseErrorKind::AuthRejected
        {
            let code = error.code().unwrap_or_default().to_owned();
            self.rejected.lock().unwrap().push((credentials.version.clone(), code));
        }
        outcome
    }
}

/// A program with a pool, and a memory of what was rejected, that it shares with no other.
pub(super) struct Program<D: Driver> {
    pub(super) pool: Arc<SqlPool<Counting<D>>>,
    rejected: Rejected,
    answers: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    workers: JoinSet<Result<(), DatabaseError>>,
}

impl<D: Driver> Program<D> {
    pub(super) async fn start(driver: D, settings: PoolSettings, secret: &impl Secret, workers: u32) -> Self {
        let name: ConnectionName = "rotating".parse().unwrap();
        let connection = secret.settings();
        let engine = connection.engine.clone();
        let keyring = Keyring::new(secret.source(), name.clone(), connection);
        let rejected = Rejected::default();
        let driver = Counting { driver, rejected: rejected.clone() };
        let pool = Arc::new(SqlPool::open(name, engine, settings, keyring, driver).await.unwrap());
        let mut program =
            Self { pool, rejected, answers: Arc::default(), stop: Arc::default(), workers: JoinSet::new() };
        for _ in 0..workers {
            program.employ();
        }
        program
    }

    /// Asks and asks, until told to stop or until an answer is an error.
    fn employ(&mut self) {
        let (pool, answers, stop) = (self.pool.clone(), self.answers.clone(), self.stop.clone());
        self.workers.spawn(async move {
            let question = RawStatement::everywhere("SELECT", "SELECT 1").into();
            while !stop.load(Ordering::Relaxed) {
                pool.query(&question, &context()).await?;
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    /// The version that the server has accepted last.
    pub(super) fn version(&self) -> Option<String> {
        self.pool.pool().keyring().version()
    }

    /// Waits until the server has accepted a version.
    pub(super) async fn has_logged_in_with(&self, version: &str) {
        eventually(SOON, || self.version().as_deref() == Some(version)).await;
    }

    /// Waits until the workers were answered and new connections were opened.
    pub(super) async fn goes_on(&self) {
        let (answers, opened) = (self.answers.load(Ordering::Relaxed), self.pool.pool().stats().opened_total);
        eventually(SOON, || self.answers.load(Ordering::Relaxed) > answers + 100).await;
        eventually(SOON, || self.pool.pool().stats().opened_total > opened + 8).await;
    }

    /// Ends the work. None of it has failed. Returns the version and the code of each rejected login.
    pub(super) async fn finish(mut self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(outcome) = self.workers.join_next().await {
            outcome.unwrap().expect("no statement fails");
        }
        self.pool.pool().close(SOON).await;
        let rejected = self.rejected.lock().unwrap();
        rejected.clone()
    }
}

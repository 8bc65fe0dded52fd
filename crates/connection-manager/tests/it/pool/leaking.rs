//! Who keeps a connection for long is named.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connection_manager::pool::Deadline;
use connection_manager::{Pool, PoolSettings};
use metrics_exporter_prometheus::PrometheusBuilder;
use sea_query::Values;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection as _, DatabaseErrorKind, RawStatement, Rendered, SqlExecutor as _, TransactionMode,
};
use tokio::time::sleep;
use tracing::subscriber::DefaultGuard;

use super::fake::{FakeDriver, Server, pool, run, settings, sql_pool};

const LIMIT: Duration = Duration::from_secs(10);

fn watchful(max: u32) -> PoolSettings {
    PoolSettings { leak_after: Some(LIMIT), ..settings(max) }
}

/// What is logged on this thread while the guard lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The warnings of connections that are held.
    fn leaks(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("held_seconds")).map(ToOwned::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The next line of this file, as a message names it.
macro_rules! next_line {
    () => {
        format!("{}:{}", file!(), line!() + 1)
    };
}

#[tokio::test(start_paused = true)]
async fn a_lease_a_transaction_and_a_session_that_are_kept_are_told_of_once_with_their_lines() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let server = Arc::new(Server::default());
    let sql = metrics::with_local_recorder(&recorder, || sql_pool(&server, watchful(5)));
    let (log, _guard) = Log::begin();
    let context = RequestContext::system();
    let portable = sql.sql().unwrap();
    let place = [next_line!()];
    let _lease = sql.pool().acquire(None).await.unwrap();
    let places = [place, [next_line!()]].concat();
    let _transaction = portable.begin(TransactionMode::ReadWrite, &context).await.unwrap();
    let places = [places, vec![next_line!()]].concat();
    let _session = portable.session(&context).await.unwrap();
    sleep(LIMIT / 2).await;
    assert_eq!(log.leaks(), Vec::<String>::new());
    sleep(LIMIT * 10).await;
    let leaks = log.leaks();
    assert_eq!(leaks.len(), 3, "{leaks:#?}");
    for (kind, place) in ["lease", "transaction", "session"].into_iter().zip(&places) {
        let told = |line: &&String| line.contains(&format!("kind=\"{kind}\" place=\"{place}\" held_seconds=1"));
        assert_eq!(leaks.iter().filter(told).count(), 1, "{kind} {place} in {leaks:#?}");
    }
    let metrics = recorder.handle().render();
    assert!(metrics.lines().any(|line| line.starts_with("bindery_pool_leaks") && line.ends_with(" 3")), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn who_gives_it_back_in_time_is_not_told_of_nor_is_a_long_statement() {
    let server = Arc::new(Server::default());
    let sql = sql_pool(&server, PoolSettings { statement_timeout: Some(LIMIT * 3), ..watchful(2) });
    let (log, _guard) = Log::begin();
    for _ in 0..20 {
        let mut lease = sql.pool().acquire(None).await.unwrap();
        sleep(LIMIT / 5).await;
        run(&mut lease, "anything").await.unwrap();
    }
    let hang = RawStatement::everywhere("SELECT", "hang").into();
    sql.execute(&hang, &RequestContext::system()).await.unwrap_err();
    assert_eq!(log.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_where_the_settings_say_so() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, PoolSettings { leak_after: None, ..settings(1) });
    let (log, _guard) = Log::begin();
    let _lease = pool.acquire(None).await.unwrap();
    sleep(LIMIT * 100).await;
    assert_eq!(log.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_connection_is_told_who_has_them() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(5));
    let mut held = Vec::new();
    let oldest = next_line!();
    held.push(pool.acquire(None).await.unwrap());
    sleep(Duration::from_secs(3)).await;
    for _ in 0..4 {
        held.push(pool.acquire(None).await.unwrap());
    }
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::Saturated);
    let (_, named) = error.message().split_once("; held longest: ").unwrap();
    assert!(named.starts_with(&format!("lease from {oldest} for 4000 ms, lease from ")), "{named}");
    assert_eq!(named.matches(file!()).count(), 3, "{named}");
    // One given back is nobody's.
    held.remove(0);
    let busy = statement(&pool);
    sleep(Duration::from_millis(1)).await;
    let error = pool.acquire(None).await.unwrap_err();
    assert!(!error.message().contains(&oldest), "{error}");
    drop(busy);
}

/// A caller in the middle of a statement that never ends.
fn statement(pool: &Pool<FakeDriver>) -> tokio::task::JoinHandle<()> {
    let pool = pool.clone();
    tokio::spawn(async move {
        let mut lease = pool.acquire(None).await.unwrap();
        let statement = Rendered { sql: "hang".to_owned(), values: Values(Vec::new()) };
        drop(lease.execute(Deadline::within(LIMIT), statement).await);
    })
}

//! A server that goes silent in the middle of statements: every caller is answered, and every place is there afterwards.
//! How long it takes is measured by `cargo xtask bench faults`.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use connection_manager::{BreakerSettings, ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseErrorKind, Engine, RawStatement, SqlSession, Statement};
use testkit::proxy::{Proxy, Traffic};
use testkit::tds::TdsServer;
use testkit::{Server, TestDatabase, eventually, eventually_some};
use tokio::task::JoinSet;

/// Much more than anything takes here; nothing is measured.
const LONG: Duration = Duration::from_mins(1);
const PLACES: u32 = 8;

/// Workers, the time that each gives a call, and how long the server is silent at least; `cargo xtask soak` asks for more.
fn intensity() -> (usize, Duration, Duration) {
    #[expect(clippy::disallowed_methods, reason = "xtask tells tests through the environment what it wants of them")]
    let soak = std::env::var_os("BINDERY_TEST_SOAK").is_some();
    if soak {
        (64, Duration::from_secs(1), Duration::from_secs(30))
    } else {
        (24, Duration::from_millis(300), Duration::ZERO)
    }
}

/// What the workers were told, each for itself.
struct Told {
    answers: Vec<AtomicU64>,
    failures: Vec<AtomicU64>,
    over: AtomicBool,
}

impl Told {
    fn new(workers: usize) -> Self {
        let zeros = || (0..workers).map(|_| AtomicU64::new(0)).collect();
        Self { answers: zeros(), failures: zeros(), over: AtomicBool::new(false) }
    }

    fn counts(of: &[AtomicU64]) -> Vec<u64> {
        of.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Waits until every worker has been told one thing more.
    async fn once_more(of: &[AtomicU64]) {
        let before = Self::counts(of);
        eventually(LONG, || Self::counts(of).iter().zip(&before).all(|(now, before)| now > before)).await;
    }
}

/// Asks again and again, whatever the answer is, until it is over.
async fn work(
    number: usize,
    connection: Arc<dyn DatabaseConnection>,
    busy: Statement,
    patience: Duration,
    told: Arc<Told>,
) {
    while !told.over.load(Ordering::SeqCst) {
        let context = RequestContext::system().within(patience);
        match connection.sql().unwrap().query(&busy, &context).await {
            Ok(_) => told.answers[number].fetch_add(1, Ordering::SeqCst),
            Err(error) => {
                let expected = matches!(
                    error.kind(),
                    DatabaseErrorKind::Timeout
                        | DatabaseErrorKind::Saturated
                        | DatabaseErrorKind::CircuitOpen
                        | DatabaseErrorKind::Unreachable
                );
                assert!(expected, "{error:?}");
                // As a caller does who is told to come back later.
                tokio::time::sleep(Duration::from_millis(10)).await;
                told.failures[number].fetch_add(1, Ordering::SeqCst)
            }
        };
    }
}

async fn every_caller_is_answered_and_every_place_is_there_afterwards(server: Server) {
    let (workers, patience, silence) = intensity();
    let database = TestDatabase::create(server).await;
    let settings = database.settings();
    let proxy = Proxy::start(format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap())).await.unwrap();
    let limits = PoolSettings { connect_timeout: Duration::from_secs(2), ..PoolSettings::sized(0, PLACES) };
    let settings = settings.with_host("127.0.0.1").with_port(proxy.port()).with_pool(limits);
    let connection = testkit::connect(settings).await.unwrap();
    let busy: Statement = match server {
        Server::Postgres => RawStatement::everywhere("SELECT", "SELECT pg_sleep(0.02)"),
        _ => RawStatement::everywhere("SELECT", "SELECT SLEEP(0.02)"),
    }
    .into();

    let told = Arc::new(Told::new(workers));
    let mut crew = JoinSet::new();
    for number in 0..workers {
        crew.spawn(work(number, Arc::clone(&connection), busy.clone(), patience, Arc::clone(&told)));
    }
    Told::once_more(&told.answers).await;
    eventually(LONG, || connection.stats().in_use == PLACES).await;

    proxy.set(Traffic::Swallow).await;
    tokio::time::sleep(silence).await;
    Told::once_more(&told.failures).await;
    Told::once_more(&told.failures).await;

    proxy.set(Traffic::Pass).await;
    Told::once_more(&told.answers).await;
    told.over.store(true, Ordering::SeqCst);
    tokio::time::timeout(LONG, crew.join_all()).await.expect("no worker is stuck");
    eventually(LONG, || {
        let stats = connection.stats();
        (stats.in_use, stats.waiting) == (0, 0) && stats.open == stats.idle
    })
    .await;
    let all = hold_all(&*connection).await;
    assert_eq!(connection.stats().in_use, PLACES);
    drop(all);
    eventually(LONG, || connection.stats().in_use == 0).await;
    connection.close(Duration::ZERO).await;
}

/// As many sessions at the same time as there are places, each of them answered.
async fn hold_all(connection: &dyn DatabaseConnection) -> Vec<Box<dyn SqlSession>> {
    let sql = connection.sql().unwrap();
    let question = &RawStatement::everywhere("SELECT", "SELECT 1").into();
    let mut all = Vec::new();
    for _ in 0..PLACES {
        let session = eventually_some(LONG, || async {
            let context = RequestContext::system().within(Duration::from_secs(5));
            let session = sql.session(&context).await.ok()?;
            session.query(question, &context).await.ok().map(|_| session)
        });
        all.push(session.await);
    }
    all
}

/// Of a login that was sent into the silence no answer ever comes, and this one could be waited for much longer than the test
/// lasts. `settings` lead to the server.
async fn what_was_sent_into_a_silence_is_not_waited_for(settings: ConnectionSettings) {
    let upstream = format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap());
    let proxy = Proxy::start(upstream).await.unwrap();
    let patient = LONG * 10;
    let limits = PoolSettings { connect_timeout: patient, acquire_timeout: patient, ..PoolSettings::sized(0, 1) };
    // Who waits would be told that the circuit is open.
    let breaker = BreakerSettings { failures: 0, ..BreakerSettings::default() };
    let settings = settings.with_host("localhost").with_port(proxy.port()).with_pool(limits).with_breaker(breaker);
    let connection = testkit::connect(settings).await.unwrap();
    connection.ping(&RequestContext::system().within(LONG)).await.unwrap();

    proxy.set(Traffic::Swallow).await;
    let context = RequestContext::system().within(Duration::from_millis(300));
    assert_eq!(*connection.ping(&context).await.unwrap_err().kind(), DatabaseErrorKind::Timeout);
    let before = proxy.accepted();
    let asking = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { connection.ping(&RequestContext::system().within(patient)).await }
    });
    // The login, perhaps one to have the server leave off, and then one knock after the other that is not answered.
    eventually(LONG, || proxy.accepted() >= before + 4).await;
    assert_eq!((connection.stats().open, connection.stats().waiting), (1, 1));
    proxy.set(Traffic::Pass).await;
    tokio::time::timeout(LONG, asking).await.expect("the login is begun anew").unwrap().unwrap();
    assert_eq!(connection.stats().opened_total, 2);
    connection.close(Duration::ZERO).await;
}

#[test]
fn what_was_sent_into_a_silence_of_redis_is_not_waited_for() {
    testkit::run(what_was_sent_into_a_silence_is_not_waited_for(testkit::redis::shared()));
}

#[test]
fn what_was_sent_into_a_silence_of_tds_is_not_waited_for() {
    testkit::run(async {
        let server = TdsServer::builder().user("sa", "secret").start().await.unwrap();
        let settings = ConnectionSettings::new(Engine::SQLSERVER)
            .with_host("127.0.0.1")
            .with_port(server.address().port())
            .with_username("sa")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled());
        what_was_sent_into_a_silence_is_not_waited_for(settings).await;
    });
}

mod on_engines {
    macro_rules! on_servers {
        ($($module:ident $server:ident),+) => {
            $(
                mod $module {
                    #[test]
                    fn every_caller_is_answered_and_every_place_is_there_afterwards() {
                        testkit::run(super::super::every_caller_is_answered_and_every_place_is_there_afterwards(
                            testkit::Server::$server,
                        ));
                    }

                    #[test]
                    fn what_was_sent_into_a_silence_is_not_waited_for() {
                        testkit::run(async {
                            let database = testkit::TestDatabase::create(testkit::Server::$server).await;
                            super::super::what_was_sent_into_a_silence_is_not_waited_for(database.settings()).await;
                        });
                    }
                }
            )+
        };
    }

    on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);
}

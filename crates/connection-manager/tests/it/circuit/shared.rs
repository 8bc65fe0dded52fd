//! Circuits that two processes share through a Redis of the test's own. A process is a manager with a board over a connection of
//! its own; most of them lead to one server in memory, each on a way of its own, which may be cut where the other's is not.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::{FromRedisValue, cmd};
use connection_manager::{
    BoardSettings, Breaker, CircuitBoard, Connector, Endpoint, Knock, SettingFault, SqlPool, TlsSettings,
};
use shared_kernel::database::{ConnectionName, Engine};
use testkit::redis::OwnRedis;
use tokio::time::Instant;

use super::*;
use crate::pool::fake::{Connect, FakeDriver, Server as Far};

const SOON: Duration = Duration::from_millis(100);
/// How long the right to a probe is kept that nobody speaks for, and nobody has used in vain.
const LEASE: Duration = Duration::from_secs(3);

/// The way of one process to the server.
#[derive(Debug)]
struct Way {
    engine: Engine,
    far: Arc<Far>,
}

#[async_trait]
impl Connector for Way {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn validate(&self, _: &ConnectionSettings) -> Vec<SettingFault> {
        Vec::new()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let driver = FakeDriver(Arc::clone(&self.far));
        Ok(Arc::new(SqlPool::open(name.clone(), self.engine.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

fn breaker(open_for: Duration) -> BreakerSettings {
    BreakerSettings { failures: FAILURES, open_for, open_for_max: open_for, probes: 2 }
}

fn board(redis: &OwnRedis) -> CircuitBoard {
    let cache = Arc::new(testkit::manager("cache", redis.settings()));
    // The machine that tests run on may be busy; what is shown is not how quick it is.
    let (poll, timeout) = (Duration::from_millis(50), Duration::from_secs(5));
    CircuitBoard::new(cache, BoardSettings { poll, timeout, ..BoardSettings::new("cache") })
}

struct Process {
    manager: ConnectionManager,
    connection: Arc<dyn DatabaseConnection>,
    far: Arc<Far>,
}

impl Process {
    async fn start(redis: &OwnRedis, settings: BreakerSettings) -> Self {
        let far = Arc::new(Far::default());
        far.is(Knock::Answered);
        let engine = Engine::from("far".to_owned());
        let factory =
            ConnectionFactory::empty().register(Arc::new(Way { engine: engine.clone(), far: Arc::clone(&far) }));
        let settings = ConnectionSettings::new(engine)
            .with_host("far.example")
            .with_port(1)
            .with_tls(TlsSettings::disabled())
            .with_pool(PoolSettings { connect_timeout: LONG, ..PoolSettings::sized(0, 4) })
            .with_breaker(settings);
        Self::with(ConnectionManager::builder(factory).connection("books", settings).circuits(board(redis)), far).await
    }

    async fn with(builder: connection_manager::ManagerBuilder, far: Arc<Far>) -> Self {
        let manager = builder.build().unwrap();
        let connection = manager.get("books", Access::Read, &RequestContext::system()).await.unwrap();
        let process = Self { manager, connection, far };
        // One that has not looked at the board yet goes by what it learns itself.
        process.is_shared(true).await;
        process
    }

    /// Cuts its way to the server.
    fn cut(&self) {
        self.far.away.store(true, Ordering::SeqCst);
        self.far.is(Knock::Silent);
    }

    fn mend(&self) {
        self.far.away.store(false, Ordering::SeqCst);
        self.far.is(Knock::Answered);
    }

    fn attempts(&self) -> u32 {
        Far::count(&self.far.attempts)
    }

    fn knocks(&self) -> u32 {
        Far::count(&self.far.knocks)
    }

    fn breaker(&self) -> Breaker {
        let [breaker] = self.manager.breakers().try_into().unwrap();
        breaker
    }

    fn circuit(&self) -> Circuit {
        self.breaker().circuit()
    }

    async fn is_shared(&self, shared: bool) {
        testkit::eventually(LONG, || self.breaker().is_shared() == shared).await;
    }

    async fn is(&self, circuit: Circuit) {
        testkit::eventually(LONG, || self.circuit() == circuit).await;
    }

    async fn ask(&self) -> Result<(), DatabaseErrorKind> {
        ask(&*self.connection, LONG).await
    }

    async fn until_open(&self) {
        until_open(&*self.connection, LONG).await;
    }

    async fn until_closed(&self) {
        eventually_some(LONG, || async {
            let answered = self.ask().await.is_ok();
            (answered && self.circuit() == Circuit::Closed).then_some(())
        })
        .await;
    }
}

/// What stands on the board.
struct Board(Arc<dyn DatabaseConnection>);

impl Board {
    async fn of(redis: &OwnRedis) -> Self {
        Self(redis.connection().await)
    }

    async fn tell<T: FromRedisValue>(&self, command: &str, argument: &str) -> T {
        let native: &RedisConnection = self.0.native_as().unwrap();
        native.query(cmd(command).arg(argument).take(), &RequestContext::system().within(LONG)).await.unwrap()
    }

    async fn keys(&self) -> Vec<String> {
        self.tell("KEYS", "bindery:circuit:*").await
    }

    async fn word(&self) -> Option<String> {
        self.tell("GET", "bindery:circuit:far.example:1").await
    }

    /// For how long the right to the first probe is still somebody's.
    async fn right(&self) -> Duration {
        let left: i64 = self.tell("PTTL", "bindery:circuit:far.example:1:probe:0").await;
        Duration::from_millis(left.try_into().unwrap_or(0))
    }

    /// Waits until it has been used in vain.
    async fn is_used_up(&self) {
        eventually_some(LONG, || async { (self.right().await > LEASE).then_some(()) }).await;
    }

    /// Waits until somebody says something new.
    async fn changes(&self) {
        let before = self.word().await;
        eventually_some(LONG, || async { (self.word().await != before).then_some(()) }).await;
    }
}

#[test]
fn the_others_find_out_without_a_call_of_theirs() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(LONG)).await, Process::start(&redis, breaker(LONG)).await);
        for process in [&one, &other] {
            process.cut();
        }
        let attempts = other.attempts();
        one.until_open().await;
        other.is(Circuit::Open).await;
        assert_eq!((other.knocks(), other.attempts()), (1, attempts));
        // It would answer again, and nobody asks.
        for process in [&one, &other] {
            process.mend();
        }
        for _ in 0..50 {
            assert_eq!(other.ask().await, Err(DatabaseErrorKind::CircuitOpen));
        }
        assert_eq!((other.knocks(), other.attempts()), (1, attempts));
        // Whoever starts now has heard of it by now, and was answered.
        let third = Process::start(&redis, breaker(LONG)).await;
        assert_eq!(third.circuit(), Circuit::Closed);
        third.ask().await.unwrap();
    });
}

#[test]
fn who_reaches_the_server_goes_on_although_another_does_not() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(SOON)).await, Process::start(&redis, breaker(SOON)).await);
        let board = Board::of(&redis).await;
        one.cut();
        one.until_open().await;
        // Nobody asks the other anything, so it knocks.
        testkit::eventually(LONG, || other.knocks() == 1).await;
        // The one goes on saying so each time that its probes fail, and the other, whom nobody asks, has heard enough.
        for _ in 0..5 {
            let probing = async {
                loop {
                    assert!(one.ask().await.is_err());
                    tokio::time::sleep(SOON / 4).await;
                }
            };
            tokio::select! {
                () = probing => {}
                () = board.changes() => {}
            }
        }
        assert_eq!(other.knocks(), 1);
        for _ in 0..20 {
            other.ask().await.unwrap();
            assert_eq!(other.circuit(), Circuit::Closed);
        }
        assert_ne!(one.circuit(), Circuit::Closed, "what the other can do is of no use to it");
        // When its own way is mended, its own probes find out.
        one.mend();
        one.until_closed().await;
    });
}

#[test]
fn a_circuit_that_closes_is_closed_for_all_who_reach_the_server() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let start = async || Process::start(&redis, breaker(SOON)).await;
        let (one, other, apart) = (start().await, start().await, start().await);
        let all = [&one, &other, &apart];
        for process in all {
            process.cut();
        }
        one.until_open().await;
        other.is(Circuit::Open).await;
        apart.is(Circuit::Open).await;
        for process in [&one, &other] {
            process.mend();
        }
        let (attempts, knocks) = (other.attempts(), apart.knocks());
        one.until_closed().await;
        // It has no callers, and learns it from the board alone.
        other.is(Circuit::Closed).await;
        assert_eq!(other.attempts(), attempts);
        other.ask().await.unwrap();
        // The third hears of it too, and finds no server there.
        testkit::eventually(LONG, || apart.knocks() > knocks).await;
        assert!(apart.ask().await.is_err());
        assert_ne!(apart.circuit(), Circuit::Closed);
    });
}

#[test]
fn the_probes_of_all_are_counted_together() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(SOON)).await, Process::start(&redis, breaker(SOON)).await);
        let board = Board::of(&redis).await;
        for process in [&one, &other] {
            process.cut();
        }
        one.until_open().await;
        other.is(Circuit::Open).await;
        // Who is let through now learns nothing, and so the round goes on.
        for process in [&one, &other] {
            process.far.away.store(false, Ordering::SeqCst);
            process.far.plan.lock().unwrap().extend((0..20).map(|_| Connect::Hangs));
        }
        let (ones, others) = (one.attempts(), other.attempts());
        let probes = || one.attempts() - ones + other.attempts() - others;
        let mut callers = Vec::new();
        let mut ask_both = || {
            for process in [&one, &other] {
                let connection = Arc::clone(&process.connection);
                callers.push(tokio::spawn(async move { ask(&*connection, LONG).await }));
            }
        };
        eventually_some(LONG, || {
            ask_both();
            std::future::ready((probes() >= 2).then_some(()))
        })
        .await;
        // Whose a right is has to be said again, or the other process would have it: for longer than it is kept without.
        let begun = Instant::now();
        while begun.elapsed() < LEASE * 2 {
            ask_both();
            assert!(board.right().await > Duration::ZERO, "nobody has the right to a probe that is under way");
            tokio::time::sleep(SOON / 4).await;
        }
        assert_eq!(probes(), 2);
        for process in [&one, &other] {
            assert_eq!(process.ask().await, Err(DatabaseErrorKind::CircuitOpen));
        }
        for caller in callers {
            caller.abort();
        }
    });
}

#[test]
fn who_has_probed_in_vain_keeps_the_others_from_it() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(LONG)).await, Process::start(&redis, breaker(SOON)).await);
        let board = Board::of(&redis).await;
        for process in [&one, &other] {
            process.cut();
        }
        one.until_open().await;
        other.is(Circuit::Open).await;
        // Something of it was heard, and its pause is over, but it is not there.
        one.breaker().succeeded();
        eventually_some(LONG, || async { (one.ask().await == Err(DatabaseErrorKind::Unreachable)).then_some(()) })
            .await;
        board.is_used_up().await;
        let attempts = other.attempts();
        for _ in 0..20 {
            assert_eq!(other.ask().await, Err(DatabaseErrorKind::CircuitOpen));
            tokio::time::sleep(SOON / 4).await;
        }
        assert_eq!(other.attempts(), attempts);
        // It is heard of again, and this time it is there.
        for process in [&one, &other] {
            process.mend();
        }
        one.breaker().succeeded();
        one.until_closed().await;
        other.is(Circuit::Closed).await;
        assert_eq!(other.attempts(), attempts);
    });
}

#[test]
fn who_probes_in_vain_leaves_the_next_try_to_others() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(SOON)).await, Process::start(&redis, breaker(SOON)).await);
        for process in [&one, &other] {
            process.cut();
        }
        one.until_open().await;
        other.is(Circuit::Open).await;
        // The server is back, but not for the one, whose callers try whenever they may.
        other.mend();
        let in_vain = async {
            loop {
                assert!(one.ask().await.is_err());
                tokio::time::sleep(SOON / 4).await;
            }
        };
        tokio::select! {
            () = in_vain => {}
            () = other.until_closed() => {}
        }
        assert_ne!(one.circuit(), Circuit::Closed);
    });
}

#[test]
fn a_right_that_nobody_uses_is_given_back() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(LONG)).await, Process::start(&redis, breaker(SOON)).await);
        let board = Board::of(&redis).await;
        for process in [&one, &other] {
            process.cut();
        }
        one.until_open().await;
        other.is(Circuit::Open).await;
        // Its pause is over, and its caller would be a probe, but does not come back.
        one.breaker().succeeded();
        assert_eq!(one.ask().await, Err(DatabaseErrorKind::CircuitOpen));
        eventually_some(LONG, || async { (!board.right().await.is_zero()).then_some(()) }).await;
        other.mend();
        other.until_closed().await;
        eventually_some(LONG, || async { board.right().await.is_zero().then_some(()) }).await;
    });
}

#[test]
fn without_the_board_each_process_goes_on_alone() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let (one, other) = (Process::start(&redis, breaker(SOON)).await, Process::start(&redis, breaker(SOON)).await);
        let port = redis.port();
        drop(redis);
        one.is_shared(false).await;
        other.is_shared(false).await;
        for process in [&one, &other] {
            process.cut();
        }
        let attempts = other.attempts();
        one.until_open().await;
        assert_eq!((other.circuit(), other.knocks(), other.attempts()), (Circuit::Closed, 0, attempts));
        other.until_open().await;
        one.mend();
        one.until_closed().await;
        assert_ne!(other.circuit(), Circuit::Closed);
        // It is back and knows nothing.
        let redis = OwnRedis::start_at(port, &[]).await;
        other.is_shared(true).await;
        one.is_shared(true).await;
        other.mend();
        other.until_closed().await;
        drop(redis);
    });
}

#[test]
fn all_that_stands_there_ends_by_itself() {
    testkit::run(async {
        let redis = OwnRedis::start(&[]).await;
        let one = Process::start(&redis, breaker(LONG * 10)).await;
        let board = Board::of(&redis).await;
        one.cut();
        one.until_open().await;
        one.breaker().succeeded();
        eventually_some(LONG, || async { (one.ask().await == Err(DatabaseErrorKind::Unreachable)).then_some(()) })
            .await;
        board.is_used_up().await;
        let keys = board.keys().await;
        assert_eq!(keys.len(), 3, "a word and two rights: {keys:?}");
        for key in keys {
            let left: i64 = board.tell("PTTL", &key).await;
            assert!((0..=60_000).contains(&left), "{key} is kept for {left} ms");
        }
    });
}

/// On real servers, with the knock that each has: two processes on the same way.
async fn what_one_process_learns_the_other_knows(server: Server) {
    let (database, redis) = (TestDatabase::create(server).await, OwnRedis::start(&[]).await);
    let settings = database.settings();
    let upstream = format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap());
    let proxy = Proxy::start(upstream).await.unwrap();
    let settings = settings
        .with_host("127.0.0.1")
        .with_port(proxy.port())
        .with_pool(PoolSettings::sized(0, 4))
        .with_breaker(breaker(SOON));
    let start = async || {
        let builder = ConnectionManager::builder(ConnectionFactory::compiled()).connection("books", settings.clone());
        Process::with(builder.circuits(board(&redis)), Arc::default()).await
    };
    let (one, other) = (start().await, start().await);
    proxy.set(Traffic::Refuse).await;
    one.until_open().await;
    testkit::eventually(LONG, || other.circuit() != Circuit::Closed).await;
    proxy.set(Traffic::Pass).await;
    one.until_closed().await;
    other.is(Circuit::Closed).await;
    // The connection that it had is lost, which is told to who asks first.
    eventually_some(LONG, || async { other.ask().await.ok() }).await;
    assert_eq!(other.circuit(), Circuit::Closed);
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_engines {
            $(
                mod $module {
                    #[test]
                    fn what_one_process_learns_the_other_knows() {
                        testkit::run(super::super::what_one_process_learns_the_other_knows(testkit::Server::$server));
                    }
                }
            )+
        }
    };
}

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);

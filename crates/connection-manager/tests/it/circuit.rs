//! The circuit breaker in front of real servers: opened by a server that is gone or silent, closed when it is back.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

mod shared;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::egress::EgressConfig;
use connection_manager::{
    BreakerSettings, Circuit, ConnectionFactory, ConnectionManager, ConnectionSettings, PoolSettings,
};
use sea_query::{Expr, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, Statement,
};
use testkit::proxy::{Proxy, Traffic};
use testkit::{Server, TestDatabase, eventually_some};

/// Much more than anything takes here; nothing is measured.
const LONG: Duration = Duration::from_mins(1);
const FAILURES: u32 = 3;

/// A server behind a proxy, under two names.
struct Scene {
    proxy: Proxy,
    manager: ConnectionManager,
    _database: TestDatabase,
}

impl Scene {
    /// With a circuit that stays open for `open_for`.
    async fn new(server: Server, open_for: Duration) -> Self {
        Self::patient(server, open_for, Duration::from_secs(2)).await
    }

    /// As [`Scene::new`], with as much time to connect.
    async fn patient(server: Server, open_for: Duration, connect_timeout: Duration) -> Self {
        Self::with(server, open_for, connect_timeout, |settings| settings).await
    }

    /// As [`Scene::new`], with connections of the kind that somebody from outside defines.
    async fn guarded(server: Server, open_for: Duration) -> Self {
        let egress = |settings: ConnectionSettings| settings.with_egress(EgressConfig::open().egress([]));
        Self::with(server, open_for, Duration::from_secs(2), egress).await
    }

    async fn with(
        server: Server,
        open_for: Duration,
        connect_timeout: Duration,
        change: impl FnOnce(ConnectionSettings) -> ConnectionSettings,
    ) -> Self {
        let database = TestDatabase::create(server).await;
        let settings = database.settings();
        let upstream = format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap());
        let proxy = Proxy::start(upstream).await.unwrap();
        let breaker = BreakerSettings { failures: FAILURES, open_for, open_for_max: open_for, probes: 2 };
        let settings: ConnectionSettings = settings
            .with_host("127.0.0.1")
            .with_port(proxy.port())
            .with_pool(PoolSettings { connect_timeout, ..PoolSettings::sized(0, 4) })
            .with_breaker(breaker);
        let settings = change(settings);
        let manager = ConnectionManager::builder(ConnectionFactory::compiled())
            .connection("one", settings.clone())
            .connection("other", settings)
            .build()
            .unwrap();
        Self { proxy, manager, _database: database }
    }

    async fn connection(&self, name: &str) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.manager.get(name, Access::Read, &RequestContext::system()).await
    }

    fn circuit(&self) -> Circuit {
        let [breaker] = self.manager.breakers().try_into().unwrap();
        breaker.circuit()
    }
}

async fn ask(connection: &dyn DatabaseConnection, patience: Duration) -> Result<(), DatabaseErrorKind> {
    let select: Statement = RawStatement::everywhere("SELECT", "SELECT 1").into();
    let outcome = connection.sql().unwrap().query(&select, &RequestContext::system().within(patience)).await;
    outcome.map(drop).map_err(|error| {
        let wait = error.retry_after();
        assert!(*error.kind() != DatabaseErrorKind::CircuitOpen || wait.is_some(), "{error}");
        error.kind().clone()
    })
}

/// Asks until the circuit is open, and returns what the callers were told until then.
async fn until_open(connection: &dyn DatabaseConnection, patience: Duration) -> Vec<DatabaseErrorKind> {
    let mut told = Vec::new();
    // One for the connection that was open and broke, and as many as it takes to open the circuit.
    for _ in 0..=FAILURES + 1 {
        match ask(connection, patience).await.unwrap_err() {
            DatabaseErrorKind::CircuitOpen => return told,
            other => told.push(other),
        }
    }
    panic!("the circuit did not open: {told:?}");
}

async fn a_server_that_is_gone_is_left_alone(server: Server) {
    let scene = Scene::new(server, LONG).await;
    let connection = scene.connection("one").await.unwrap();
    ask(&*connection, LONG).await.unwrap();
    scene.proxy.set(Traffic::Refuse).await;
    let told = until_open(&*connection, LONG).await;
    assert!(told.iter().all(|kind| *kind == DatabaseErrorKind::Unreachable), "{told:?}");
    assert_eq!(scene.circuit(), Circuit::Open);

    // It would answer again, and nobody asks.
    scene.proxy.set(Traffic::Pass).await;
    let accepted = scene.proxy.accepted();
    for _ in 0..100 {
        assert_eq!(ask(&*connection, LONG).await, Err(DatabaseErrorKind::CircuitOpen));
    }
    // Nor does a connection of another name, which was not open yet.
    let refused = scene.connection("other").await.map(drop).unwrap_err();
    assert_eq!(*refused.kind(), DatabaseErrorKind::CircuitOpen, "{refused}");
    assert_eq!(scene.proxy.accepted(), accepted);
}

async fn a_server_that_comes_back_is_found(server: Server) {
    let scene = Scene::new(server, Duration::from_millis(100)).await;
    let connection = scene.connection("one").await.unwrap();
    scene.proxy.set(Traffic::Refuse).await;
    until_open(&*connection, LONG).await;
    scene.proxy.set(Traffic::Pass).await;
    eventually_some(LONG, || async { ask(&*connection, LONG).await.ok() }).await;
    eventually_some(LONG, || async {
        let answered = ask(&*connection, LONG).await.is_ok();
        (answered && scene.circuit() == Circuit::Closed).then_some(())
    })
    .await;
    for _ in 0..20 {
        ask(&*connection, LONG).await.unwrap();
    }
}

async fn a_half_open_circuit_lets_exactly_its_probes_pass(server: Server) {
    let scene = Scene::patient(server, Duration::from_millis(100), LONG).await;
    let connection = scene.connection("one").await.unwrap();
    scene.proxy.set(Traffic::Refuse).await;
    until_open(&*connection, LONG).await;
    // Who is let through now learns nothing, and so the round goes on.
    scene.proxy.set(Traffic::Swallow).await;
    let before = scene.proxy.accepted();
    let mut probes = Vec::new();
    eventually_some(LONG, || {
        let connection = Arc::clone(&connection);
        probes.push(tokio::spawn(async move { ask(&*connection, LONG).await }));
        std::future::ready((scene.proxy.accepted() == before + 2).then_some(()))
    })
    .await;
    for _ in 0..100 {
        assert_eq!(ask(&*connection, LONG).await, Err(DatabaseErrorKind::CircuitOpen));
    }
    // Whether the server is back is asked meanwhile, without logging in.
    assert_eq!((scene.circuit(), connection.stats().open), (Circuit::HalfOpen, 2));
    for probe in probes {
        probe.abort();
    }
}

async fn a_server_that_is_silent_is_left_alone_until_it_answers(server: Server) {
    let scene = Scene::new(server, Duration::from_millis(100)).await;
    let connection = scene.connection("one").await.unwrap();
    ask(&*connection, LONG).await.unwrap();
    scene.proxy.set(Traffic::Swallow).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let connection = Arc::clone(&connection);
        workers.spawn(async move {
            let mut told = Vec::new();
            while !told.contains(&DatabaseErrorKind::CircuitOpen) {
                told.push(ask(&*connection, Duration::from_secs(1)).await.unwrap_err());
                assert!(told.len() < 50, "the circuit did not open: {told:?}");
            }
        });
    }
    workers.join_all().await;
    scene.proxy.set(Traffic::Pass).await;
    eventually_some(LONG, || async {
        let answered = ask(&*connection, Duration::from_secs(1)).await.is_ok();
        (answered && scene.circuit() == Circuit::Closed).then_some(())
    })
    .await;
}

/// Neither what the connection's guard refuses nor what cannot be bound reaches the server.
async fn what_is_not_sent_says_nothing_about_the_server(server: Server) {
    let scene = Scene::guarded(server, Duration::from_millis(100)).await;
    let connection = scene.connection("one").await.unwrap();
    scene.proxy.set(Traffic::Refuse).await;
    until_open(&*connection, LONG).await;
    scene.proxy.set(Traffic::Pass).await;
    let (sql, context) = (connection.sql().unwrap(), RequestContext::system());
    let forbidden: Statement = RawStatement::everywhere("DELETE", "DELETE FROM nothing").into();
    let beyond: Statement = Query::select().expr(Expr::val(u64::MAX)).to_owned().into();
    for (statement, expected) in [(&forbidden, "ReadOnlyTarget"), (&beyond, "Unsupported")] {
        eventually_some(LONG, || async {
            let error = sql.query(statement, &context).await.map(drop).unwrap_err();
            (*error.kind() != DatabaseErrorKind::CircuitOpen).then_some(error)
        })
        .await;
        // More often than there are probes.
        for _ in 0..5 {
            let error = sql.query(statement, &context).await.map(drop).unwrap_err();
            assert_eq!(format!("{:?}", error.kind()), expected, "{error}");
            assert_eq!(scene.circuit(), Circuit::HalfOpen, "{error}");
        }
    }
    assert!(sql.run_script("SELECT 1", &context).await.is_err());
    assert_eq!(scene.circuit(), Circuit::HalfOpen);
    // The probes are all there.
    for circuit in [Circuit::HalfOpen, Circuit::Closed] {
        ask(&*connection, LONG).await.unwrap();
        assert_eq!(scene.circuit(), circuit);
    }
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_engines {
            $(
                mod $module {
                    on_servers!(@cases $server
                        a_server_that_is_gone_is_left_alone
                        a_server_that_comes_back_is_found
                        a_half_open_circuit_lets_exactly_its_probes_pass
                        a_server_that_is_silent_is_left_alone_until_it_answers
                        what_is_not_sent_says_nothing_about_the_server
                    );
                }
            )+
        }
    };
    (@cases $server:ident $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                testkit::run(super::super::$case(testkit::Server::$server));
            }
        )+
    };
}

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres, sqlserver SqlServer);

//! What is sent again to real servers, and what is not.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::time::Duration;

use connection_manager::{
    BreakerSettings, ConnectionFactory, ConnectionManager, ConnectionSettings, PoolSettings, RetrySettings,
};
use futures_util::future::join_all;
use sea_query::{Expr, ExprTrait as _, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, Row, Statement,
};
use testkit::proxy::{Proxy, Traffic};
use testkit::{Server, TestDatabase, eventually, eventually_some};

/// Much more than anything takes here; nothing is measured.
const LONG: Duration = Duration::from_mins(1);

/// A table behind a proxy, and a way to it besides.
struct Scene {
    proxy: Proxy,
    connection: Arc<dyn DatabaseConnection>,
    direct: Arc<dyn DatabaseConnection>,
    _database: TestDatabase,
}

impl Scene {
    /// With a circuit that never opens: it is retries that are looked at.
    async fn new(server: Server, most: u32) -> Self {
        let database = TestDatabase::create(server).await;
        let direct = database.connection().await;
        let table: Statement = RawStatement::everywhere("CREATE", "CREATE TABLE names (name VARCHAR(40))").into();
        direct.sql().unwrap().execute(&table, &context()).await.unwrap();
        let settings = database.settings();
        let proxy =
            Proxy::start(format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap())).await.unwrap();
        let settings: ConnectionSettings = settings
            .with_host("127.0.0.1")
            .with_port(proxy.port())
            .with_pool(PoolSettings { connect_timeout: LONG, acquire_timeout: LONG, ..PoolSettings::sized(0, most) })
            .with_breaker(BreakerSettings { failures: 0, ..BreakerSettings::default() })
            .with_retry(RetrySettings { attempts: 10, cap: Duration::from_millis(50), ..RetrySettings::default() });
        Self { connection: testkit::connect(settings).await.unwrap(), proxy, direct, _database: database }
    }

    /// Calls that go well, which save up repetitions and leave the statements prepared on the one connection.
    async fn warmed(server: Server) -> Self {
        let scene = Self::new(server, 1).await;
        insert(&*scene.connection, "first").await.unwrap();
        for _ in 0..20 {
            assert_eq!(select(&*scene.connection, "first").await.unwrap().len(), 1);
        }
        scene
    }

    async fn count(&self, name: &str) -> usize {
        select(&*self.direct, name).await.unwrap().len()
    }
}

fn context() -> RequestContext {
    RequestContext::system().within(LONG)
}

async fn insert(connection: &dyn DatabaseConnection, name: &str) -> Result<u64, DatabaseError> {
    let insert = Query::insert().into_table("names").columns(["name"]).values_panic([name.into()]).take();
    connection.sql()?.execute(&insert.into(), &context()).await
}

async fn select(connection: &dyn DatabaseConnection, name: &str) -> Result<Vec<Row>, DatabaseError> {
    let select = Query::select().column("name").from("names").and_where(Expr::col("name").eq(name)).take();
    connection.sql()?.query(&select.into(), &context()).await
}

async fn a_read_whose_answer_was_lost_is_answered_all_the_same(server: Server) {
    let scene = Scene::warmed(server).await;
    insert(&*scene.direct, "wanted-57a1").await.unwrap();
    scene.proxy.set(Traffic::Mute).await;
    let connection = Arc::clone(&scene.connection);
    let asking = tokio::spawn(async move { select(&*connection, "wanted-57a1").await });
    eventually(LONG, || scene.connection.stats().in_use == 1).await;
    // Who waits for an answer is reset.
    scene.proxy.set(Traffic::Reset).await;
    scene.proxy.set(Traffic::Pass).await;
    assert_eq!(asking.await.unwrap().unwrap().len(), 1);
    assert!(scene.proxy.accepted() >= 2);
}

async fn a_write_whose_answer_was_lost_is_not_sent_twice(server: Server) {
    let scene = Scene::warmed(server).await;
    scene.proxy.set(Traffic::Mute).await;
    let connection = Arc::clone(&scene.connection);
    let writing = tokio::spawn(async move { insert(&*connection, "written-57a1").await });
    // It took effect, and the caller does not know.
    let scene_ref = &scene;
    eventually_some(LONG, || async move { (scene_ref.count("written-57a1").await == 1).then_some(()) }).await;
    scene.proxy.set(Traffic::Reset).await;
    scene.proxy.set(Traffic::Pass).await;
    assert_eq!(*writing.await.unwrap().unwrap_err().kind(), DatabaseErrorKind::Unreachable);
    assert_eq!(insert(&*scene.connection, "another").await.unwrap(), 1);
    assert_eq!((scene.count("written-57a1").await, scene.count("another").await), (1, 1));
}

async fn a_server_that_was_restarted_is_not_noticed_by_writers_but_one(server: Server) {
    let scene = Scene::new(server, 4).await;
    // Four connections at once, and calls enough to save up repetitions.
    for _ in 0..10 {
        join_all((0..4).map(|_| select(&*scene.connection, "none"))).await;
    }
    scene.proxy.set(Traffic::Refuse).await;
    scene.proxy.set(Traffic::Pass).await;
    let mut failed = 0;
    for number in 0..20 {
        failed += usize::from(insert(&*scene.connection, &format!("row {number}")).await.is_err());
    }
    assert!(failed <= 1, "{failed} of 20 were lost");
}

async fn a_dead_server_has_to_bear_a_fifth_more_than_its_callers_send(server: Server) {
    const CALLERS: u64 = 200;
    let scene = Scene::new(server, 4).await;
    // The connection that is open goes first.
    scene.proxy.set(Traffic::Reset).await;
    let _ = select(&*scene.connection, "none").await;
    let before = scene.proxy.accepted();
    let answers = join_all((0..CALLERS).map(|_| select(&*scene.connection, "none"))).await;
    for answer in answers {
        assert_eq!(*answer.unwrap_err().kind(), DatabaseErrorKind::Unreachable);
    }
    let attempts = scene.proxy.accepted() - before;
    assert!((CALLERS..=CALLERS * 6 / 5 + 1).contains(&attempts), "{attempts} for {CALLERS} callers");
}

/// A name on a server to which another one leads that has saved up four repetitions.
async fn opened_later(server: Server) -> (Proxy, ConnectionManager) {
    let settings = server.admin();
    let proxy = Proxy::start(format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap())).await.unwrap();
    let settings: ConnectionSettings = settings
        .with_host("127.0.0.1")
        .with_port(proxy.port())
        .with_pool(PoolSettings { connect_timeout: LONG, ..PoolSettings::sized(0, 4) })
        .with_breaker(BreakerSettings { failures: 0, ..BreakerSettings::default() })
        .with_retry(RetrySettings { attempts: 10, cap: Duration::from_millis(50), ..RetrySettings::default() });
    let manager = ConnectionManager::builder(ConnectionFactory::compiled())
        .connection("first", settings.clone())
        .connection("later", settings)
        .build()
        .unwrap();
    let first = manager.get("first", Access::Read, &context()).await.unwrap();
    let one: Statement = RawStatement::everywhere("SELECT", "SELECT 1").into();
    for _ in 0..20 {
        first.sql().unwrap().query(&one, &context()).await.unwrap();
    }
    (proxy, manager)
}

async fn a_pool_whose_first_connection_is_lost_is_opened_all_the_same(server: Server) {
    let (proxy, manager) = opened_later(server).await;
    proxy.set(Traffic::Reset).await;
    let before = proxy.accepted();
    let opening = tokio::spawn({
        let manager = manager.clone();
        async move { manager.get("later", Access::Read, &context()).await.map(drop) }
    });
    eventually(LONG, || proxy.accepted() > before).await;
    proxy.set(Traffic::Pass).await;
    opening.await.unwrap().unwrap();
    assert!(proxy.accepted() >= before + 2);
}

async fn opening_a_pool_takes_no_more_repetitions_than_were_saved_up(server: Server) {
    let (proxy, manager) = opened_later(server).await;
    proxy.set(Traffic::Reset).await;
    for attempts in [5, 1, 1] {
        let before = proxy.accepted();
        let error = manager.get("later", Access::Read, &context()).await.map(drop).unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error}");
        assert_eq!(proxy.accepted() - before, attempts);
    }
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_servers {
            $(
                mod $module {
                    on_servers!(@cases $server
                        a_read_whose_answer_was_lost_is_answered_all_the_same
                        a_write_whose_answer_was_lost_is_not_sent_twice
                        a_server_that_was_restarted_is_not_noticed_by_writers_but_one
                        a_dead_server_has_to_bear_a_fifth_more_than_its_callers_send
                        a_pool_whose_first_connection_is_lost_is_opened_all_the_same
                        opening_a_pool_takes_no_more_repetitions_than_were_saved_up
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

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);

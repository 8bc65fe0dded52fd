//! Servers that answer as they are told to: what becomes of a read between being promised to a replica and being answered.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, PasswordSource, ReplicaStats,
    ReplicasSettings, SettingFault, TlsSettings,
};
use sea_query::{ArrayType, Value};
use shared_kernel::database::{
    Access, CloseReport, ConnectionName, ConnectionStats, Connections as _, DatabaseConnection, DatabaseError,
    DatabaseErrorKind, Dialect, Engine, Health, RawStatement, Row, RowSource, SqlConnection, SqlExecutor, SqlSession,
    SqlTransaction, Statement, TransactionMode,
};
use shared_kernel::{Freshness, FreshnessToken, RequestContext};

const NAME: &str = "app";
const PRIMARY: &str = "primary";
/// Longer than the manager lets pass between two looks at a server.
const A_LOOK: Duration = Duration::from_millis(1_700);
const MAX_LAG: Duration = Duration::from_secs(10);

/// What a server does.
#[derive(Debug, Default)]
struct Behaviour {
    /// How far it has come.
    position: i64,
    opened_total: u64,
    in_use: u32,
    /// Whether a read finds its connection gone and opens another one.
    reopens: bool,
    /// What reads come to; questions for the position are answered all the same.
    refuses: Option<DatabaseErrorKind>,
    /// What questions for the position come to.
    tells_nothing: Option<DatabaseErrorKind>,
    /// Whether reads are never answered.
    hangs: bool,
    /// The reads and writes that it was asked for.
    asked: u32,
    /// How much time there was for the last of them.
    time_left: Option<Duration>,
}

#[derive(Debug)]
struct Server {
    engine: Engine,
    host: String,
    name: ConnectionName,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Server {
    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    fn unsupported<T>() -> Result<T, DatabaseError> {
        Err(DatabaseError::new(DatabaseErrorKind::Unsupported, "a scripted server has no transactions"))
    }

    /// What it is asked for apart from its position.
    async fn answer(&self, context: &RequestContext) -> Result<(), DatabaseError> {
        let hangs = {
            let mut behaviour = self.behaviour();
            behaviour.asked += 1;
            behaviour.time_left = context.time_left();
            behaviour.opened_total += u64::from(behaviour.reopens);
            if let Some(kind) = &behaviour.refuses {
                return Err(DatabaseError::new(kind.clone(), "as it was told"));
            }
            behaviour.hangs
        };
        if hangs {
            tokio::time::sleep(context.time_left().unwrap_or(Duration::MAX)).await;
            return Err(DatabaseError::new(DatabaseErrorKind::Timeout, "no answer in time"));
        }
        Ok(())
    }
}

/// A row of named values.
struct Values(Vec<(&'static str, Value)>);

impl RowSource for Values {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn column_name(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(|(name, _)| *name)
    }

    fn decode(&self, index: usize, _: &ArrayType) -> Result<Value, DatabaseError> {
        Ok(self.0[index].1.clone())
    }
}

#[async_trait]
impl DatabaseConnection for Server {
    fn name(&self) -> &ConnectionName {
        &self.name
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn ping(&self, _: &RequestContext) -> Result<Health, DatabaseError> {
        Ok(Health { latency: Duration::ZERO, server_version: None })
    }

    async fn close(&self, _: Duration) -> CloseReport {
        CloseReport::default()
    }

    fn stats(&self) -> ConnectionStats {
        let behaviour = self.behaviour();
        ConnectionStats { opened_total: behaviour.opened_total, in_use: behaviour.in_use, ..ConnectionStats::default() }
    }

    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

#[async_trait]
impl SqlExecutor for Server {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn execute(&self, _: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.answer(context).await?;
        Ok(1)
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        let rendered = statement.render(Dialect::Postgres).unwrap();
        if rendered.sql.contains("pg_is_in_recovery") {
            let behaviour = self.behaviour();
            if let Some(kind) = &behaviour.tells_nothing {
                return Err(DatabaseError::new(kind.clone(), "as it was told"));
            }
            return Ok(vec![Row::new(Values(vec![
                ("in_recovery", Value::Bool(Some(self.host != PRIMARY))),
                ("position", Value::BigInt(Some(behaviour.position))),
                ("page", Value::BigInt(Some(8192))),
                ("cluster", Value::BigInt(Some(7))),
            ]))]);
        }
        self.answer(context).await?;
        Ok(vec![Row::new(Values(vec![("host", Value::String(Some(self.host.clone())))]))])
    }

    async fn run_script(&self, _: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.answer(context).await
    }
}

#[async_trait]
impl SqlConnection for Server {
    async fn begin_at(
        &self,
        _: TransactionMode,
        context: &RequestContext,
        _: &'static Location<'static>,
    ) -> Result<Box<dyn SqlTransaction>, DatabaseError> {
        self.answer(context).await?;
        Self::unsupported()
    }

    async fn session_at(
        &self,
        context: &RequestContext,
        _: &'static Location<'static>,
    ) -> Result<Box<dyn SqlSession>, DatabaseError> {
        self.answer(context).await?;
        Self::unsupported()
    }
}

/// Connects to servers in memory.
#[derive(Debug)]
struct Scripted {
    engine: Engine,
    servers: Mutex<BTreeMap<String, Arc<Mutex<Behaviour>>>>,
}

impl Scripted {
    fn of(&self, host: &str) -> Arc<Mutex<Behaviour>> {
        let anew = || Arc::new(Mutex::new(Behaviour { position: 1_000, opened_total: 1, ..Behaviour::default() }));
        Arc::clone(self.servers.lock().unwrap().entry(host.to_owned()).or_insert_with(anew))
    }
}

#[async_trait]
impl Connector for Scripted {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn default_port(&self) -> Option<u16> {
        Some(5432)
    }

    fn validate(&self, _: &ConnectionSettings) -> Vec<SettingFault> {
        Vec::new()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        _: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let host = settings.host.clone().unwrap();
        let behaviour = self.of(&host);
        Ok(Arc::new(Server { engine: self.engine.clone(), host, name: name.clone(), behaviour }))
    }
}

struct Scene {
    manager: ConnectionManager,
    servers: Arc<Scripted>,
}

impl Scene {
    /// A primary and replicas that have all that it has, and serve reads.
    async fn new(replicas: &[&str]) -> Self {
        let servers = Arc::new(Scripted { engine: Engine::POSTGRES, servers: Mutex::default() });
        let hosts = replicas.iter().map(|host| host.parse().unwrap()).collect();
        let settings = ConnectionSettings::new(Engine::POSTGRES)
            .with_host(PRIMARY)
            .with_username("app")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled())
            .with_replicas(ReplicasSettings { hosts, max_lag: MAX_LAG });
        let factory = ConnectionFactory::empty().register(servers.clone());
        let manager = ConnectionManager::builder(factory).connection(NAME, settings).build().unwrap();
        let scene = Self { manager, servers };
        // Somebody has to ask before anybody is looked at.
        scene.read(&context()).await.unwrap();
        tokio::time::sleep(A_LOOK).await;
        for replica in scene.stats() {
            assert!(replica.serving, "{replica:?}");
        }
        scene
    }

    fn set(&self, host: &str, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.servers.of(host).lock().unwrap());
    }

    fn asked(&self, host: &str) -> u32 {
        self.servers.of(host).lock().unwrap().asked
    }

    fn stats(&self) -> Vec<ReplicaStats> {
        self.manager.replicas(NAME)
    }

    async fn connection(&self, context: &RequestContext) -> Arc<dyn DatabaseConnection> {
        self.manager.get(NAME, Access::Read, context).await.unwrap()
    }

    /// Who answered a read.
    async fn read(&self, context: &RequestContext) -> Result<String, DatabaseError> {
        host(&*self.connection(context).await, context).await
    }
}

fn context() -> RequestContext {
    RequestContext::system()
}

/// A request that has to see what the primary had written up to there.
fn needs(position: i64) -> RequestContext {
    let token: FreshnessToken = format!("{NAME}=pg:7:{position}").parse().unwrap();
    RequestContext { freshness: Freshness::at_least(token), ..context() }
}

fn statement(verb: &'static str, text: &'static str) -> Statement {
    RawStatement::everywhere(verb, text).into()
}

async fn host(connection: &dyn DatabaseConnection, context: &RequestContext) -> Result<String, DatabaseError> {
    let rows = connection.sql()?.query(&statement("SELECT", "SELECT host"), context).await?;
    rows[0].get("host")
}

#[tokio::test(start_paused = true)]
async fn a_position_is_promised_for_the_connections_that_there_were() {
    let scene = Scene::new(&["one"]).await;
    assert_eq!(scene.read(&needs(1_000)).await.unwrap(), "one");
    // A connection that is opened now may lead to a server that was started anew, from an older state.
    scene.set("one", |server| server.reopens = true);
    assert_eq!(scene.read(&needs(1_000)).await.unwrap(), PRIMARY);
    assert_eq!(scene.read(&context()).await.unwrap(), "one", "who needs no position was promised none");
    // The next look is over the connections that there are.
    scene.set("one", |server| server.reopens = false);
    assert_eq!(scene.read(&needs(1_000)).await.unwrap(), PRIMARY);
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(scene.read(&needs(1_000)).await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_connection_reads_by_what_is_needed_and_known_at_the_time() {
    let scene = Scene::new(&["one"]).await;
    let held = scene.connection(&context()).await;
    assert_eq!(host(&*held, &needs(1_000)).await.unwrap(), "one");
    assert_eq!(host(&*held, &needs(1_001)).await.unwrap(), PRIMARY);
    assert_eq!(host(&*held, &context().at_the_primary()).await.unwrap(), PRIMARY);
    let foreign: FreshnessToken = format!("{NAME}=pg:8:1").parse().unwrap();
    let foreign = RequestContext { freshness: Freshness::at_least(foreign), ..context() };
    assert_eq!(host(&*held, &foreign).await.unwrap(), PRIMARY, "it is of another cluster");
    scene.set("one", |server| server.tells_nothing = Some(DatabaseErrorKind::Unreachable));
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(host(&*held, &context()).await.unwrap(), PRIMARY, "it is left out");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_away_is_left_out_by_the_first_who_finds_it_so() {
    let scene = Scene::new(&["one"]).await;
    // An error of this read alone: the primary has the last word, and others go on reading there.
    scene.set("one", |server| server.refuses = Some(DatabaseErrorKind::Query));
    for _ in 0..3 {
        assert_eq!(scene.read(&context()).await.unwrap(), PRIMARY);
    }
    assert!(scene.stats()[0].serving);
    scene.set("one", |server| server.refuses = Some(DatabaseErrorKind::Unreachable));
    let asked = scene.asked("one");
    for _ in 0..3 {
        assert_eq!(scene.read(&context()).await.unwrap(), PRIMARY);
    }
    assert_eq!(scene.asked("one"), asked + 1, "the others did not have to find out");
    scene.set("one", |server| server.refuses = None);
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(scene.read(&context()).await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_does_not_answer_leaves_time_for_the_primary() {
    let scene = Scene::new(&["one"]).await;
    scene.set("one", |server| server.hangs = true);
    let minutes = Duration::from_mins;
    assert_eq!(scene.read(&context().within(minutes(10))).await.unwrap(), PRIMARY);
    let time_left = |host| scene.servers.of(host).lock().unwrap().time_left.unwrap();
    assert!(time_left("one") <= minutes(5) && time_left(PRIMARY) > minutes(5));
}

#[tokio::test(start_paused = true)]
async fn what_may_write_is_the_primarys_through_whatever_is_held() {
    let scene = Scene::new(&["one"]).await;
    let writes = async |context: &RequestContext, what: &str| {
        let held = scene.connection(context).await;
        let (asked, written) = (scene.asked("one"), scene.asked(PRIMARY));
        let sql = held.sql().unwrap();
        match what {
            "execute" => {
                assert_eq!(sql.execute(&statement("UPDATE", "UPDATE t SET n = 1"), context).await.unwrap(), 1);
            }
            "returning" => {
                drop(sql.query(&statement("INSERT", "INSERT INTO t VALUES (1) RETURNING n"), context).await.unwrap());
            }
            "unknown" => drop(sql.query(&statement("CALL", "CALL p()"), context).await.unwrap()),
            "script" => sql.run_script("DELETE FROM t", context).await.unwrap(),
            "transaction" => drop(sql.begin(TransactionMode::ReadWrite, context).await.map(drop).unwrap_err()),
            "session" => drop(sql.session(context).await.map(drop).unwrap_err()),
            other => panic!("{other}"),
        }
        assert_eq!((scene.asked("one"), scene.asked(PRIMARY)), (asked, written + 1), "{what}");
    };
    for what in ["execute", "returning", "unknown", "script", "transaction", "session"] {
        let context = context();
        writes(&context, what).await;
        assert_eq!(scene.read(&context).await.unwrap(), PRIMARY, "{what}: what it wrote is not at the replica yet");
    }
    // A transaction that only reads is the primary's too, and leaves nothing to be seen.
    let context = context();
    let held = scene.connection(&context).await;
    held.sql().unwrap().begin(TransactionMode::ReadOnly, &context).await.map(drop).unwrap_err();
    assert_eq!(scene.read(&context).await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn the_least_busy_replica_is_read_at_and_equals_take_turns() {
    let scene = Scene::new(&["one", "two"]).await;
    let count = async || {
        let (one, two) = (scene.asked("one"), scene.asked("two"));
        for _ in 0..10 {
            scene.read(&context()).await.unwrap();
        }
        (scene.asked("one") - one, scene.asked("two") - two)
    };
    assert_eq!(count().await, (5, 5));
    scene.set("one", |server| server.in_use = 3);
    assert_eq!(count().await, (0, 10));
    scene.set("two", |server| server.in_use = 4);
    assert_eq!(count().await, (10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_replica_is_read_at_until_it_shows_a_state_that_is_too_old() {
    let scene = Scene::new(&["one"]).await;
    scene.set(PRIMARY, |server| server.position = 2_000);
    tokio::time::sleep(MAX_LAG / 2).await;
    let stats = &scene.stats()[0];
    assert!(stats.serving && stats.lag.is_some_and(|lag| lag > Duration::ZERO), "{stats:?}");
    assert_eq!(scene.read(&needs(2_000)).await.unwrap(), PRIMARY);
    tokio::time::sleep(MAX_LAG).await;
    assert!(!scene.stats()[0].serving);
    assert_eq!(scene.read(&context()).await.unwrap(), PRIMARY);
    scene.set("one", |server| server.position = 2_000);
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(scene.read(&needs(2_000)).await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn nothing_becomes_older_for_a_primary_that_is_away() {
    for (kind, serving) in [(DatabaseErrorKind::Unreachable, true), (DatabaseErrorKind::Timeout, false)] {
        let scene = Scene::new(&["one"]).await;
        scene.set(PRIMARY, |server| server.position = 2_000);
        tokio::time::sleep(A_LOOK).await;
        scene.set(PRIMARY, |server| server.tells_nothing = Some(kind.clone()));
        tokio::time::sleep(MAX_LAG * 2).await;
        let stats = &scene.stats()[0];
        assert_eq!(stats.serving, serving, "{kind:?}: {stats:?}");
    }
}

//! What a server does for a caller who has left comes to its end, on real servers.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::time::Duration;

use connection_manager::drivers::mysql::MySqlDriver;
use connection_manager::egress::{EgressConfig, SessionLimits};
use connection_manager::pool::{Driver as _, DriverSession as _, ServerSession};
use connection_manager::{ConnectionSettings, Credentials, PasswordSource, PoolSettings};
use shared_kernel::database::{DatabaseConnection, DatabaseErrorKind, RawStatement, Statement};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use testkit::contract::refused;
use testkit::{Server, TestDatabase, eventually_some};

use crate::rotation::accounts::Accounts;

/// Much less than the statements would take; nothing is measured.
const SOON: Duration = Duration::from_mins(1);
const PASSWORD: &str = "pa55word";

fn context() -> RequestContext {
    RequestContext::system().within(SOON)
}

fn impatient() -> RequestContext {
    RequestContext::system().within(Duration::from_secs(1))
}

/// An ordinary user's connection to a server, and the administrator's view of it.
struct Scene {
    server: Server,
    accounts: Accounts,
    administrator: Arc<dyn DatabaseConnection>,
    user: String,
    /// Is in the text of the slow statements and in no other test's.
    marker: String,
}

impl Scene {
    async fn new(server: Server) -> Self {
        let accounts = Accounts::of(server).await;
        let user = Accounts::name("leaves");
        accounts.create(&user, PASSWORD).await;
        let administrator = testkit::connect(server.admin()).await.unwrap();
        let marker = format!("m{}", SystemIdGenerator.next().simple());
        Self { server, accounts, administrator, user, marker }
    }

    fn settings(&self) -> ConnectionSettings {
        let password = PasswordSource::Literal(PASSWORD.into());
        let settings = self.server.admin().with_username(&self.user).with_password(password);
        settings.with_pool(PoolSettings::sized(0, 4))
    }

    async fn open(&self) -> Arc<dyn DatabaseConnection> {
        testkit::connect(self.settings()).await.unwrap()
    }

    /// Takes ten minutes.
    fn slow(&self) -> Statement {
        let sleep = match self.server {
            Server::Postgres => "SELECT pg_sleep(600)",
            _ => "SELECT SLEEP(600)",
        };
        RawStatement::everywhere("SELECT", format!("{sleep} /* {} */", self.marker)).into()
    }

    /// Takes many minutes, if nobody says a word. From a sleep MySQL looks up now and then, and sees that its client has gone.
    fn busy(&self) -> Statement {
        if self.server == Server::Postgres {
            return self.slow();
        }
        let text = format!("SELECT BENCHMARK(1000000000, SHA2('a', 512)) /* {} */", self.marker);
        RawStatement::everywhere("SELECT", text).into()
    }

    /// Waits until the server is at so many of the slow statements.
    async fn until_at_work_on(&self, expected: i64) {
        let text = match self.server {
            Server::Postgres => format!(
                "SELECT COUNT(*) AS statements FROM pg_stat_activity \
                 WHERE state = 'active' AND query LIKE '%{}%' AND pid <> pg_backend_pid()",
                self.marker
            ),
            _ => format!(
                "SELECT COUNT(*) AS statements FROM information_schema.processlist \
                 WHERE INFO LIKE '%{}%' AND ID <> CONNECTION_ID()",
                self.marker
            ),
        };
        let question = &RawStatement::everywhere("SELECT", text).into();
        let sql = self.administrator.sql().unwrap();
        eventually_some(SOON, || async {
            let row = sql.query_one(question, &context()).await.unwrap().unwrap();
            (row.get::<i64>("statements").unwrap() == expected).then_some(())
        })
        .await;
    }

    async fn remove(self, connection: Arc<dyn DatabaseConnection>) {
        connection.close(Duration::ZERO).await;
        let accounts = &self.accounts;
        eventually_some(SOON, || async { (accounts.sessions(&self.user).await == 0).then_some(()) }).await;
        self.accounts.remove(&self.user).await;
    }
}

async fn a_statement_ends_with_its_callers_deadline(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.open().await;
    refused(connection.sql().unwrap().query(&scene.busy(), &impatient()).await, &DatabaseErrorKind::Timeout);
    scene.until_at_work_on(0).await;
    scene.remove(connection).await;
}

async fn statements_end_with_the_calls_that_are_dropped(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.open().await;
    for _ in 0..2 {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (connection, slow) = (connection.clone(), scene.slow());
            let context = RequestContext::system().within(Duration::from_mins(10));
            callers.spawn(async move { connection.sql().unwrap().query(&slow, &context).await.map(|rows| rows.len()) });
        }
        scene.until_at_work_on(4).await;
        callers.shutdown().await;
        scene.until_at_work_on(0).await;
    }
    scene.remove(connection).await;
}

/// The session only reads, and what tells the server to leave off goes where the policy lets it as well. The server's own limits are
/// far away, so that they do not end the statements.
async fn statements_of_those_outside_end_with_the_calls_that_are_dropped(server: Server) {
    let scene = Scene::new(server).await;
    let patient = Duration::from_mins(20);
    let limits = SessionLimits { statement: patient, ..SessionLimits::default() };
    let egress = EgressConfig::open().egress([]).with_limits(limits);
    let connection = testkit::connect(scene.settings().with_egress(egress)).await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for statement in [scene.busy(), scene.slow()] {
        let connection = connection.clone();
        let context = RequestContext::system().within(Duration::from_mins(10));
        callers
            .spawn(async move { connection.sql().unwrap().query(&statement, &context).await.map(|rows| rows.len()) });
    }
    scene.until_at_work_on(2).await;
    callers.shutdown().await;
    scene.until_at_work_on(0).await;
    refused(connection.sql().unwrap().query(&scene.busy(), &impatient()).await, &DatabaseErrorKind::Timeout);
    scene.until_at_work_on(0).await;
    scene.remove(connection).await;
}

async fn a_statement_ends_with_a_close_that_cuts_it(server: Server) {
    let scene = Scene::new(server).await;
    let connection = scene.open().await;
    let caller = tokio::spawn({
        let (connection, slow) = (connection.clone(), scene.slow());
        async move { connection.sql().unwrap().query(&slow, &context()).await.map(|rows| rows.len()) }
    });
    scene.until_at_work_on(1).await;
    assert_eq!(connection.close(Duration::ZERO).await.cut, 1);
    refused(caller.await.unwrap(), &DatabaseErrorKind::Closed);
    scene.until_at_work_on(0).await;
    scene.remove(connection).await;
}

async fn a_statement_is_left_alone_where_the_settings_say_so(server: Server) {
    let scene = Scene::new(server).await;
    let connection = testkit::connect(scene.settings().with_option("cancel", "false")).await.unwrap();
    refused(connection.sql().unwrap().query(&scene.slow(), &impatient()).await, &DatabaseErrorKind::Timeout);
    // Long enough for a cancellation, were there one: another pool's is carried out in the meantime.
    let other = scene.open().await;
    refused(other.sql().unwrap().query(&scene.slow(), &impatient()).await, &DatabaseErrorKind::Timeout);
    scene.until_at_work_on(1).await;
    scene.accounts.end_sessions(&scene.user).await;
    other.close(Duration::ZERO).await;
    scene.remove(connection).await;
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_engines {
            $(
                mod $module {
                    on_servers!(@cases $server
                        a_statement_ends_with_its_callers_deadline
                        statements_end_with_the_calls_that_are_dropped
                        statements_of_those_outside_end_with_the_calls_that_are_dropped
                        a_statement_ends_with_a_close_that_cuts_it
                        a_statement_is_left_alone_where_the_settings_say_so
                    );
                }
            )+

            mod sqlite {
                #[test]
                fn a_writer_whose_caller_has_left_lets_the_next_one_write() {
                    testkit::run(super::super::a_writer_whose_caller_has_left_lets_the_next_one_write());
                }
            }
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

/// `SQLite` works in the process; its thread would hold the write lock for as long as the statement takes.
async fn a_writer_whose_caller_has_left_lets_the_next_one_write() {
    let database = TestDatabase::create(Server::Sqlite).await;
    let connection = database.connection().await;
    let sql = connection.sql().unwrap();
    sql.run_script("CREATE TABLE counted (n INTEGER)", &context()).await.unwrap();
    let endless = RawStatement::everywhere(
        "INSERT",
        "INSERT INTO counted WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number) \
         SELECT MAX(n) FROM number",
    );
    let deadline = RequestContext::system().within(Duration::from_millis(500));
    refused(sql.execute(&endless.into(), &deadline).await, &DatabaseErrorKind::Timeout);
    // Another program's, which knows nothing of this one's queue.
    let other = testkit::connect(database.settings().with_option("busy_timeout", "60s")).await.unwrap();
    let insert = RawStatement::everywhere("INSERT", "INSERT INTO counted VALUES (0)").into();
    other.sql().unwrap().execute(&insert, &context()).await.unwrap();
}

/// Numbers of sessions are used again, after a restart and by the next server behind the same address.
#[tokio::test]
async fn mysql_is_not_told_to_end_a_session_that_may_be_somebody_elses() {
    for server in [Server::MySql, Server::MariaDb] {
        let settings = server.admin();
        let PasswordSource::Literal(password) = settings.password.clone() else { panic!("the password is at hand") };
        let username = settings.username.clone().unwrap_or_default();
        let credentials = Credentials { username, password, version: "1".to_owned() };
        let options = MySqlConnectOptions::new().host("127.0.0.1").port(settings.port.unwrap());
        // MySQL is told a password over TLS alone.
        let tls = if server == Server::MySql { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
        let driver = MySqlDriver::new(options.ssl_mode(tls));
        let (mut control, mut other) =
            (driver.connect(&credentials).await.unwrap(), driver.connect(&credentials).await.unwrap());
        let session = other.server_session().unwrap();
        // Young enough to live: only its mark tells that it is another server's.
        let stranger = ServerSession { mark: "elsewhere 3306".to_owned(), ..session.clone() };
        control.cancel(&stranger).await.unwrap();
        other.ping().await.unwrap();
        // It was opened so long ago that the server must have been started since.
        tokio::time::pause();
        tokio::time::advance(Duration::from_hours(10 * 365 * 24)).await;
        tokio::time::resume();
        control.cancel(&session).await.unwrap();
        other.ping().await.unwrap();
        control.cancel(&ServerSession { since: tokio::time::Instant::now(), ..session }).await.unwrap();
        other.ping().await.unwrap_err();
    }
}

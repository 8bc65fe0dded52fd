//! Sessions of connections that somebody from outside has defined only read, and the server itself limits them.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::time::Duration;

use connection_manager::egress::{EgressConfig, SessionLimits};
use connection_manager::sea_orm::on;
use connection_manager::{ConnectionFactory, LocalSecrets, PoolSettings, SecretSource};
use sea_orm::ConnectionTrait as _;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, SqlExecutor, Statement, TransactionMode,
};
use testkit::{Server, TestDatabase, eventually_some};

const NETWORKED: [Server; 3] = [Server::MySql, Server::MariaDb, Server::Postgres];

async fn limited(database: &TestDatabase, limits: SessionLimits) -> Arc<dyn DatabaseConnection> {
    let egress = EgressConfig::open().egress([]).with_limits(limits);
    let settings = database.settings().with_egress(egress).with_pool(PoolSettings::sized(0, 1));
    testkit::connect(settings).await.unwrap()
}

async fn guarded(database: &TestDatabase) -> Arc<dyn DatabaseConnection> {
    limited(database, SessionLimits::default()).await
}

fn statement(operation: &'static str, text: &'static str) -> Statement {
    RawStatement::everywhere(operation, text).into()
}

async fn ask(sql: &dyn SqlExecutor, text: &'static str) -> Result<(), DatabaseError> {
    sql.query(&statement("SELECT", text), &RequestContext::system()).await.map(drop)
}

/// A table without rows, and a way to write into it that begins with SELECT, so that nobody but the server sees that it writes.
async fn sly(server: Server) -> (TestDatabase, &'static str) {
    let database = TestDatabase::create(server).await;
    let operator = database.connection().await;
    let (script, writing): (&[&str], _) = match server {
        Server::Postgres => (
            &["CREATE TABLE numbers (n INT)"],
            "WITH written AS (INSERT INTO numbers VALUES (1) RETURNING n) SELECT n FROM written",
        ),
        _ => (
            &[
                "CREATE TABLE numbers (n INT)",
                "CREATE FUNCTION written() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO numbers VALUES (1); RETURN 1; END",
            ],
            "SELECT written()",
        ),
    };
    for text in script {
        operator.sql().unwrap().run_script(text, &RequestContext::system()).await.unwrap();
    }
    operator.close(Duration::from_secs(5)).await;
    (database, writing)
}

async fn assert_unwritten(database: &TestDatabase) {
    let operator = database.connection().await;
    let count = statement("SELECT", "SELECT COUNT(*) AS n FROM numbers");
    let row = operator.sql().unwrap().query_one(&count, &RequestContext::system()).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("n").unwrap(), 0, "{}", database.server());
}

/// The user may do anything, so that it is the session that says no.
#[test]
fn a_server_writes_for_nobody() {
    testkit::run(async {
        for server in NETWORKED {
            let context = RequestContext::system();
            let (database, writing) = sly(server).await;
            let connection = guarded(&database).await;
            let sql = connection.sql().unwrap();
            let code = Some(if server == Server::Postgres { "25006" } else { "1792" });
            let refused = |outcome: Result<(), DatabaseError>| {
                let error = outcome.unwrap_err();
                let kind = (error.kind().clone(), error.code().map(str::to_owned));
                assert_eq!(kind, (DatabaseErrorKind::ReadOnlyTarget, code.map(str::to_owned)), "{server}: {error}");
            };
            refused(ask(sql, writing).await);
            refused(sql.execute(&statement("SELECT", writing), &context).await.map(drop));
            for mode in [TransactionMode::ReadWrite, TransactionMode::ReadOnly] {
                let transaction = sql.begin(mode, &context).await.unwrap();
                refused(ask(&*transaction, writing).await);
                transaction.rollback(&context).await.unwrap();
            }
            let session = sql.session(&context).await.unwrap();
            refused(ask(&*session, writing).await);
            session.release().await.unwrap();
            assert_unwritten(&database).await;
            // Having been asked to write says nothing of the connection.
            ask(sql, "SELECT 1").await.unwrap();
        }
    });
}

#[test]
fn a_session_is_not_talked_out_of_it() {
    testkit::run(async {
        for server in NETWORKED {
            let context = RequestContext::system();
            let (database, writing) = sly(server).await;
            let connection = guarded(&database).await;
            let sql = connection.sql().unwrap();
            let session = sql.session(&context).await.unwrap();
            let talk: &[&str] = match server {
                Server::Postgres => &[
                    "SET default_transaction_read_only = off",
                    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
                    "SET TRANSACTION READ WRITE",
                    "BEGIN READ WRITE",
                    "RESET ALL",
                    "DISCARD ALL",
                    "DO $$ BEGIN PERFORM 1; END $$",
                ],
                _ => &[
                    "SET SESSION TRANSACTION READ WRITE",
                    "/*!50000 SET SESSION TRANSACTION READ WRITE */",
                    "START TRANSACTION READ WRITE",
                    "SET STATEMENT max_statement_time = 0 FOR SELECT 1",
                ],
            };
            for text in talk {
                let error = ask(&*session, text).await.unwrap_err();
                assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{server}, {text}: {error}");
                assert_eq!(error.code(), None, "{server}, {text}: the server was asked");
                let error = session.run_script(text, &context).await.unwrap_err();
                assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{server}, {text}: {error}");
            }
            if server == Server::Postgres {
                // These settings have a function as well, which a query may call. What it sets ends with the query's transaction.
                ask(&*session, "SELECT set_config('default_transaction_read_only', 'off', false)").await.unwrap();
                let error =
                    ask(&*session, "SELECT set_config('transaction_read_only', 'off', true)").await.unwrap_err();
                assert_eq!(error.code(), Some("25001"), "{error}");
            }
            let error = ask(&*session, writing).await.unwrap_err();
            assert!(error.code().is_some(), "{server}: {error}");
            assert_unwritten(&database).await;
        }
    });
}

/// Functions set what statements may not: that ends with the query, and with the transaction that it is in.
#[test]
fn what_a_query_sets_ends_with_it() {
    testkit::run(async {
        let context = RequestContext::system();
        let database = TestDatabase::create(Server::Postgres).await;
        let connection = guarded(&database).await;
        let sql = connection.sql().unwrap();
        let set = statement("SELECT", "SELECT set_config('statement_timeout', '0', false)");
        let unchanged = async || {
            let shown = statement("SELECT", "SELECT current_setting('statement_timeout') AS shown");
            let row = sql.query_one(&shown, &context).await.unwrap().unwrap();
            assert_eq!(row.get::<String>("shown").unwrap(), "30s");
        };
        unchanged().await;
        sql.query(&set, &context).await.unwrap();
        unchanged().await;
        sql.execute(&set, &context).await.unwrap();
        unchanged().await;
        let transaction = sql.begin(TransactionMode::ReadOnly, &context).await.unwrap();
        transaction.query(&set, &context).await.unwrap();
        transaction.commit(&context).await.unwrap();
        unchanged().await;
        assert_eq!(connection.stats().opened_total, 1, "it was one session all the time");
    });
}

/// The server's last word is told, and not that nothing more could be sent to it.
#[test]
fn why_a_statement_failed_goes_before_how_its_transaction_ended() {
    testkit::run(async {
        let context = RequestContext::system();
        let database = TestDatabase::create(Server::Postgres).await;
        let connection = guarded(&database).await;
        let sql = connection.sql().unwrap();
        let text = "SELECT pg_terminate_backend(pg_backend_pid())";
        let ending = statement("SELECT", text);
        for error in
            [sql.query(&ending, &context).await.unwrap_err(), sql.execute(&ending, &context).await.unwrap_err()]
        {
            let known = (error.kind().clone(), error.code());
            assert_eq!(known, (DatabaseErrorKind::Unreachable, Some("57P01")), "{error}");
        }
        let orm = on(connection.as_ref(), &context).unwrap();
        let ending = sea_orm::Statement::from_string(orm.get_database_backend(), text);
        for error in [orm.query_all_raw(ending.clone()).await.unwrap_err(), orm.execute_raw(ending).await.unwrap_err()]
        {
            assert!(error.to_string().contains("terminating connection"), "{error}");
        }
        ask(sql, "SELECT 1").await.unwrap();
        assert_eq!(connection.stats().opened_total, 5, "each of them was the end of its session");
    });
}

#[test]
fn a_server_ends_what_takes_too_long() {
    testkit::run(async {
        for server in NETWORKED {
            let database = TestDatabase::create(server).await;
            let limits = SessionLimits { statement: Duration::from_secs(1), ..SessionLimits::default() };
            let connection = limited(&database, limits).await;
            let (text, code) = match server {
                Server::Postgres => ("SELECT COUNT(*) FROM pg_sleep(600)", "57014"),
                Server::MariaDb => ("SELECT COUNT(*) FROM information_schema.schemata WHERE SLEEP(600) = 0", "1969"),
                _ => ("SELECT COUNT(*) FROM information_schema.schemata WHERE SLEEP(600) = 0", "3024"),
            };
            let error = ask(connection.sql().unwrap(), text).await.unwrap_err();
            let kind = (error.kind().clone(), error.code());
            assert_eq!(kind, (DatabaseErrorKind::Timeout, Some(code)), "{server}: {error}");
        }
    });
}

#[test]
fn a_server_lets_nobody_wait_for_a_lock_for_ever() {
    testkit::run(async {
        for server in NETWORKED {
            let context = RequestContext::system();
            let (database, _) = sly(server).await;
            let operator = database.connection().await;
            let holder = operator.sql().unwrap().session(&context).await.unwrap();
            let limits = SessionLimits { lock_wait: Duration::from_secs(1), ..SessionLimits::default() };
            let connection = limited(&database, limits).await;
            let (code, locks): (_, &[_]) = match server {
                Server::Postgres => {
                    ("55P03", &[("BEGIN; LOCK TABLE numbers IN ACCESS EXCLUSIVE MODE", "SELECT COUNT(*) FROM numbers")])
                }
                // Tables and rows have a limit each.
                _ => (
                    "1205",
                    &[
                        ("BEGIN; INSERT INTO numbers VALUES (1)", "SELECT n FROM numbers LOCK IN SHARE MODE"),
                        ("ROLLBACK; LOCK TABLES numbers WRITE", "SELECT COUNT(*) FROM numbers"),
                    ],
                ),
            };
            for (lock, question) in locks {
                holder.run_script(lock, &context).await.unwrap();
                let error = ask(connection.sql().unwrap(), question).await.unwrap_err();
                assert_eq!(error.code(), Some(code), "{server}: {error}");
            }
        }
    });
}

#[test]
fn a_server_hangs_up_on_who_asks_nothing() {
    testkit::run(async {
        for server in NETWORKED {
            let context = RequestContext::system();
            let database = TestDatabase::create(server).await;
            let operator = database.connection().await;
            let limits = SessionLimits { idle: Duration::from_secs(1), ..SessionLimits::default() };
            let connection = limited(&database, limits).await;
            let (whoami, sessions) = match server {
                Server::Postgres => (
                    "SELECT pg_backend_pid()::bigint AS n",
                    "SELECT pid::bigint AS n FROM pg_stat_activity WHERE datname = current_database()",
                ),
                _ => (
                    "SELECT CAST(CONNECTION_ID() AS SIGNED) AS n",
                    "SELECT CAST(id AS SIGNED) AS n FROM information_schema.processlist WHERE db = DATABASE()",
                ),
            };
            let row = connection.sql().unwrap().query_one(&statement("SELECT", whoami), &context).await.unwrap();
            let number: i64 = row.unwrap().get("n").unwrap();
            let gone = async || {
                let rows = operator.sql().unwrap().query(&statement("SELECT", sessions), &context).await.unwrap();
                rows.iter().all(|row| row.get::<i64>("n").unwrap() != number).then_some(())
            };
            eventually_some(Duration::from_mins(1), gone).await;
        }
    });
}

/// A transaction that is left alone has a limit of its own there.
#[test]
fn nor_does_it_wait_for_the_end_of_a_transaction() {
    testkit::run(async {
        let context = RequestContext::system();
        let database = TestDatabase::create(Server::Postgres).await;
        let operator = database.connection().await;
        let limits = SessionLimits { idle: Duration::from_secs(1), ..SessionLimits::default() };
        let connection = limited(&database, limits).await;
        let transaction = connection.sql().unwrap().begin(TransactionMode::ReadOnly, &context).await.unwrap();
        ask(&*transaction, "SELECT 1").await.unwrap();
        let idle = "SELECT pid::bigint AS n FROM pg_stat_activity \
                    WHERE datname = current_database() AND state = 'idle in transaction'";
        let gone = async || {
            let rows = operator.sql().unwrap().query(&statement("SELECT", idle), &context).await.unwrap();
            rows.is_empty().then_some(())
        };
        eventually_some(Duration::from_mins(1), gone).await;
        ask(&*transaction, "SELECT 1").await.unwrap_err();
    });
}

/// That a session of ours only reads says nothing of the server.
#[test]
fn a_look_tells_of_the_server_and_not_of_the_guard() {
    testkit::run(async {
        for server in NETWORKED {
            let database = TestDatabase::create(server).await;
            let settings = database.settings().with_egress(EgressConfig::open().egress([]));
            let factory = ConnectionFactory::compiled();
            let secrets: Arc<dyn SecretSource> = Arc::new(LocalSecrets);
            let stages =
                connection_manager::probe::examine(&factory, &secrets, &"guarded".parse().unwrap(), &settings).await;
            let role = stages.iter().find(|stage| stage.name == "role").unwrap();
            assert!(role.outcome.as_ref().unwrap().contains("takes writes"), "{server}: {stages:#?}");
        }
    });
}

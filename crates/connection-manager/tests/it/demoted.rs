//! A primary that was demoted behind connections that stay open: they leave the pool, and the next attempt meets whoever
//! has the address now.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::time::Duration;

use connection_manager::PoolSettings;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, Statement, TransactionMode,
};
use testkit::{Server, TestDatabase};

fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

async fn send(connection: &dyn DatabaseConnection, text: String) -> Result<u64, DatabaseError> {
    let verb = if text.starts_with("INSERT") { "INSERT" } else { "OTHER" };
    let statement: Statement = RawStatement::everywhere(verb, text).into();
    connection.sql()?.execute(&statement, &context()).await
}

async fn insert(connection: &dyn DatabaseConnection) -> Result<u64, DatabaseError> {
    send(connection, "INSERT INTO t VALUES (1)".to_owned()).await
}

/// A database whose connections that are open stay demoted, while new ones write again: `scene` gets a connection with
/// `most` physical ones, all of them demoted.
struct Scene {
    database: TestDatabase,
    /// In a pool of its own.
    admin: Arc<dyn DatabaseConnection>,
    connection: Arc<dyn DatabaseConnection>,
}

impl Scene {
    async fn new(server: Server, most: u32) -> Self {
        let database = TestDatabase::create(server).await;
        let admin = database.connection().await;
        send(&*admin, "CREATE TABLE t (n INTEGER)".to_owned()).await.unwrap();
        let settings = database.settings().with_pool(PoolSettings::sized(0, most));
        let scene = Self { connection: testkit::connect(settings).await.unwrap(), database, admin };
        scene.demote(true).await;
        scene
    }

    /// PostgreSQL: what connections that are opened from now on may do. MySQL and MariaDB: what a write is told, by the
    /// error that a demoted server answers with; its own switch would demote the server for every other test too.
    async fn demote(&self, demoted: bool) {
        let text = match (self.database.server(), demoted) {
            (Server::Postgres, _) => {
                let switch = if demoted { "on" } else { "off" };
                format!("ALTER DATABASE {} SET default_transaction_read_only = {switch}", self.database.name())
            }
            (_, true) => "CREATE TRIGGER demoted BEFORE INSERT ON t FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO \
                          = 1290, MESSAGE_TEXT = 'The server is running with the --read-only option so it cannot execute \
                          this statement'"
                .to_owned(),
            (_, false) => "DROP TRIGGER demoted".to_owned(),
        };
        let session = self.admin.sql().unwrap().session(&context()).await.unwrap();
        if self.database.server() == Server::Postgres {
            session.run_script("SET default_transaction_read_only = off", &context()).await.unwrap();
        }
        session.run_script(&text, &context()).await.unwrap();
        session.release().await.unwrap();
    }

    fn opened(&self) -> u64 {
        self.connection.stats().opened_total
    }
}

fn refused(outcome: Result<u64, DatabaseError>) -> DatabaseError {
    let error = outcome.unwrap_err();
    assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{error:?}");
    error
}

async fn the_pool_leaves_a_demoted_primary(server: Server) {
    let scene = Scene::new(server, 1).await;
    // Connected before, so PostgreSQL lets it write; the next one it does not.
    if server == Server::Postgres {
        scene.connection.sql().unwrap().session(&context()).await.unwrap().release().await.unwrap();
    }
    let error = refused(insert(&*scene.connection).await);
    assert!(error.retry_after().is_some(), "{error:?}");
    let opened = scene.opened();
    scene.demote(false).await;
    // The pool asked for nothing meanwhile, and its next connection is a new one.
    assert_eq!(insert(&*scene.connection).await.unwrap(), 1);
    assert_eq!(scene.opened(), opened + 1);
}

async fn writers_cause_no_storm_and_readers_go_on(server: Server) {
    let scene = Scene::new(server, 4).await;
    if server == Server::Postgres {
        scene.connection.sql().unwrap().session(&context()).await.unwrap().release().await.unwrap();
    }
    for _ in 0..100 {
        let error = refused(insert(&*scene.connection).await);
        assert!(error.retry_after().is_some(), "{error:?}");
    }
    // A renewal opens one connection for the one caller, and there are few even if a hundred statements take a minute.
    assert!(scene.opened() <= 20, "{}", scene.opened());
    send(&*scene.connection, "SELECT 1".to_owned()).await.unwrap();
}

async fn writing_in_a_transaction_for_reading_is_the_callers_mistake(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = testkit::connect(database.settings().with_pool(PoolSettings::sized(0, 1))).await.unwrap();
    send(&*connection, "CREATE TABLE t (n INTEGER)".to_owned()).await.unwrap();
    for _ in 0..3 {
        let transaction = connection.sql().unwrap().begin(TransactionMode::ReadOnly, &context()).await.unwrap();
        let write: Statement = RawStatement::everywhere("INSERT", "INSERT INTO t VALUES (1)").into();
        let error = refused(transaction.execute(&write, &context()).await);
        assert_eq!(error.retry_after(), None);
        transaction.rollback(&context()).await.unwrap();
    }
    insert(&*connection).await.unwrap();
    assert_eq!(connection.stats().opened_total, 1);
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_servers {
            $(
                mod $module {
                    on_servers!(@cases $server
                        the_pool_leaves_a_demoted_primary
                        writers_cause_no_storm_and_readers_go_on
                        writing_in_a_transaction_for_reading_is_the_callers_mistake
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

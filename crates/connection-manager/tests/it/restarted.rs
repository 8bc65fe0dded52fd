//! A server that is killed and started again, and not only the way to it cut: the pool serves on.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, RawStatement, TransactionMode};
use testkit::pair::Pair;
use testkit::{Server, eventually, eventually_some};

/// Much more than a pool needs to look again.
const SOON: Duration = Duration::from_secs(30);

fn context() -> RequestContext {
    RequestContext::system().within(SOON)
}

async fn insert(connection: &dyn DatabaseConnection, id: i32) -> Result<u64, DatabaseError> {
    let statement = RawStatement::everywhere("INSERT", format!("INSERT INTO kept VALUES ({id})"));
    connection.sql()?.execute(&statement.into(), &context()).await
}

async fn ids(connection: &dyn DatabaseConnection) -> Result<Vec<i32>, DatabaseError> {
    let statement = RawStatement::everywhere("SELECT", "SELECT id FROM kept ORDER BY id");
    let rows = connection.sql()?.query(&statement.into(), &context()).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn the_pool_serves_on(server: Server) {
    // The programs that pairs are made of; nothing here looks at the replica.
    let mut own = Pair::start(server, Duration::ZERO).await;
    let connection = testkit::connect(own.primary()).await.unwrap();
    let sql = connection.sql().unwrap();
    // These servers leave what was committed in their memory for a while, unless they are told not to, or asked to write it down.
    if server != Server::Postgres {
        sql.run_script("SET GLOBAL innodb_flush_log_at_trx_commit = 1", &context()).await.unwrap();
    }
    sql.run_script("CREATE TABLE kept (id INT NOT NULL PRIMARY KEY)", &context()).await.unwrap();
    insert(connection.as_ref(), 1).await.unwrap();
    if server == Server::Postgres {
        sql.run_script("CHECKPOINT", &context()).await.unwrap();
    }
    // One connection is in the middle of something, another one rests.
    let transaction = sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    let uncommitted = RawStatement::everywhere("INSERT", "INSERT INTO kept VALUES (7)").into();
    transaction.execute(&uncommitted, &context()).await.unwrap();
    assert_eq!(ids(connection.as_ref()).await.unwrap(), [1]);

    own.stop_primary();
    // A process of PostgreSQL's own serves each connection, and may outlive the first one by a moment.
    eventually_some(SOON, || async { connection.ping(&context()).await.err() }).await;
    drop(transaction);
    for _ in 0..3 {
        insert(connection.as_ref(), 2).await.unwrap_err();
    }
    assert!(!connection.is_connected());

    own.start_primary().await;
    // The same connection, of the same process.
    let found = eventually_some(SOON, || async { ids(connection.as_ref()).await.ok() }).await;
    assert_eq!(found, [1], "what was committed is there, and nothing else");
    eventually_some(SOON, || async { insert(connection.as_ref(), 3).await.ok() }).await;
    assert_eq!(ids(connection.as_ref()).await.unwrap(), [1, 3]);
    assert!(connection.is_connected());
    eventually(SOON, || connection.stats().in_use == 0).await;
    connection.close(Duration::from_secs(1)).await;
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_servers {
            $(
                mod $module {
                    #[test]
                    fn the_pool_serves_on() {
                        testkit::run(super::super::the_pool_serves_on(testkit::Server::$server));
                    }
                }
            )+
        }
    };
}

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);

//! How many statements a session of MySQL or MariaDB keeps prepared, and when it has them closed, by the server's own count.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use connection_manager::PoolSettings;
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, SqlConnection};
use testkit::Server;

/// As many as are kept.
const KEPT: u64 = 100;

async fn ask(sql: &dyn SqlConnection, number: u64) {
    let statement = RawStatement::everywhere("SELECT", format!("SELECT {number} AS number"));
    let row = sql.query_one(&statement.into(), &RequestContext::system()).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("number").unwrap().unsigned_abs(), number);
}

/// How many the server has closed for this session.
async fn closed(sql: &dyn SqlConnection) -> u64 {
    let statement = RawStatement::everywhere("SHOW", "SHOW SESSION STATUS LIKE 'Com_stmt_close'");
    let row = sql.query_one(&statement.into(), &RequestContext::system()).await.unwrap().unwrap();
    row.get::<String>(1).unwrap().parse().unwrap()
}

/// A single one would hold up the statement after it.
async fn statements_are_closed_all_at_once(server: Server) {
    let connection = testkit::connect(server.admin().with_pool(PoolSettings::sized(1, 1))).await.unwrap();
    let sql = connection.sql().unwrap();
    // The question for the count is one of those that are kept.
    for number in (1..KEPT).cycle().take(300) {
        ask(sql, number).await;
    }
    assert_eq!(closed(sql).await, 0, "as many as are kept are prepared once");
    for number in 1000..1002 {
        ask(sql, number).await;
    }
    assert_eq!(closed(sql).await, KEPT + 1);
    for number in 0..KEPT - 2 {
        ask(sql, number).await;
    }
    assert_eq!(closed(sql).await, KEPT + 1, "as many again are kept");
    // The question for the version, which a sign of life asks, is one more.
    for _ in 0..2 {
        connection.ping(&RequestContext::system()).await.unwrap();
        connection.ping(&RequestContext::system()).await.unwrap();
        assert_ne!(closed(sql).await, KEPT + 2, "none was closed alone");
    }
}

mod on_engines {
    mod mysql {
        #[test]
        fn statements_are_closed_all_at_once() {
            testkit::run(crate::prepared::statements_are_closed_all_at_once(testkit::Server::MySql));
        }
    }

    mod mariadb {
        #[test]
        fn statements_are_closed_all_at_once() {
            testkit::run(crate::prepared::statements_are_closed_all_at_once(testkit::Server::MariaDb));
        }
    }
}

//! SeaORM's entities on the pool: the example, on every engine that SeaORM knows.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

#[path = "../../examples/seaorm_entities/shelves.rs"]
mod shelves;

use connection_manager::egress::EgressConfig;
use connection_manager::sea_orm::{SeaOrmTransaction, on};
use sea_orm::{ConnectionTrait, DbErr, SqlErr, Statement, TransactionSession, TransactionTrait};
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, TransactionMode};
use testkit::{Server, TestDatabase};

macro_rules! on_engines_of_sea_orm {
    ($($test:ident),+) => {
        on_engines_of_sea_orm!(@ mysql MySql $($test)+);
        on_engines_of_sea_orm!(@ mariadb MariaDb $($test)+);
        on_engines_of_sea_orm!(@ postgres Postgres $($test)+);
        on_engines_of_sea_orm!(@ sqlite Sqlite $($test)+);
    };
    (@ $module:ident $server:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    testkit::run(super::$test(testkit::Server::$server));
                }
            )+
        }
    };
}

on_engines_of_sea_orm!(
    entities_run_on_the_pool,
    errors_are_those_that_sea_orm_knows,
    nothing_follows_on_a_transaction_that_the_server_gave_up,
    a_session_that_only_reads_is_not_talked_out_of_it
);

mod queue {
    mod sqlite {
        #[test]
        fn writers_queue_with_those_of_the_kernel() {
            testkit::run(super::super::writers_queue_with_those_of_the_kernel(testkit::Server::Sqlite));
        }
    }
}

async fn entities_run_on_the_pool(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let (shelves, counted) = shelves::arrange(connection.as_ref()).await.unwrap();
    let expected = [(1, "north".to_owned(), 12), (2, "south".to_owned(), 10)];
    let found: Vec<_> = shelves.into_iter().map(|shelf| (shelf.id, shelf.name, shelf.places)).collect();
    assert_eq!(found, expected);
    assert_eq!(counted, 3);
}

async fn errors_are_those_that_sea_orm_knows(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let orm = on(connection.as_ref(), &RequestContext::system()).unwrap();
    orm.execute_unprepared("CREATE TABLE once (id INTEGER PRIMARY KEY)").await.unwrap();
    orm.execute_unprepared("INSERT INTO once (id) VALUES (1)").await.unwrap();
    let error: DbErr = orm.execute_unprepared("INSERT INTO once (id) VALUES (1)").await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error:?}");
    assert!(connection.is_connected());
}

/// Two transactions that lock the same rows in opposite order. SQLite has one writer at a time, so there the second one
/// does not begin.
async fn nothing_follows_on_a_transaction_that_the_server_gave_up(server: Server) {
    if server == Server::Sqlite {
        return;
    }
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let orm = on(connection.as_ref(), &RequestContext::system()).unwrap();
    orm.execute_unprepared("CREATE TABLE items (id INTEGER PRIMARY KEY, label VARCHAR(20))").await.unwrap();
    orm.execute_unprepared("INSERT INTO items (id, label) VALUES (1, 'as it was'), (2, 'as it was')").await.unwrap();
    let (one, two) = (orm.begin().await.unwrap(), orm.begin().await.unwrap());
    let update = |id: u8| format!("UPDATE items SET label = 'changed' WHERE id = {id}");
    one.execute_unprepared(&update(1)).await.unwrap();
    two.execute_unprepared(&update(2)).await.unwrap();
    let (first, second) = (update(2), update(1));
    // The loser gives way by its rollback, which the winner may be waiting for.
    let attempt = async |transaction: SeaOrmTransaction, sql: &str| {
        let Err(error) = transaction.execute_unprepared(sql).await else {
            return transaction.commit().await.map(|()| true);
        };
        let again = transaction.execute_unprepared("INSERT INTO items (id, label) VALUES (3, 'too late')").await;
        assert!(again.is_err(), "after {error}");
        assert!(transaction.commit().await.is_err(), "after {error}");
        Ok(false)
    };
    let (one, two) = tokio::join!(attempt(one, &first), attempt(two, &second));
    assert_ne!(one.unwrap(), two.unwrap(), "one of two wins");
    let late = orm.query_all_raw(Statement::from_string(orm.get_database_backend(), "SELECT id FROM items")).await;
    assert_eq!(late.unwrap().len(), 2);
}

async fn a_session_that_only_reads_is_not_talked_out_of_it(server: Server) {
    let database = TestDatabase::create(server).await;
    let mut egress = EgressConfig::open().egress([]);
    if let Some(file) = &database.settings().path {
        // A file is looked at that is there.
        database.connection().await.close(std::time::Duration::from_secs(10)).await;
        egress = egress.with_files_below(file.parent().unwrap());
    }
    let connection = testkit::connect(database.settings().with_egress(egress)).await.unwrap();
    let orm = on(connection.as_ref(), &RequestContext::system()).unwrap();
    let talk = match server {
        Server::Postgres => "SET default_transaction_read_only = off",
        Server::Sqlite => "ATTACH '' AS another",
        _ => "SET SESSION TRANSACTION READ WRITE",
    };
    let prepared = Statement::from_string(orm.get_database_backend(), talk);
    // What is not prepared may be several statements, of which the first alone says what it is.
    let script = format!("SELECT 1; {talk}");
    for outcome in [
        orm.execute_raw(prepared.clone()).await.map(drop),
        orm.query_all_raw(prepared).await.map(drop),
        orm.execute_unprepared(&script).await.map(drop),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("this connection only reads"), "{server}: {error}");
    }
    let query = |text: &str| Statement::from_string(orm.get_database_backend(), text);
    assert_eq!(orm.query_all_raw(query("SELECT 1 AS n")).await.unwrap().len(), 1);
    if server == Server::Postgres {
        let opened = connection.stats().opened_total;
        // Functions set what statements may not. That ends with the statement.
        let set = query("SELECT set_config('default_transaction_read_only', 'off', false)");
        orm.query_all_raw(set.clone()).await.unwrap();
        orm.execute_raw(set).await.unwrap();
        let shown = query("SELECT current_setting('default_transaction_read_only') AS shown");
        let row = orm.query_one_raw(shown).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "shown").unwrap(), "on");
        assert_eq!(connection.stats().opened_total, opened, "it was one session all the time");
    }
}

/// SQLite has one writer at a time. Without patience at the file itself, one that does not queue would be refused.
async fn writers_queue_with_those_of_the_kernel(server: Server) {
    let database = TestDatabase::create(server).await;
    // Made by a pool of its own, whose goodbye to the file is over before anybody without patience opens it.
    let before = database.connection().await;
    let orm = on(before.as_ref(), &RequestContext::system()).unwrap();
    orm.execute_unprepared("CREATE TABLE items (id INTEGER PRIMARY KEY)").await.unwrap();
    before.close(std::time::Duration::from_secs(10)).await;
    let settings = database.settings().with_option("busy_timeout", "0s");
    let connection = testkit::connect(settings).await.unwrap();
    let orm = on(connection.as_ref(), &RequestContext::system()).unwrap();
    let context = RequestContext::system();
    let transaction = connection.sql().unwrap().begin(TransactionMode::ReadWrite, &context).await.unwrap();
    let insert = |id: u8| format!("INSERT INTO items (id) VALUES ({id})");
    transaction.execute(&RawStatement::everywhere("INSERT", insert(1)).into(), &context).await.unwrap();
    let (second, ()) = tokio::join!(orm.execute_unprepared("INSERT INTO items (id) VALUES (2)"), async {
        while connection.stats().in_use < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // The other one has its connection; these give it the time to send its statement.
        for _ in 0..50 {
            let select = RawStatement::everywhere("SELECT", "SELECT id FROM items");
            transaction.query(&select.into(), &context).await.unwrap();
        }
        transaction.commit(&context).await.unwrap();
    });
    assert_eq!(second.unwrap().rows_affected(), 1);
}

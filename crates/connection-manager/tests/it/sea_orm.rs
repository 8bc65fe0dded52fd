//! SeaORM's entities on the pool: the example, on every engine that SeaORM knows.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

#[path = "../../examples/seaorm_entities/shelves.rs"]
mod shelves;

use connection_manager::sea_orm::on;
use sea_orm::{ConnectionTrait, DbErr, SqlErr};
use shared_kernel::RequestContext;
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

on_engines_of_sea_orm!(entities_run_on_the_pool, errors_are_those_that_sea_orm_knows);

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

//! What is SQLite's alone: one writer at a time, in a process with many callers.

use std::time::Duration;

use connection_manager::drivers::sqlite::SqliteDriver;
use connection_manager::{Credentials, Keyring, PoolSettings, SqlPool};
use futures_util::future::join_all;
use futures_util::poll;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection as _, DatabaseErrorKind, Engine, RawStatement, SqlExecutor as _, Statement, TransactionMode,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use testkit::{Server, TestDatabase};

fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

fn insert(number: i32) -> Statement {
    RawStatement::everywhere("INSERT", "INSERT INTO numbers VALUES (?)").bind(number).into()
}

fn count() -> Statement {
    RawStatement::everywhere("SELECT", "SELECT COUNT(*) AS numbers FROM numbers").into()
}

#[test]
fn readers_find_a_place_while_writers_wait_for_their_turn() {
    testkit::run(async {
        let database = TestDatabase::create(Server::Sqlite).await;
        let connection = testkit::connect(database.settings().with_pool(PoolSettings::sized(0, 2))).await.unwrap();
        let sql = connection.sql().unwrap();
        sql.run_script("CREATE TABLE numbers (number INTEGER)", &context()).await.unwrap();
        let context = context();
        let first = sql.begin(TransactionMode::ReadWrite, &context).await.unwrap();
        first.execute(&insert(0), &context).await.unwrap();

        let inserts: Vec<Statement> = (1..=10).map(insert).collect();
        let mut writers = Box::pin(join_all(inserts.iter().map(|insert| sql.execute(insert, &context))));
        let mut another = Box::pin(sql.begin(TransactionMode::ReadWrite, &context));
        assert!(poll!(writers.as_mut()).is_pending());
        assert!(poll!(another.as_mut()).is_pending());
        for _ in 0..5 {
            let row = sql.query_one(&count(), &context).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>("numbers").unwrap(), 0, "what is not committed is not seen");
        }
        assert_eq!(connection.stats().in_use, 1);

        first.commit(&context).await.unwrap();
        assert!(writers.await.into_iter().all(|outcome| outcome.unwrap() == 1));
        let another = another.await.unwrap();
        another.execute(&insert(11), &context).await.unwrap();
        another.commit(&context).await.unwrap();
        let row = sql.query_one(&count(), &context).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>("numbers").unwrap(), 12);
    });
}

#[test]
fn a_session_with_the_last_place_can_write_while_others_wait_for_one() {
    testkit::run(async {
        let database = TestDatabase::create(Server::Sqlite).await;
        let pool = PoolSettings { acquire_timeout: Duration::from_mins(1), ..PoolSettings::sized(0, 1) };
        let connection = testkit::connect(database.settings().with_pool(pool)).await.unwrap();
        let sql = connection.sql().unwrap();
        let context = context();
        let session = sql.session(&context).await.unwrap();
        let insert = insert(1);
        let mut writer = Box::pin(sql.execute(&insert, &context));
        assert!(poll!(writer.as_mut()).is_pending());
        // The writer who waits for a place must not sit on the turn.
        session.run_script("CREATE TABLE numbers (number INTEGER)", &context).await.unwrap();
        session.release().await.unwrap();
        assert_eq!(writer.await.unwrap(), 1);
    });
}

/// A turn that was given and not used passes on.
#[test]
fn a_writer_who_gives_up_at_any_point_keeps_nobody_from_writing() {
    testkit::run(async {
        let database = TestDatabase::create(Server::Sqlite).await;
        let pool = PoolSettings { acquire_timeout: Duration::from_millis(100), ..PoolSettings::sized(0, 1) };
        let connection = testkit::connect(database.settings().with_pool(pool)).await.unwrap();
        let sql = connection.sql().unwrap();
        sql.run_script("CREATE TABLE numbers (number INTEGER)", &context()).await.unwrap();
        for polls in 0..20 {
            let (context, insert) = (context(), insert(polls));
            let mut call = Box::pin(sql.execute(&insert, &context));
            for _ in 0..polls {
                if poll!(call.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // The only place is taken: the turn comes, the connection does not.
        let session = sql.session(&context()).await.unwrap();
        sql.execute(&insert(1), &context()).await.unwrap_err();
        session.release().await.unwrap();
        // The deadline has passed by the time that the turn comes.
        sql.execute(&insert(1), &RequestContext::system().within(Duration::ZERO)).await.unwrap_err();
        sql.execute(&insert(1), &context()).await.unwrap();
    });
}

/// The connection has the old file open, whatever is put in its place.
#[test]
fn a_connection_whose_file_is_no_database_any_more_is_given_up() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (file, copy) = (folder.path().join("numbers.sqlite"), folder.path().join("copy.sqlite"));
        // Without a log of its own the file is looked at with each statement.
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let driver = SqliteDriver::new(options.journal_mode(SqliteJournalMode::Delete));
        let keyring = Keyring::fixed("numbers".parse().unwrap(), Credentials::none());
        let settings = PoolSettings::sized(0, 1);
        let pool = SqlPool::new("numbers".parse().unwrap(), Engine::SQLITE, settings, keyring, driver);
        let context = context();
        pool.execute(&RawStatement::everywhere("CREATE", "CREATE TABLE numbers (number INTEGER)").into(), &context)
            .await
            .unwrap();
        pool.execute(&insert(1), &context).await.unwrap();
        std::fs::copy(&file, &copy).unwrap();
        std::fs::write(&file, [b'x'; 8192]).unwrap();
        let error = pool.query(&count(), &context).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::UnknownDatabase, "{error:?}");
        assert_eq!((pool.stats().open, pool.is_connected()), (0, false));
        std::fs::rename(&copy, &file).unwrap();
        assert_eq!(pool.query_one(&count(), &context).await.unwrap().unwrap().get::<i64>("numbers").unwrap(), 1);
        pool.close(Duration::from_secs(1)).await;
    });
}

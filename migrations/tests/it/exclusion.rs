//! Several runners at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migrations::{MigrateError, Progress, Verdict};
use shared_kernel::database::TransactionMode;
use testkit::{Server, TestDatabase};
use tokio::task::JoinSet;

use crate::sets::{context, migrator, rows, set, three_tables};

async fn runners_at_once_apply_each_migration_once(server: Server) {
    let database = TestDatabase::create(server).await;
    let mut runners = JoinSet::new();
    for _ in 0..4 {
        let migrator = migrator(&database, &three_tables()).await;
        runners.spawn(async move { migrator.up(&context()).await.unwrap().len() });
    }
    let applied: usize = runners.join_all().await.into_iter().sum();
    assert_eq!(applied, 3);
    let connection = database.connection().await;
    assert_eq!(rows(connection.sql().unwrap(), "a").await, 1);
    assert_eq!(rows(connection.sql().unwrap(), "schema_migrations").await, 3);
    let verdict = migrator(&database, &three_tables()).await.verify(&context()).await.unwrap();
    assert_eq!(verdict, Verdict::UpToDate);
}

async fn contexts_that_share_a_database_take_turns(server: Server) {
    let database = TestDatabase::create(server).await;
    let numbers = set("numbers", &[("CREATE TABLE one (id INT NOT NULL PRIMARY KEY);", "DROP TABLE one;")]);
    let (letters, numbers) = (migrator(&database, &three_tables()).await, migrator(&database, &numbers).await);
    let (first, second) = (context(), context());
    let (letters, numbers) = tokio::join!(letters.up(&first), numbers.up(&second));
    assert_eq!((letters.unwrap().len(), numbers.unwrap().len()), (3, 1));
}

async fn a_runner_waits_for_the_lock_only_so_long(server: Server) {
    let database = TestDatabase::create(server).await;
    let holder = database.connection().await;
    let sql = holder.sql().unwrap();
    // What another runner holds while it works: the write lock on SQLite, the advisory lock elsewhere.
    let mut session = sql.session(&context()).await.unwrap();
    let lock = match server {
        Server::MySql | Server::MariaDb => {
            Some("DO GET_LOCK(CONCAT('schema_migrations:', LEFT(SHA2(DATABASE(), 256), 40)), 10)")
        }
        Server::Postgres => Some("SELECT pg_advisory_lock(7234017283807667300)"),
        Server::SqlServer => Some(
            "EXEC sp_getapplock @Resource = N'schema_migrations', @LockMode = N'Exclusive', @LockOwner = N'Session'",
        ),
        Server::Sqlite => None,
    };
    let _transaction = match lock {
        Some(lock) => {
            session.run_script(lock, &context()).await.unwrap();
            None
        }
        None => Some(session.begin(TransactionMode::ReadWrite, &context()).await.unwrap()),
    };
    let told = Arc::new(AtomicU32::new(0));
    let settings = match server {
        Server::Sqlite => database.settings().with_option("busy_timeout", "100ms"),
        _ => database.settings(),
    };
    let connection = testkit::connect(settings).await.unwrap();
    let waiting = migrations::Migrator::new(&three_tables(), connection)
        .with_lock_wait(Duration::from_millis(500))
        .on_progress({
            let told = told.clone();
            move |progress| {
                if matches!(progress, Progress::Waiting { .. }) {
                    told.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
    let error = waiting.up(&context()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Locked { .. }), "{error:?}");
    assert!(error.is_transient());
    assert!(told.load(Ordering::SeqCst) > 0, "the wait is told");
    assert!(matches!(waiting.verify(&context()).await.unwrap(), Verdict::Behind { .. }), "looking needs no lock");
}

testkit::on_every_engine!(
    runners_at_once_apply_each_migration_once,
    contexts_that_share_a_database_take_turns,
    a_runner_waits_for_the_lock_only_so_long,
);

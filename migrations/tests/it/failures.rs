//! Scripts that fail or are cut off half way.

use std::time::Duration;

use migrations::{EntryState, MigrateError, MigrationSet, Progress, Repair, Verdict};
use shared_kernel::database::Dialect;
use testkit::{Server, TestDatabase, eventually_some};

use crate::sets::{context, has_table, migrator, set};

/// The second migration makes a table and then fails.
fn broken() -> MigrationSet {
    set(
        "letters",
        &[
            ("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
            ("CREATE TABLE b (id INT NOT NULL PRIMARY KEY); INSERT INTO nowhere (id) VALUES (1);", "DROP TABLE b;"),
        ],
    )
}

fn mended() -> MigrationSet {
    set(
        "letters",
        &[
            ("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
            ("CREATE TABLE b (id INT NOT NULL PRIMARY KEY);", "DROP TABLE b;"),
        ],
    )
}

fn is_whole(server: Server) -> bool {
    server.dialect() != Dialect::MySql
}

async fn a_failed_script_is_told_by_its_file_and_code(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let migrator = migrator(&database, &broken()).await;
    let error = migrator.up(&context()).await.unwrap_err();
    let MigrateError::Script { file, code, remedy, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*file, format!("letters/0002_step_2/{}.up.sql", server.dialect()));
    assert!(code.is_some(), "{error:?}");
    assert_eq!(remedy.is_empty(), is_whole(server));
    assert!(has_table(&connection, "a").await, "what came before stays");
    assert_eq!(has_table(&connection, "b").await, !is_whole(server), "nothing of a failed script remains but on MySQL");
    let state = migrator.status(&context()).await.unwrap().remove(1).state;
    if is_whole(server) {
        assert_eq!(state, EntryState::Pending);
    } else {
        assert!(matches!(state, EntryState::Unfinished { .. }), "{state:?}");
    }
}

async fn a_half_applied_migration_is_reported_and_repaired_by_hand(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    migrator(&database, &broken()).await.up(&context()).await.unwrap_err();
    let migrator = migrator(&database, &mended()).await;
    if is_whole(server) {
        migrator.up(&context()).await.unwrap();
        let error = migrator.repair(2, Repair::Undone, &context()).await.unwrap_err();
        assert_eq!(error.to_string(), "context `letters`: migration 0002 is not unfinished");
        return;
    }
    assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::Unfinished { migration: "0002_step_2".into() });
    for outcome in [migrator.up(&context()).await, migrator.down(1, &context()).await] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, MigrateError::HalfApplied { .. }), "{error:?}");
        assert!(error.to_string().starts_with("`letters/0002_step_2/mysql.up.sql` began at "), "{error}");
    }
    connection.sql().unwrap().run_script("DROP TABLE b", &context()).await.unwrap();
    migrator.repair(2, Repair::Undone, &context()).await.unwrap();
    migrator.up(&context()).await.unwrap();
    assert!(has_table(&connection, "b").await);
    assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::UpToDate);
}

async fn a_half_applied_migration_can_be_completed_by_hand(server: Server) {
    let database = TestDatabase::create(server).await;
    migrator(&database, &broken()).await.up(&context()).await.unwrap_err();
    if !is_whole(server) {
        let migrator = migrator(&database, &broken()).await;
        migrator.repair(2, Repair::Applied, &context()).await.unwrap();
        assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::UpToDate);
    }
    let migrator = migrator(&database, &mended()).await;
    // The script is not the one that was recorded as applied; a person who mends by hand learns that too.
    let verdict = migrator.verify(&context()).await.unwrap();
    if is_whole(server) {
        assert!(matches!(verdict, Verdict::Behind { .. }), "{verdict:?}");
    } else {
        assert!(matches!(verdict, Verdict::Diverged { .. }), "{verdict:?}");
    }
}

async fn a_runner_that_goes_away_leaves_nothing_or_a_mark(server: Server) {
    let database = TestDatabase::create(server).await;
    let script = format!("CREATE TABLE b (id INT NOT NULL PRIMARY KEY); {};", lasting(server));
    let slow = set(
        "letters",
        &[("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"), (&script, "DROP TABLE b;")],
    );
    let (begun, mut beginnings) = tokio::sync::mpsc::unbounded_channel();
    let runner = migrator(&database, &slow).await.on_progress(move |progress| {
        // A wait for the lock begins nothing.
        if matches!(progress, Progress::Started { .. }) {
            // The receiver lives as long as the test.
            let _ = begun.send(());
        }
    });
    let running = tokio::spawn(async move { runner.up(&context()).await });
    // The second script is under way.
    for _ in 0..2 {
        beginnings.recv().await.unwrap();
    }
    running.abort();
    let connection = database.connection().await;
    let migrator = migrator(&database, &mended()).await.with_lock_wait(Duration::from_secs(30));
    // The lock is free once the server has noticed.
    let outcome = eventually_some(Duration::from_mins(1), || async {
        match migrator.up(&context()).await {
            Err(error) if error.is_transient() => None,
            outcome => Some(outcome),
        }
    })
    .await;
    if is_whole(server) {
        assert_eq!(outcome.unwrap().len(), 1);
        assert!(has_table(&connection, "b").await);
    } else {
        let error = outcome.unwrap_err();
        assert!(matches!(error, MigrateError::HalfApplied { .. }), "{error:?}");
    }
}

/// A statement that goes on for some seconds, on the server even when nobody waits for it any more.
fn lasting(server: Server) -> &'static str {
    match server {
        Server::MySql | Server::MariaDb => "DO SLEEP(4)",
        Server::Postgres => "SELECT pg_sleep(4)",
        Server::Sqlite => {
            "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 12000000) \
             SELECT COUNT(*) FROM counted"
        }
        Server::SqlServer => "WAITFOR DELAY '00:00:04'",
    }
}

testkit::on_every_engine!(
    a_failed_script_is_told_by_its_file_and_code,
    a_half_applied_migration_is_reported_and_repaired_by_hand,
    a_half_applied_migration_can_be_completed_by_hand,
    a_runner_that_goes_away_leaves_nothing_or_a_mark,
);

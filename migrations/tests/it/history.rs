//! What is applied, what is told of it, and what is refused.

use std::sync::{Arc, Mutex};

use migrations::{EntryState, MigrateError, Migrator, Progress, Verdict};
use shared_kernel::Clock;
use testkit::{FakeClock, Server, TestDatabase};

use crate::sets::{context, has_table, migrator, rows, set, three_tables};

async fn every_context_goes_up_and_down_and_up_again(server: Server) {
    for set in migrations::sets() {
        let database = TestDatabase::create(server).await;
        let migrator = migrator(&database, set).await;
        let all: Vec<u32> = set.migrations().iter().map(migrations::Migration::number).collect();
        for _ in 0..2 {
            assert!(matches!(migrator.verify(&context()).await.unwrap(), Verdict::Behind { .. }));
            let steps = migrator.up(&context()).await.unwrap();
            assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), all);
            assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::UpToDate);
            assert!(migrator.up(&context()).await.unwrap().is_empty());
            let steps = migrator.down(usize::MAX, &context()).await.unwrap();
            assert_eq!(steps.iter().rev().map(|step| step.number).collect::<Vec<_>>(), all);
        }
    }
}

async fn looking_changes_nothing(server: Server) {
    let database = TestDatabase::create(server).await;
    let migrator = migrator(&database, &three_tables()).await;
    assert_eq!(migrator.pending(&context()).await.unwrap().len(), 3);
    assert!(migrator.status(&context()).await.unwrap().iter().all(|entry| entry.state == EntryState::Pending));
    assert!(matches!(migrator.verify(&context()).await.unwrap(), Verdict::Behind { pending } if pending.len() == 3));
    assert!(!has_table(&database.connection().await, "schema_migrations").await);
}

async fn a_target_and_a_number_of_steps_are_kept_to(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let migrator = migrator(&database, &three_tables()).await;
    assert_eq!(migrator.up_to(2, &context()).await.unwrap().len(), 2);
    assert!(has_table(&connection, "b").await && !has_table(&connection, "c").await);
    assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::Behind { pending: vec!["0003_step_3".into()] });
    assert_eq!(migrator.down(1, &context()).await.unwrap()[0].number, 2);
    assert!(has_table(&connection, "a").await && !has_table(&connection, "b").await);
    let error = migrator.up_to(4, &context()).await.unwrap_err();
    assert_eq!(error.to_string(), "context `letters`: migration 0004 does not exist");
}

async fn the_history_tells_when_and_the_callback_what(server: Server) {
    let database = TestDatabase::create(server).await;
    let (clock, told) = (Arc::new(FakeClock::default()), Arc::new(Mutex::new(Vec::new())));
    let migrator = Migrator::new(&three_tables(), database.connection().await).with_clock(clock.clone());
    let migrator = migrator.on_progress({
        let told = told.clone();
        move |progress| {
            // A server may take a moment to give back a lock, so a wait may be told as well.
            match progress {
                Progress::Started { file, direction } => told.lock().unwrap().push(format!("{direction} {file}")),
                Progress::Finished { file, .. } => told.lock().unwrap().push(format!("done {file}")),
                _ => {}
            }
        }
    });
    migrator.up_to(1, &context()).await.unwrap();
    migrator.down(1, &context()).await.unwrap();
    migrator.up_to(1, &context()).await.unwrap();
    let dialect = server.dialect();
    let (up, down) =
        (format!("letters/0001_step_1/{dialect}.up.sql"), format!("letters/0001_step_1/{dialect}.down.sql"));
    let (forth, back) = ([format!("up {up}"), format!("done {up}")], [format!("down {down}"), format!("done {down}")]);
    assert_eq!(*told.lock().unwrap(), [forth.clone(), back, forth].concat());
    let status = migrator.status(&context()).await.unwrap();
    assert!(matches!(status[0].state, EntryState::Applied { at, .. } if at == clock.now()), "{status:?}");
    assert_eq!(status[1].state, EntryState::Pending);
}

async fn two_contexts_share_a_database(server: Server) {
    let database = TestDatabase::create(server).await;
    let numbers = set("numbers", &[("CREATE TABLE one (id INT NOT NULL PRIMARY KEY);", "DROP TABLE one;")]);
    let (letters, numbers) = (migrator(&database, &three_tables()).await, migrator(&database, &numbers).await);
    letters.up(&context()).await.unwrap();
    numbers.up(&context()).await.unwrap();
    letters.down(3, &context()).await.unwrap();
    assert_eq!(numbers.verify(&context()).await.unwrap(), Verdict::UpToDate);
    assert!(has_table(&database.connection().await, "one").await);
}

async fn a_changed_script_is_refused(server: Server) {
    let database = TestDatabase::create(server).await;
    migrator(&database, &three_tables()).await.up_to(1, &context()).await.unwrap();
    let changed = set(
        "letters",
        &[("CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY);", "DROP TABLE a;"), ("SELECT 1;", "SELECT 1;")],
    );
    let migrator = migrator(&database, &changed).await;
    let verdict = migrator.verify(&context()).await.unwrap();
    assert!(matches!(verdict, Verdict::Diverged { migration, .. } if migration == "0001_step_1"));
    for outcome in [migrator.up(&context()).await, migrator.down(1, &context()).await] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, MigrateError::Changed { .. }), "{error:?}");
        let file = format!("`letters/0001_step_1/{}.up.sql`", server.dialect());
        assert!(error.to_string().starts_with(&file), "{error}");
    }
}

async fn a_newer_database_is_left_alone(server: Server) {
    let database = TestDatabase::create(server).await;
    migrator(&database, &three_tables()).await.up(&context()).await.unwrap();
    let older = set(
        "letters",
        &[("CREATE TABLE a (id INT NOT NULL PRIMARY KEY); INSERT INTO a (id) VALUES (1);", "DROP TABLE a;")],
    );
    let migrator = migrator(&database, &older).await;
    let unknown = vec!["0002_step_2".to_owned(), "0003_step_3".to_owned()];
    assert_eq!(migrator.verify(&context()).await.unwrap(), Verdict::Ahead { unknown });
    for outcome in [migrator.up(&context()).await, migrator.down(1, &context()).await] {
        assert!(matches!(outcome, Err(MigrateError::Unknown { .. })), "{outcome:?}");
    }
    let connection = database.connection().await;
    assert_eq!(rows(connection.sql().unwrap(), "a").await, 1);
}

testkit::on_every_engine!(
    every_context_goes_up_and_down_and_up_again,
    looking_changes_nothing,
    a_target_and_a_number_of_steps_are_kept_to,
    the_history_tells_when_and_the_callback_what,
    two_contexts_share_a_database,
    a_changed_script_is_refused,
    a_newer_database_is_left_alone,
);

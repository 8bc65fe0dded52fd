//! Sets made for one test.

use std::sync::Arc;

use migrations::{Migration, MigrationSet, Migrator, Scripts};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Dialect, RawStatement, SqlExecutor};
use testkit::TestDatabase;

pub(crate) fn context() -> RequestContext {
    RequestContext::system()
}

/// Migrations 1, 2, 3 … of `name`, each with the same pair of texts on every engine.
pub(crate) fn set(name: &'static str, steps: &[(&str, &str)]) -> MigrationSet {
    let migrations = (1..).zip(steps).map(|(number, (up, down))| {
        let scripts = Dialect::ALL.map(|_| Scripts { up: (*up).to_owned().into(), down: (*down).to_owned().into() });
        Migration::new(number, format!("step_{number}"), scripts)
    });
    MigrationSet::try_new(name, migrations.collect()).unwrap()
}

/// Three tables, one after another.
pub(crate) fn three_tables() -> MigrationSet {
    set(
        "letters",
        &[
            ("CREATE TABLE a (id INT NOT NULL PRIMARY KEY); INSERT INTO a (id) VALUES (1);", "DROP TABLE a;"),
            ("CREATE TABLE b (id INT NOT NULL PRIMARY KEY);", "DROP TABLE b;"),
            ("CREATE TABLE c (id INT NOT NULL PRIMARY KEY);", "DROP TABLE c;"),
        ],
    )
}

/// A runner with a connection of its own, as another process would have.
pub(crate) async fn migrator(database: &TestDatabase, set: &MigrationSet) -> Migrator {
    Migrator::new(set, database.connection().await)
}

/// Whether a table can be read.
pub(crate) async fn has_table(connection: &Arc<dyn DatabaseConnection>, table: &str) -> bool {
    let count = RawStatement::everywhere("SELECT", format!("SELECT COUNT(*) AS found FROM {table}"));
    connection.sql().unwrap().query(&count.into(), &context()).await.is_ok()
}

/// How many rows a table has.
pub(crate) async fn rows(database: &(impl SqlExecutor + ?Sized), table: &str) -> i64 {
    let count = RawStatement::everywhere("SELECT", format!("SELECT COUNT(*) AS found FROM {table}"));
    let row = database.query_one(&count.into(), &context()).await.unwrap();
    row.expect("a count is one row").get("found").unwrap()
}

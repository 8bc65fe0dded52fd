use std::time::Duration;

use sea_query::{Expr, ExprTrait, Query};
use shared_kernel::database::{
    DatabaseErrorKind, Dialect, RawStatement, SqlConnection, SqlExecutor, Statement, TransactionMode,
};

use super::Target;
use super::target::{assert_answers, context, refused};
use crate::eventually;

/// A table for the cases about transactions and errors.
pub(crate) async fn items(database: &dyn SqlExecutor) {
    let script = "CREATE TABLE items (
        id INT NOT NULL PRIMARY KEY,
        label VARCHAR(40) NOT NULL,
        CONSTRAINT items_label_key UNIQUE (label)
    );
    CREATE TABLE parts (
        id INT NOT NULL PRIMARY KEY,
        item_id INT NOT NULL,
        CONSTRAINT parts_item_fkey FOREIGN KEY (item_id) REFERENCES items (id)
    );";
    database.run_script(script, &context()).await.unwrap();
}

pub(crate) fn insert_item(id: i32, label: &str) -> Statement {
    let columns = ["id", "label"];
    Query::insert().into_table("items").columns(columns).values_panic([id.into(), label.into()]).to_owned().into()
}

pub(crate) async fn count_items(database: &(impl SqlExecutor + ?Sized)) -> i64 {
    let count = RawStatement::everywhere("SELECT", "SELECT COUNT(*) AS found FROM items");
    let row = database.query_one(&count.into(), &context()).await.unwrap();
    row.expect("a count is one row").get("found").unwrap()
}

async fn begin(sql: &dyn SqlConnection) -> Box<dyn shared_kernel::database::SqlTransaction> {
    sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap()
}

/// What was committed is there for another connection.
pub async fn a_commit_is_seen_by_others(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let transaction = begin(sql).await;
    assert_eq!(transaction.execute(&insert_item(1, "one"), &context()).await.unwrap(), 1);
    assert_eq!(count_items(transaction.as_ref()).await, 1);
    transaction.commit(&context()).await.unwrap();
    let other = target.open().await;
    assert_eq!(count_items(other.sql().unwrap()).await, 1);
    let update = Query::update().table("items").value("label", "two").and_where(Expr::col("id").eq(2)).to_owned();
    assert_eq!(sql.execute(&update.into(), &context()).await.unwrap(), 0, "no row has id 2");
}

/// What was rolled back never was.
pub async fn a_rollback_leaves_nothing(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let transaction = begin(sql).await;
    transaction.execute(&insert_item(1, "one"), &context()).await.unwrap();
    transaction.rollback(&context()).await.unwrap();
    assert_eq!(count_items(sql).await, 0);
}

/// A transaction that is dropped never was, and its connection serves on.
pub async fn a_dropped_transaction_leaves_nothing(target: Target) {
    let mut settings = target.pooled(1);
    settings.pool.acquire_timeout = Duration::from_secs(20);
    let connection = target.open_with(settings).await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    for label in ["one", "two", "three"] {
        let transaction = begin(sql).await;
        transaction.execute(&insert_item(1, label), &context()).await.unwrap();
        drop(transaction);
        assert_eq!(count_items(sql).await, 0);
    }
    eventually(Duration::from_secs(10), || connection.stats().in_use == 0).await;
}

/// A refused statement ends neither the connection nor the owner's right to roll back.
pub async fn a_failed_statement_leaves_the_transaction_to_its_owner(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let transaction = begin(sql).await;
    transaction.execute(&insert_item(1, "one"), &context()).await.unwrap();
    let error = transaction.execute(&insert_item(1, "two"), &context()).await.unwrap_err();
    assert!(error.is_unique_violation(), "{error:?}");
    transaction.rollback(&context()).await.unwrap();
    assert_eq!(count_items(sql).await, 0);
}

/// After a refused statement some engines keep the rest of the transaction and some have given it up; what `commit`
/// answers is what happened.
pub async fn a_commit_after_a_failed_statement_tells_the_truth(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let transaction = begin(sql).await;
    transaction.execute(&insert_item(1, "one"), &context()).await.unwrap();
    transaction.execute(&insert_item(1, "two"), &context()).await.unwrap_err();
    let stored = i64::from(transaction.commit(&context()).await.is_ok());
    assert_eq!(count_items(sql).await, stored);
}

/// A session is one physical connection: what belongs to it is there at the next statement, also in a transaction, and
/// for nobody else.
pub async fn a_session_keeps_its_connection(target: Target) {
    let connection = target.open().await;
    let mut session = connection.sql().unwrap().session(&context()).await.unwrap();
    let (create, name) = match session.dialect() {
        Dialect::SqlServer => ("CREATE TABLE #mine (id INT NOT NULL)", "#mine"),
        Dialect::MySql | Dialect::Postgres | Dialect::Sqlite => {
            ("CREATE TEMPORARY TABLE mine (id INT NOT NULL)", "mine")
        }
    };
    session.run_script(create, &context()).await.unwrap();
    let insert: Statement = RawStatement::everywhere("INSERT", format!("INSERT INTO {name} (id) VALUES (1)")).into();
    assert_eq!(session.execute(&insert, &context()).await.unwrap(), 1);
    let transaction = session.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    assert_eq!(transaction.execute(&insert, &context()).await.unwrap(), 1);
    transaction.commit(&context()).await.unwrap();
    let count: Statement = RawStatement::everywhere("SELECT", format!("SELECT COUNT(*) AS found FROM {name}")).into();
    let row = session.query_one(&count, &context()).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("found").unwrap(), 2);
    refused(connection.sql().unwrap().query(&count, &context()).await, &DatabaseErrorKind::Query);
    session.release().await.unwrap();
    refused(connection.sql().unwrap().query(&count, &context()).await, &DatabaseErrorKind::Query);
    assert_answers(connection.sql().unwrap(), 9).await;
}

/// A script may hold several statements, and the first that fails ends it.
pub async fn a_script_runs_all_its_statements(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let script = "INSERT INTO items (id, label) VALUES (1, 'a;b'); INSERT INTO items (id, label) VALUES (2, 'c');";
    sql.run_script(script, &context()).await.unwrap();
    assert_eq!(count_items(sql).await, 2);
    let error = sql.run_script("DELETE FROM items; INSERT INTO no_such_table (id) VALUES (1);", &context()).await;
    refused(error, &DatabaseErrorKind::Query);
}

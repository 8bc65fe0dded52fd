use std::time::Duration;

use sea_query::{Expr, ExprTrait, Query};
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, RawStatement, SqlConnection, SqlTransaction,
    Statement, TransactionMode,
};

use super::Target;
use super::target::{answer, assert_answers, context, refused};
use super::transactions::{insert_item, items};

/// A duplicate is told apart, with the constraint's name where the engine tells it, and with the engine's code.
pub async fn a_unique_violation_is_told_by_its_constraint(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    sql.execute(&insert_item(1, "one"), &context()).await.unwrap();
    let error = sql.execute(&insert_item(2, "one"), &context()).await.unwrap_err();
    let DatabaseErrorKind::UniqueViolation { constraint } = error.kind() else { panic!("{error:?}") };
    assert!(error.code().is_some(), "{error:?}");
    match sql.dialect() {
        // It tells the columns, not the constraint.
        Dialect::Sqlite => assert!(constraint.as_deref().is_none_or(|name| name.contains("label")), "{error:?}"),
        Dialect::SqlServer if is_babelfish(connection.as_ref()).await => {}
        Dialect::MySql | Dialect::Postgres | Dialect::SqlServer => {
            assert_eq!(constraint.as_deref(), Some("items_label_key"), "{error:?}");
        }
    }
    let error = sql.execute(&insert_item(1, "other"), &context()).await.unwrap_err();
    assert!(error.is_unique_violation(), "a primary key is unique too: {error:?}");
    assert!(!format!("{error:?}").contains("other"), "values stay out of errors: {error:?}");
}

/// A reference to nothing, and the removal of what is referred to, are told apart.
pub async fn a_foreign_key_violation_is_told(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    let part = |id: i32, item: i32| -> Statement {
        let columns = ["id", "item_id"];
        Query::insert().into_table("parts").columns(columns).values_panic([id.into(), item.into()]).to_owned().into()
    };
    // SQLite does not tell which constraint it was.
    let names = sql.dialect() != Dialect::Sqlite && !is_babelfish(connection.as_ref()).await;
    let told = |error: DatabaseError| {
        let DatabaseErrorKind::ForeignKeyViolation { constraint } = error.kind() else { panic!("{error:?}") };
        if names {
            assert_eq!(constraint.as_deref(), Some("parts_item_fkey"), "{error:?}");
        }
    };
    told(sql.execute(&part(1, 99), &context()).await.unwrap_err());
    sql.execute(&insert_item(1, "one"), &context()).await.unwrap();
    sql.execute(&part(1, 1), &context()).await.unwrap();
    let delete = Query::delete().from_table("items").and_where(Expr::col("id").eq(1)).to_owned();
    told(sql.execute(&delete.into(), &context()).await.unwrap_err());
}

/// Anything else that an engine refuses is `Query`, with its code, and costs no connection.
pub async fn a_refused_statement_carries_the_code_of_the_engine(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    assert_answers(sql, 1).await;
    let opened = connection.stats().opened_total;
    for text in ["SELEC 1", "SELECT nothing FROM no_such_table"] {
        let statement = RawStatement::everywhere("SELECT", text).into();
        let error = refused(sql.query(&statement, &context()).await, &DatabaseErrorKind::Query);
        assert!(error.code().is_some(), "{error:?}");
    }
    let columns = ["id", "label"];
    let null = Query::insert()
        .into_table("items")
        .columns(columns)
        .values_panic([1.into(), Option::<String>::None.into()])
        .to_owned();
    refused(sql.execute(&null.into(), &context()).await, &DatabaseErrorKind::Query);
    assert_answers(sql, 2).await;
    assert_eq!(connection.stats().opened_total, opened, "a refused statement costs no connection");
}

/// Reading a column that is not there is an error, whatever type is asked for.
pub async fn a_missing_column_is_an_error_even_for_an_option(target: Target) {
    let connection = target.open().await;
    let row = connection.sql().unwrap().query_one(&answer(1), &context()).await.unwrap().unwrap();
    refused(row.get::<Option<i32>>("no_such_column"), &DatabaseErrorKind::Decode);
    refused(row.get::<Option<i32>>(1), &DatabaseErrorKind::Decode);
    refused(row.get::<uuid::Uuid>("answer"), &DatabaseErrorKind::Decode);
}

/// Two transactions that want each other's locks: one is told to try again, the other goes through.
///
/// On SQLite the second writer never gets as far: it waits, or is told to try again, when it asks for the write lock.
pub async fn crossing_locks_end_in_a_conflict(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    items(sql).await;
    for (id, label) in [(1, "one"), (2, "two")] {
        sql.execute(&insert_item(id, label), &context()).await.unwrap();
    }
    let first = sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    first.execute(&rename(1, "first"), &context()).await.unwrap();
    if sql.dialect() == Dialect::Sqlite {
        // Within one pool the second writer waits for its turn, for as long as it has time; another program's writer
        // waits for the busy time-out and is told to try again.
        let waits = sql.begin(TransactionMode::ReadWrite, &context().within(Duration::from_millis(200))).await;
        refused(waits, &DatabaseErrorKind::Timeout);
        let other = target.open_with(target.settings().with_option("busy_timeout", "200ms")).await;
        let second = other.sql().unwrap().begin(TransactionMode::ReadWrite, &context()).await;
        refused(second, &DatabaseErrorKind::SerializationConflict);
        first.commit(&context()).await.unwrap();
        begin(other.sql().unwrap()).await.commit(&context()).await.unwrap();
        begin(sql).await.commit(&context()).await.unwrap();
        return;
    }
    let second = begin(sql).await;
    second.execute(&rename(2, "second"), &context()).await.unwrap();
    let (first, second) = tokio::join!(cross(first, 2, "crossed by first"), cross(second, 1, "crossed by second"));
    let (winner, loser) = if first.is_ok() { (first, second) } else { (second, first) };
    winner.expect("one of the two goes through");
    refused(loser, &DatabaseErrorKind::SerializationConflict);
    assert_answers(sql, 4).await;
}

/// Babelfish words its errors as PostgreSQL does, and makes up names for constraints.
async fn is_babelfish(connection: &dyn DatabaseConnection) -> bool {
    let version = connection.ping(&context()).await.unwrap().server_version;
    version.is_some_and(|version| version.contains("Babelfish"))
}

async fn begin(sql: &dyn SqlConnection) -> Box<dyn SqlTransaction> {
    sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap()
}

async fn cross(transaction: Box<dyn SqlTransaction>, id: i32, label: &str) -> Result<(), DatabaseError> {
    let context = context().within(Duration::from_secs(30));
    match transaction.execute(&rename(id, label), &context).await {
        Ok(_) => transaction.commit(&context).await,
        Err(error) => {
            // What came before is undone, so nothing more may be done in its name.
            transaction.execute(&rename(id, "late"), &context).await.expect_err("the transaction is over");
            // The engine has rolled back the loser of a deadlock already; saying so again must do no harm.
            transaction.rollback(&context).await?;
            Err(error)
        }
    }
}

fn rename(id: i32, label: &str) -> Statement {
    Query::update().table("items").value("label", label).and_where(Expr::col("id").eq(id)).to_owned().into()
}

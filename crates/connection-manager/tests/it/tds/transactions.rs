use shared_kernel::database::{SqlTransaction, TransactionMode};
use testkit::tds::{Answer, Matcher};

use super::*;

async fn changing() -> TdsServer {
    let changed = Answer::computed(|_| Reply::changed(1));
    server().on(Matcher::starts_with("INSERT"), changed).start().await.expect("a server")
}

async fn begin(connection: &Arc<dyn DatabaseConnection>) -> Box<dyn SqlTransaction> {
    let sql = connection.sql().expect("SQL");
    sql.begin(TransactionMode::ReadWrite, &context()).await.expect("a transaction")
}

async fn run(transaction: &dyn SqlTransaction, text: &'static str) -> Result<u64, DatabaseError> {
    transaction.execute(&statement(text, []), &context()).await
}

fn committed(server: &TdsServer) -> Vec<String> {
    server.committed().into_iter().map(|statement| statement.text).collect()
}

#[tokio::test]
async fn a_commit_makes_changes_permanent() {
    let server = changing().await;
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    assert_eq!(committed(&server), [""; 0]);
    transaction.commit(&context()).await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1"]);
    assert!(server.received().iter().all(|one| one.connection == 1), "all on one connection");
}

#[tokio::test]
async fn a_rollback_leaves_nothing_and_gives_the_connection_back() {
    let server = changing().await;
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    transaction.rollback(&context()).await.unwrap();
    execute(&connection, "INSERT 2").await.unwrap();
    assert_eq!(committed(&server), ["INSERT 2"]);
    assert_eq!(server.connections().accepted, 1);
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let server = changing().await;
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    drop(transaction);
    execute(&connection, "INSERT 2").await.unwrap();
    assert_eq!(committed(&server), ["INSERT 2"]);
}

#[tokio::test]
async fn a_violation_leaves_the_transaction_to_its_owner() {
    let server = changing().await;
    server.on("INSERT twice", Reply::unique_constraint("key", "dbo.t", "(1)"));
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    assert!(run(transaction.as_ref(), "INSERT twice").await.unwrap_err().is_unique_violation());
    run(transaction.as_ref(), "INSERT 2").await.unwrap();
    transaction.commit(&context()).await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1", "INSERT 2"]);
    assert!(!server.texts().iter().any(|text| text.contains("@@TRANCOUNT")), "no question is asked about it");
}

/// After a deadlock the server has no transaction any more; what followed would be permanent at once.
#[tokio::test]
async fn a_deadlock_ends_the_transaction_for_whoever_goes_on() {
    let server = changing().await;
    server.on("UPDATE t", Reply::deadlock());
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    refused(run(transaction.as_ref(), "UPDATE t").await, &DatabaseErrorKind::SerializationConflict);
    refused(run(transaction.as_ref(), "INSERT 2").await, &DatabaseErrorKind::SerializationConflict);
    refused(transaction.commit(&context()).await, &DatabaseErrorKind::SerializationConflict);
    assert_eq!(committed(&server), [""; 0]);
    assert_serves(&connection).await;
}

#[tokio::test]
async fn a_rollback_after_a_deadlock_does_no_harm() {
    let server = changing().await;
    server.on("UPDATE t", Reply::deadlock());
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    refused(run(transaction.as_ref(), "UPDATE t").await, &DatabaseErrorKind::SerializationConflict);
    transaction.rollback(&context()).await.unwrap();
    execute(&connection, "INSERT 1").await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1"]);
    assert_eq!(server.connections().accepted, 1, "the connection is as good as before");
}

/// A failed conversion ends the transaction on SQL Server, and nothing in its message says so.
#[tokio::test]
async fn an_error_that_may_have_cost_the_transaction_is_asked_about() {
    let server = changing().await;
    server.on("UPDATE t", Reply::error(245, "Conversion failed."));
    let connection = connect(&server).await;

    let transaction = begin(&connection).await;
    refused(run(transaction.as_ref(), "UPDATE t").await, &DatabaseErrorKind::Query);
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    transaction.commit(&context()).await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1"], "the server said that it is still there");

    server.on("SELECT @@TRANCOUNT", one(TdsType::Int, 0));
    let transaction = begin(&connection).await;
    refused(run(transaction.as_ref(), "UPDATE t").await, &DatabaseErrorKind::Query);
    refused(run(transaction.as_ref(), "INSERT 2").await, &DatabaseErrorKind::SerializationConflict);
    transaction.rollback(&context()).await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1"]);
}

/// Where the server does not tell what became of the transaction, nothing more is done in it.
#[tokio::test]
async fn a_question_that_fails_does_not_hide_what_a_statement_said() {
    let server = changing().await;
    server.on("UPDATE t", Reply::error(245, "Conversion failed."));
    server.on("SELECT @@TRANCOUNT", Reply::error(50_000, "Not now."));
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    let error = run(transaction.as_ref(), "UPDATE t").await.unwrap_err();
    assert_eq!(error.code(), Some("245"), "{error}");
    refused(run(transaction.as_ref(), "INSERT 1").await, &DatabaseErrorKind::Unreachable);
    drop(transaction);
    execute(&connection, "INSERT 2").await.unwrap();
    assert_eq!(committed(&server), ["INSERT 2"]);
    assert_eq!(server.connections().accepted, 2, "a session whose transaction may be open serves nobody");
}

#[tokio::test]
async fn a_commit_that_gets_no_answer_is_unreachable_and_not_repeated() {
    let server = changing().await;
    server.on("COMMIT TRANSACTION", Answer::once(Reply::reset()));
    let connection = connect(&server).await;
    let transaction = begin(&connection).await;
    run(transaction.as_ref(), "INSERT 1").await.unwrap();
    refused(transaction.commit(&context()).await, &DatabaseErrorKind::Unreachable);
    assert_eq!(server.texts().iter().filter(|text| text.starts_with("COMMIT")).count(), 1);
    assert_serves(&connection).await;
}

#[tokio::test]
async fn a_script_is_sent_as_it_stands() {
    let script = "CREATE TABLE [t] (id INT); INSERT INTO [t] VALUES (1)";
    let server = server().on(script, Reply::done().and(Reply::changed(1))).start().await.unwrap();
    let connection = connect(&server).await;
    connection.sql().unwrap().run_script(script, &context()).await.unwrap();
    let received = server.received().remove(0).statement;
    assert_eq!((received.via, received.text.as_str()), (testkit::tds::Via::Batch, script));
}

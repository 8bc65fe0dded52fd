//! What is sent on behalf of those who define connections from outside. That a server refuses to write is not shown here,
//! because SQL Server has no session that only reads.

use connection_manager::egress::{EgressConfig, SessionLimits};
use shared_kernel::database::TransactionMode;
use testkit::tds::Matcher;

use super::*;

fn guarded(server: &TdsServer) -> ConnectionSettings {
    let limits = SessionLimits { lock_wait: Duration::from_secs(7), ..SessionLimits::default() };
    settings(server).with_egress(EgressConfig::open().egress([]).with_limits(limits))
}

fn texts(server: &TdsServer) -> Vec<String> {
    server.texts().into_iter().map(|text| text.trim_end().to_owned()).collect()
}

#[tokio::test]
async fn a_session_says_that_it_reads_and_limits_its_waiting() {
    let server = server().start().await.unwrap();
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    assert_serves(&connection).await;
    assert!(server.logins()[0].read_only);
    assert_eq!(texts(&server)[0], "SET LOCK_TIMEOUT 7000");
    let settings = guarded(&server).with_option("application_intent", "read-write");
    testkit::connect(settings).await.unwrap();
    assert!(!server.logins()[1].read_only, "some servers turn away whoever says so");
}

#[tokio::test]
async fn whatever_a_statement_does_is_rolled_back() {
    let server = server().start().await.unwrap();
    server.on("SELECT dbo.sly()", one(TdsType::Int, 1));
    server.on("SELECT wrong", Reply::error(208, "Invalid object name."));
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    let sql = connection.sql().unwrap();
    query(&connection, "SELECT dbo.sly()").await.unwrap();
    execute(&connection, "SELECT dbo.sly()").await.unwrap();
    query(&connection, "SELECT wrong").await.unwrap_err();
    let transaction = sql.begin(TransactionMode::ReadWrite, &context()).await.unwrap();
    transaction.query(&statement("SELECT dbo.sly()", []), &context()).await.unwrap();
    transaction.commit(&context()).await.unwrap();
    // After an error the session asks whether the transaction is still there.
    let is_asked = |text: &str| text.starts_with("SELECT") && !text.contains("@@TRANCOUNT");
    let asked: Vec<_> = server.received().into_iter().filter(|one| is_asked(&one.statement.text)).collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked.iter().all(|one| one.in_transaction), "{asked:?}");
    let count = |word: &str| texts(&server).iter().filter(|text| text.starts_with(word)).count();
    assert_eq!((count("BEGIN"), count("ROLLBACK"), count("COMMIT")), (4, 4, 0), "{:?}", texts(&server));
    assert_eq!(server.connections().accepted, 1, "and the connection is used again");
}

/// What the server has against the statement is what its caller can do something about.
#[tokio::test]
async fn a_rollback_that_fails_does_not_hide_what_a_statement_said() {
    let server = server().start().await.unwrap();
    server.on("SELECT wrong", Reply::error(208, "Invalid object name."));
    server.on(Matcher::starts_with("ROLLBACK"), Reply::error(50_000, "Not now."));
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    let error = query(&connection, "SELECT wrong").await.unwrap_err();
    assert_eq!(error.code(), Some("208"), "{error}");
    let error = execute(&connection, "SELECT wrong").await.unwrap_err();
    assert_eq!(error.code(), Some("208"), "{error}");
    // Nothing else is wrong with this one.
    let error = query(&connection, "SELECT 1").await.unwrap_err();
    assert_eq!(error.code(), Some("50000"), "{error}");
    execute(&connection, "SELECT 1").await.unwrap_err();
    assert_eq!(server.connections().accepted, 4, "a session whose transaction may be open serves nobody");
}

#[tokio::test]
async fn what_does_not_read_is_not_sent() {
    let server = server().start().await.unwrap();
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    for text in [
        "INSERT INTO t VALUES (1)",
        "SELECT 1 DROP TABLE t",
        "SELECT 1; EXEC p",
        "SELECT n INTO u FROM t",
        "WITH x AS (SELECT 1 AS n) DELETE x",
        "SET LOCK_TIMEOUT -1",
        "SET LOCK_TIMEOUT -1; SELECT 1",
        "SET LOCK_TIMEOUT 1; DELETE t",
        "SET LOCK_TIMEOUT 1; SET LOCK_TIMEOUT 1; SELECT 1",
        "COMMIT",
    ] {
        refused(query(&connection, text).await, &DatabaseErrorKind::ReadOnlyTarget);
        refused(execute(&connection, text).await, &DatabaseErrorKind::ReadOnlyTarget);
        let script = connection.sql().unwrap().run_script(text, &context()).await;
        refused(script, &DatabaseErrorKind::ReadOnlyTarget);
    }
    // Each script has had a connection of its own.
    assert!(texts(&server).iter().all(|text| text == "SET LOCK_TIMEOUT 7000"), "{:?}", server.texts());
    assert_serves(&connection).await;
}

/// Schemas are read so: by questions that do not wait.
#[tokio::test]
async fn a_statement_may_say_how_long_it_waits() {
    let server = server().start().await.unwrap();
    server.on("SET LOCK_TIMEOUT 100; SELECT 1", Reply::done().and(one(TdsType::Int, 1)));
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    let rows = query(&connection, "SET LOCK_TIMEOUT 100; SELECT 1").await.unwrap();
    assert_eq!(rows[0].get::<i32>(0).ok(), Some(1));
}

/// The session itself waits for 7 s: nobody talks it into more.
#[tokio::test]
async fn a_statement_does_not_wait_for_longer_than_its_session() {
    let server = server().start().await.unwrap();
    server.on("SET LOCK_TIMEOUT 7000; SELECT 1", Reply::done().and(one(TdsType::Int, 1)));
    let connection = testkit::connect(guarded(&server)).await.unwrap();
    query(&connection, "SET LOCK_TIMEOUT 7000; SELECT 1").await.unwrap();
    for text in ["SET LOCK_TIMEOUT 7001; SELECT 1", "SET LOCK_TIMEOUT 10000; SELECT 1"] {
        let error = query(&connection, text).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{text}");
        assert!(error.to_string().contains("7000 ms at most"), "{error}");
    }
    assert!(!texts(&server).iter().any(|text| text.contains("7001") || text.contains("10000")), "{:?}", server.texts());
}

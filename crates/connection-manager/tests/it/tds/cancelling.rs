use testkit::tds::{Answer, Gate};

use super::*;

#[tokio::test]
async fn a_cancelled_query_leaves_the_pool_healthy() {
    let gate = Gate::new();
    let server = server().on("SELECT slow", one(TdsType::Int, 2).held_by(&gate)).start().await.unwrap();
    let connection = connect(&server).await;
    let task = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { query(&connection, "SELECT slow").await }
    });
    server.wait_until(LIMIT, |server| server.texts().contains(&"SELECT slow".to_owned())).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    // The answer to the cancelled query must never be taken for the next one's.
    gate.open();
    for _ in 0..3 {
        assert_serves(&connection).await;
    }
    assert_eq!(server.connections().accepted, 2, "the connection was not used again");
    assert_eq!(connection.stats().in_use, 0);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_leaves_the_pool_healthy() {
    let server = server().on("SELECT silent", Reply::silence()).start().await.unwrap();
    let connection = connect(&server).await;
    let context = RequestContext::system().within(Duration::from_millis(100));
    let outcome = connection.sql().unwrap().query(&statement("SELECT silent", []), &context).await;
    refused(outcome, &DatabaseErrorKind::Timeout);
    assert_serves(&connection).await;
    server.wait_until(LIMIT, |server| server.connections().open == 1).await.unwrap();
}

#[tokio::test]
async fn a_deadline_passes_in_the_middle_of_an_answer_as_well() {
    let rows = one(TdsType::NVarChar(testkit::tds::Length::Max), "x".repeat(20_000));
    let server = server().on("SELECT long", rows.silent_after(9000)).start().await.unwrap();
    let connection = connect(&server).await;
    let context = RequestContext::system().within(Duration::from_millis(100));
    let outcome = connection.sql().unwrap().query(&statement("SELECT long", []), &context).await;
    refused(outcome, &DatabaseErrorKind::Timeout);
    assert_serves(&connection).await;
}

#[tokio::test]
async fn a_full_pool_turns_callers_away() {
    let gate = Gate::new();
    let server = server().on("SELECT slow", Answer::once(one(TdsType::Int, 2).held_by(&gate))).start().await.unwrap();
    let pool = PoolSettings { acquire_timeout: Duration::from_secs(1), ..PoolSettings::sized(0, 1) };
    let connection = testkit::connect(settings(&server).with_pool(pool)).await.unwrap();
    let busy = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { query(&connection, "SELECT slow").await }
    });
    server.wait_until(LIMIT, |server| server.texts().contains(&"SELECT slow".to_owned())).await.unwrap();
    refused(query(&connection, "SELECT 1").await, &DatabaseErrorKind::Saturated);
    gate.open();
    assert_eq!(busy.await.unwrap().unwrap()[0].get::<i32>("value").unwrap(), 2);
    assert_serves(&connection).await;
    // Who waited had it asked whether the server is there, which is no login.
    assert_eq!(connection.stats().opened_total, 1);
}

#[tokio::test]
async fn a_graceful_close_lets_a_running_query_finish() {
    let gate = Gate::new();
    let server = server().on("SELECT slow", one(TdsType::Int, 2).held_by(&gate)).start().await.unwrap();
    let connection = connect(&server).await;
    let busy = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { query(&connection, "SELECT slow").await }
    });
    server.wait_until(LIMIT, |server| server.texts().contains(&"SELECT slow".to_owned())).await.unwrap();
    let closing = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { connection.close(LIMIT).await }
    });
    testkit::eventually(LIMIT, || !connection.is_connected()).await;
    gate.open();
    assert_eq!(busy.await.unwrap().unwrap().len(), 1);
    let report = closing.await.unwrap();
    assert_eq!((report.drained, report.cut), (1, 0));
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
}

#[tokio::test]
async fn a_close_cuts_what_outlives_its_grace() {
    let server = server().on("SELECT silent", Reply::silence()).start().await.unwrap();
    let connection = connect(&server).await;
    let busy = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { query(&connection, "SELECT silent").await }
    });
    server.wait_until(LIMIT, |server| server.texts().contains(&"SELECT silent".to_owned())).await.unwrap();
    let report = connection.close(Duration::from_millis(50)).await;
    assert_eq!((report.drained, report.cut), (0, 1));
    refused(busy.await.unwrap(), &DatabaseErrorKind::Closed);
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
}

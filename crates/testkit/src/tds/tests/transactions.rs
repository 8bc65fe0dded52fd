use super::*;

fn changing() -> TdsServerBuilder {
    server().on(Matcher::starts_with("INSERT"), Reply::changed(1))
}

fn committed(server: &TdsServer) -> Vec<String> {
    server.committed().into_iter().map(|statement| statement.text).collect()
}

#[tokio::test]
async fn a_change_is_permanent_at_once_or_with_its_transaction() {
    let server = changing().start().await.unwrap();
    let mut client = connect(&server).await;
    client.execute("INSERT 1", &[]).await.unwrap();
    client.begin_transaction().await.unwrap();
    client.execute("INSERT 2", &[]).await.unwrap();
    assert_eq!(number(&mut client, "SELECT @@TRANCOUNT").await, 1);
    assert_eq!(committed(&server), ["INSERT 1"]);
    client.commit_transaction().await.unwrap();
    assert_eq!(committed(&server), ["INSERT 1", "INSERT 2"]);
    assert_eq!(number(&mut client, "SELECT @@TRANCOUNT").await, 0);
}

#[tokio::test]
async fn a_rollback_undoes_by_request_and_by_text() {
    let server = changing().start().await.unwrap();
    let mut client = connect(&server).await;
    client.begin_transaction().await.unwrap();
    client.execute("INSERT 1", &[]).await.unwrap();
    client.rollback_transaction().await.unwrap();
    client.simple_query("BEGIN TRANSACTION").await.unwrap().into_results().await.unwrap();
    client.execute("INSERT 2", &[]).await.unwrap();
    client.simple_query("ROLLBACK").await.unwrap().into_results().await.unwrap();
    assert_eq!(committed(&server), [""; 0]);
}

#[tokio::test]
async fn a_lost_connection_takes_its_transaction_along() {
    let server = changing().start().await.unwrap();
    let mut client = connect(&server).await;
    client.begin_transaction().await.unwrap();
    client.execute("INSERT 1", &[]).await.unwrap();
    drop(client);
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
    assert_eq!(committed(&server), [""; 0]);
}

#[tokio::test]
async fn a_deadlock_ends_the_transaction() {
    let server = changing().on("UPDATE t", Reply::deadlock()).start().await.unwrap();
    let mut client = connect(&server).await;
    client.begin_transaction().await.unwrap();
    client.execute("INSERT 1", &[]).await.unwrap();
    assert!(client.execute("UPDATE t", &[]).await.unwrap_err().is_deadlock());
    assert_eq!(client.rollback_transaction().await.unwrap_err().code(), Some(3903));
    assert_eq!(client.commit_transaction().await.unwrap_err().code(), Some(3902));
    assert_eq!(committed(&server), [""; 0]);
}

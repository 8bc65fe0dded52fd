//! What only DynamoDB has, beside the contract.

use std::sync::Arc;
use std::time::Duration;

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::types::{AttributeValue, ScalarAttributeType};
use connection_manager::{ConnectionSettings, PasswordSource};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseErrorKind, Expiry};
use testkit::contract::refused;
use testkit::dynamodb::{shared, table, table_with_key};
use testkit::eventually;
use testkit::proxy::{Proxy, Traffic};

fn context() -> RequestContext {
    RequestContext::system().within(std::time::Duration::from_mins(1))
}

/// The cases of the network that need no login and no TLS: what plays DynamoDB lets everybody in, and has none.
mod network {
    testkit::contract_tests! {
        [testkit::contract::Target::dynamodb().await]
        an_unknown_host_is_unreachable
        a_refused_port_is_unreachable
        an_unreachable_server_is_given_up_in_time
        a_failed_build_is_shared_and_not_kept
        a_restarted_server_is_reached_again
        a_reset_in_mid_query_is_unreachable
        a_silent_server_is_given_up_at_the_deadline
    }
}

#[tokio::test]
async fn without_a_table_there_is_the_client_alone() {
    let connection = testkit::connect(shared()).await.unwrap();
    refused(connection.key_value().map(drop), &DatabaseErrorKind::Unsupported);
    refused(connection.sql().map(drop), &DatabaseErrorKind::Unsupported);
    let native = connection.native_as::<DynamoDbConnection>().unwrap();
    let tables = |client: connection_manager::dynamodb::driver_crate::Client| async move {
        Ok(client.list_tables().send().await.expect("an answer").table_names.unwrap_or_default())
    };
    native.with_client(tables, &context()).await.unwrap();
    assert!(connection.ping(&context()).await.is_ok());
}

#[tokio::test]
async fn a_table_with_another_key_keeps_no_values() {
    let connection = testkit::connect(table_with_key(ScalarAttributeType::S).await).await.unwrap();
    let error = refused(connection.key_value().unwrap().get(b"x", &context()).await, &DatabaseErrorKind::Misconfigured);
    assert!(error.to_string().contains("needs a partition key of type binary"), "{error}");
}

#[tokio::test]
async fn what_others_put_there_is_told_apart() {
    let connection = testkit::connect(table().await).await.unwrap();
    let native = connection.native_as::<DynamoDbConnection>().unwrap();
    let name = native.pool().name().clone();
    let table = native.table().expect("the settings name one").to_owned();
    let put = |client: connection_manager::dynamodb::driver_crate::Client| async move {
        let key = AttributeValue::B(b"theirs".to_vec().into());
        let request = client.put_item().table_name(table).item("key", key);
        request.item("value", AttributeValue::S("text".to_owned())).send().await.expect("put");
        Ok(())
    };
    native.with_client(put, &context()).await.unwrap();
    let values = connection.key_value().unwrap();
    let error = refused(values.get(b"theirs", &context()).await, &DatabaseErrorKind::Decode);
    assert_eq!(error.connection(), Some(&name));
    assert!(values.delete(b"theirs", &context()).await.unwrap());
    let error = refused(values.set(b"", b"x", Expiry::Never, &context()).await, &DatabaseErrorKind::Query);
    assert_eq!(error.code(), Some("ValidationException"));
    assert_eq!(connection.stats().opened_total, 1, "a refused request costs no session");
}

#[tokio::test]
async fn no_key_s_secret_is_told() {
    let secret = "wJalrXUtnFEMI-K7MDENG";
    let settings = shared().with_password(PasswordSource::Literal(secret.into()));
    let connection = testkit::connect(settings.clone()).await.unwrap();
    let native = connection.native_as::<DynamoDbConnection>().unwrap();
    let shown = format!("{settings:?} {connection:?} {:?}", native.pool().driver());
    assert!(!shown.contains(secret), "{shown}");
    let failing: ConnectionSettings = settings.with_database("no-such-table");
    let error = testkit::connect(failing).await.expect_err("no such table");
    assert!(!format!("{error:?}").contains(secret), "{error:?}");
}

#[expect(clippy::unwrap_used, reason = "a helper is part of a test's body, and what it unwraps is what it asserts")]
/// A table behind a proxy, with one session, whose calls have saved up repetitions.
async fn behind_a_proxy() -> (Proxy, Arc<dyn DatabaseConnection>) {
    let settings = table().await;
    let proxy = Proxy::start(format!("{}:{}", settings.host.clone().unwrap(), settings.port.unwrap())).await.unwrap();
    let settings = settings.with_host("127.0.0.1").with_port(proxy.port());
    let connection = testkit::connect(settings).await.unwrap();
    let values = connection.key_value().unwrap();
    values.set(b"wanted", b"found", Expiry::Never, &context()).await.unwrap();
    for _ in 0..20 {
        values.get(b"wanted", &context()).await.unwrap();
    }
    (proxy, connection)
}

#[tokio::test]
async fn a_read_whose_answer_was_lost_is_answered_all_the_same() {
    let (proxy, connection) = behind_a_proxy().await;
    proxy.set(Traffic::Mute).await;
    let asking = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { connection.key_value().unwrap().get(b"wanted", &context()).await }
    });
    eventually(Duration::from_mins(1), || connection.stats().in_use == 1).await;
    let before = proxy.accepted();
    proxy.set(Traffic::Reset).await;
    proxy.set(Traffic::Pass).await;
    assert_eq!(asking.await.unwrap().unwrap().as_deref(), Some(&b"found"[..]));
    assert!(proxy.accepted() > before, "it was sent again");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_not_sent_again() {
    let (proxy, connection) = behind_a_proxy().await;
    proxy.set(Traffic::Mute).await;
    let writing = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { connection.key_value().unwrap().set(b"other", b"written-3c9e", Expiry::Never, &context()).await }
    });
    // The value goes over in base64.
    eventually(Duration::from_mins(1), || proxy.has_heard(b"d3JpdHRlbi0zYzll")).await;
    let before = proxy.accepted();
    proxy.set(Traffic::Reset).await;
    proxy.set(Traffic::Pass).await;
    assert_eq!(*writing.await.unwrap().unwrap_err().kind(), DatabaseErrorKind::Unreachable);
    assert_eq!(proxy.accepted(), before);
}

#[tokio::test]
async fn what_could_not_be_sent_is_sent_again_whatever_it_does() {
    let (proxy, connection) = behind_a_proxy().await;
    // The session is lost, and so is the first attempt at another.
    proxy.set(Traffic::Reset).await;
    let values = connection.key_value().unwrap();
    values.get(b"wanted", &context()).await.unwrap_err();
    let before = proxy.accepted();
    let writing = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { connection.key_value().unwrap().set(b"other", b"x", Expiry::Never, &context()).await }
    });
    eventually(Duration::from_mins(1), || proxy.accepted() > before).await;
    proxy.set(Traffic::Pass).await;
    writing.await.unwrap().unwrap();
    assert_eq!(values.get(b"other", &context()).await.unwrap().as_deref(), Some(&b"x"[..]));
}

/// Whoever defines a connection from outside is offered what reads, through the capability and through the client.
#[tokio::test]
async fn for_those_outside_nothing_is_written() {
    let settings = table().await;
    let operator = testkit::connect(settings.clone()).await.unwrap();
    operator.key_value().unwrap().set(b"key", b"theirs", Expiry::Never, &context()).await.unwrap();
    let egress = connection_manager::egress::EgressConfig::open().egress([]);
    let connection = testkit::connect(settings.with_egress(egress)).await.unwrap();
    let values = connection.key_value().unwrap();
    assert_eq!(values.get(b"key", &context()).await.unwrap(), Some(b"theirs".to_vec()));
    assert_eq!(values.time_to_live(b"key", &context()).await.unwrap(), Some(Expiry::Never));
    for outcome in [
        values.set(b"key", b"ours", Expiry::Never, &context()).await,
        values.set_if_absent(b"new", b"ours", Expiry::Never, &context()).await.map(drop),
        values.compare_and_set(b"key", b"theirs", b"ours", Expiry::Never, &context()).await.map(drop),
        values.compare_and_delete(b"key", b"theirs", &context()).await.map(drop),
        values.delete(b"key", &context()).await.map(drop),
        values.increment(b"new", 1, Expiry::Never, &context()).await.map(drop),
    ] {
        let error = refused(outcome, &DatabaseErrorKind::ReadOnlyTarget);
        assert!(error.to_string().contains("is not sent"), "{error}");
    }
    let native = connection.native_as::<DynamoDbConnection>().unwrap();
    let name = native.table().unwrap().to_owned();
    let work = |client: connection_manager::dynamodb::driver_crate::Client| async move {
        let key = AttributeValue::B(b"key".to_vec().into());
        let put = client.put_item().table_name(&name).item("key", key.clone()).send().await;
        let statement = client.execute_statement().statement(format!("DELETE FROM \"{name}\"")).send().await;
        let removed = client.delete_table().table_name(&name).send().await;
        let scanned = client.scan().table_name(&name).send().await.expect("an answer").count;
        Ok((put.is_err(), statement.is_err(), removed.is_err(), scanned))
    };
    assert_eq!(native.with_client(work, &context()).await.unwrap(), (true, true, true, 1));
    assert_eq!(operator.key_value().unwrap().get(b"key", &context()).await.unwrap(), Some(b"theirs".to_vec()));
}

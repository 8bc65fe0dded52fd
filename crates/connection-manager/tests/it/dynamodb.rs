//! What only DynamoDB has, beside the contract.

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::types::{AttributeValue, ScalarAttributeType};
use connection_manager::{ConnectionSettings, PasswordSource};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseErrorKind, Expiry};
use testkit::contract::refused;
use testkit::dynamodb::{shared, table, table_with_key};

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

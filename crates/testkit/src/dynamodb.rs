//! Tables of DynamoDB for tests, on whatever plays it.

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use url::Url;

use crate::connect;
use crate::server::environment;

const VARIABLE: &str = "BINDERY_TEST_DYNAMODB_URL";

/// The way to the DynamoDB that tests share, without a table. Any credentials are right.
///
/// # Panics
/// When the environment names none: a test that cannot run fails, it is not passed over.
pub fn shared() -> ConnectionSettings {
    let Some(url) = environment(VARIABLE) else {
        panic!("{VARIABLE} is not set, so there is no dynamodb to test on; run it through `cargo xtask test`");
    };
    let url = match Url::parse(&url) {
        Ok(url) => url,
        Err(error) => panic!("{VARIABLE} holds no URL: {error}"),
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        panic!("{VARIABLE} names no host")
    };
    let tls = if url.scheme() == "https" { TlsSettings::default() } else { TlsSettings::disabled() };
    ConnectionSettings::new(Engine::DYNAMODB)
        .with_host(host)
        .with_port(port)
        .with_tls(tls)
        .with_username("AKIATESTKIT")
        .with_password(PasswordSource::Literal("testkit".into()))
        .with_option("region", "eu-central-1")
        .with_pool(PoolSettings::sized(0, 8))
}

/// Makes a table for values that no other test uses, and returns the way to it.
///
/// # Panics
/// When there is no DynamoDB, or it refuses.
pub async fn table() -> ConnectionSettings {
    table_with_key(ScalarAttributeType::B).await
}

/// The same with another type of its key.
///
/// # Panics
/// As [`table`].
pub async fn table_with_key(kind: ScalarAttributeType) -> ConnectionSettings {
    let name = format!("values-{}", SystemIdGenerator.next());
    if let Err(error) = create(&name, kind).await {
        panic!("dynamodb: cannot create the table {name}: {error:?}");
    }
    shared().with_database(name)
}

async fn create(name: &str, kind: ScalarAttributeType) -> Result<(), DatabaseError> {
    let refused = |cause: &dyn std::error::Error| DatabaseError::new(DatabaseErrorKind::Query, cause.to_string());
    let key = KeySchemaElement::builder().attribute_name("key").key_type(KeyType::Hash).build();
    let attribute = AttributeDefinition::builder().attribute_name("key").attribute_type(kind).build();
    let (key, attribute) = (key.map_err(|cause| refused(&cause))?, attribute.map_err(|cause| refused(&cause))?);
    let connection = connect(shared()).await?;
    let Some(native) = connection.native_as::<DynamoDbConnection>() else {
        return Err(DatabaseError::new(DatabaseErrorKind::Unsupported, "the connection is not one to DynamoDB"));
    };
    let work = |client: connection_manager::dynamodb::driver_crate::Client| async move {
        let request = client.create_table().table_name(name).key_schema(key).attribute_definitions(attribute);
        let answer = request.billing_mode(BillingMode::PayPerRequest).send().await;
        answer.map(drop).map_err(|cause| refused(&cause))
    };
    native.with_client(work, &RequestContext::system()).await
}

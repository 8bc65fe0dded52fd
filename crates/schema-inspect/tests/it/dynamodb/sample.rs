use std::collections::HashMap;
use std::time::Duration;

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::Client;
use connection_manager::dynamodb::driver_crate::primitives::Blob;
use connection_manager::dynamodb::driver_crate::types::{
    AttributeDefinition, AttributeValue, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
    Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use shared_kernel::database::{DatabaseConnection, DatabaseError};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::dynamodb::shared;

use super::Sample;

/// Stands in every value of every item: nobody may see it.
pub(super) const VALUE: &str = "hush-hush";

pub(super) async fn send<T, F>(connection: &dyn DatabaseConnection, work: impl FnOnce(Client) -> F + Send) -> T
where
    T: Send,
    F: Future<Output = T> + Send,
{
    let native = connection.native_as::<DynamoDbConnection>().expect("the native handle");
    let work = |client| {
        let work = work(client);
        async move { Ok::<T, DatabaseError>(work.await) }
    };
    native.with_client(work, &RequestContext::system()).await.expect("it is done")
}

/// Makes a table that has everything that a table can have here, and gives its name.
pub(super) async fn create() -> String {
    let name = format!("orders.{}", SystemIdGenerator.next().simple());
    let owner = testkit::connect(shared()).await.expect("connected");
    let table = name.clone();
    send(&*owner, |client| async move { make(&client, &table).await }).await;
    name
}

pub(super) async fn put(sample: &Sample, item: HashMap<String, AttributeValue>) {
    let table = sample.name.clone();
    send(&*sample.connection, |client| async move {
        client.put_item().table_name(table).set_item(Some(item)).send().await.expect("put");
    })
    .await;
}

pub(super) async fn remove(sample: &Sample) {
    let table = sample.name.clone();
    send(&*sample.connection, |client| async move {
        client.delete_table().table_name(table).send().await.expect("deleted");
    })
    .await;
}

fn key(partition: &str, sort: Option<&str>) -> Vec<KeySchemaElement> {
    let part =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
    std::iter::once(part(partition, KeyType::Hash)).chain(sort.map(|name| part(name, KeyType::Range))).collect()
}

pub(super) fn bought(reads: i64, writes: i64) -> ProvisionedThroughput {
    let built = ProvisionedThroughput::builder().read_capacity_units(reads).write_capacity_units(writes).build();
    built.expect("throughput")
}

fn attributes() -> Vec<AttributeDefinition> {
    let attributes = [
        ("customer", ScalarAttributeType::S),
        ("at", ScalarAttributeType::N),
        ("state", ScalarAttributeType::S),
        ("code", ScalarAttributeType::B),
    ];
    let attributes = attributes.into_iter().map(|(name, kind)| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute")
    });
    attributes.collect()
}

fn projection(kind: ProjectionType) -> Projection {
    let chosen = (kind == ProjectionType::Include).then(|| vec!["total".to_owned(), "note".to_owned()]);
    Projection::builder().projection_type(kind).set_non_key_attributes(chosen).build()
}

fn global(
    name: &str,
    schema: Vec<KeySchemaElement>,
    kind: ProjectionType,
    bought: ProvisionedThroughput,
) -> GlobalSecondaryIndex {
    let index = GlobalSecondaryIndex::builder().index_name(name).projection(projection(kind));
    index.set_key_schema(Some(schema)).provisioned_throughput(bought).build().expect("an index")
}

async fn make(client: &Client, table: &str) {
    let local = LocalSecondaryIndex::builder().index_name("by-code").projection(projection(ProjectionType::KeysOnly));
    let local = local.set_key_schema(Some(key("customer", Some("code")))).build().expect("an index");
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    let request = client
        .create_table()
        .table_name(table)
        .set_key_schema(Some(key("customer", Some("at"))))
        .set_attribute_definitions(Some(attributes()))
        .local_secondary_indexes(local)
        .global_secondary_indexes(global("by.state", key("state", None), ProjectionType::Include, bought(2, 3)))
        .global_secondary_indexes(global("all_states", key("state", Some("at")), ProjectionType::All, bought(4, 5)))
        .provisioned_throughput(bought(6, 7))
        .stream_specification(stream.build().expect("a stream"));
    request.send().await.expect("created");
    testkit::eventually_some(Duration::from_secs(30), || async {
        let told = client.describe_table().table_name(table).send().await.ok()?.table?;
        told.table_status().filter(|status| status.as_str() == "ACTIVE").cloned()
    })
    .await;
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("until").build().expect("a time");
    client.update_time_to_live().table_name(table).time_to_live_specification(expiry).send().await.expect("changed");
}

pub(super) fn map<const N: usize>(fields: [(&str, AttributeValue); N]) -> AttributeValue {
    AttributeValue::M(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// One of eight, of which half have a state and a code, and three a total.
pub(super) fn order(number: i32) -> HashMap<String, AttributeValue> {
    let text = |what: &str| AttributeValue::S(format!("{VALUE} {what} {number}"));
    let count = |number: i32| AttributeValue::N(number.to_string());
    let point = map([("point", map([("x", count(1))]))]);
    let day = format!("2024-01-{:02}", number + 1);
    let mut order = HashMap::from([
        ("customer".to_owned(), text("customer")),
        ("at".to_owned(), count(number)),
        ("total".to_owned(), if number < 3 { count(number) } else { AttributeValue::Null(true) }),
        ("tags".to_owned(), AttributeValue::Ss(vec![format!("{VALUE} tag")])),
        ("lines".to_owned(), AttributeValue::L(vec![map([("count", count(1))]), text("line")])),
        ("address".to_owned(), map([("town", text("town")), ("geo", point)])),
        ("days".to_owned(), map([(day.as_str(), AttributeValue::Bool(true))])),
    ]);
    if number % 2 == 0 {
        order.insert("state".to_owned(), text("state"));
        order.insert("code".to_owned(), AttributeValue::B(Blob::new(vec![1])));
    }
    order
}

//! Tables of DynamoDB, on what plays it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::Client;
use connection_manager::dynamodb::driver_crate::primitives::Blob;
use connection_manager::dynamodb::driver_crate::types::{
    AttributeDefinition, AttributeValue, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
    Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use connection_manager::egress::EgressConfig;
use schema_diff::compare;
use schema_inspect::{InspectOptions, Inspectors, SamplingOptions};
use schema_model::{Inspection, ObjectName, SampleLimit, SampleMethod};
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::dynamodb::shared;

/// Stands in every value of every item: nobody may see it.
const VALUE: &str = "hush-hush";

/// A table with the sample in it. It stays until [`Sample::remove`].
struct Sample {
    connection: Arc<dyn DatabaseConnection>,
    name: String,
}

async fn send<T, F>(connection: &dyn DatabaseConnection, work: impl FnOnce(Client) -> F + Send) -> T
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

async fn inspect(connection: &dyn DatabaseConnection, options: &InspectOptions) -> Inspection {
    Inspectors::builtin().inspect(connection, options, &RequestContext::system()).await.expect("it is inspected")
}

impl Sample {
    async fn new() -> Self {
        let name = format!("orders.{}", SystemIdGenerator.next().simple());
        let owner = testkit::connect(shared()).await.expect("connected");
        let table = name.clone();
        send(&*owner, |client| async move { create(&client, &table).await }).await;
        let connection = testkit::connect(shared().with_database(&name)).await.expect("connected");
        let sample = Self { connection, name };
        for number in 0..8 {
            sample.put(order(number)).await;
        }
        sample
    }

    async fn put(&self, item: HashMap<String, AttributeValue>) {
        let table = self.name.clone();
        send(&*self.connection, |client| async move {
            client.put_item().table_name(table).set_item(Some(item)).send().await.expect("put");
        })
        .await;
    }

    async fn remove(self) {
        let table = self.name.clone();
        send(&*self.connection, |client| async move {
            client.delete_table().table_name(table).send().await.expect("deleted");
        })
        .await;
    }

    fn plain(&self, text: &str) -> String {
        text.replace(&self.name, "orders")
    }
}

fn key(partition: &str, sort: Option<&str>) -> Vec<KeySchemaElement> {
    let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
    std::iter::once(part(partition, KeyType::Hash)).chain(sort.map(|name| part(name, KeyType::Range))).collect()
}

fn bought(reads: i64, writes: i64) -> ProvisionedThroughput {
    let built = ProvisionedThroughput::builder().read_capacity_units(reads).write_capacity_units(writes).build();
    built.expect("throughput")
}

async fn create(client: &Client, table: &str) {
    let attributes = [
        ("customer", ScalarAttributeType::S),
        ("at", ScalarAttributeType::N),
        ("state", ScalarAttributeType::S),
        ("code", ScalarAttributeType::B),
    ];
    let attributes = attributes.into_iter().map(|(name, kind)| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute")
    });
    let some = Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("total");
    let some = some.non_key_attributes("note").build();
    let keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let local = LocalSecondaryIndex::builder().index_name("by-code").projection(keys);
    let local = local.set_key_schema(Some(key("customer", Some("code")))).build().expect("an index");
    let global = |name: &str, schema, projection, throughput| {
        let index = GlobalSecondaryIndex::builder().index_name(name).projection(projection);
        index.set_key_schema(Some(schema)).provisioned_throughput(throughput).build().expect("an index")
    };
    let request = client
        .create_table()
        .table_name(table)
        .set_key_schema(Some(key("customer", Some("at"))))
        .set_attribute_definitions(Some(attributes.collect()))
        .local_secondary_indexes(local)
        .global_secondary_indexes(global("by.state", key("state", None), some, bought(2, 3)))
        .global_secondary_indexes(global("all_by_state", key("state", Some("at")), all, bought(4, 5)))
        .provisioned_throughput(bought(6, 7))
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .expect("a stream"),
        );
    request.send().await.expect("created");
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("until").build().expect("a time");
    testkit::eventually_some(Duration::from_secs(30), || async {
        let told = client.describe_table().table_name(table).send().await.ok()?.table?;
        told.table_status().filter(|status| status.as_str() == "ACTIVE").cloned()
    })
    .await;
    client.update_time_to_live().table_name(table).time_to_live_specification(expiry).send().await.expect("changed");
}

fn order(number: i32) -> HashMap<String, AttributeValue> {
    let text = |what: &str| AttributeValue::S(format!("{VALUE} {what} {number}"));
    let count = |number: i32| AttributeValue::N(number.to_string());
    let mut order = HashMap::from([
        ("customer".to_owned(), text("customer")),
        ("at".to_owned(), count(number)),
        ("total".to_owned(), if number < 3 { count(number) } else { AttributeValue::Null(true) }),
        ("tags".to_owned(), AttributeValue::Ss(vec![format!("{VALUE} tag")])),
        (
            "lines".to_owned(),
            AttributeValue::L(vec![AttributeValue::M(HashMap::from([("count".to_owned(), count(1))])), text("line")]),
        ),
        (
            "address".to_owned(),
            AttributeValue::M(HashMap::from([
                ("town".to_owned(), text("town")),
                ("geo".to_owned(), AttributeValue::M(HashMap::from([(
                    "point".to_owned(),
                    AttributeValue::M(HashMap::from([("x".to_owned(), count(1))])),
                )]))),
            ])),
        ),
        (
            "days".to_owned(),
            AttributeValue::M(HashMap::from([(format!("2024-01-{:02}", number + 1), AttributeValue::Bool(true))])),
        ),
    ]);
    if number % 2 == 0 {
        order.insert("state".to_owned(), text("state"));
        order.insert("code".to_owned(), AttributeValue::B(Blob::new(vec![1])));
    }
    order
}

#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = inspect(&*sample.connection, &InspectOptions::default()).await;
        let model = sample.plain(&serde_json::to_string_pretty(&found.database).expect("JSON"));
        let samples = sample.plain(&serde_json::to_string_pretty(&found.samples).expect("JSON"));
        sample.remove().await;
        assert_eq!(found.report.gaps, []);
        assert_eq!(found.report.statements, 4);
        assert_eq!((found.samples[0].method, found.samples[0].documents), (SampleMethod::First, 8));
        for value in [VALUE, "2024-01"] {
            assert!(!samples.contains(value) && !model.contains(value), "{value}: {samples}");
        }
        insta::assert_snapshot!("model", model);
        insta::assert_snapshot!("samples", samples);
    });
}

#[test]
fn items_come_and_go_and_the_fingerprint_stays() {
    testkit::run(async {
        let sample = Sample::new().await;
        let before = inspect(&*sample.connection, &InspectOptions::default()).await;
        sample.put(order(20)).await;
        let after = inspect(&*sample.connection, &InspectOptions::default()).await;
        let table = sample.name.clone();
        send(&*sample.connection, |client| async move {
            let changed = client.update_table().table_name(table).provisioned_throughput(bought(8, 9)).send().await;
            changed.expect("changed");
        })
        .await;
        let changed = inspect(&*sample.connection, &InspectOptions::default()).await;
        let lines: Vec<String> =
            compare(&before, &changed).changes.iter().map(|change| sample.plain(&change.to_string())).collect();
        sample.remove().await;
        assert_eq!(before.database.fingerprint(), after.database.fingerprint());
        assert_eq!(after.samples[0].documents, 9);
        assert_eq!(
            lines,
            [
                "compatible: changed collection default.orders native.read_capacity_units",
                "compatible: changed collection default.orders native.write_capacity_units",
            ]
        );
    });
}

/// Such a connection sends no operation but those that read.
#[test]
fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other() {
    testkit::run(async {
        let sample = Sample::new().await;
        let settings = shared().with_database(&sample.name).with_egress(EgressConfig::open().egress([]));
        let guarded = testkit::connect(settings).await.expect("connected");
        let found = inspect(&*guarded, &InspectOptions::default()).await;
        let other = inspect(&*sample.connection, &InspectOptions::default()).await;
        let native = guarded.native_as::<DynamoDbConnection>().expect("the native handle");
        let table = sample.name.clone();
        let work = |client: Client| async move {
            let deleted = client.delete_table().table_name(table).send().await;
            deleted.map(drop).map_err(|error| DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, error.to_string()))
        };
        let deleted = native.with_client(work, &RequestContext::system()).await;
        sample.remove().await;
        assert_eq!((found.database, found.samples), (other.database, other.samples));
        assert!(deleted.is_err(), "it is still there");
    });
}

#[test]
fn without_a_table_all_are_looked_at() {
    testkit::run(async {
        let sample = Sample::new().await;
        let connection = testkit::connect(shared()).await.expect("connected");
        let sampling = SamplingOptions { collections: 10_000, documents: 1, depth: 1, ..SamplingOptions::default() };
        let all = inspect(&*connection, &InspectOptions { sampling, ..InspectOptions::default() }).await;
        let none = SamplingOptions { collections: 0, ..SamplingOptions::default() };
        let none = inspect(&*connection, &InspectOptions { sampling: none, ..InspectOptions::default() }).await;
        let elsewhere = inspect(&*connection, &InspectOptions::default().only(["elsewhere"])).await;
        let name = ObjectName::new("default", &sample.name);
        sample.remove().await;
        assert_eq!(all.database.name, "default");
        assert_eq!(all.database.collection(&name).expect("the table").indexes.len(), 3);
        let seen = all.samples.iter().find(|sample| sample.collection == name).expect("a sample");
        assert_eq!((seen.documents, seen.limits.as_slice()), (1, &[SampleLimit::Depth][..]));
        assert_eq!(none.database.collection(&name).expect("its name").indexes, []);
        assert!(none.report.gaps.iter().any(|gap| gap.object.as_ref() == Some(&name)), "{:?}", none.report.gaps);
        assert_eq!(elsewhere.database.collections().count(), 0);
    });
}

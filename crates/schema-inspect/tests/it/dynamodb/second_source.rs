//! Facts are compared with what a client that is not ours is told: boto3.

use std::path::Path;

use connection_manager::PasswordSource;
use schema_inspect::InspectOptions;
use schema_model::{Collection, Inspection, PartTarget};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value as Json, json};
use testkit::dynamodb::shared;

use super::Sample;

#[test]
fn a_table_is_told_as_boto3_tells_it() {
    testkit::run(async {
        let sample = Sample::new().await;
        let plain = testkit::dynamodb::table().await;
        let plain = Sample {
            name: plain.database.clone().expect("a table"),
            connection: testkit::connect(plain).await.expect("connected"),
        };
        for sample in [sample, plain] {
            let found = sample.inspect(&InspectOptions::default()).await;
            let (ours, theirs) = (told(&sample, &found), asked(&sample.name).await);
            sample.remove().await;
            assert_eq!(ours, theirs);
        }
    });
}

async fn asked(table: &str) -> Json {
    let settings = shared();
    let PasswordSource::Literal(password) = &settings.password else { panic!("it has one") };
    let (host, port) = (settings.host.clone().expect("a host"), settings.port.expect("a port"));
    let request = json!({
        "endpoint": format!("http://{host}:{port}"), "region": settings.options["region"],
        "username": settings.username, "password": password.expose_secret(), "table": table,
    });
    testkit::ask_python(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/describe_dynamodb.py"), &request).await
}

/// A table in their words.
fn told(sample: &Sample, found: &Inspection) -> Json {
    let table: &Collection = sample.collection(found);
    let bought =
        |native: &schema_model::Native| json!([native.get("read_capacity_units"), native.get("write_capacity_units")]);
    let attributes: Map<String, Json> =
        table.fields.iter().map(|field| (field.name.clone(), field.types[0].clone().into())).collect();
    let indexes = table.indexes.iter().map(|index| {
        let key = index.parts.iter().map(|part| match &part.target {
            PartTarget::Column(name) => name.clone(),
            PartTarget::Expression(_) => panic!("an index is on attributes"),
        });
        let told = json!({
            "method": index.method, "key": key.collect::<Vec<_>>(), "projection": index.native["projection"],
            "include": index.include, "bought": bought(&index.native),
        });
        (index.name.clone(), told)
    });
    let types = found.samples[0].fields.iter().map(|field| {
        let counts = field.values.types.iter().map(|seen| (seen.name.clone(), seen.count.into()));
        (field.name.clone(), Json::Object(counts.collect()))
    });
    json!({
        "key": table.key,
        "attributes": attributes,
        "indexes": indexes.collect::<Map<_, _>>(),
        "bought": bought(&table.native),
        "billing": table.native["billing_mode"],
        "class": table.native["table_class"],
        "stream": table.native.get("stream_view_type"),
        "protected": table.native.contains_key("deletion_protection"),
        "until": table.native.get("time_to_live"),
        "items": found.statistics[0].rows,
        "bytes": found.statistics[0].bytes,
        "types": types.collect::<Map<_, _>>(),
    })
}

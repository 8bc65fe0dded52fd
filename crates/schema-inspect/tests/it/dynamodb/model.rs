use std::time::Duration;

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::Client;
use connection_manager::egress::EgressConfig;
use schema_diff::compare;
use schema_export::Exporters;
use schema_inspect::{InspectOptions, SamplingOptions};
use schema_model::{Database, SampleLimit, SampleMethod, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use testkit::dynamodb::shared;

use super::sample::{VALUE, bought, order, put, send};
use super::{Sample, gap, inspect, object, options};

#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let model = sample.plain(&serde_json::to_string_pretty(&found.database).expect("JSON"));
        let samples = sample.plain(&serde_json::to_string_pretty(&found.samples).expect("JSON"));
        let json = found.database.canonical_json();
        assert_eq!(serde_json::from_str::<Database>(&json).expect("a model"), found.database);
        sample.remove().await;
        assert_eq!(found.report.gaps, []);
        assert_eq!((found.samples[0].method, found.samples[0].documents), (SampleMethod::First, 8));
        assert_eq!(found.statistics[0].rows, Some(8));
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
        let before = sample.inspect(&InspectOptions::default()).await;
        put(&sample, order(20)).await;
        let after = sample.inspect(&InspectOptions::default()).await;
        let table = sample.name.clone();
        send(&*sample.connection, |client| async move {
            let changed = client.update_table().table_name(table).provisioned_throughput(bought(8, 9)).send().await;
            changed.expect("changed");
        })
        .await;
        let changed = sample.inspect(&InspectOptions::default()).await;
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
        let other = sample.inspect(&InspectOptions::default()).await;
        let native = guarded.native_as::<DynamoDbConnection>().expect("the native handle");
        let table = sample.name.clone();
        let work = |client: Client| async move {
            let deleted = client.delete_table().table_name(table).send().await;
            deleted.map(drop).map_err(|error| DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, error.to_string()))
        };
        let deleted = native.with_client(work, &RequestContext::system()).await;
        sample.remove().await;
        assert_eq!((found.database, found.samples), (other.database, other.samples));
        assert_eq!(found.report.gaps, []);
        assert!(deleted.is_err(), "it is still there");
    });
}

#[test]
fn without_a_table_all_are_looked_at() {
    testkit::run(async {
        let sample = Sample::new().await;
        let connection = testkit::connect(shared()).await.expect("connected");
        // Other tests have tables on the same server.
        let patience = Duration::from_mins(5);
        let many = SamplingOptions { collections: 10_000, documents: 1, depth: 1, patience, ..<_>::default() };
        let all = inspect(&*connection, &options(many)).await;
        let none = SamplingOptions { collections: 0, ..SamplingOptions::default() };
        let none = inspect(&*connection, &options(none)).await;
        let elsewhere = inspect(&*connection, &InspectOptions::default().only(["elsewhere"])).await;
        let name = object(&sample.name);
        let beyond = gap(Some(&sample.name), "description", Unavailable::OverLimit);
        assert_eq!(all.database.name, "default");
        assert_eq!(sample.collection(&all).indexes.len(), 3);
        assert_eq!(sample.collection(&none).indexes, []);
        sample.remove().await;
        let seen = all.samples.iter().find(|sample| sample.collection == name).expect("a sample");
        assert_eq!((seen.documents, seen.limits.as_slice()), (1, &[SampleLimit::Depth][..]));
        assert!(none.report.gaps.contains(&beyond), "{:?}", none.report.gaps);
        assert_eq!((elsewhere.database.namespaces, elsewhere.report.gaps), (vec![], vec![]));
    });
}

/// Where a format knows tables of rows alone, it says what it leaves out.
#[test]
fn formats_tell_a_table_or_that_they_do_not() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await.database;
        let exporters = Exporters::builtin();
        let markdown = sample.plain(&exporters.export("markdown", &found).expect("it is written").text);
        sample.remove().await;
        for line in
            ["### orders\n\nTable of items\n\nKey: ", "| customer | `S` | yes |  |", "| by.state | global | state "]
        {
            assert!(markdown.contains(line), "{line}: {markdown}");
        }
        assert_eq!(exporters.export("json", &found).expect("it is written").text, found.canonical_json());
        for picture in ["mermaid", "plantuml", "dot", "dbml", "svg"] {
            let omissions = exporters.export(picture, &found).expect("it is written").omissions;
            assert_eq!(omissions.len(), 1, "{picture}");
        }
        assert!(exporters.export("sql", &found).is_err(), "it speaks no SQL");
    });
}

use connection_manager::egress::EgressConfig;
use connection_manager::mongodb::driver_crate::bson::doc;
use schema_diff::{Verdict, compare};
use schema_export::Exporters;
use schema_inspect::InspectOptions;
use schema_model::{Database, Inspection, Reading, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{Collection, DatabaseErrorKind, Document};
use testkit::mongodb::run;

use super::sample::{ODD, VALUE};
use super::{Sample, inspect};

/// What differs from one run to the next is called otherwise.
fn plain(sample: &Sample, text: &str) -> String {
    text.replace(&sample.name, "shop")
}

#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let mut database = found.database.clone();
        "[version]".clone_into(&mut database.version);
        let model = plain(&sample, &serde_json::to_string_pretty(&database).expect("JSON"));
        let samples = plain(&sample, &serde_json::to_string_pretty(&found.samples).expect("JSON"));
        sample.remove().await;
        assert_eq!(found.report.gaps, []);
        assert_eq!(found.report.choice, None);
        insta::assert_snapshot!("model", model);
        insta::assert_snapshot!("samples", samples);
    });
}

#[test]
fn no_value_is_told_nor_a_key_that_is_one() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let told = serde_json::to_string(&(&found.database, &found.samples, &found.report.gaps)).expect("JSON");
        sample.remove().await;
        for value in [VALUE, "2024-01", "15000", "Point"] {
            assert!(!told.contains(value), "{value}: {told}");
        }
    });
}

#[test]
fn documents_come_and_go_and_the_fingerprint_stays() {
    testkit::run(async {
        let sample = Sample::new().await;
        let before = sample.inspect(&InspectOptions::default()).await;
        let insert = doc! { "insert": "rules", "documents": [{ "amount": 1, "unheard of": true }] };
        run(&*sample.connection, &sample.name, insert).await.expect("written");
        let written = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(written.database.fingerprint(), before.database.fingerprint());
        assert_ne!(sample.sample(&written, "rules"), sample.sample(&before, "rules"));
        assert_eq!(compare(&before, &written).verdict, Verdict::Equal);
        let rows = |found: &Inspection| {
            let name = sample.object("rules");
            found.statistics.iter().find(|statistics| statistics.relation == name).and_then(|found| found.rows)
        };
        assert_eq!((rows(&before), rows(&written)), (Some(0), Some(1)));

        let index = doc! { "createIndexes": "rules", "indexes": [{ "name": "amounts", "key": { "amount": 1 }, "unique": true }] };
        run(&*sample.connection, &sample.name, index).await.expect("made");
        run(&*sample.connection, &sample.name, doc! { "drop": "empty" }).await.expect("dropped");
        let validator = doc! { "collMod": "goods", "validator": { "title": { "$exists": true } } };
        run(&*sample.connection, &sample.name, validator).await.expect("changed");
        let changed = sample.inspect(&InspectOptions::default()).await;
        assert_ne!(changed.database.fingerprint(), before.database.fingerprint());
        let diff = compare(&before, &changed);
        let lines: Vec<String> = diff.changes.iter().map(|change| plain(&sample, &change.to_string())).collect();
        let json = before.database.canonical_json();
        assert_eq!(serde_json::from_str::<Database>(&json).expect("a model"), before.database);
        sample.remove().await;
        assert_eq!(
            lines,
            [
                "breaking: removed collection shop.empty",
                "breaking: changed collection shop.goods validator",
                "breaking: added index shop.rules.amounts",
            ]
        );
    });
}

/// Such a connection sends nothing that writes, and its server's answers go through a relay.
#[test]
fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other() {
    testkit::run(async {
        let sample = Sample::new().await;
        let settings = testkit::mongodb::shared().with_database(&sample.name);
        let guarded = testkit::connect(settings.with_egress(EgressConfig::open().egress([]))).await.expect("connected");
        let found = inspect(&*guarded, &InspectOptions::default()).await;
        let other = sample.inspect(&InspectOptions::default()).await;
        let collection = Collection::try_new(&sample.name, "goods").expect("a name");
        let documents = guarded.documents().expect("documents");
        let written = documents.insert_one(&collection, &Document::new(), &RequestContext::system()).await;
        let out = [Document::new().with("$out", "stolen")];
        let bounds = shared_kernel::database::Bounds::documents(1);
        let piped = documents.aggregate(&collection, &out, bounds, &RequestContext::system()).await;
        sample.remove().await;
        assert_eq!(found.database, other.database);
        assert_eq!((found.samples, found.report.gaps), (other.samples, other.report.gaps));
        assert_eq!(written.map_err(|error| error.kind().clone()), Err(DatabaseErrorKind::ReadOnlyTarget));
        assert_eq!(piped.map_err(|error| error.kind().clone()), Err(DatabaseErrorKind::Unsupported));
    });
}

#[test]
fn only_the_databases_that_were_asked_for_are_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let names = async |asked: &[&str]| {
            let options = InspectOptions::default().only(asked.iter().copied());
            let found = sample.inspect(&options).await;
            assert_eq!(found.report.gaps, []);
            let names: Vec<String> = found.database.namespaces.into_iter().map(|namespace| namespace.name).collect();
            names
        };
        let upper = sample.name.to_uppercase();
        let told = [
            names(&[&sample.name, "not there", "a.b", "", "admin", "it's\0"]).await,
            names(&[&upper]).await,
            names(&[]).await,
        ];
        let name = sample.name.clone();
        sample.remove().await;
        assert_eq!(told, [vec![name], vec![], vec![]]);
    });
}

#[test]
fn what_is_too_long_is_marked() {
    testkit::run(async {
        let sample = Sample::new().await;
        let options = InspectOptions { longest_definition: 20, ..InspectOptions::default() };
        let found = sample.inspect(&options).await;
        let validator = sample.collection(&found, "goods").validator.as_ref().expect("a validator").expression.clone();
        let parts: Vec<(String, String)> = found
            .report
            .gaps
            .iter()
            .filter_map(|gap| Some((gap.object.as_ref()?.name.clone(), gap.part.clone())))
            .collect();
        sample.remove().await;
        assert_eq!(validator, Reading::unavailable(Unavailable::TooLong));
        let parts: Vec<(&str, &str)> = parts.iter().map(|(name, part)| (name.as_str(), part.as_str())).collect();
        assert_eq!(
            parts,
            [("cheap", "definition"), ("goods", "indexes"), ("goods", "validator"), ("rules", "validator")]
        );
    });
}

#[test]
fn the_dictionary_has_collections_and_pictures_say_that_they_have_none() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await.database;
        let collections = found.collections().count();
        sample.remove().await;
        let exporters = Exporters::builtin();
        let markdown = exporters.export("markdown", &found).expect("it is written").text;
        for line in
            ["### goods\n\nCollection\n", "| title | `string` | yes | what it is called |", "### cheap\n\nView\n"]
        {
            assert!(markdown.contains(line), "{line}: {markdown}");
        }
        assert_eq!(exporters.export("json", &found).expect("it is written").text, found.canonical_json());
        for picture in ["mermaid", "plantuml", "dot", "dbml", "svg"] {
            let omissions = exporters.export(picture, &found).expect("it is written").omissions;
            assert_eq!(omissions.len(), collections, "{picture}");
        }
        assert!(exporters.export("sql", &found).is_err(), "it speaks no SQL");
        assert!(markdown.contains("o.d\\\"d"), "{ODD}: {markdown}");
    });
}

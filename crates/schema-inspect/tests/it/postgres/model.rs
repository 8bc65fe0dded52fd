use connection_manager::egress::EgressConfig;
use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Database, ObjectName, Reading};
use shared_kernel::RequestContext;

use super::{Sample, relation};

#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let found = sample.inspect(&InspectOptions::default()).await;
        let mut database = found.database;
        "sample".clone_into(&mut database.name);
        // What differs from server to server.
        "[version]".clone_into(&mut database.version);
        database.collation = None;
        let owner = database.namespaces[0].owner.clone().expect("an owner");
        let mut text = serde_json::to_string_pretty(&database).expect("JSON");
        for key in ["owner", "grantor", "grantee"] {
            text = text.replace(&format!("\"{key}\": \"{owner}\""), &format!("\"{key}\": \"[owner]\""));
        }
        insta::assert_snapshot!(text);
        assert_eq!(found.report.gaps, []);
    });
}

#[test]
fn the_same_shape_has_the_same_fingerprint_and_comes_back_from_json() {
    testkit::run(async {
        let (one, other) = (Sample::new().await, Sample::new().await);
        // Numbers of dropped columns and of objects differ from here on; what is told does not.
        other.run("ALTER TABLE shop.makers ADD COLUMN gone integer; ALTER TABLE shop.makers DROP COLUMN gone").await;
        other.run("INSERT INTO shop.makers VALUES ('de', 1, 'one'); ANALYZE shop.makers").await;
        let one = one.inspect(&InspectOptions::default()).await;
        let mut other = other.inspect(&InspectOptions::default()).await;
        assert_ne!(one.statistics, other.statistics);
        other.database.name.clone_from(&one.database.name);
        assert_eq!(one.database.fingerprint(), other.database.fingerprint());
        let back: Database = serde_json::from_str(&one.database.canonical_json()).expect("JSON of a model");
        assert_eq!(back, one.database);
    });
}

/// Such a session runs no scripts, and sets nothing by `SET`.
#[test]
fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other() {
    testkit::run(async {
        let sample = Sample::new().await;
        let guarded = sample.database.settings().with_egress(EgressConfig::open().egress([]));
        let connection = testkit::connect(guarded).await.expect("connected");
        let options = InspectOptions::default();
        let found = Inspectors::builtin().inspect(&*connection, &options, &RequestContext::system()).await;
        assert_eq!(found.expect("inspected").database, sample.inspect(&options).await.database);
    });
}

#[test]
fn only_the_namespaces_that_were_asked_for_are_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let all = sample.inspect(&InspectOptions::default()).await.database;
        let odd = "Odd \"schema\".--;\n名前 😀";
        assert_eq!(
            all.namespaces.iter().map(|namespace| namespace.name.as_str()).collect::<Vec<_>>(),
            [odd, "public", "shop"]
        );
        let options = InspectOptions::default().only([odd, "it's not there"]);
        let some = sample.inspect(&options).await.database;
        assert_eq!(some.namespaces.as_slice(), &all.namespaces[..1]);
        let table = some.relation(&ObjectName::new(odd, "ta.ble \" -- ' 😀")).expect("the odd table");
        assert_eq!(table.columns[0].name, "co;l \"umn 名");
        // A part whose table is elsewhere is told as a table.
        sample.run("CREATE SCHEMA parts; CREATE TABLE parts.p PARTITION OF shop.sales_2025 FOR VALUES IN ('it')").await;
        let some = sample.inspect(&InspectOptions::default().only(["parts"])).await.database;
        let part = some.relation(&ObjectName::new("parts", "p")).expect("the part");
        assert_eq!(part.native["partition_bound"], "FOR VALUES IN ('it')");
        assert!(part.primary_key.is_some());
    });
}

#[test]
fn rows_and_bytes_are_estimates_of_a_table_with_its_parts() {
    testkit::run(async {
        let sample = Sample::new().await;
        let of = |found: &schema_model::Inspection, name: &str| {
            let name = ObjectName::new("shop", name);
            found.statistics.iter().find(|statistics| statistics.relation == name).cloned().expect("statistics")
        };
        let before = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(of(&before, "sales").rows, None, "nobody has counted");
        sample
            .run(
                "INSERT INTO shop.sales SELECT '2025-01-01'::date + n, 'de', 1 FROM generate_series(0, 299) n; \
                 INSERT INTO shop.sales VALUES ('2030-01-01', 'xx', 1); ANALYZE shop.sales_2025_eu, shop.sales_rest",
            )
            .await;
        let after = of(&sample.inspect(&InspectOptions::default()).await, "sales");
        assert_eq!(after.rows, Some(301));
        assert!(after.bytes.is_some_and(|bytes| bytes > 8192), "{after:?}");
    });
}

#[test]
fn what_is_too_long_is_marked() {
    testkit::run(async {
        let sample = Sample::new().await;
        let options = InspectOptions { longest_definition: 40, ..InspectOptions::default() };
        let found = sample.inspect(&options).await;
        let view = relation(&found, "cheap_goods");
        let reason = view.definition.as_ref().and_then(Reading::reason);
        assert_eq!(reason, Some(schema_model::Unavailable::TooLong));
        let gaps: Vec<String> =
            found.report.gaps.iter().filter_map(|gap| gap.object.as_ref()).map(ToString::to_string).collect();
        assert!(gaps.contains(&"shop.cheap_goods".to_owned()), "{gaps:?}");
        assert!(!gaps.contains(&"shop.base".to_owned()), "{gaps:?}");
    });
}

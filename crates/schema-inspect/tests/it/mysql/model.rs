use connection_manager::egress::EgressConfig;
use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Database, Gap, Inspection, Reading, Unavailable};
use shared_kernel::RequestContext;
use testkit::Server;

use super::{Sample, on_both};

on_both!(
    everything_in_the_sample_is_told,
    the_same_shape_has_the_same_fingerprint_and_comes_back_from_json,
    a_connection_from_outside_that_only_reads_is_inspected_as_any_other,
    only_the_namespaces_that_were_asked_for_are_told,
    rows_and_bytes_are_estimates,
    what_is_too_long_or_broken_is_marked,
);

async fn everything_in_the_sample_is_told(server: Server) {
    let sample = Sample::new(server).await;
    let found = sample.inspect(&sample.options()).await;
    assert_eq!(found.report.gaps, []);
    let mut database = found.database;
    assert_eq!(database.engine, server.to_string());
    // What differs from server to server.
    "[version]".clone_into(&mut database.version);
    (database.character_set, database.collation) = (None, None);
    let text = serde_json::to_string_pretty(&database).expect("JSON");
    insta::assert_snapshot!(
        format!("everything_in_the_sample_is_told_{server}"),
        text.replace(sample.database.name(), "shop")
    );
}

async fn the_same_shape_has_the_same_fingerprint_and_comes_back_from_json(server: Server) {
    let (one, other) = (Sample::new(server).await, Sample::new(server).await);
    let alike = |sample: &Sample, found: &Inspection| {
        let text = found.database.canonical_json().replace(sample.database.name(), "shop");
        serde_json::from_str::<Database>(&text).expect("JSON of a model")
    };
    other.run("ALTER TABLE makers ADD COLUMN gone int; ALTER TABLE makers DROP COLUMN gone").await;
    other.run("INSERT INTO goods (place) VALUES (POINT(1, 1)); INSERT INTO old_engine VALUES (1, 'one')").await;
    let found = (one.inspect(&one.options()).await, other.inspect(&other.options()).await);
    assert_eq!(alike(&one, &found.0), alike(&other, &found.1));
    assert_eq!(alike(&one, &found.0).fingerprint(), alike(&other, &found.1).fingerprint());
    other.run("ALTER TABLE makers ADD COLUMN more int").await;
    let changed = other.inspect(&other.options()).await;
    assert_ne!(alike(&one, &found.0).fingerprint(), alike(&other, &changed).fingerprint());
}

/// Such a session runs no scripts, and sets nothing for longer than a statement.
async fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other(server: Server) {
    let sample = Sample::new(server).await;
    let guarded = sample.database.settings().with_egress(EgressConfig::open().egress([]));
    let connection = testkit::connect(guarded).await.expect("connected");
    let options = sample.options();
    let found =
        Inspectors::builtin().inspect(&*connection, &options, &RequestContext::system()).await.expect("inspected");
    assert_eq!(found.database, sample.inspect(&options).await.database);
    assert_eq!(found.report.gaps, []);
}

async fn only_the_namespaces_that_were_asked_for_are_told(server: Server) {
    let sample = Sample::new(server).await;
    let odd = format!("{} o.d\"d'--;\n`名", sample.database.name());
    let quoted = format!("`{}`", odd.replace('`', "``"));
    sample.run(&format!("CREATE DATABASE {quoted}; CREATE TABLE {quoted}.`t` (`id` int)")).await;
    let upper = sample.database.name().to_uppercase();
    let some = sample
        .inspect(&InspectOptions::default().only([odd.as_str(), upper.as_str(), "mysql", "it's not there"]))
        .await;
    let one = sample.inspect(&InspectOptions::default().only([odd.as_str()])).await;
    let none = sample.inspect(&InspectOptions::default().only(Vec::<String>::new())).await;
    let all = sample.inspect(&InspectOptions::default()).await;
    sample.run(&format!("DROP DATABASE {quoted}")).await;
    let names = |found: &Inspection| -> Vec<String> {
        found.database.relations().map(|(name, _)| format!("{}/{}", name.namespace, name.name)).collect()
    };
    assert_eq!(names(&some), [format!("{odd}/t")]);
    assert_eq!(names(&one), names(&some));
    assert_eq!(none.database.namespaces, []);
    let all: Vec<&str> = all.database.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    assert!(all.contains(&odd.as_str()) && all.contains(&sample.database.name()), "{all:?}");
    assert!(
        !all.iter().any(|name| ["mysql", "sys", "information_schema", "performance_schema"].contains(name)),
        "{all:?}"
    );
    let found = sample.inspect(&sample.options()).await;
    let table = sample.relation(&found, "ta.ble ` \" -- ';\n名");
    assert_eq!(table.columns[0].name, "co;l `umn\n\" 名");
    assert_eq!(table.indexes[0].name, "in.dex '\n-- 名");
    assert_eq!(table.checks[0].name.as_deref(), Some("ch.eck \"名"));
}

async fn rows_and_bytes_are_estimates(server: Server) {
    let sample = Sample::new(server).await;
    sample.run("INSERT INTO old_engine VALUES (1, 'a'), (2, 'b'), (3, 'c')").await;
    if server == Server::MySql {
        sample.run("ANALYZE TABLE old_engine").await;
    }
    let found = sample.inspect(&sample.options()).await;
    let of = |name: &str| {
        let name = sample.name(name);
        found.statistics.iter().find(|statistics| statistics.relation == name).expect("statistics")
    };
    assert_eq!(of("old_engine").rows, Some(3));
    assert!(of("old_engine").bytes.is_some_and(|bytes| bytes >= 60), "{:?}", of("old_engine"));
    assert!(of("sales").bytes.is_some_and(|bytes| bytes > 16_384), "all its parts: {:?}", of("sales"));
    assert!(
        !found.statistics.iter().any(|statistics| statistics.relation.name == "cheap"),
        "a view has no rows of its own"
    );
}

async fn what_is_too_long_or_broken_is_marked(server: Server) {
    let sample = Sample::new(server).await;
    sample.run("DROP TABLE log").await;
    let options = InspectOptions { longest_definition: 50, ..sample.options() };
    let found = sample.inspect(&options).await;
    let cheap = sample.relation(&found, "cheap").definition.as_ref().and_then(Reading::reason);
    assert_eq!(cheap, Some(Unavailable::TooLong));
    let gap = |name: &str, part: &str, reason| Gap { object: Some(sample.name(name)), part: part.to_owned(), reason };
    assert!(found.report.gaps.contains(&gap("cheap", "definition", Unavailable::TooLong)), "{:?}", found.report.gaps);
    assert_eq!(sample.relation(&found, "orphan").columns, []);
    assert!(found.report.gaps.contains(&gap("orphan", "columns", Unavailable::Broken)), "{:?}", found.report.gaps);
}

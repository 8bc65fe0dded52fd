//! What `schema-export` writes makes the same database again.

use schema_export::Exporters;
use schema_inspect::InspectOptions;
use schema_model::Database;

use super::Sample;

/// A database of what was found, and what is found in it. Its name, and the one thing that comes with it, are as they were.
async fn made_again(found: &Database) -> Database {
    let export = Exporters::builtin().export("sql", found).expect("it is written");
    assert_eq!(export.omissions, []);
    let again = Sample::empty().await;
    again.run(&export.text).await;
    let mut database = again.inspect(&InspectOptions::default()).await.database;
    database.name.clone_from(&found.name);
    database
}

#[test]
fn the_sample_is_made_again() {
    testkit::run(async {
        let found = Sample::new().await.inspect(&InspectOptions::default()).await.database;
        let again = made_again(&found).await;
        // As texts, a difference is seen line by line.
        assert_eq!(pretty(&again), pretty(&found));
        assert_eq!(again.fingerprint(), found.fingerprint());
    });
}

/// What is made in an order that the names do not tell.
#[test]
fn what_needs_each_other_is_made_in_its_order() {
    testkit::run(async {
        let sample = Sample::empty().await;
        let script = include_str!("entangled.sql").replace("CURRENT_CATALOG_NAME", sample.database.name());
        sample.run(&script).await;
        let found = sample.inspect(&InspectOptions::default()).await.database;
        assert_eq!(pretty(&made_again(&found).await), pretty(&found));
    });
}

/// Collations, text search, operators with their classes and families, casts and rules, and what uses them.
#[test]
fn what_only_postgresql_has_is_made_again() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run(include_str!("natives.sql")).await;
        let found = sample.inspect(&InspectOptions::default()).await;
        assert_eq!((found.report.statements, found.report.gaps), (11, vec![]));
        let mut kinds: Vec<&str> = found.database.native_objects.iter().map(|object| object.kind.as_str()).collect();
        kinds.dedup();
        assert_eq!(
            kinds,
            [
                "cast",
                "collation",
                "operator",
                "operator class",
                "operator family",
                "text search configuration",
                "text search dictionary",
                "text search parser",
                "text search template",
            ]
        );
        assert_eq!(pretty(&made_again(&found.database).await), pretty(&found.database));
    });
}

/// A class alone is enough to be looked for, and those of extensions are not ours. A family by which another one sorts has its own
/// operators alone.
#[test]
fn native_objects_are_the_databases_own() {
    testkit::run(async {
        let sample = Sample::empty().await;
        let names = async || {
            let found = sample.inspect(&InspectOptions::default()).await.database;
            let names = found.native_objects.iter().map(|object| format!("{} {}", object.kind, object.name));
            names.collect::<Vec<_>>()
        };
        sample
            .run("CREATE OPERATOR CLASS public.plain FOR TYPE int4 USING btree FAMILY integer_ops AS STORAGE int4")
            .await;
        assert_eq!(names().await, ["operator class public.plain"]);
        sample
            .run(
                "ALTER EXTENSION plpgsql ADD OPERATOR CLASS public.plain USING btree;
                CREATE FUNCTION public.far(box, box) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0::float8';
                CREATE OPERATOR public.<~~> (FUNCTION = public.far, LEFTARG = box, RIGHTARG = box);
                ALTER EXTENSION plpgsql ADD OPERATOR public.<~~> (box, box)",
            )
            .await;
        assert_eq!(names().await, Vec::<String>::new());
        sample
            .run(
                "CREATE OPERATOR FAMILY public.sorting USING btree;
                CREATE OPERATOR CLASS public.boxes FOR TYPE box USING gist AS
                    OPERATOR 15 public.<~~> (box, box) FOR ORDER BY public.sorting",
            )
            .await;
        let found = sample.inspect(&InspectOptions::default()).await.database;
        let sorting = found.native_objects.iter().find(|object| object.name.name == "sorting").expect("a family");
        let definition = format!("{:?}", sorting.definition);
        assert!(definition.contains("CREATE OPERATOR FAMILY") && !definition.contains("<~~>"), "{definition}");
    });
}

/// However much is too long to be read, what is left stands by itself.
#[test]
fn what_needs_something_that_is_left_out_is_left_out_as_well() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run(include_str!("natives.sql")).await;
        let mut omissions = Vec::new();
        for longest_definition in [1, 20, 40, 60, 80, 100, 130, 200] {
            let options = InspectOptions { longest_definition, ..InspectOptions::default() };
            let found = sample.inspect(&options).await;
            let export = Exporters::builtin().export("sql", &found.database).expect("it is written");
            for gap in &found.report.gaps {
                assert!(export.omissions.iter().any(|omission| omission.object == gap.object), "{gap:?}");
            }
            Sample::empty().await.run(&export.text).await;
            omissions.push(export.omissions.len());
        }
        assert!(omissions.first() > omissions.last() && omissions.last() > Some(&0), "{omissions:?}");
    });
}

/// Types that functions of C read and write are told by their names alone.
#[test]
fn what_has_no_statement_is_told_and_left_out_with_what_uses_it() {
    testkit::run(async {
        let sample = Sample::empty().await;
        sample.run(include_str!("unmade.sql")).await;
        let found = sample.inspect(&InspectOptions::default()).await.database;
        let export = Exporters::builtin().export("sql", &found).expect("it is written");
        let left_out: Vec<String> = export
            .omissions
            .iter()
            .map(|omission| format!("{}: {}", omission.object.as_ref().expect("an object"), omission.part))
            .collect();
        insta::assert_snapshot!(left_out.join("\n"));
        let again = Sample::empty().await;
        again.run(&export.text).await;
        let again = again.inspect(&InspectOptions::default()).await.database;
        let names: Vec<String> = again.relations().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["public.kept"]);
    });
}

/// What the exporter leaves out is not in the new database, and everything else is.
#[test]
fn what_could_not_be_read_leaves_a_script_that_runs() {
    testkit::run(async {
        let sample = Sample::new().await;
        let options = InspectOptions { longest_definition: 12, ..InspectOptions::default() };
        let found = sample.inspect(&options).await;
        assert!(!found.report.gaps.is_empty());
        let export = Exporters::builtin().export("sql", &found.database).expect("it is written");
        for gap in &found.report.gaps {
            assert!(export.omissions.iter().any(|omission| omission.object == gap.object), "{gap:?}");
        }
        let again = Sample::empty().await;
        again.run(&export.text).await;
        let again = again.inspect(&InspectOptions::default()).await.database;
        let tables = |database: &Database| {
            database
                .relations()
                .filter(|(_, relation)| relation.definition.is_none())
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(tables(&again), tables(&found.database));
    });
}

fn pretty(database: &Database) -> String {
    serde_json::to_string_pretty(database).expect("JSON")
}

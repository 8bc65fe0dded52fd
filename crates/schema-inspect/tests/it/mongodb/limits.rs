use std::time::Duration;

use schema_inspect::{InspectOptions, SamplingOptions};
use schema_model::{
    ChoiceReason, CollectionKind, DatabaseChoice, Gap, Inspection, SampleLimit, SampleMethod, Unavailable,
};
use shared_kernel::database::DatabaseSummary;

use super::between::Between;
use super::{Sample, inspect};

/// How a server refuses what it does not know, and what one may not.
const UNKNOWN: &str = "115";
const UNAUTHORIZED: &str = "13";

fn options(sampling: SamplingOptions) -> InspectOptions {
    InspectOptions { sampling, ..InspectOptions::default() }
}

fn gap(sample: &Sample, name: Option<&str>, part: &str, reason: Unavailable) -> Gap {
    Gap { object: name.map(|name| sample.object(name)), part: part.to_owned(), reason }
}

#[test]
fn the_answer_says_how_many_statements_there_were() {
    testkit::run(async {
        let sample = Sample::new().await;
        let between = Between::new(&sample.connection);
        let found = inspect(&between, &InspectOptions::default()).await;
        let views = found.database.collections().filter(|(_, found)| found.kind == CollectionKind::View).count();
        let others = found.database.collections().count() - views;
        sample.remove().await;
        assert_eq!(found.report.statements, between.asked());
        assert_eq!(found.report.statements as usize, 2 + 3 * others, "two, and three for each that is no view");
        let stages: Vec<&str> = found.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["version", "collections", "indexes", "samples", "sizes"]);
    });
}

#[test]
fn where_none_are_picked_at_random_the_ends_are_looked_at() {
    testkit::run(async {
        let sample = Sample::new().await;
        let between = Between::new(&sample.connection).refusing("sample", UNKNOWN);
        let found = inspect(&between, &InspectOptions::default()).await;
        let (many, goods) = (sample.sample(&found, "many").clone(), sample.sample(&found, "goods").clone());
        let odd = SamplingOptions { documents: 5, ..SamplingOptions::default() };
        let few = inspect(&between, &options(odd)).await;
        let few = sample.sample(&few, "many").documents;
        sample.remove().await;
        assert_eq!((many.method, many.documents), (SampleMethod::Ends, 20));
        assert!(many.fields.iter().all(|field| field.presence.interval.is_none()), "it says nothing of the rest");
        assert_eq!((goods.method, goods.documents), (SampleMethod::Ends, 16), "none of them twice");
        assert_eq!(few, 5);
        assert_eq!(found.report.gaps, []);
    });
}

#[test]
fn what_one_may_not_see_is_marked() {
    testkit::run(async {
        let sample = Sample::new().await;
        let between = Between::new(&sample.connection);
        let between = ["sample", "list_indexes", "aggregate"]
            .into_iter()
            .fold(between, |between, operation| between.refusing(operation, UNAUTHORIZED));
        let found = inspect(&between, &InspectOptions::default()).await;
        let seen = sample.sample(&found, "goods").clone();
        let gap_of_goods = gap(&sample, Some("goods"), "indexes", Unavailable::Forbidden);
        let nothing = inspect(
            &Between::new(&sample.connection).refusing("list_collections", UNAUTHORIZED),
            &InspectOptions::default(),
        )
        .await;
        let nobody = Between::new(&sample.connection).of_many(Vec::new()).refusing("list_databases", UNAUTHORIZED);
        let nobody = inspect(&nobody, &InspectOptions::default()).await;
        let expected = [
            gap(&sample, None, "collections", Unavailable::Forbidden),
            gap(&sample, None, "databases", Unavailable::Forbidden),
        ];
        sample.remove().await;
        assert_eq!((seen.documents, seen.unavailable), (0, Some(Unavailable::Forbidden)));
        assert!(found.report.gaps.contains(&gap_of_goods), "{:?}", found.report.gaps);
        assert!(found.statistics.iter().all(|statistics| statistics.rows.is_none()));
        assert_eq!((nothing.database.namespaces, nothing.report.gaps), (vec![], vec![expected[0].clone()]));
        assert_eq!((nobody.database.namespaces, nobody.report.gaps), (vec![], vec![expected[1].clone()]));
    });
}

#[test]
fn a_server_that_does_not_tell_sizes_tells_how_many_there_are() {
    testkit::run(async {
        let sample = Sample::new().await;
        let rows = |found: &Inspection| {
            let name = sample.object("many");
            let of = found.statistics.iter().find(|statistics| statistics.relation == name).expect("statistics");
            (of.rows, of.bytes.is_some())
        };
        let told = rows(&sample.inspect(&InspectOptions::default()).await);
        let between = Between::new(&sample.connection).refusing("aggregate", UNKNOWN);
        let counted = rows(&inspect(&between, &InspectOptions::default()).await);
        sample.remove().await;
        assert_eq!((told, counted), ((Some(300), true), (Some(300), false)));
    });
}

#[test]
fn what_a_limit_has_left_out_is_told() {
    testkit::run(async {
        let sample = Sample::new().await;
        let by = async |sampling: SamplingOptions| sample.inspect(&options(sampling)).await;
        let default = SamplingOptions::default;
        let limits = |found: &Inspection, name| sample.sample(found, name).limits.clone();
        let depth = by(SamplingOptions { depth: 1, ..default() }).await;
        assert_eq!(limits(&depth, "goods"), [SampleLimit::Depth]);
        assert_eq!(limits(&depth, "many"), []);
        let paths = by(SamplingOptions { paths: 3, ..default() }).await;
        assert_eq!(limits(&paths, "goods"), [SampleLimit::Paths]);
        assert_eq!(sample.sample(&paths, "goods").fields.len(), 3);
        let bytes = by(SamplingOptions { bytes: 2_000, ..default() }).await;
        assert_eq!(limits(&bytes, "goods")[0], SampleLimit::Bytes);
        assert!((1..16).contains(&sample.sample(&bytes, "goods").documents));
        let documents = by(SamplingOptions { documents: 3, ..default() }).await;
        assert_eq!(sample.sample(&documents, "goods").documents, 3);
        assert_eq!(by(SamplingOptions { documents: 0, ..default() }).await.samples, []);

        let whole = by(default()).await;
        for (name, cut) in [
            ("number", by(SamplingOptions { collections: 2, ..default() }).await),
            ("time", by(SamplingOptions { patience: Duration::ZERO, ..default() }).await),
        ] {
            // They are there, with all that is told of them at once.
            let names = |found: &Inspection| found.database.collections().map(|(name, _)| name).collect::<Vec<_>>();
            assert_eq!(names(&cut), names(&whole), "{name}");
            assert_eq!(sample.collection(&cut, "rules").validator, sample.collection(&whole, "rules").validator);
            let expected = gap(&sample, Some("rules"), "indexes", Unavailable::OverLimit);
            assert!(cut.report.gaps.contains(&expected), "{name}: {:?}", cut.report.gaps);
            assert!(cut.report.statements < whole.report.statements, "{name}");
            let diff = schema_diff::compare(&whole, &cut);
            assert_eq!(diff.verdict, schema_diff::Verdict::Equal, "{:?}", diff.changes);
            assert!(diff.not_compared.contains(&expected));
        }
        sample.remove().await;
    });
}

#[test]
fn where_no_database_is_named_the_one_with_the_most_in_it_is_looked_at() {
    testkit::run(async {
        let sample = Sample::new().await;
        let database = |name: &str, size| DatabaseSummary {
            name: name.to_owned(),
            size_on_disk: Some(size),
            empty: Some(size == 0),
        };
        let all = vec![database("admin", 9_000), database("test_little", 1), database(&sample.name, 2)];
        let between = Between::new(&sample.connection).of_many(all);
        let found = inspect(&between, &InspectOptions::default()).await;
        let none = Between::new(&sample.connection).of_many(vec![database("local", 1)]);
        let none = inspect(&none, &InspectOptions::default()).await;
        let name = sample.name.clone();
        sample.remove().await;
        let expected = DatabaseChoice { name: name.clone(), reason: ChoiceReason::Largest, among: 2 };
        assert_eq!(found.report.choice, Some(expected));
        assert_eq!(found.database.name, name);
        assert!(found.database.collections().count() > 5);
        assert_eq!((none.report.choice, none.database.namespaces, none.report.gaps), (None, vec![], vec![]));
    });
}

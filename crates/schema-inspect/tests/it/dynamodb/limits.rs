use std::collections::BTreeMap;
use std::time::Duration;

use connection_manager::PoolSettings;
use schema_diff::{Verdict, compare};
use schema_inspect::{InspectError, InspectOptions, Inspectors, SamplingOptions};
use schema_model::{Inspection, Unavailable};
use serde_json::json;
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseErrorKind;
use testkit::dynamodb::shared;
use testkit::proxy::Proxy;

use super::endpoint::{Endpoint, refusal};
use super::{Sample, gap, inspect, options};

/// Written down on the way to the service, so that it does not matter what the inspector says of itself.
#[test]
fn nothing_but_reads_is_sent() {
    testkit::run(async {
        let sample = Sample::new().await;
        let upstream = format!("{}:{}", shared().host.expect("a host"), shared().port.expect("a port"));
        let proxy = Proxy::start(upstream).await.expect("a port");
        let settings = shared().with_database(&sample.name).with_pool(PoolSettings::sized(1, 1));
        let settings = settings.with_host("127.0.0.1").with_port(proxy.port());
        let connection = testkit::connect(settings).await.expect("connected");
        // The pool's one session is open, and what was said for that is said.
        connection.ping(&RequestContext::system()).await.expect("a sign of life");
        let before = proxy.heard().len();
        let found = inspect(&*connection, &InspectOptions::default()).await;
        let sent = operations(&proxy.heard()[before..]);
        sample.remove().await;
        let expected = [("describetable", 2), ("describetimetolive", 1), ("scan", 1)];
        assert_eq!(sent, expected.map(|(name, count)| (name.to_owned(), count)).into(), "the sign of life, and three");
        assert_eq!(found.report.statements, 4);
        let stages: Vec<&str> = found.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["version", "descriptions", "times to live", "samples"]);
    });
}

/// How often each operation stands in the heads of requests.
fn operations(said: &[u8]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let said = String::from_utf8_lossy(said).to_ascii_lowercase();
    for operation in said.lines().filter_map(|line| line.strip_prefix("x-amz-target: dynamodb_20120810.")) {
        *counts.entry(operation.trim().to_owned()).or_default() += 1;
    }
    counts
}

fn names(found: &Inspection) -> Vec<&str> {
    found.database.collections().map(|(_, table)| table.name.as_str()).collect()
}

#[test]
fn names_come_a_page_at_a_time_and_what_lies_beyond_the_limit_is_told_by_its_name() {
    testkit::run(async {
        let endpoint = Endpoint::start(|operation, input| {
            (operation == "listtables").then(|| {
                let (names, next) = match input["ExclusiveStartTableName"].as_str() {
                    None => (json!(["d", "b"]), Some("b")),
                    Some("b") => (json!([]), Some("c")),
                    Some("c") => (json!(["e", "a", "d"]), None),
                    Some(other) => panic!("{other} was no last name"),
                };
                (200, json!({ "TableNames": names, "LastEvaluatedTableName": next }).to_string())
            })
        })
        .await;
        let connection = endpoint.connect().await;
        let listed = endpoint.asked("listtables");
        let whole = inspect(&*connection, &InspectOptions::default()).await;
        // One is the sign of life; the pool's other sessions may have had to say hello.
        assert!(endpoint.asked("listtables") - listed >= 4);
        assert_eq!((names(&whole), &whole.report.gaps), (vec!["a", "b", "d", "e"], &vec![]));
        assert_eq!(whole.report.statements, 1 + 3 + 3 * 4);
        let stages: Vec<&str> = whole.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["version", "tables", "descriptions", "times to live", "samples"]);
        let three = SamplingOptions { collections: 3, ..SamplingOptions::default() };
        let cut = inspect(&*connection, &options(three)).await;
        let expected = gap(Some("e"), "description", Unavailable::OverLimit);
        assert_eq!((names(&cut), &cut.report.gaps), (vec!["a", "b", "d", "e"], &vec![expected.clone()]));
        assert_eq!((cut.samples.len(), cut.report.statements), (3, 1 + 3 + 3 * 3));
        let timely = SamplingOptions { patience: Duration::ZERO, ..SamplingOptions::default() };
        let late = inspect(&*connection, &options(timely)).await;
        assert_eq!((names(&late), late.report.gaps.len(), late.report.statements), (vec!["a", "b", "d", "e"], 4, 4));
        for found in [&cut, &late] {
            let diff = compare(&whole, found);
            assert_eq!(diff.verdict, Verdict::Equal, "{:?}", diff.changes);
            assert!(diff.not_compared.contains(&expected));
        }
    });
}

#[test]
fn what_one_may_not_see_is_marked() {
    testkit::run(async {
        let usual = Endpoint::start(|_, _| None).await;
        let whole = inspect(&*usual.connect().await, &InspectOptions::default()).await;
        assert_eq!(whole.report.gaps, []);
        for (code, reason) in [
            ("AccessDeniedException", Unavailable::Forbidden),
            ("ThrottlingException", Unavailable::OverLimit),
            ("ProvisionedThroughputExceededException", Unavailable::OverLimit),
            ("ValidationException", Unavailable::Broken),
            ("ResourceNotFoundException", Unavailable::Broken),
        ] {
            for operation in ["describetable", "describetimetolive", "scan"] {
                let endpoint = Endpoint::start(move |asked, _| (asked == operation).then(|| refusal(code))).await;
                let found = inspect(&*endpoint.connect().await, &InspectOptions::default()).await;
                assert_eq!(endpoint.asked(operation), 2, "{operation}, {code}: asked once of each table");
                if (operation, code) == ("describetable", "ResourceNotFoundException") {
                    assert_eq!(
                        (names(&found), found.report.gaps.as_slice()),
                        (vec![], &[][..]),
                        "they are not there any more"
                    );
                    continue;
                }
                let part = match operation {
                    "describetable" => Some("description"),
                    "describetimetolive" => Some("time_to_live"),
                    _ => None,
                };
                let gaps = part.map(|part| ["books", "films"].map(|table| gap(Some(table), part, reason)));
                assert_eq!(found.report.gaps, gaps.map(Vec::from).unwrap_or_default(), "{operation}, {code}");
                let samples: Vec<_> =
                    found.samples.iter().map(|sample| (sample.documents, sample.unavailable)).collect();
                let is_asked = operation != "describetable" || reason != Unavailable::OverLimit;
                let expected = if operation == "scan" { (0, Some(reason)) } else { (1, None) };
                assert_eq!(samples, if is_asked { vec![expected; 2] } else { vec![] }, "{operation}, {code}");
                let diff = compare(&whole, &found);
                assert_eq!(diff.verdict, Verdict::Equal, "{operation}, {code}: {:?}", diff.changes);
                assert_eq!(diff.not_compared, found.report.gaps);
            }
        }
    });
}

#[test]
fn who_may_not_list_tables_is_told_so() {
    testkit::run(async {
        let endpoint =
            Endpoint::start(|asked, _| (asked == "listtables").then(|| refusal("AccessDeniedException"))).await;
        let connection = endpoint.connect().await;
        let failed =
            Inspectors::builtin().inspect(&*connection, &InspectOptions::default(), &RequestContext::system()).await;
        let found = failed.expect("the session is there");
        assert_eq!(found.report.gaps, [gap(None, "collections", Unavailable::Forbidden)]);
        assert_eq!(names(&found), Vec::<&str>::new());

        // Names that were told before are kept.
        let endpoint = Endpoint::start(|asked, input| {
            let first = || (200, json!({ "TableNames": ["a"], "LastEvaluatedTableName": "a" }).to_string());
            let is_second = input["ExclusiveStartTableName"] == "a";
            (asked == "listtables").then(|| if is_second { refusal("ThrottlingException") } else { first() })
        })
        .await;
        let found = inspect(&*endpoint.connect().await, &InspectOptions::default()).await;
        assert_eq!(names(&found), ["a"]);
        assert_eq!(found.report.gaps, [gap(None, "collections", Unavailable::OverLimit)]);
        assert_eq!(found.database.namespaces[0].collections[0].native["time_to_live"], "until");
    });
}

#[test]
fn a_service_that_fails_is_no_gap() {
    testkit::run(async {
        for (operation, stage) in [("describetable", "descriptions"), ("scan", "samples")] {
            let endpoint = Endpoint::start(move |asked, _| {
                (asked == operation).then(|| (503, json!({ "__type": "ServiceUnavailable" }).to_string()))
            })
            .await;
            let connection = endpoint.connect().await;
            let failed = Inspectors::builtin()
                .inspect(&*connection, &InspectOptions::default(), &RequestContext::system())
                .await;
            match failed {
                Err(InspectError::Database { stage: told, source }) => {
                    assert_eq!((told, source.kind()), (stage, &DatabaseErrorKind::Unreachable));
                }
                other => panic!("{operation}: {other:?}"),
            }
        }
    });
}

//! Endpoints that tell more than a service does: the answer stays small, and says what it lacks.

use schema_inspect::{InspectOptions, SamplingOptions};
use schema_model::{Inspection, MapKeys, SampleLimit, Unavailable};
use serde_json::{Map, Value as Json, json};

use super::endpoint::{Endpoint, described};
use super::{gap, inspect};

async fn seen(endpoint: &Endpoint) -> Inspection {
    inspect(&*endpoint.connect().await, &InspectOptions::default()).await
}

#[test]
fn pages_without_end_are_not_waited_for() {
    testkit::run(async {
        for names in [json!([]), json!(["a"])] {
            let told = names.clone();
            let endpoint = Endpoint::start(move |operation, _| {
                let page = || json!({ "TableNames": told, "LastEvaluatedTableName": "a" }).to_string();
                (operation == "listtables").then(|| (200, page()))
            })
            .await;
            let found = seen(&endpoint).await;
            assert_eq!(found.report.gaps, [gap(None, "collections", Unavailable::OverLimit)]);
            assert_eq!(found.database.collections().count(), names.as_array().map_or(0, Vec::len));
            assert!(endpoint.asked("listtables") < 210);
        }
    });
}

#[test]
fn names_that_are_too_many_or_too_long_are_left_out() {
    testkit::run(async {
        let long = "x".repeat(1 << 20);
        for (count, name, kept) in [(100, long.as_str(), 3), (20_000, "x", 10_000)] {
            let names: Vec<String> = (0..count).map(|number| format!("{name}{number:05}")).collect();
            // More than one answer may have is spread over several.
            let endpoint = Endpoint::start(move |operation, input| {
                let from = input["ExclusiveStartTableName"]
                    .as_str()
                    .map_or(0, |last| 1 + names.iter().position(|name| name == last).expect("one of them"));
                let page = &names[from..(from + if count == 100 { 1 } else { 100 }).min(names.len())];
                let next = (from + page.len() < names.len()).then(|| page.last());
                let answer = json!({ "TableNames": page, "LastEvaluatedTableName": next });
                (operation == "listtables").then(|| (200, answer.to_string()))
            })
            .await;
            let none = SamplingOptions { collections: 0, ..SamplingOptions::default() };
            let connection = endpoint.connect().await;
            let found = inspect(&*connection, &super::options(none)).await;
            assert!(found.report.gaps.contains(&gap(None, "collections", Unavailable::OverLimit)));
            assert_eq!(found.database.collections().count(), kept);
        }
    });
}

#[test]
fn a_description_that_is_too_much_is_left_out() {
    testkit::run(async {
        let endpoint = Endpoint::start(|operation, input| {
            let attributes =
                (0..40_000).map(|number| json!({ "AttributeName": format!("a{number}"), "AttributeType": "S" }));
            let is_it = operation == "describetable" && input["TableName"] == "books";
            is_it.then(|| (200, described(input, &attributes.collect()).to_string()))
        })
        .await;
        let found = seen(&endpoint).await;
        assert_eq!(found.report.gaps, [gap(Some("books"), "description", Unavailable::OverLimit)]);
        let fields: Vec<usize> = found.database.collections().map(|(_, table)| table.fields.len()).collect();
        assert_eq!(fields, [0, 1]);
        assert_eq!(found.samples.len(), 2, "what was not declared is seen all the same");
    });
}

/// 32 MiB are enough for some forty of these.
#[test]
fn descriptions_that_are_too_much_together_are_left_out() {
    testkit::run(async {
        let endpoint = Endpoint::start(|operation, input| match operation {
            "listtables" => {
                let names: Vec<String> = (0..50).map(|number| format!("t{number:02}")).collect();
                Some((200, json!({ "TableNames": names }).to_string()))
            }
            "describetable" => {
                let name = "n".repeat(8_000);
                let attributes =
                    (0..100).map(|number| json!({ "AttributeName": format!("{name}{number}"), "AttributeType": "S" }));
                Some((200, described(input, &attributes.collect()).to_string()))
            }
            _ => None,
        })
        .await;
        let found = seen(&endpoint).await;
        let told = found.database.collections().filter(|(_, table)| !table.fields.is_empty()).count();
        assert_eq!(told, 41);
        assert_eq!(found.report.gaps.len(), 9);
        assert!(found.report.gaps.contains(&gap(Some("t41"), "description", Unavailable::OverLimit)));
    });
}

#[test]
fn an_answer_that_is_nested_too_deep_is_not_read() {
    testkit::run(async {
        for (levels, is_read) in [(20, true), (100_000, false)] {
            let endpoint = Endpoint::start(move |operation, _| {
                let (open, close) = (r#"{"M":{"a":"#.repeat(levels), "}}".repeat(levels));
                let item = format!(r#"{{"Items":[{{"a":{open}{{"S":"1"}}{close}}}],"Count":1}}"#);
                (operation == "scan").then_some((200, item))
            })
            .await;
            let found = seen(&endpoint).await;
            assert_eq!(found.report.gaps, []);
            for sample in &found.samples {
                let expected = if is_read { (1, None) } else { (0, Some(Unavailable::Broken)) };
                assert_eq!((sample.documents, sample.unavailable), expected, "{levels}");
                assert_eq!(sample.limits.as_slice(), if is_read { &[SampleLimit::Depth][..] } else { &[] });
            }
        }
    });
}

#[test]
fn items_and_names_that_are_too_many_are_not_told() {
    testkit::run(async {
        let endpoint = Endpoint::start(|operation, _| {
            let item: Map<String, Json> =
                (0..2_000).map(|number| (format!("name {number}"), json!({ "NULL": true }))).collect();
            let items: Vec<Json> = vec![Json::Object(item); 30];
            (operation == "scan").then(|| (200, json!({ "Items": items }).to_string()))
        })
        .await;
        for sample in seen(&endpoint).await.samples {
            assert_eq!((sample.documents, sample.fields.len()), (20, 1_000));
            assert_eq!(sample.limits, [SampleLimit::Paths]);
        }
    });
}

#[test]
fn bytes_that_are_too_many_are_not_looked_at() {
    testkit::run(async {
        let endpoint = Endpoint::start(|operation, _| {
            let item = json!({ "a": { "S": "x".repeat(1 << 20) } });
            (operation == "scan").then(|| (200, json!({ "Items": vec![item; 8] }).to_string()))
        })
        .await;
        for sample in seen(&endpoint).await.samples {
            assert_eq!((sample.documents, sample.limits.as_slice()), (3, &[SampleLimit::Bytes][..]));
        }
        let long = Endpoint::start(|operation, _| {
            let item = json!({ "x".repeat(60_000): { "S": "1" } });
            (operation == "scan").then(|| (200, json!({ "Items": [item] }).to_string()))
        })
        .await;
        for sample in seen(&long).await.samples {
            assert_eq!((sample.fields.len(), sample.map.map(|map| map.keys)), (0, Some(vec![MapKeys::Text])));
        }
    });
}

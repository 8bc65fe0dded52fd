use schema_diff::{Verdict, compare};
use schema_model::Database;
use serde_json::{Map, Value};

/// The model in a snapshot of an inspector's.
fn model(snapshot: &str) -> Value {
    let json = &snapshot[snapshot.find("\n{").expect("a model")..];
    serde_json::from_str(json).expect("JSON")
}

/// The value with one thing in it changed, for each thing in it, with where that is.
fn mutations(value: &Value, path: &str, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Bool(truth) => all.push((path.to_owned(), Value::Bool(!truth))),
        Value::Number(number) => all.push((path.to_owned(), (number.as_i64().unwrap_or_default() + 7).into())),
        Value::String(text) => {
            all.push((path.to_owned(), format!("{text}7").into()));
            // Words of the model's own are none with a letter more.
            if text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
                let others = ["cascade", "restrict", "last", "descending", "always", "virtual", "after", "statement"];
                all.extend(
                    others.into_iter().filter(|other| other != text).map(|other| (path.to_owned(), other.into())),
                );
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let with = |item: Value| {
                    let mut items = items.clone();
                    items[place] = item;
                    Value::Array(items)
                };
                let mut inner = Vec::new();
                mutations(item, &format!("{path}/{place}"), &mut inner);
                all.extend(inner.into_iter().map(|(path, item)| (path, with(item))));
                let mut fewer = items.clone();
                fewer.remove(place);
                all.push((format!("{path}/{place} removed"), fewer.into()));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let with = |member: Option<Value>| {
                    let mut members: Map<String, Value> = members.clone();
                    match member {
                        Some(member) => members.insert(name.clone(), member),
                        None => members.remove(name),
                    };
                    Value::Object(members)
                };
                let mut inner = Vec::new();
                mutations(member, &format!("{path}/{name}"), &mut inner);
                all.extend(inner.into_iter().map(|(path, member)| (path, with(Some(member)))));
                all.push((format!("{path}/{name} removed"), with(None)));
            }
        }
    }
}

/// Goes through everything that an inspector tells of its sample.
fn check(snapshot: &str, at_least: usize) {
    let value = model(snapshot);
    let before: Database = serde_json::from_value(value.clone()).expect("a model");
    assert_eq!(compare(&before, &before).verdict, Verdict::Equal);
    let mut all = Vec::new();
    mutations(&value, "", &mut all);
    let (mut models, mut silent) = (0, Vec::new());
    for (path, value) in all {
        // What is no model, or the same one, says nothing.
        let Ok(after) = serde_json::from_value::<Database>(value) else { continue };
        // The positions have no gaps, so that one that stands alone says nothing but the order.
        if after == before || path == "/name" || path == "/engine" || path.ends_with("/position") {
            continue;
        }
        models += 1;
        for diff in [compare(&before, &after), compare(&after, &before)] {
            if diff.changes.is_empty() && diff.not_compared.is_empty() {
                silent.push(path.clone());
            }
        }
    }
    assert!(models > at_least, "{models}");
    silent.dedup();
    assert_eq!(silent, Vec::<String>::new(), "of {models}");
}

macro_rules! sample {
    ($file:literal) => {
        include_str!(concat!("../../../schema-inspect/tests/it/", $file, ".snap"))
    };
}

#[test]
fn whatever_is_different_in_postgresql_is_told() {
    check(sample!("postgres/snapshots/it__postgres__model__everything_in_the_sample_is_told"), 1000);
}

#[test]
fn whatever_is_different_in_mysql_is_told() {
    check(sample!("mysql/snapshots/it__mysql__model__everything_in_the_sample_is_told_mysql"), 500);
}

#[test]
fn whatever_is_different_in_sqlite_is_told() {
    check(sample!("snapshots/it__sqlite__everything_in_the_sample_is_told"), 200);
}

#[test]
fn whatever_is_different_in_mongodb_is_told() {
    check(sample!("mongodb/snapshots/it__mongodb__model__model"), 200);
}

#[test]
fn whatever_is_different_in_dynamodb_is_told() {
    check(sample!("dynamodb/snapshots/it__dynamodb__model__model"), 100);
}

/// What a collection may have that no server of the tests has.
#[test]
fn whatever_is_different_in_a_collection_is_told() {
    let model = r#"
{"engine": "mongodb", "version": "8.0", "name": "shop", "namespaces": [{"name": "shop", "collections": [
    {"name": "log", "kind": "time_series", "time_series": {"time_field": "at", "meta_field": "of", "granularity": "hours"},
     "native": {"expireAfterSeconds": 60}},
    {"name": "last", "kind": "collection", "capped": {"bytes": "4096", "documents": "10"}, "collation": "{\"locale\":\"de\"}",
     "validator": {"expression": "{}", "level": "strict", "action": "error"},
     "fields": [{"name": "title", "types": ["string"], "required": true, "comment": "what it is called"}]},
    {"name": "orders", "kind": "table", "key": ["customer", "at"],
     "fields": [{"name": "customer", "types": ["S"], "required": true}],
     "indexes": [{"name": "by state", "method": "global", "unique": false, "nulls_distinct": true, "valid": true,
        "parts": [{"column": "state"}], "include": ["total"], "predicate": "{}", "comment": "c", "constraint": "d",
        "native": {"projection": "INCLUDE"}}]},
    {"name": "new", "kind": "view", "uses": [{"namespace": "shop", "name": "orders"}], "definition": "[]"}
]}]}"#;
    check(model, 60);
}

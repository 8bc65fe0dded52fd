use schema_diff::{Verdict, compare};
use schema_model::Database;
use serde_json::{Map, Value};

/// Everything that PostgreSQL has, as the inspector tells it of its sample.
const SAMPLE: &str = include_str!(
    "../../../schema-inspect/tests/it/postgres/snapshots/it__postgres__model__everything_in_the_sample_is_told.snap"
);

fn sample() -> Value {
    let json = &SAMPLE[SAMPLE.find("\n{").expect("a model")..];
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

#[test]
fn whatever_is_different_is_told() {
    let value = sample();
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
    assert!(models > 1000, "{models}");
    silent.dedup();
    assert_eq!(silent, Vec::<String>::new(), "of {models}");
}

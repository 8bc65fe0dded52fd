use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schema_model::{MapKeys, ObjectName, Observed, ObservedField, Presence, Sample, SampleLimit, SampleMethod};
use shared_kernel::database::{Document, DocumentValue, ObjectId, Shape};

use super::{Closeness, observed};

const ALL: Closeness = Closeness { depth: 100, paths: 100_000 };

fn seen(documents: &[Document], closeness: Closeness) -> Sample {
    let shapes: Vec<Shape> = documents.iter().map(Shape::from).collect();
    observed(ObjectName::new("shop", "goods"), SampleMethod::Random, &shapes, closeness)
}

#[track_caller]
fn field<'a>(fields: &'a [ObservedField], name: &str) -> &'a ObservedField {
    fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}

fn types(observed: &Observed) -> Vec<(&str, u64)> {
    observed.types.iter().map(|observed| (observed.name.as_str(), observed.count)).collect()
}

fn array(items: impl IntoIterator<Item = DocumentValue>) -> DocumentValue {
    DocumentValue::Array(items.into_iter().collect())
}

#[test]
fn null_is_a_type_and_missing_is_none() {
    let documents: Vec<Document> = (0..20)
        .map(|number| {
            let document = Document::new().with("_id", number);
            match number {
                0..5 => document,
                5..10 => document.with("price", DocumentValue::Null),
                10..18 => document.with("price", 1.5),
                _ => document.with("price", "dear"),
            }
        })
        .collect();
    let sample = seen(&documents, ALL);
    assert_eq!((sample.documents, sample.limits.as_slice()), (20, &[][..]));
    let price = field(&sample.fields, "price");
    assert_eq!(types(&price.values), [("double", 8), ("null", 5), ("string", 2)]);
    let shares: Vec<f64> = price.values.types.iter().map(|observed| observed.share).collect();
    assert_eq!(shares, [0.5333, 0.3333, 0.1333]);
    let Presence { count, of, share, interval } = price.presence.clone();
    let interval = interval.expect("an interval");
    assert_eq!((count, of, share, interval.lower, interval.upper), (15, 20, 0.75, 0.5312, 0.8882));
}

#[test]
fn a_field_of_an_object_is_counted_among_the_objects() {
    let documents = [
        Document::new().with("maker", Document::new().with("name", "a").with("town", "b")),
        Document::new().with("maker", Document::new().with("name", 1)),
        Document::new().with("maker", "c"),
        Document::new(),
    ];
    let sample = seen(&documents, ALL);
    let maker = field(&sample.fields, "maker");
    assert_eq!((maker.presence.count, maker.presence.of), (3, 4));
    let town = field(&maker.values.fields, "town");
    assert_eq!((town.presence.count, town.presence.of), (1, 2));
    assert!(town.presence.interval.is_some());
    assert_eq!(types(&field(&maker.values.fields, "name").values), [("int", 1), ("string", 1)]);
}

#[test]
fn elements_are_told_of_all_arrays_together_and_without_an_interval() {
    let line = |number: i32| DocumentValue::from(Document::new().with("count", number));
    let documents = [
        Document::new().with("lines", array([line(1), line(2), DocumentValue::Null])),
        Document::new().with("lines", array([])),
        Document::new().with("lines", array(["x".into()])),
    ];
    let sample = seen(&documents, ALL);
    let lines = &field(&sample.fields, "lines").values;
    assert_eq!(types(lines), [("array", 3)]);
    let elements = lines.elements.as_ref().expect("elements");
    assert_eq!(types(elements), [("object", 2), ("null", 1), ("string", 1)]);
    let count = &field(&elements.fields, "count").presence;
    assert_eq!((count.count, count.of, count.interval), (2, 2, None));
}

#[test]
fn what_lies_too_deep_is_said_to_be_there() {
    let deep =
        Document::new().with("a", Document::new().with("b", Document::new().with("c", Document::new().with("d", 1))));
    let flat = Document::new().with("a", Document::new().with("b", Document::new().with("c", Document::new())));
    let sample = seen(&[deep, flat], Closeness { depth: 3, paths: 100 });
    assert_eq!(sample.limits, [SampleLimit::Depth]);
    let c = &field(&field(&field(&sample.fields, "a").values.fields, "b").values.fields, "c").values;
    assert_eq!((types(c), c.too_deep, c.fields.len()), (vec![("object", 2)], 1, 0));

    // An array in an array is a level, and the first array is none.
    let nested = Document::new().with("a", array([array([array([1.into()])])]));
    let sample = seen(std::slice::from_ref(&nested), Closeness { depth: 2, paths: 100 });
    assert_eq!(sample.limits, [SampleLimit::Depth]);
    assert_eq!(seen(&[nested], Closeness { depth: 3, paths: 100 }).limits, []);
}

#[test]
fn keys_that_are_values_are_a_map() {
    let day = |text: &str, sold: i32| Document::new().with("total", 1).with(text, Document::new().with("sold", sold));
    let documents = [
        Document::new().with("days", day("2024-01-31", 7)),
        Document::new().with("days", day("2024-02-01", 8)),
        Document::new().with("days", Document::new().with("total", 0)),
    ];
    let sample = seen(&documents, ALL);
    let days = &field(&sample.fields, "days").values;
    let names: Vec<&str> = days.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["total"]);
    let map = days.map.as_ref().expect("a map");
    assert_eq!((map.keys.as_slice(), map.entries), (&[MapKeys::Date][..], 2));
    assert_eq!(field(&map.values.fields, "sold").presence, Presence { count: 2, of: 2, share: 1.0, interval: None });
    assert!(!serde_json::to_string(&sample).expect("JSON").contains("2024"));
}

#[test]
fn many_names_that_are_each_in_few_objects_are_a_map() {
    let of = |owner: usize| {
        let stock: Document = (0..4).map(|key| (format!("user{}x", (owner * 4 + key) * 7 % 97), 1)).collect();
        Document::new().with("stock", stock.with("version", 2))
    };
    let documents: Vec<Document> = (0..20).map(of).collect();
    let stock = seen(&documents, ALL).fields.remove(0).values;
    let names: Vec<&str> = stock.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["version"]);
    let map = stock.map.expect("a map");
    assert_eq!((map.keys.as_slice(), map.entries), (&[MapKeys::Text][..], 80));
    assert_eq!(types(&map.values), [("int", 80)]);
}

#[test]
fn a_wide_document_is_no_map() {
    let wide = || (0..60).map(|number| (format!("column{number}x"), "text")).collect::<Document>();
    for documents in [vec![wide(); 20], vec![wide(); 2], vec![wide()]] {
        assert_eq!(seen(&documents, ALL).fields.len(), 60, "{} documents", documents.len());
    }
    // Nor are many fields of many types that are seldom there.
    let odd = |number: usize| {
        let value: DocumentValue = if number.is_multiple_of(2) { "text".into() } else { 1.into() };
        Document::new().with(format!("only{number}x"), value)
    };
    let documents: Vec<Document> = (0..20).map(odd).collect();
    assert_eq!(seen(&documents, ALL).fields.len(), 20);
}

#[test]
fn names_of_the_first_level_come_first_where_there_is_no_room_for_all() {
    let inner: Document = (0..10).map(|number| (format!("inner{number}x"), 1)).collect();
    let document = Document::new().with("a", inner).with("b", 1).with("c", 2);
    let sample = seen(&[document], Closeness { depth: 3, paths: 5 });
    assert_eq!(sample.limits, [SampleLimit::Paths]);
    let names: Vec<&str> = sample.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let a = &sample.fields[0].values;
    assert_eq!((a.fields.len(), a.too_many), (2, 1));
}

#[test]
fn a_name_that_is_there_twice_is_counted_once() {
    let sample = seen(&[Document::new().with("a", 1).with("a", "x")], ALL);
    assert_eq!((sample.fields.len(), types(&sample.fields[0].values)), (1, vec![("int", 1)]));
    assert_eq!(sample.fields[0].presence.count, 1);
}

/// Names and values; the values of text are told from every name.
fn value() -> impl Strategy<Value = DocumentValue> {
    let scalar = prop_oneof![
        Just(DocumentValue::Null),
        any::<bool>().prop_map(DocumentValue::Boolean),
        any::<i32>().prop_map(DocumentValue::Int32),
        any::<f64>().prop_map(DocumentValue::Double),
        any::<[u8; 12]>().prop_map(|bytes| DocumentValue::ObjectId(ObjectId(bytes))),
        "[a-z]{0,5}".prop_map(|text| DocumentValue::String(format!("hush{text}"))),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(DocumentValue::Array),
            fields(inner).prop_map(DocumentValue::Document),
        ]
    })
}

fn fields(inner: impl Strategy<Value = DocumentValue>) -> impl Strategy<Value = Document> {
    let name = prop_oneof![4 => "[a-d]", 1 => "20[0-9]{2}-0[1-9]-1[0-9]", 1 => "[0-9]{1,6}"];
    proptest::collection::vec((name, inner), 0..5).prop_map(|fields| fields.into_iter().collect())
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    proptest::collection::vec(fields(value()), 0..12)
}

/// Goes through all that was seen.
fn walk(observed: &Observed, depth: u32, visit: &mut impl FnMut(&Observed, u32)) {
    visit(observed, depth);
    observed.fields.iter().for_each(|field| walk(&field.values, depth + 1, visit));
    observed.map.iter().for_each(|map| walk(&map.values, depth + 1, visit));
    observed.elements.iter().for_each(|elements| walk(elements, depth, visit));
}

fn root(sample: &Sample) -> Observed {
    Observed { fields: sample.fields.clone(), map: sample.map.clone().map(Box::new), ..Observed::default() }
}

/// By its path, how often a field is there, found in another way: by going down one path after the other.
fn paths(documents: &[Document]) -> BTreeMap<String, u64> {
    fn go(path: &str, value: &DocumentValue, found: &mut BTreeMap<String, u64>) {
        match value {
            DocumentValue::Document(document) => {
                let names: BTreeSet<&str> = document.iter().map(|(name, _)| name).collect();
                for name in names {
                    let is_name = name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_lowercase());
                    let path = if is_name { format!("{path}/{name}") } else { format!("{path}/*") };
                    *found.entry(path.clone()).or_default() += 1;
                    go(&path, document.get(name).expect("it is there"), found);
                }
            }
            DocumentValue::Array(items) => items.iter().for_each(|item| go(&format!("{path}[]"), item, found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    for document in documents {
        go("", &DocumentValue::Document(document.clone()), &mut found);
    }
    found
}

fn told_paths(path: &str, observed: &Observed, found: &mut BTreeMap<String, u64>) {
    for field in &observed.fields {
        let path = format!("{path}/{}", field.name);
        found.insert(path.clone(), field.presence.count);
        told_paths(&path, &field.values, found);
    }
    if let Some(map) = &observed.map {
        let path = format!("{path}/*");
        found.insert(path.clone(), map.entries);
        told_paths(&path, &map.values, found);
    }
    if let Some(elements) = &observed.elements {
        told_paths(&format!("{path}[]"), elements, found);
    }
}

proptest! {
    #[test]
    fn every_field_is_told_and_counted(documents in documents()) {
        let mut told = BTreeMap::new();
        told_paths("", &root(&seen(&documents, ALL)), &mut told);
        prop_assert_eq!(told, paths(&documents));
    }

    #[test]
    fn shares_and_intervals_are_what_they_can_be(documents in documents()) {
        let mut wrong = Vec::new();
        walk(&root(&seen(&documents, ALL)), 0, &mut |observed, _| {
            let all: u64 = observed.types.iter().map(|observed| observed.count).sum();
            let sum: f64 = observed.types.iter().map(|observed| observed.share).sum();
            if all > 0 && (sum - 1.0).abs() > 0.001 {
                wrong.push(format!("{observed:?}"));
            }
            for field in &observed.fields {
                let Presence { count, of, share, interval } = &field.presence;
                let values: u64 = field.values.types.iter().map(|observed| observed.count).sum();
                let is_within = interval.is_none_or(|interval| {
                    0.0 <= interval.lower && interval.lower <= *share && *share <= interval.upper && interval.upper <= 1.0
                });
                if count > of || values != *count || !is_within {
                    wrong.push(format!("{field:?}"));
                }
            }
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn the_order_of_documents_does_not_matter(mut documents in documents()) {
        let one = seen(&documents, ALL);
        documents.reverse();
        prop_assert_eq!(one, seen(&documents, ALL));
    }

    #[test]
    fn no_value_is_told_nor_a_key_that_is_one(documents in documents()) {
        let json = serde_json::to_string(&seen(&documents, ALL).fields).expect("JSON");
        prop_assert!(!json.contains("hush"), "{json}");
        let names = json.split("\"name\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        for name in names {
            prop_assert!(!name.starts_with(|letter: char| letter.is_ascii_digit()), "{name}");
        }
    }

    #[test]
    fn limits_are_kept_and_told(documents in documents(), depth in 1_u32..4, paths in 0_u32..8) {
        let sample = seen(&documents, Closeness { depth, paths });
        let (mut deepest, mut names) = (0, 0);
        walk(&root(&sample), 0, &mut |observed, depth| {
            names += observed.fields.len();
            deepest = deepest.max(if observed.fields.is_empty() && observed.map.is_none() { depth } else { depth + 1 });
        });
        prop_assert!(deepest <= depth && names <= paths as usize, "{deepest} {names}");
        let whole = seen(&documents, ALL);
        prop_assert_eq!(sample.limits.is_empty(), sample == whole, "what is left out is told");
    }
}

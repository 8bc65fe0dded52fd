//! What cannot be made on the server that tests share: the answers are those of MongoDB's manual.

use schema_model::{
    Capped, Collection, CollectionKind, Database, DeclaredField, Gap, Index, Namespace, Native, ObjectName, PartTarget,
    Reading, SortDirection, TimeSeries, Unavailable,
};
use serde_json::json;
use shared_kernel::database::{self as kernel, CollectionSummary, Document, DocumentValue};

use super::declared::{MOST_FIELDS, collection};
use super::index::index;
use super::look::sizes;
use crate::gaps;

fn document<const N: usize>(fields: [(&str, DocumentValue); N]) -> DocumentValue {
    DocumentValue::Document(fields.into_iter().collect())
}

fn made(kind: kernel::CollectionKind, options: Document) -> Collection {
    let summary = CollectionSummary { name: "log".to_owned(), kind, options, read_only: false };
    collection("shop", &summary)
}

#[test]
fn measurements_over_time_say_by_what_they_are_kept() {
    let kept = document([
        ("timeField", "at".into()),
        ("metaField", "of".into()),
        ("granularity", "hours".into()),
        ("bucketMaxSpanSeconds", 2_592_000.into()),
    ]);
    let options = Document::new().with("timeseries", kept).with("expireAfterSeconds", 86_400_i64);
    let made = made(kernel::CollectionKind::TimeSeries, options);
    assert_eq!(made.kind, CollectionKind::TimeSeries);
    let expected = TimeSeries {
        time_field: "at".to_owned(),
        meta_field: Some("of".to_owned()),
        granularity: Some("hours".to_owned()),
    };
    assert_eq!(made.time_series, Some(expected));
    assert_eq!(json!(made.native), json!({"bucketMaxSpanSeconds": 2_592_000, "expireAfterSeconds": 86_400}));
}

#[test]
fn a_collection_that_is_full_at_some_time_says_when() {
    let options = Document::new().with("capped", true).with("size", 4096.0).with("max", 10);
    let full = made(kernel::CollectionKind::Collection, options);
    assert_eq!(full.capped, Some(Capped { bytes: Some(4096.into()), documents: Some(10.into()) }));
    assert_eq!(full.native.len(), 0);
    assert_eq!(made(kernel::CollectionKind::Collection, Document::new().with("capped", false)).capped, None);
}

#[test]
fn what_is_said_twice_is_told_once() {
    let validator = || document([("$jsonSchema", document([("required", vec!["a".into(), "a".into()].into())]))]);
    let options = Document::new()
        .with("size", 1)
        .with("size", 2)
        .with("capped", true)
        .with("capped", true)
        .with("validator", validator())
        .with("validator", Document::new())
        .with("validationLevel", "moderate")
        .with("validationLevel", "off");
    let made = made(kernel::CollectionKind::Collection, options);
    assert_eq!(made.capped, Some(Capped { bytes: Some(1.into()), documents: None }));
    assert_eq!(made.validator.map(|validator| validator.level).as_deref(), Some("moderate"));
    assert_eq!(made.fields.len(), 1);
}

#[test]
fn words_of_the_engine_are_cut_where_definitions_are() {
    let long = || document([("locale", "x".repeat(100).into())]);
    let options = Document::new().with("collation", long()).with("storageEngine", long()).with("short", "x");
    let mut kept = made(kernel::CollectionKind::Collection, options);
    kept.indexes = vec![described([("a", 1.into())], Document::new().with("collation", long()).with("sparse", true))];
    let mut namespace = Namespace::new("shop");
    namespace.collections = vec![kept];
    let mut database = Database {
        engine: "mongodb".to_owned(),
        version: String::new(),
        name: String::new(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    };
    let whole = database.clone();
    assert_eq!((gaps::of(&mut database, 115), &database), (Vec::new(), &whole));
    let gap = |part: &str| Gap {
        object: Some(ObjectName::new("shop", "log")),
        part: part.to_owned(),
        reason: Unavailable::TooLong,
    };
    assert_eq!(gaps::of(&mut database, 112), ["collation", "indexes", "native"].map(gap));
    let kept = &database.namespaces[0].collections[0];
    assert_eq!((&kept.collation, json!(kept.native)), (&None, json!({"short": "x"})));
    assert_eq!(json!(kept.indexes[0].native), json!({"sparse": true}));
}

#[test]
fn a_view_is_told_with_its_pipeline_and_what_it_is_made_from() {
    let stage = document([("$match", document([("sold", document([("$gt", 1.into())]))]))]);
    let options = Document::new().with("viewOn", "goods").with("pipeline", vec![stage]);
    let view = made(kernel::CollectionKind::View, options);
    assert_eq!(view.uses, [ObjectName::new("shop", "goods")]);
    let pipeline = view.definition.as_ref().and_then(Reading::known);
    assert_eq!(pipeline.map(String::as_str), Some(r#"[{"$match":{"sold":{"$gt":1}}}]"#));
}

#[test]
fn what_has_no_word_is_told_as_it_is() {
    let options = Document::new()
        .with("clusteredIndex", document([("key", document([("_id", 1.into())])), ("unique", true.into())]))
        .with("é", 1);
    let other = made(kernel::CollectionKind::Other("queue".to_owned()), options);
    assert_eq!(other.kind, CollectionKind::Other);
    assert_eq!(json!(other.native), json!({"type": "queue", "clusteredIndex": r#"{"key":{"_id":1},"unique":true}"#}));
}

#[test]
fn a_schema_declares_fields() {
    let properties = document([
        ("title", document([("bsonType", "string".into()), ("description", "what it is called".into())])),
        ("price", document([("bsonType", vec!["double".into(), "decimal".into()].into())])),
        ("kind", document([("type", "string".into())])),
        ("state", document([("enum", vec!["new".into()].into())])),
    ]);
    let schema = document([("required", vec!["_id".into(), "title".into()].into()), ("properties", properties)]);
    let options =
        Document::new().with("validator", document([("$jsonSchema", schema)])).with("validationLevel", "moderate");
    let made = made(kernel::CollectionKind::Collection, options);
    let field = |name: &str, types: &[&str], required, comment: Option<&str>| DeclaredField {
        name: name.to_owned(),
        types: types.iter().map(|word| (*word).to_owned()).collect(),
        required,
        comment: comment.map(str::to_owned),
    };
    let expected = [
        field("title", &["string"], true, Some("what it is called")),
        field("price", &["double", "decimal"], false, None),
        field("kind", &["string"], false, None),
        field("state", &[], false, None),
        field("_id", &[], true, None),
    ];
    assert_eq!(made.fields, expected);
    let validator = made.validator.expect("a validator");
    assert_eq!((validator.level.as_str(), validator.action.as_str()), ("moderate", "error"));
    assert!(validator.expression.known().is_some_and(|text| text.starts_with(r#"{"$jsonSchema":{"required":"#)));
}

/// Compared one by one, it would take minutes.
#[test]
fn fields_beyond_the_limit_are_counted_as_one() {
    let names = || (0..200_000).map(|number| format!("field {number}"));
    let properties: Document = names().map(|name| (name, Document::new())).collect();
    let required: Vec<DocumentValue> = names().rev().map(DocumentValue::from).collect();
    let schema = document([("properties", properties.into()), ("required", required.into())]);
    let options = Document::new().with("validator", document([("$jsonSchema", schema)]));
    let made = made(kernel::CollectionKind::Collection, options);
    assert_eq!(made.fields.len(), MOST_FIELDS + 1);
    assert!(made.fields.iter().all(|field| field.required));
}

/// Each field, with how it is searched by where that is not by its order, and whether it is descending.
fn parts(index: &Index) -> Vec<(&str, Option<&str>, bool)> {
    let told = index.parts.iter().map(|part| {
        let PartTarget::Column(name) = &part.target else { panic!("an index of MongoDB is on fields") };
        (name.as_str(), part.operator_class.as_deref(), part.direction == Some(SortDirection::Descending))
    });
    told.collect()
}

fn described<const N: usize>(key: [(&str, DocumentValue); N], facts: Document) -> Index {
    let described = Document::new().with("v", 2).with("key", document(key)).with("name", "i");
    index(&described.into_iter().chain(facts).collect())
}

#[test]
fn an_index_keeps_the_order_and_direction_of_its_fields() {
    let found = described([("b", 1.into()), ("a.c", (-1.0).into()), ("d", (-1_i64).into())], Document::new());
    assert_eq!(parts(&found), [("b", None, false), ("a.c", None, true), ("d", None, true)]);
    assert_eq!((found.method.as_str(), found.unique, found.native.len()), ("btree", false, 0));
}

#[test]
fn an_index_by_text_is_on_the_fields_that_it_was_made_on() {
    let facts = Document::new()
        .with("weights", document([("body", 1.into()), ("title", 10.into())]))
        .with("default_language", "english")
        .with("textIndexVersion", 3);
    let found = described([("shop", 1.into()), ("_fts", "text".into()), ("_ftsx", 1.into())], facts);
    assert_eq!(parts(&found), [("shop", None, false), ("body", Some("text"), false), ("title", Some("text"), false)]);
    assert_eq!(found.method, "text");
    let native = json!({"default_language": "english", "textIndexVersion": 3, "weights": r#"{"body":1,"title":10}"#});
    assert_eq!(json!(found.native), native);
}

#[test]
fn what_an_index_by_text_is_on_is_told_once() {
    let facts = Document::new().with("weights", document([("body", 1.into()), ("title", 10.into())]));
    let found = described([("_fts", "text".into()), ("_fts", "text".into()), ("_ftsx", "text".into())], facts);
    assert_eq!(parts(&found), [("body", Some("text"), false), ("title", Some("text"), false)]);
}

#[test]
fn an_index_tells_what_sets_it_apart() {
    let facts = Document::new()
        .with("unique", true)
        .with("sparse", true)
        .with("hidden", true)
        .with("background", true)
        .with("expireAfterSeconds", 3600.0)
        .with("partialFilterExpression", document([("sold", document([("$exists", true.into())]))]))
        .with("collation", document([("locale", "de".into())]));
    let found = described([("place", "2dsphere".into()), ("at", 1.into())], facts);
    assert_eq!(parts(&found), [("place", Some("2dsphere"), false), ("at", None, false)]);
    assert_eq!((found.method.as_str(), found.unique), ("2dsphere", true));
    let predicate = found.predicate.as_ref().and_then(Reading::known);
    assert_eq!(predicate.map(String::as_str), Some(r#"{"sold":{"$exists":true}}"#));
    let native = json!({"sparse": true, "hidden": true, "expireAfterSeconds": 3600, "collation": r#"{"locale":"de"}"#});
    assert_eq!(json!(found.native), native);
    let wildcard = described([("attributes.$**", 1.into())], Document::new().with("sparse", false));
    assert_eq!((wildcard.method.as_str(), wildcard.native.len()), ("wildcard", 0));
    let of_id = index(&Document::new().with("name", "_id_").with("key", document([("_id", 1.into())])));
    assert!(of_id.unique, "nobody says so");
}

#[test]
fn sizes_are_those_of_all_parts_together() {
    let part = |count: i32, size: f64| {
        let stats = document([("count", count.into()), ("storageSize", size.into()), ("totalIndexSize", 10.into())]);
        Document::new().with("storageStats", stats)
    };
    assert_eq!(sizes(&[part(3, 100.0), part(4, 50.0)]), (Some(7), Some(170)));
    let unknown = Document::new().with("storageStats", document([("totalSize", 9.into())]));
    assert_eq!(sizes(&[part(3, 100.0), unknown]), (None, Some(119)));
    assert_eq!(sizes(&[]), (None, None));
}

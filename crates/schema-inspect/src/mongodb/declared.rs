//! What the server was told of a collection.

use schema_model::{
    Capped, Collection, CollectionKind, DeclaredField, ObjectName, Reading, TimeSeries, Validator, WholeNumber,
};
use shared_kernel::database::{self as kernel, CollectionSummary, Document, DocumentValue};

use super::extended_json as json;

/// What stands for itself where the server says nothing.
const LEVEL: &str = "strict";
const ACTION: &str = "error";

/// A collection as it was made, without its indexes.
pub(super) fn collection(database: &str, summary: &CollectionSummary) -> Collection {
    let (kind, word) = match &summary.kind {
        kernel::CollectionKind::Collection => (CollectionKind::Collection, None),
        kernel::CollectionKind::View => (CollectionKind::View, None),
        kernel::CollectionKind::TimeSeries => (CollectionKind::TimeSeries, None),
        kernel::CollectionKind::Other(word) => (CollectionKind::Other, Some(word)),
    };
    let mut made = Collection::new(&summary.name, kind);
    made.native.extend(word.map(|word| ("type".to_owned(), word.as_str().into())));
    let options = &summary.options;
    let text = |name: &str| options.get(name).and_then(DocumentValue::as_str).map(str::to_owned);
    for (name, value) in options.iter() {
        match (name, value) {
            ("validator", DocumentValue::Document(condition)) => {
                made.fields = fields(condition);
                made.validator = (!condition.is_empty()).then(|| Validator {
                    expression: Reading::Known(json::document(condition)),
                    level: text("validationLevel").unwrap_or_else(|| LEVEL.to_owned()),
                    action: text("validationAction").unwrap_or_else(|| ACTION.to_owned()),
                });
            }
            ("viewOn", DocumentValue::String(on)) => made.uses = vec![ObjectName::new(database, on)],
            ("pipeline", DocumentValue::Array(_)) => made.definition = Some(Reading::Known(json::text(value))),
            ("timeseries", DocumentValue::Document(kept)) => time_series(&mut made, kept),
            ("capped", DocumentValue::Boolean(true)) => {
                let limit = |name: &str| options.get(name).and_then(number).map(WholeNumber::from);
                made.capped = Some(Capped { bytes: limit("size"), documents: limit("max") });
            }
            ("collation", _) => made.collation = Some(json::text(value)),
            // Told with what they are about, or nothing at all.
            ("validationLevel" | "validationAction" | "size" | "max", _)
            | ("capped", DocumentValue::Boolean(false)) => {}
            (name, value) => native(&mut made, name, value),
        }
    }
    made
}

fn native(made: &mut Collection, name: &str, value: &DocumentValue) {
    // The servers' words are ASCII, and the canonical form needs them to be.
    if name.is_ascii() {
        made.native.insert(name.to_owned(), json::fact(value));
    }
}

fn time_series(made: &mut Collection, kept: &Document) {
    let text = |name: &str| kept.get(name).and_then(DocumentValue::as_str).map(str::to_owned);
    made.time_series = text("timeField").map(|time_field| TimeSeries {
        time_field,
        meta_field: text("metaField"),
        granularity: text("granularity"),
    });
    for (name, value) in kept.iter().filter(|(name, _)| !["timeField", "metaField", "granularity"].contains(name)) {
        native(made, name, value);
    }
}

/// The fields that a `$jsonSchema` declares, and after them those that it wants and says nothing of.
fn fields(condition: &Document) -> Vec<DeclaredField> {
    let Some(schema) = condition.get("$jsonSchema").and_then(DocumentValue::as_document) else { return Vec::new() };
    let required: Vec<&str> = texts(schema.get("required")).collect();
    let properties = schema.get("properties").and_then(DocumentValue::as_document);
    let declared = properties.into_iter().flat_map(Document::iter).map(|(name, property)| {
        let part = |key| property.as_document().and_then(|property| property.get(key));
        DeclaredField {
            name: name.to_owned(),
            types: texts(part("bsonType").or_else(|| part("type"))).map(str::to_owned).collect(),
            required: required.contains(&name),
            comment: part("description").and_then(DocumentValue::as_str).map(str::to_owned),
        }
    });
    let declared: Vec<DeclaredField> = declared.collect();
    let is_declared = |name: &str| declared.iter().any(|field| field.name == name);
    let others = required.iter().filter(|name| !is_declared(name)).map(|name| DeclaredField {
        name: (*name).to_owned(),
        types: Vec::new(),
        required: true,
        comment: None,
    });
    let others: Vec<DeclaredField> = others.collect();
    declared.into_iter().chain(others).collect()
}

/// One text, or several.
fn texts(value: Option<&DocumentValue>) -> impl Iterator<Item = &str> {
    let items: &[DocumentValue] = match value {
        Some(DocumentValue::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(DocumentValue::as_str)
}

/// A whole number, which servers tell in whatever width they have it.
pub(super) fn number(value: &DocumentValue) -> Option<i64> {
    match value {
        DocumentValue::Double(number) => json::whole_number(*number),
        other => other.as_i64(),
    }
}

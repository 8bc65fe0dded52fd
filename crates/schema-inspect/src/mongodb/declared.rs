//! What the server was told of a collection.

use std::collections::HashSet;

use schema_model::{
    Capped, Collection, CollectionKind, DeclaredField, ObjectName, Reading, TimeSeries, Validator, WholeNumber,
};
use shared_kernel::database::{self as kernel, CollectionSummary, Document, DocumentValue};

use super::extended_json as json;

/// What stands for itself where the server says nothing.
const LEVEL: &str = "strict";
const ACTION: &str = "error";

/// The most fields of a collection that are told.
pub(super) const MOST_FIELDS: usize = 1_000;

/// A collection as it was made, without its indexes. One field more than [`MOST_FIELDS`] says that there are more.
pub(super) fn collection(database: &str, summary: &CollectionSummary) -> Collection {
    let (kind, word) = match &summary.kind {
        kernel::CollectionKind::Collection => (CollectionKind::Collection, None),
        kernel::CollectionKind::View => (CollectionKind::View, None),
        kernel::CollectionKind::TimeSeries => (CollectionKind::TimeSeries, None),
        kernel::CollectionKind::Other(word) => (CollectionKind::Other, Some(word)),
    };
    let mut made = Collection::new(&summary.name, kind);
    made.native.extend(word.map(|word| ("type".to_owned(), word.as_str().into())));
    let (mut condition, mut level, mut action) = (None, None, None);
    let (mut is_capped, mut size, mut max) = (false, None, None);
    // Gone through once: nothing keeps a server from sending a name many times.
    for (name, value) in summary.options.iter() {
        match (name, value) {
            ("validator", DocumentValue::Document(document)) => condition = condition.or(Some(document)),
            ("validationLevel", value) => level = level.or(value.as_str()),
            ("validationAction", value) => action = action.or(value.as_str()),
            ("viewOn", DocumentValue::String(on)) => made.uses = vec![ObjectName::new(database, on)],
            ("pipeline", DocumentValue::Array(_)) => made.definition = Some(Reading::Known(json::text(value))),
            ("timeseries", DocumentValue::Document(kept)) => time_series(&mut made, kept),
            ("capped", DocumentValue::Boolean(value)) => is_capped |= *value,
            ("size", value) => size = size.or(number(value)),
            ("max", value) => max = max.or(number(value)),
            ("collation", _) => made.collation = Some(json::text(value)),
            (name, value) => native(&mut made, name, value),
        }
    }
    if let Some(condition) = condition.filter(|condition| !condition.is_empty()) {
        made.fields = fields(condition);
        made.validator = Some(Validator {
            expression: Reading::Known(json::document(condition)),
            level: level.unwrap_or(LEVEL).to_owned(),
            action: action.unwrap_or(ACTION).to_owned(),
        });
    }
    if is_capped {
        made.capped = Some(Capped { bytes: size.map(WholeNumber::from), documents: max.map(WholeNumber::from) });
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
    let required: HashSet<&str> = texts(schema.get("required")).collect();
    let properties = schema.get("properties").and_then(DocumentValue::as_document);
    let declared = properties.into_iter().flat_map(Document::iter).map(|(name, property)| {
        let part = |key| property.as_document().and_then(|property| property.get(key));
        DeclaredField {
            name: name.to_owned(),
            types: texts(part("bsonType").or_else(|| part("type"))).map(str::to_owned).collect(),
            required: required.contains(name),
            comment: part("description").and_then(DocumentValue::as_str).map(str::to_owned),
        }
    });
    let mut told: HashSet<&str> = properties.into_iter().flat_map(Document::iter).map(|(name, _)| name).collect();
    let others = texts(schema.get("required")).filter(|name| told.insert(*name)).map(|name| DeclaredField {
        name: name.to_owned(),
        types: Vec::new(),
        required: true,
        comment: None,
    });
    declared.chain(others).take(MOST_FIELDS + 1).collect()
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

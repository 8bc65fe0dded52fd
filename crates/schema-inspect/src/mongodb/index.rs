use schema_model::{Index, IndexPart, Native, PartTarget, Reading, SortDirection};
use shared_kernel::database::{Document, DocumentValue};

use super::extended_json as json;

/// What an index by text is sorted by, in place of the fields that it is on.
const TEXT: [&str; 2] = ["_fts", "_ftsx"];

/// The one that every collection has, of which nobody says that it is unique.
const OF_ID: &str = "_id_";

/// What is told in words of the model's, or of the server itself.
const TOLD: [&str; 7] = ["background", "key", "name", "ns", "partialFilterExpression", "unique", "v"];

/// An index as the server describes it.
pub(super) fn index(described: &Document) -> Index {
    let text = |name: &str| described.get(name).and_then(DocumentValue::as_str).unwrap_or_default().to_owned();
    let document = |name: &str| described.get(name).and_then(DocumentValue::as_document);
    let key = document("key");
    let weights = document("weights");
    // Added once, whatever else says that it is by text.
    let mut weighed = weights;
    let mut parts = Vec::new();
    let mut method = None;
    for (field, order) in key.into_iter().flat_map(Document::iter) {
        let word = order.as_str();
        method = method.or(word);
        match (TEXT.contains(&field), weights) {
            (true, Some(_)) if word.is_some() => {
                parts.extend(weighed.take().into_iter().flat_map(Document::iter).map(|(field, _)| part(field, order)));
            }
            // Stands for the same as the one before.
            (true, Some(_)) => {}
            _ => parts.push(part(field, order)),
        }
    }
    let is_wildcard = key.into_iter().flat_map(Document::iter).any(|(field, _)| field.ends_with("$**"));
    let facts = described.iter().filter(|(name, value)| {
        // Servers say of some that they are not so.
        !TOLD.contains(name) && name.is_ascii() && **value != DocumentValue::Boolean(false)
    });
    let facts: Native = facts.map(|(name, value)| (name.to_owned(), json::fact(value))).collect();
    let name = text("name");
    Index {
        unique: described.get("unique") == Some(&DocumentValue::Boolean(true)) || name == OF_ID,
        name,
        method: method.unwrap_or(if is_wildcard { "wildcard" } else { "btree" }).to_owned(),
        nulls_distinct: false,
        constraint: None,
        parts,
        include: Vec::new(),
        predicate: document("partialFilterExpression").map(|filter| Reading::Known(json::document(filter))),
        valid: true,
        comment: None,
        native: facts,
    }
}

/// A field, sorted or searched by in some other way.
fn part(field: &str, order: &DocumentValue) -> IndexPart {
    let is_descending = match order {
        DocumentValue::Double(number) => *number < 0.0,
        other => other.as_i64().is_some_and(|number| number < 0),
    };
    let direction = if is_descending { SortDirection::Descending } else { SortDirection::Ascending };
    let word = order.as_str();
    IndexPart {
        direction: word.is_none().then_some(direction),
        operator_class: word.map(str::to_owned),
        ..IndexPart::new(PartTarget::Column(field.to_owned()))
    }
}

use schema_model::{Deferrability, Index, IndexPart, Key, Native, PartTarget, Reading, Relation, SortDirection};

use super::expressions::written;
use super::product::Product;
use super::rows::FoundIndexPart;

const PRIMARY: &str = "PRIMARY";

/// Adds the indexes to a relation, and the keys that they keep: to both products a unique index and a unique constraint are one.
pub(super) fn fill(relation: &mut Relation, mut found: Vec<FoundIndexPart>, product: Product) {
    found.sort_by(|one, other| (&one.index, one.position).cmp(&(&other.index, other.position)));
    for parts in found.chunk_by(|one, other| one.index == other.index) {
        let Some(first) = parts.first() else { continue };
        let index = index(first, parts, product);
        if let Some(key) = key(&index) {
            if index.name == PRIMARY {
                relation.primary_key = Some(key);
            } else {
                relation.unique.push(key);
            }
        }
        relation.indexes.push(index);
    }
}

fn index(first: &FoundIndexPart, parts: &[FoundIndexPart], product: Product) -> Index {
    let mut native = Native::new();
    if !first.is_used {
        native.insert(if product.is_mariadb { "ignored" } else { "invisible" }.to_owned(), true.into());
    }
    let has_expression = parts.iter().any(|part| part.column.is_none());
    Index {
        name: first.index.clone(),
        method: first.method.clone(),
        unique: first.is_unique,
        nulls_distinct: true,
        constraint: (first.is_unique && !has_expression).then(|| first.index.clone()),
        parts: parts.iter().map(|found| part(found, &first.method)).collect(),
        include: Vec::new(),
        predicate: None,
        valid: first.remark.as_deref() != Some("disabled"),
        comment: first.comment.clone(),
        native,
    }
}

fn part(found: &FoundIndexPart, method: &str) -> IndexPart {
    let target = match (&found.column, &found.expression) {
        (Some(column), _) => PartTarget::Column(column.clone()),
        (None, expression) => {
            PartTarget::Expression(Reading::Known(written(expression.as_deref().unwrap_or_default())))
        }
    };
    let is_sorted = method != "SPATIAL" && method != "RTREE";
    let direction = match found.direction.as_deref().filter(|_| is_sorted) {
        Some("A") => Some(SortDirection::Ascending),
        Some("D") => Some(SortDirection::Descending),
        _ => None,
    };
    IndexPart {
        direction,
        // Of a box around a figure all bytes count, and their number is told all the same.
        prefix_length: found.prefix_length.filter(|_| is_sorted).and_then(|length| length.try_into().ok()),
        ..IndexPart::new(target)
    }
}

fn key(index: &Index) -> Option<Key> {
    let name = index.constraint.clone()?;
    let column = |part: &IndexPart| match &part.target {
        PartTarget::Column(name) => Some(name.clone()),
        PartTarget::Expression(_) => None,
    };
    Some(Key {
        name: Some(name),
        columns: index.parts.iter().filter_map(column).collect(),
        include: Vec::new(),
        index: Some(index.name.clone()),
        nulls_distinct: true,
        deferrability: Deferrability::NotDeferrable,
        comment: None,
    })
}

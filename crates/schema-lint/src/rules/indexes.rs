use schema_model::{Database, Index, IndexPart, NullsOrder, PartTarget, SortDirection};
use serde_json::{Value, json};

use super::describe;
use crate::tables::{Kept, columns, evidence, kept};
use crate::{Finding, Lint, Object};

/// Indexes that were read as a whole and are used: what is unknown is the same as nothing.
fn known<'a>(kept: &Kept<'a>) -> Vec<&'a Index> {
    let part = |part: &IndexPart| match &part.target {
        PartTarget::Column(_) => true,
        PartTarget::Expression(text) => text.known().is_some(),
    };
    let is_known = |index: &&Index| {
        index.valid
            && index.parts.iter().all(part)
            && index.predicate.as_ref().is_none_or(|text| text.known().is_some())
    };
    kept.indexes().iter().filter(is_known).collect()
}

fn is_sorted(index: &Index) -> bool {
    matches!(index.method.to_ascii_lowercase().as_str(), "btree" | "nonclustered" | "clustered")
}

fn shown(index: &Index) -> Value {
    json!({
        "name": index.name, "method": index.method, "unique": index.unique, "parts": index.parts,
        "include": index.include, "where": index.predicate,
    })
}

fn is_same(one: &Index, other: &Index) -> bool {
    let included = |index: &Index| {
        let mut names = index.include.clone();
        names.sort_unstable();
        names
    };
    one.method == other.method
        && one.unique == other.unique
        && one.nulls_distinct == other.nulls_distinct
        && one.parts == other.parts
        && one.predicate == other.predicate
        && included(one) == included(other)
}

/// Indexes that are the same in everything but their names.
#[derive(Debug, Clone, Copy, Default)]
pub struct DuplicateIndex;

impl Lint for DuplicateIndex {
    describe!("duplicate-index", Warning, "two indexes of a table are the same");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Vec::new();
        for kept in kept(database) {
            let indexes = known(&kept);
            for (at, index) in indexes.iter().copied().enumerate() {
                let Some(first) = indexes[..at].iter().copied().find(|other| is_same(other, index)) else { continue };
                // What keeps a constraint stays.
                let (stays, goes) = if kept.keeps_a_constraint(index) && !kept.keeps_a_constraint(first) {
                    (index, first)
                } else {
                    (first, index)
                };
                found.push(self.finding(
                    Object::part(&kept.name, "index", &goes.name),
                    format!("index `{}` of `{}` is the same as `{}`", goes.name, kept.name, stays.name),
                    evidence([("index", shown(goes)), ("same_as", shown(stays))]),
                    "drop one of them: each costs every write and serves no other query",
                ));
            }
        }
        found
    }
}

/// Indexes whose parts are the first of a longer one's.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrefixIndex;

impl Lint for PrefixIndex {
    describe!("prefix-index", Warning, "an index is the beginning of another one, which serves its queries too");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Vec::new();
        for kept in kept(database) {
            let indexes = known(&kept);
            for index in indexes.iter().copied().filter(|index| !index.unique && !kept.keeps_a_constraint(index)) {
                let Some(longer) = indexes.iter().copied().find(|other| begins_with(other, index)) else { continue };
                found.push(self.finding(
                    Object::part(&kept.name, "index", &index.name),
                    format!("index `{}` of `{}` is the beginning of `{}`", index.name, kept.name, longer.name),
                    evidence([("index", shown(index)), ("covered_by", shown(longer))]),
                    "drop it, unless the longer one is much larger and queries need no more than the beginning",
                ));
            }
        }
        found
    }
}

/// Whether `longer` finds and sorts whatever `index` does.
fn begins_with(longer: &Index, index: &Index) -> bool {
    let more = longer.parts.len() > index.parts.len() || (longer.parts.len() == index.parts.len() && longer.unique);
    if !more || !is_sorted(longer) || !is_sorted(index) || longer.predicate != index.predicate {
        return false;
    }
    let beginning = &longer.parts[..index.parts.len()];
    // It can be read from behind as well.
    let turned: Vec<IndexPart> = index.parts.iter().map(turned).collect();
    let holds = |name: &String| {
        let as_part = |part: &IndexPart| matches!(&part.target, PartTarget::Column(column) if column == name);
        longer.include.contains(name) || longer.parts.iter().any(as_part)
    };
    (beginning == index.parts || beginning == turned) && index.include.iter().all(holds)
}

fn turned(part: &IndexPart) -> IndexPart {
    let mut turned = part.clone();
    turned.direction = part.direction.map(|direction| match direction {
        SortDirection::Ascending => SortDirection::Descending,
        SortDirection::Descending => SortDirection::Ascending,
    });
    turned.nulls = part.nulls.map(|nulls| match nulls {
        NullsOrder::First => NullsOrder::Last,
        NullsOrder::Last => NullsOrder::First,
    });
    turned
}

/// Indexes that were left behind half made.
#[derive(Debug, Clone, Copy, Default)]
pub struct InvalidIndex;

impl Lint for InvalidIndex {
    describe!("invalid-index", Error, "an index is not valid: it costs every write and no query may use it");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Vec::new();
        for kept in kept(database) {
            for index in kept.indexes().iter().filter(|index| !index.valid) {
                found.push(self.finding(
                    Object::part(&kept.name, "index", &index.name),
                    format!("index `{}` of `{}` is not valid", index.name, kept.name),
                    evidence([("method", json!(index.method)), ("columns", json!(columns(index)))]),
                    "make it anew, or drop it",
                ));
            }
        }
        found
    }
}

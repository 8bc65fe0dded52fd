use std::collections::HashSet;

use schema_model::{Column, Index, IndexPart, PartTarget, Reading, Relation};

use super::Comparison;
use super::constraints::lost;
use super::relations::Both;
use crate::diff::ObjectKind;
use crate::found::{Effect, Found, breaking, breaking_unless, compatible};
use crate::pairing::{At, Pairing, pair};

const QUERIES: Effect = compatible("the same is found, faster or slower");

impl Comparison<'_> {
    /// Indexes. Those that keep constraints are told with theirs, where something is told of these.
    pub(super) fn indexes(
        &self,
        both: Both<'_>,
        columns: &Pairing<&Column>,
        constraints_told: bool,
        found: &mut Found,
    ) {
        let leave_out = constraints_told || !self.is_whole();
        let (kept, kept_now) = (kept(both.before), kept(both.after));
        let is_told = |index: &&Index| {
            let of_a_constraint = kept.contains(index.name.as_str()) || kept_now.contains(index.name.as_str());
            !(leave_out && (of_a_constraint || index.constraint.is_some()))
        };
        let before: Vec<&Index> = both.before.indexes.iter().filter(is_told).collect();
        let after: Vec<&Index> = both.after.indexes.iter().filter(is_told).collect();
        if (before.is_empty() || after.is_empty()) && !self.both_are_known(both, &["indexes"], found) {
            return;
        }
        let by_name = |_, index: &Index| Some(index.name.clone()).filter(|_| self.is_whole());
        let made_of = |at, index: &Index| match (at, self.is_whole()) {
            (At::Before, true) => self.made_of(at, &self.translated(both, index)),
            (At::After, true) => self.made_of(at, index),
            (At::Before, false) => on_columns(&self.translated(both, index)),
            (At::After, false) => on_columns(index),
        };
        let pairs = pair(before.iter().copied(), after.iter().copied(), &[&by_name, &made_of]);
        let can_be_told = |index: &&Index| self.is_whole() || on_columns(index).is_some();
        for gone in pairs.removed.into_iter().filter(can_be_told).filter(|gone| !lost(columns, &columns_of(gone))) {
            let effect = if gone.unique { compatible("values may be there twice") } else { QUERIES };
            found.removed(both.thing(ObjectKind::Index, &gone.name), effect);
        }
        for new in pairs.added.into_iter().filter(can_be_told) {
            let effect = breaking_unless(!new.unique, "values that are there already are refused", QUERIES.1);
            found.added(both.thing(ObjectKind::Index, &new.name), effect);
        }
        for (one, other) in pairs.both {
            self.index(both, one, other, found);
        }
    }

    /// All of an index but what it is called.
    fn made_of(&self, at: At, index: &Index) -> Option<String> {
        let text = |text: &Reading<String>| match text {
            Reading::Known(text) => Reading::Known(self.matched.names.rewritten(at, text)),
            unknown @ Reading::Unknown { .. } => unknown.clone(),
        };
        let part = |part: &IndexPart| match &part.target {
            PartTarget::Expression(expression) => {
                IndexPart { target: PartTarget::Expression(text(expression)), ..part.clone() }
            }
            PartTarget::Column(_) => part.clone(),
        };
        let nameless = Index {
            name: String::new(),
            comment: None,
            parts: index.parts.iter().map(part).collect(),
            predicate: index.predicate.as_ref().map(text),
            ..index.clone()
        };
        serde_json::to_string(&nameless).ok()
    }

    /// A part of before, with its namespaces as they are called now.
    fn at_home(&self, part: &IndexPart) -> IndexPart {
        let now = |namespace: &Option<String>| {
            namespace.as_deref().map(|namespace| self.matched.names.namespace(namespace).to_owned())
        };
        IndexPart {
            collation_namespace: now(&part.collation_namespace),
            operator_class_namespace: now(&part.operator_class_namespace),
            ..part.clone()
        }
    }

    /// An index with its columns as they are called now.
    fn translated(&self, both: Both<'_>, index: &Index) -> Index {
        let names = &self.matched.names;
        let part = |part: &IndexPart| IndexPart {
            target: match &part.target {
                PartTarget::Column(column) => PartTarget::Column(names.column(both.old, column).to_owned()),
                PartTarget::Expression(expression) => PartTarget::Expression(expression.clone()),
            },
            ..self.at_home(part)
        };
        Index {
            parts: index.parts.iter().map(part).collect(),
            include: names.columns(both.old, &index.include),
            ..index.clone()
        }
    }

    fn index(&self, both: Both<'_>, before: &Index, after: &Index, found: &mut Found) {
        let thing = both.thing(ObjectKind::Index, &after.name);
        let before = self.translated(both, before);
        let unique =
            breaking_unless(!after.unique, "values that are there already are refused", "values may be there twice");
        if self.is_whole() && before.name != after.name {
            found.renamed(thing, &before.name, &after.name, compatible("hints that name it do not find it"));
        }
        found.aspect(thing, "unique", &before.unique, &after.unique, unique);
        if !self.is_whole() {
            return;
        }
        let parts = if after.unique { breaking("other rows are refused than before") } else { QUERIES };
        if self.parts_differ(both, &before.parts, &after.parts, found) {
            found.differs(thing, "parts", &before.parts, &after.parts, parts);
        }
        let names = &self.matched.names;
        if found.texts_differ(thing, "indexes", before.predicate.as_ref(), after.predicate.as_ref(), names) {
            found.differs(thing, "predicate", &before.predicate, &after.predicate, parts);
        }
        found.aspect(thing, "method", &before.method, &after.method, QUERIES);
        found.aspect(thing, "nulls_distinct", &before.nulls_distinct, &after.nulls_distinct, parts);
        found.aspect(thing, "include", &before.include, &after.include, QUERIES);
        found.aspect(thing, "constraint", &before.constraint, &after.constraint, QUERIES);
        found.aspect(thing, "valid", &before.valid, &after.valid, QUERIES);
        found.told(thing, (&None, &before.comment), (&None, &after.comment));
        found.native(thing, &before.native, &after.native, &[]);
    }

    fn parts_differ(&self, both: Both<'_>, before: &[IndexPart], after: &[IndexPart], found: &mut Found) -> bool {
        let thing = both.thing(ObjectKind::Index, "");
        let names = &self.matched.names;
        before.len() != after.len()
            || before.iter().zip(after).any(|(one, other)| match (&one.target, &other.target) {
                (PartTarget::Expression(text), PartTarget::Expression(now)) => {
                    let rest = IndexPart { target: other.target.clone(), ..one.clone() };
                    found.texts_differ(thing, "indexes", Some(text), Some(now), names) || rest != *other
                }
                _ => one != other,
            })
    }
}

/// The names of those that keep constraints.
fn kept(relation: &Relation) -> HashSet<&str> {
    let keys = relation.primary_key.iter().chain(&relation.unique).filter_map(|key| key.index.as_deref());
    keys.chain(relation.exclusions.iter().map(|exclusion| exclusion.index.as_str())).collect()
}

/// What it is on, where every engine can say that.
fn on_columns(index: &Index) -> Option<String> {
    let column = |part: &IndexPart| match &part.target {
        PartTarget::Column(column) => Some(column.clone()),
        PartTarget::Expression(_) => None,
    };
    let columns: Option<Vec<String>> = index.parts.iter().map(column).collect();
    columns.filter(|_| index.predicate.is_none()).map(|columns| columns.join("\0"))
}

/// The columns that it is on, and those that it holds besides.
pub(super) fn columns_of(index: &Index) -> Vec<String> {
    let parts = index.parts.iter().filter_map(|part| match &part.target {
        PartTarget::Column(column) => Some(column.clone()),
        PartTarget::Expression(_) => None,
    });
    parts.chain(index.include.iter().cloned()).collect()
}

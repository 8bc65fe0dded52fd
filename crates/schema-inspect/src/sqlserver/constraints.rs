use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schema_model::{
    Check, ColumnPair, Deferrability, ForeignKey, Key, MatchOption, ObjectName, Policy, PolicyCommand,
    ReferentialAction, Relation, RowSecurity,
};
use shared_kernel::database::{DatabaseError, Row};

use super::about::{About, class};
use super::bounds;
use super::definitions::{Definitions, Whose};
use super::indexes::FoundIndexes;
use crate::cells::Cells;

/// Part of what holds for a relation.
pub(super) struct FoundConstraint {
    kind: Kind,
    id: i64,
    relation: i64,
    /// Of a key's index, of a pair, of the only column that a condition is about, of a predicate.
    number: i64,
    /// Its own; of a pair the name of the column there; of a predicate that of its policy.
    name: String,
    /// Whether a key is the primary one; whether another constraint is disabled; the number of a pair's column here; whether a
    /// predicate is about what may be written.
    fact: i64,
    /// Whether rows that were there before may break it; for which statement a predicate is.
    other_fact: i64,
    /// Whether a predicate counts, as well.
    on_delete: i64,
    on_update: i64,
    /// Of a predicate that of its policy.
    target: Option<ObjectName>,
    target_index: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Key,
    Foreign,
    Pair,
    Check,
    Predicate,
}

pub(super) fn read(row: &Row) -> Result<FoundConstraint, DatabaseError> {
    let mut cells = Cells::of(row);
    let kind = match cells.next::<String>()?.as_str() {
        "f" => Kind::Foreign,
        "p" => Kind::Pair,
        "c" => Kind::Check,
        "r" => Kind::Predicate,
        _ => Kind::Key,
    };
    Ok(FoundConstraint {
        kind,
        id: cells.next()?,
        relation: cells.next()?,
        number: cells.next()?,
        // The other column of a pair is not there for who may not see the other table.
        name: bounds::name(&mut cells)?.unwrap_or_default(),
        fact: cells.next()?,
        other_fact: cells.next()?,
        on_delete: cells.next()?,
        on_update: cells.next()?,
        target: bounds::name(&mut cells)?
            .zip(bounds::name(&mut cells)?)
            .map(|(namespace, name)| ObjectName { namespace, name }),
        target_index: bounds::name(&mut cells)?,
    })
}

/// Constraints by the relation that they are of, and pairs by the foreign key.
#[derive(Default)]
pub(super) struct ByRelation {
    constraints: HashMap<i64, Vec<FoundConstraint>>,
    pairs: HashMap<i64, Vec<FoundConstraint>>,
}

impl ByRelation {
    pub(super) fn of(found: Vec<FoundConstraint>) -> Self {
        let mut by = Self::default();
        for found in found {
            match found.kind {
                Kind::Pair => by.pairs.entry(found.id).or_default().push(found),
                _ => by.constraints.entry(found.relation).or_default().push(found),
            }
        }
        by
    }

    pub(super) fn fill(
        &mut self,
        id: i64,
        relation: &mut Relation,
        named: &HashMap<i64, String>,
        indexes: &mut FoundIndexes,
        definitions: &mut Definitions,
        about: &mut About,
    ) {
        let mut policies = Vec::new();
        // Each key has an index of its own, however often it was sent.
        let mut keys = HashSet::new();
        for found in self.constraints.remove(&id).unwrap_or_default() {
            match found.kind {
                Kind::Key => {
                    if !keys.insert(found.number) {
                        continue;
                    }
                    let is_primary = found.fact != 0;
                    let (columns, include) = indexes.columns(id, found.number, named);
                    if columns.is_empty() {
                        // Nobody could read the indexes, or there was no room, which is a gap.
                        continue;
                    }
                    let index = indexes.name(id, found.number);
                    let key = Key {
                        columns,
                        include,
                        index,
                        // Columns of a primary key are never NULL; to other keys all NULLs are one value.
                        nulls_distinct: is_primary,
                        deferrability: Deferrability::NotDeferrable,
                        comment: about.comment((class::OBJECT, found.id, 0)),
                        name: Some(found.name),
                    };
                    if is_primary {
                        relation.primary_key = Some(key);
                    } else {
                        relation.unique.push(key);
                    }
                }
                Kind::Foreign => {
                    let pairs = self.pairs.remove(&found.id).unwrap_or_default();
                    let comment = about.comment((class::OBJECT, found.id, 0));
                    relation.foreign_keys.push(foreign_key(found, pairs, named, comment));
                }
                Kind::Check => relation.checks.push(Check {
                    name: Some(found.name),
                    expression: definitions.take(Whose::Check, found.id, 0),
                    columns: named.get(&found.number).cloned().into_iter().collect(),
                    validated: found.other_fact == 0,
                    enforced: found.fact == 0,
                    inherited: false,
                    comment: about.comment((class::OBJECT, found.id, 0)),
                }),
                Kind::Predicate => policies.push(found),
                Kind::Pair => {}
            }
        }
        relation.unique.sort_by(|one, other| one.name.cmp(&other.name));
        relation.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
        relation.checks.sort_by(|one, other| one.name.cmp(&other.name));
        relation.row_security = row_security(policies, relation, definitions);
    }
}

fn foreign_key(
    found: FoundConstraint,
    mut pairs: Vec<FoundConstraint>,
    named: &HashMap<i64, String>,
    comment: Option<String>,
) -> ForeignKey {
    pairs.sort_unstable_by_key(|pair| pair.number);
    let pair = |pair: FoundConstraint| ColumnPair {
        column: named.get(&pair.fact).cloned().unwrap_or_default(),
        references: pair.name,
    };
    ForeignKey {
        name: Some(found.name),
        references: found.target.unwrap_or_else(|| ObjectName::new("", "")),
        columns: pairs.into_iter().map(pair).collect(),
        target_constraint: found.target_index,
        on_update: action(found.on_update),
        on_delete: action(found.on_delete),
        set_on_delete: Vec::new(),
        match_option: MatchOption::Simple,
        deferrability: Deferrability::NotDeferrable,
        validated: found.other_fact == 0,
        enforced: found.fact == 0,
        comment,
    }
}

/// As `sys.foreign_keys` numbers them.
fn action(number: i64) -> ReferentialAction {
    match number {
        1 => ReferentialAction::Cascade,
        2 => ReferentialAction::SetNull,
        3 => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// A policy has several predicates: each is told as one of its name and its number. Filters say which rows are seen, and so which
/// can be changed; the others forbid to write some. Those of a policy that is switched off are in force for nobody, and are told by
/// their names alone.
fn row_security(
    found: Vec<FoundConstraint>,
    relation: &mut Relation,
    definitions: &mut Definitions,
) -> Option<RowSecurity> {
    let is_there = !found.is_empty();
    let mut policies = BTreeMap::new();
    let mut disabled = BTreeSet::new();
    for found in found {
        let namespace = found.target.map(|policy| policy.namespace).unwrap_or_default();
        let name = format!("{namespace}.{}#{}", found.name, found.number);
        if found.on_delete == 0 {
            disabled.insert(name);
            continue;
        }
        let is_filter = found.fact == 0;
        let text = Some(definitions.take(Whose::Predicate, found.id, found.number));
        let (command, looks_before) = match found.other_fact {
            1 => (PolicyCommand::Insert, false),
            2 => (PolicyCommand::Update, false),
            3 => (PolicyCommand::Update, true),
            4 => (PolicyCommand::Delete, true),
            _ => (PolicyCommand::All, false),
        };
        let (using, with_check) = if is_filter || looks_before { (text, None) } else { (None, text) };
        let policy = Policy { name, command, permissive: false, roles: Vec::new(), using, with_check };
        policies.insert(policy.name.clone(), policy);
    }
    if !disabled.is_empty() {
        relation.native.insert("disabled_policies".to_owned(), disabled.into_iter().collect::<Vec<_>>().into());
    }
    let enabled = !policies.is_empty();
    is_there.then(|| RowSecurity { enabled, forced: true, policies: policies.into_values().collect() })
}

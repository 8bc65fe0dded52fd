use std::collections::{BTreeMap, HashMap};

use schema_model::{
    Check, ColumnPair, Deferrability, ForeignKey, MatchOption, ObjectName, Reading, ReferentialAction, Relation,
};

use super::expressions::written;
use super::product::Product;
use super::rows::{ConstraintFact, FoundConstraint, Id};

/// What is known of the constraints of a table.
#[derive(Default)]
pub(super) struct OfTable {
    foreign_keys: BTreeMap<String, FoundForeignKey>,
    checks: Vec<(String, String, bool)>,
}

#[derive(Default)]
struct FoundForeignKey {
    references: Option<ObjectName>,
    columns: Vec<(i64, ColumnPair)>,
    target: Option<String>,
    match_option: MatchOption,
    on_update: Option<ReferentialAction>,
    on_delete: Option<ReferentialAction>,
}

/// Facts by their table. MySQL tells the table of a condition, whose name is the only one in its namespace, and the condition itself
/// apart.
pub(super) fn by_table(found: Vec<FoundConstraint>) -> HashMap<Id, OfTable> {
    let mut tables: HashMap<Id, OfTable> = HashMap::new();
    let mut conditions: HashMap<(String, String), String> = HashMap::new();
    let mut enforced: Vec<(Id, String, bool)> = Vec::new();
    for FoundConstraint { namespace, table, name, fact } in found {
        match (table, fact) {
            (None, ConstraintFact::Check(condition)) => drop(conditions.insert((namespace, name), condition)),
            (None, _) => {}
            (Some(table), ConstraintFact::Check(condition)) => {
                tables.entry((namespace, table)).or_default().checks.push((name, condition, true));
            }
            (Some(table), ConstraintFact::Enforced(is_enforced)) => {
                enforced.push(((namespace, table), name, is_enforced));
            }
            (Some(table), ConstraintFact::Column { position, column, namespace: other, table: to, references }) => {
                let key = tables.entry((namespace, table)).or_default().foreign_keys.entry(name).or_default();
                key.references = Some(ObjectName::new(other, to));
                key.columns.push((position, ColumnPair { column, references }));
            }
            (Some(table), ConstraintFact::Rules { target, match_option, on_update, on_delete }) => {
                let key = tables.entry((namespace, table)).or_default().foreign_keys.entry(name).or_default();
                key.target = target;
                key.match_option = match match_option.as_str() {
                    "FULL" => MatchOption::Full,
                    "PARTIAL" => MatchOption::Partial,
                    _ => MatchOption::Simple,
                };
                key.on_update = Some(action(&on_update));
                key.on_delete = Some(action(&on_delete));
            }
        }
    }
    for (table, name, is_enforced) in enforced {
        if let Some(condition) = conditions.remove(&(table.0.clone(), name.clone())) {
            tables.entry(table).or_default().checks.push((name, condition, is_enforced));
        }
    }
    tables
}

pub(super) fn fill(relation: &mut Relation, found: OfTable, product: Product) {
    for (name, mut key) in found.foreign_keys {
        // Without columns there are rules of a table that the user may not see.
        let Some(references) = key.references else { continue };
        key.columns.sort_by_key(|(position, _)| *position);
        relation.foreign_keys.push(ForeignKey {
            name: Some(name),
            references,
            columns: key.columns.into_iter().map(|(_, pair)| pair).collect(),
            target_constraint: key.target,
            on_update: key.on_update.unwrap_or(ReferentialAction::NoAction),
            on_delete: key.on_delete.unwrap_or(ReferentialAction::NoAction),
            set_on_delete: Vec::new(),
            match_option: key.match_option,
            deferrability: Deferrability::NotDeferrable,
            validated: true,
            enforced: true,
            comment: None,
        });
    }
    for (name, condition, enforced) in found.checks {
        relation.checks.push(Check {
            name: Some(name),
            expression: Reading::Known(if product.is_mariadb { condition } else { written(&condition) }),
            columns: Vec::new(),
            validated: enforced,
            enforced,
            inherited: false,
            comment: None,
        });
    }
}

fn action(words: &str) -> ReferentialAction {
    match words {
        "RESTRICT" => ReferentialAction::Restrict,
        "CASCADE" => ReferentialAction::Cascade,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

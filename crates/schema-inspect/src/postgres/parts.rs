use std::collections::HashMap;

use schema_model::{Check, Column, Exclusion, ForeignKey, Index, IndexPart, Key, PartTarget, Relation};

use super::columns::FoundColumn;
use super::constraints::{FoundConstraint, FoundKind};
use super::facts::Names;
use super::indexes::{FoundIndex, FoundTarget};
use super::triggers::FoundTrigger;

/// What belongs to one relation.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) columns: Vec<FoundColumn>,
    pub(super) constraints: Vec<FoundConstraint>,
    pub(super) indexes: Vec<FoundIndex>,
    pub(super) triggers: Vec<FoundTrigger>,
}

/// Everything by the number of what it belongs to.
#[derive(Default)]
pub(super) struct ByOwner {
    pub(super) relations: HashMap<i64, Parts>,
    /// The checks of domains.
    pub(super) domains: HashMap<i64, Vec<Check>>,
}

impl ByOwner {
    pub(super) fn of(
        columns: Vec<FoundColumn>,
        constraints: Vec<FoundConstraint>,
        indexes: Vec<FoundIndex>,
        triggers: Vec<FoundTrigger>,
    ) -> Self {
        let mut by = Self::default();
        for column in columns {
            by.relations.entry(column.relation).or_default().columns.push(column);
        }
        for index in indexes {
            by.relations.entry(index.relation).or_default().indexes.push(index);
        }
        for trigger in triggers {
            by.relations.entry(trigger.relation).or_default().triggers.push(trigger);
        }
        for constraint in constraints {
            match constraint.domain {
                0 => by.relations.entry(constraint.relation).or_default().constraints.push(constraint),
                domain => by.domains.entry(domain).or_default().extend(check(constraint, &[])),
            }
        }
        by
    }
}

/// Names that indexes give as numbers.
pub(super) struct Terms {
    pub(super) operator_classes: Names,
    pub(super) collations: Names,
}

impl Terms {
    /// The name, and the namespace where it is not the engine's own.
    fn named(names: &Names, number: i64) -> (Option<String>, Option<String>) {
        let (name, namespace) = names.get(&number.to_string()).cloned().unzip();
        (name, namespace.filter(|namespace| namespace != "pg_catalog"))
    }
}

/// Columns with their positions, and their names by the catalog's numbers.
pub(super) fn placed(found: Vec<FoundColumn>) -> (HashMap<i64, String>, Vec<Column>) {
    let mut numbers = HashMap::with_capacity(found.len());
    let columns = (1..).zip(found).map(|(position, found)| {
        numbers.insert(i64::from(found.number), found.column.name.clone());
        Column { position, ..found.column }
    });
    let columns = columns.collect();
    (numbers, columns)
}

/// Puts columns, keys, indexes and triggers into a relation. What a part has from its table is left out.
pub(super) fn fill(relation: &mut Relation, parts: Parts, as_part: bool, terms: &Terms) {
    let (numbers, columns) = placed(parts.columns);
    relation.columns = columns;
    let named = |number: i64| numbers.get(&number).cloned().unwrap_or_default();
    let indexes: Vec<(bool, Index)> = parts
        .indexes
        .into_iter()
        .map(|found| (found.is_part, index(found, &named, terms, &relation.columns)))
        .collect();
    for constraint in parts.constraints {
        if as_part && constraint.inherited {
            continue;
        }
        let columns: Vec<String> = constraint.columns.iter().map(|number| named(i64::from(*number))).collect();
        let FoundConstraint { name, deferrability, comment, .. } = &constraint;
        match &constraint.kind {
            FoundKind::Primary | FoundKind::Unique => {
                let kept_by = constraint.index.as_ref();
                let kept_by = indexes.iter().map(|(_, index)| index).find(|index| Some(&index.name) == kept_by);
                let key = Key {
                    name: Some(name.clone()),
                    columns,
                    include: kept_by.map(|index| index.include.clone()).unwrap_or_default(),
                    index: constraint.index.clone(),
                    nulls_distinct: kept_by.is_none_or(|index| index.nulls_distinct),
                    deferrability: *deferrability,
                    comment: comment.clone(),
                };
                match constraint.kind {
                    FoundKind::Primary => relation.primary_key = Some(key),
                    _ => relation.unique.push(key),
                }
            }
            FoundKind::Foreign(found) => relation.foreign_keys.push(ForeignKey {
                name: Some(name.clone()),
                references: found.references.clone(),
                columns: found.pairs.clone(),
                target_constraint: found.target_constraint.clone(),
                on_update: found.on_update,
                on_delete: found.on_delete,
                set_on_delete: found.set_on_delete.clone(),
                match_option: found.match_option,
                deferrability: *deferrability,
                validated: constraint.validated,
                enforced: constraint.enforced,
                comment: comment.clone(),
            }),
            FoundKind::Exclusion(operators) => relation.exclusions.push(Exclusion {
                name: name.clone(),
                operators: operators.clone(),
                index: constraint.index.clone().unwrap_or_default(),
                deferrability: *deferrability,
                comment: comment.clone(),
            }),
            FoundKind::Check(_) => relation.checks.extend(check(constraint, &columns)),
        }
    }
    relation.indexes =
        indexes.into_iter().filter(|(is_part, _)| !(as_part && *is_part)).map(|(_, index)| index).collect();
    for FoundTrigger { columns, mut trigger, .. } in parts.triggers {
        trigger.columns = columns.into_iter().map(named).collect();
        relation.triggers.push(trigger);
    }
}

fn check(constraint: FoundConstraint, columns: &[String]) -> Option<Check> {
    let FoundKind::Check(expression) = constraint.kind else { return None };
    Some(Check {
        name: Some(constraint.name),
        expression,
        columns: columns.to_vec(),
        validated: constraint.validated,
        enforced: constraint.enforced,
        inherited: constraint.inheritable,
        comment: constraint.comment,
    })
}

fn index(found: FoundIndex, named: &impl Fn(i64) -> String, terms: &Terms, columns: &[Column]) -> Index {
    let parts = found.parts.into_iter().map(|part| {
        let (mut collation, mut collation_namespace) = Terms::named(&terms.collations, part.collation);
        let (operator_class, operator_class_namespace) = Terms::named(&terms.operator_classes, part.operator_class);
        let target = match part.target {
            FoundTarget::Column(number) => PartTarget::Column(named(number)),
            FoundTarget::Expression(expression) => PartTarget::Expression(expression),
        };
        // What is the column's own goes without saying, and so does the database's.
        let usual = match &target {
            PartTarget::Column(name) => columns.iter().find(|column| column.name == *name),
            PartTarget::Expression(_) => None,
        };
        let usual = match usual {
            Some(Column { collation: Some(usual), collation_namespace, .. }) => (usual.as_str(), collation_namespace),
            _ => ("default", &None),
        };
        if collation.as_deref() == Some(usual.0) && collation_namespace == *usual.1 {
            (collation, collation_namespace) = (None, None);
        }
        IndexPart {
            collation,
            collation_namespace,
            target,
            direction: part.direction,
            nulls: part.nulls,
            operator_class,
            operator_class_namespace,
            prefix_length: None,
        }
    });
    Index {
        parts: parts.collect(),
        name: found.name,
        method: found.method,
        unique: found.unique,
        nulls_distinct: found.nulls_distinct,
        constraint: found.constraint,
        include: found.include.into_iter().map(named).collect(),
        predicate: found.predicate,
        valid: found.valid,
        comment: found.comment,
        native: found.native,
    }
}

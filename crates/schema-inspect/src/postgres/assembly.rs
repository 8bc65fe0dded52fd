use std::collections::{BTreeMap, HashMap, HashSet};

use schema_model::{
    Check, Database, ForeignKey, Index, Inspection, Key, Namespace, Native, ObjectName, Partitioning, Reading,
    RelationKind, RelationStatistics, Report, SequenceOptions, UserTypeKind,
};
use shared_kernel::database::Engine;

use super::columns::FoundColumn;
use super::constraints::FoundConstraint;
use super::facts::Facts;
use super::identities;
use super::indexes::FoundIndex;
use super::partitions::{Part, Partitions, Size};
use super::parts::{ByOwner, Terms, fill, placed};
use super::relations::FoundRelation;
use super::routines::FoundRoutine;
use super::sequences::FoundSequence;
use super::triggers::FoundTrigger;
use super::types::FoundType;
use crate::{InspectOptions, gaps};

/// All answers of the catalog, to be put together.
pub(super) struct Assembly {
    pub(super) facts: Facts,
    pub(super) relations: Vec<FoundRelation>,
    pub(super) columns: Vec<FoundColumn>,
    pub(super) constraints: Vec<FoundConstraint>,
    pub(super) indexes: Vec<FoundIndex>,
    pub(super) triggers: Vec<FoundTrigger>,
    pub(super) sequences: Vec<FoundSequence>,
    pub(super) types: Vec<FoundType>,
    pub(super) routines: Vec<FoundRoutine>,
}

/// How the numbers of identity columns are counted, by relation and column.
type Counters = HashMap<(i64, String), SequenceOptions>;

impl Assembly {
    pub(super) fn inspection(self, options: &InspectOptions, report: Report) -> Inspection {
        let Self { facts, relations, columns, constraints, indexes, triggers, sequences, types, routines } = self;
        let mut namespaces = Namespaces::of(facts.namespaces);
        let mut by_owner = ByOwner::of(columns, constraints, indexes, triggers);
        let mut identities = identities::Found::default();
        let mut counters = Counters::new();
        for FoundSequence { oid, namespace, sequence, identity_of } in sequences {
            if let Some(column) = identity_of {
                counters.insert(column, sequence.options);
            } else {
                identities.sequence(oid, ObjectName::new(&namespace, &sequence.name));
                namespaces.at(&namespace).sequences.push(sequence);
            }
        }
        let terms = Terms { operator_classes: facts.operator_classes, collations: facts.collations };
        for relation in &relations {
            identities.relation(relation, by_owner.relations.get(&relation.oid));
        }
        let statistics = namespaces.add_relations(relations, &mut by_owner, &mut counters, &terms, facts.block_size);
        for FoundType { oid, relation, namespace, mut user_type } in types {
            match &mut user_type.kind {
                UserTypeKind::Domain { checks, .. } => {
                    *checks = by_owner.domains.remove(&oid).unwrap_or_default();
                    checks.sort_by(|one, other| one.name.cmp(&other.name));
                }
                UserTypeKind::Composite { attributes } => {
                    *attributes = placed(by_owner.relations.remove(&relation).unwrap_or_default().columns).1;
                }
                UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {}
            }
            identities.user_type(oid, ObjectName::new(&namespace, &user_type.name));
            namespaces.at(&namespace).types.push(user_type);
        }
        let mut native_objects = Vec::new();
        for found in routines {
            match found {
                FoundRoutine::Routine(namespace, routine) => namespaces.at(&namespace).routines.push(routine),
                FoundRoutine::Object(object) => native_objects.push(object),
            }
        }
        let mut database = Database {
            engine: Engine::POSTGRES.to_string(),
            version: facts.version,
            name: facts.name,
            comment: facts.comment,
            character_set: Some(facts.encoding),
            collation: Some(facts.collation),
            namespaces: namespaces.0.into_values().collect(),
            extensions: facts.extensions,
            native_objects,
            native: Native::new(),
        };
        sort(&mut database);
        let gaps = gaps::of(&mut database, options.longest_definition);
        let identities = facts.origin.map(|origin| identities.of(origin));
        Inspection {
            database,
            statistics,
            samples: Vec::new(),
            key_samples: Vec::new(),
            report: Report { gaps, ..report },
            identities,
        }
    }
}

/// Namespaces by their names.
struct Namespaces(BTreeMap<String, Namespace>);

impl Namespaces {
    fn of(found: Vec<Namespace>) -> Self {
        Self(found.into_iter().map(|namespace| (namespace.name.clone(), namespace)).collect())
    }

    fn at(&mut self, name: &str) -> &mut Namespace {
        self.0.entry(name.to_owned()).or_insert_with(|| Namespace::new(name))
    }

    /// Adds relations, with parts of tables below their table, and returns how much is in each.
    fn add_relations(
        &mut self,
        found: Vec<FoundRelation>,
        by_owner: &mut ByOwner,
        counters: &mut Counters,
        terms: &Terms,
        block_size: u64,
    ) -> Vec<RelationStatistics> {
        let known: HashSet<ObjectName> =
            found.iter().map(|found| ObjectName::new(&found.namespace, &found.relation.name)).collect();
        let mut whole = Vec::new();
        let mut partitions = Partitions::default();
        for FoundRelation { oid, namespace, mut relation, partition_key: key, bound, mut size } in found {
            let parts = by_owner.relations.remove(&oid).unwrap_or_default();
            size.pages += parts.indexes.iter().map(|index| index.pages).sum::<u64>();
            let table = relation.inherits.first().filter(|table| bound.is_some() && known.contains(*table)).cloned();
            fill(&mut relation, parts, table.is_some(), terms);
            for column in &mut relation.columns {
                if let Some(identity) = &mut column.identity {
                    identity.options = counters.remove(&(oid, column.name.clone()));
                }
            }
            match (bound, table) {
                (Some(bound), Some(table)) => partitions.add(table, Part { namespace, relation, bound, key, size }),
                (bound, _) => {
                    if let Some(Reading::Known(bound)) = bound {
                        // Its table is in a namespace that was not asked for.
                        relation.native.insert("partition_bound".to_owned(), bound.into());
                    }
                    whole.push((namespace, relation, key, size));
                }
            }
        }
        let mut statistics = Vec::new();
        for (namespace, mut relation, key, mut size) in whole {
            let name = ObjectName::new(&namespace, &relation.name);
            if let Some(key) = key {
                size.rows = None;
                relation.partitioning = Some(partitions.take(key, &name, &mut size));
            }
            if matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView) {
                let Size { rows, pages } = size;
                statistics.push(RelationStatistics { relation: name, rows, bytes: Some(pages * block_size) });
            }
            self.at(&namespace).relations.push(relation);
        }
        statistics.sort_by(|one, other| one.relation.cmp(&other.relation));
        statistics
    }
}

/// Every list in an order that depends on the content alone.
fn sort(database: &mut Database) {
    database.extensions.sort_by(|one, other| one.name.cmp(&other.name));
    database.native_objects.sort_by(|one, other| {
        (&one.kind, &one.name, &one.signature).cmp(&(&other.kind, &other.name, &other.signature))
    });
    for namespace in &mut database.namespaces {
        namespace.relations.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.sequences.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.types.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.routines.sort_by(|one, other| (&one.name, &one.arguments).cmp(&(&other.name, &other.arguments)));
        for relation in &mut namespace.relations {
            sort_parts(&mut relation.unique, &mut relation.foreign_keys, &mut relation.checks, &mut relation.indexes);
            if let Some(partitioning) = &mut relation.partitioning {
                sort_partitions(partitioning);
            }
            relation.exclusions.sort_by(|one, other| one.name.cmp(&other.name));
            relation.triggers.sort_by(|one, other| one.name.cmp(&other.name));
            relation.rules.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }
}

fn sort_parts(unique: &mut [Key], foreign_keys: &mut [ForeignKey], checks: &mut [Check], indexes: &mut [Index]) {
    unique.sort_by(|one, other| one.name.cmp(&other.name));
    foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
    checks.sort_by(|one, other| one.name.cmp(&other.name));
    indexes.sort_by(|one, other| one.name.cmp(&other.name));
}

/// What parts of a table have of their own. They are no deeper in each other than they are read.
fn sort_partitions(partitioning: &mut Partitioning) {
    for part in &mut partitioning.partitions {
        sort_parts(&mut part.unique, &mut part.foreign_keys, &mut part.checks, &mut part.indexes);
        if let Some(below) = &mut part.partitioning {
            sort_partitions(below);
        }
    }
}

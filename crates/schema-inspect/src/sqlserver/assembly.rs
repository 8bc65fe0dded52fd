use std::collections::{BTreeMap, HashMap, HashSet};

use schema_model::{
    Database, Gap, Identities, Inspection, Namespace, Native, ObjectIdentity, ObjectName, RelationIdentity,
    RelationStatistics, Report, Unavailable, UserType, UserTypeKind,
};
use shared_kernel::database::Engine;

use super::Answer;
use super::about::{About, class};
use super::columns::{ByOwner, FoundColumn, Making, Typed};
use super::constraints::{self, FoundConstraint};
use super::definitions::Definitions;
use super::indexes::{FoundIndexRow, FoundIndexes};
use super::namespaces::{Facts, Known};
use super::objects::{self, FoundObject, FoundUse, ObjectKind};
use super::statistics::FoundSize;
use super::triggers::{self, FoundTrigger};
use super::types::Types;
use crate::{InspectOptions, gaps};

/// All answers of the catalog, to be put together.
pub(super) struct Assembly {
    facts: Facts,
    pub(super) known: Known,
    pub(super) objects: Vec<FoundObject>,
    pub(super) columns: Vec<Typed>,
    pub(super) constraints: Vec<FoundConstraint>,
    pub(super) indexes: Vec<FoundIndexRow>,
    pub(super) triggers: Vec<FoundTrigger>,
    pub(super) definitions: Definitions,
    pub(super) uses: Vec<FoundUse>,
    pub(super) statistics: Vec<FoundSize>,
    pub(super) gaps: Vec<Gap>,
}

impl Assembly {
    pub(super) fn new(facts: Facts) -> Self {
        let mut gaps = Vec::new();
        if !facts.sees_definitions {
            // What it has no right to is not listed for the login, so that nobody knows what is missing.
            gaps.push(Gap { object: None, part: "objects".to_owned(), reason: Unavailable::Forbidden });
        }
        Self {
            facts,
            known: Known::default(),
            objects: Vec::new(),
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            triggers: Vec::new(),
            definitions: Definitions::default(),
            uses: Vec::new(),
            statistics: Vec::new(),
            gaps,
        }
    }

    /// What an answer has. What it lacks, or is not certain of, is written down for these parts.
    pub(super) fn noted<T>(&mut self, parts: &[&str], answer: Answer<T>) -> Vec<T> {
        if let Some(reason) = answer.reason {
            self.gaps.extend(parts.iter().map(|part| Gap { object: None, part: (*part).to_owned(), reason }));
        }
        answer.rows
    }

    pub(super) fn inspection(self, options: &InspectOptions, report: Report) -> Inspection {
        let Self { facts, known, objects, columns, constraints, indexes, triggers, mut definitions, uses, .. } = self;
        let (by_owner, types) = ByOwner::of(columns);
        let types = Types::of(types, |schema| known.name(schema));
        let Known { mut about, namespaces, compatibility_level, broker, .. } = known;
        let comment = about.comment((class::DATABASE, 0, 0));
        let mut made = Made {
            namespaces,
            types: &types,
            collation: facts.collation.as_deref(),
            by_owner,
            constraints: constraints::ByRelation::of(constraints),
            indexes: FoundIndexes::of(indexes),
            triggers: triggers::assembled(triggers, &mut definitions, &mut about),
            definitions,
            uses: objects::uses(uses),
            sizes: self.statistics.into_iter().map(|size| (size.object, size)).collect(),
            about,
            statistics: Vec::new(),
            identities: Identities {
                origin: broker.as_deref().map(|broker| facts.origin(broker)).unwrap_or_default(),
                relations: Vec::new(),
                sequences: Vec::new(),
                types: Vec::new(),
            },
        };
        made.add_types();
        // Each once, however often it was sent.
        let mut told = HashSet::new();
        for object in objects.iter().filter(|object| told.insert(object.id)) {
            made.add(object);
        }
        let Made { namespaces, mut statistics, mut identities, indexes, .. } = made;
        let mut native = Native::new();
        if let Some(edition) = &facts.edition {
            native.insert("edition".to_owned(), edition.as_str().into());
        }
        if let Some(level) = compatibility_level {
            native.insert("compatibility_level".to_owned(), level.into());
        }
        let mut database = Database {
            engine: Engine::SQLSERVER.to_string(),
            version: facts.version,
            name: facts.name,
            comment,
            character_set: None,
            collation: facts.collation,
            namespaces: Known::told(namespaces),
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native,
        };
        sort(&mut database);
        let mut gaps = self.gaps;
        gaps.extend(gaps::of(&mut database, options.longest_definition));
        if indexes.is_cut {
            let reason = Unavailable::OverLimit;
            gaps.extend(["indexes", "keys"].map(|part| Gap { object: None, part: part.to_owned(), reason }));
        }
        gaps.sort_unstable();
        gaps.dedup();
        statistics.sort_by(|one, other| one.relation.cmp(&other.relation));
        identities.relations.sort_unstable();
        identities.sequences.sort_unstable();
        identities.types.sort_unstable();
        let identities = broker.map(|_| identities);
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

/// What is put together, and from what.
struct Made<'a> {
    /// By the numbers of their schemas.
    namespaces: BTreeMap<i64, Namespace>,
    types: &'a Types,
    collation: Option<&'a str>,
    by_owner: ByOwner,
    constraints: constraints::ByRelation,
    indexes: FoundIndexes,
    triggers: HashMap<i64, Vec<schema_model::Trigger>>,
    definitions: Definitions,
    uses: HashMap<i64, Vec<ObjectName>>,
    sizes: HashMap<i64, FoundSize>,
    about: About,
    statistics: Vec<RelationStatistics>,
    identities: Identities,
}

impl Made<'_> {
    /// Aliases and table types. There is no place for what is written in CLR but the columns that have it.
    fn add_types(&mut self) {
        for found in self.types.made() {
            if found.is_assembly || !self.namespaces.contains_key(&found.schema) {
                continue;
            }
            let kind = match found.table {
                Some(table) => {
                    let attributes = self.by_owner.columns.remove(&table).unwrap_or_default();
                    UserTypeKind::Composite { attributes: self.columns(attributes) }
                }
                None => UserTypeKind::Domain {
                    base: self.types.base(found),
                    nullable: found.nullable,
                    default: None,
                    collation: found.collation.clone().filter(|collation| Some(collation.as_str()) != self.collation),
                    collation_namespace: None,
                    checks: Vec::new(),
                },
            };
            let thing = (class::TYPE, found.id, 0);
            let mut native = Native::new();
            let grants = self.about.grants(thing, Some(&mut native));
            let Some(namespace) = self.namespaces.get_mut(&found.schema) else { continue };
            denied_on(&found.name, native, namespace);
            self.identities
                .types
                .push(ObjectIdentity { name: ObjectName::new(&*namespace.name, &*found.name), number: found.id });
            namespace.types.push(UserType {
                name: found.name.clone(),
                kind,
                owner: found.owner.clone().or_else(|| namespace.owner.clone()),
                comment: self.about.comment(thing),
                grants,
            });
        }
    }

    fn columns(&mut self, found: Vec<FoundColumn>) -> Vec<schema_model::Column> {
        let Self { types, definitions, about, collation, .. } = self;
        Making { types, definitions, about, collation: *collation }.columns(found)
    }

    fn add(&mut self, found: &FoundObject) {
        let Some(namespace) = self.namespaces.get(&found.schema) else { return };
        let name = ObjectName::new(&*namespace.name, &*found.name);
        let owner = found.owner.clone().or_else(|| namespace.owner.clone());
        let thing = (class::OBJECT, found.id, 0);
        let comment = self.about.comment(thing);
        match found.kind() {
            ObjectKind::Relation(kind) => {
                let mut relation = self.relation(found, kind, &name);
                relation.owner = owner;
                relation.comment = comment;
                relation.grants = self.about.grants(thing, Some(&mut relation.native));
                if let Some(namespace) = self.namespaces.get_mut(&found.schema) {
                    namespace.relations.push(relation);
                }
            }
            ObjectKind::Sequence => {
                let Some(mut sequence) = found.sequence(self.types) else { return };
                (sequence.owner, sequence.comment) = (owner, comment);
                let mut native = Native::new();
                sequence.grants = self.about.grants(thing, Some(&mut native));
                self.identities.sequences.push(ObjectIdentity { name, number: found.id });
                if let Some(namespace) = self.namespaces.get_mut(&found.schema) {
                    denied_on(&found.name, native, namespace);
                    namespace.sequences.push(sequence);
                }
            }
            ObjectKind::Routine(kind) => {
                let mut routine = found.routine(kind, self.types, &mut self.by_owner, &mut self.definitions);
                (routine.owner, routine.comment) = (owner, comment);
                routine.grants = self.about.grants(thing, Some(&mut routine.native));
                if let Some(namespace) = self.namespaces.get_mut(&found.schema) {
                    namespace.routines.push(routine);
                }
            }
            ObjectKind::Synonym => {
                if let Some(namespace) = self.namespaces.get_mut(&found.schema) {
                    let synonyms =
                        namespace.native.entry("synonyms".to_owned()).or_insert_with(|| Vec::<u8>::new().into());
                    if let Some(all) = synonyms.as_array_mut() {
                        all.push(found.synonym());
                    }
                }
            }
        }
    }

    fn relation(
        &mut self,
        found: &FoundObject,
        kind: schema_model::RelationKind,
        name: &ObjectName,
    ) -> schema_model::Relation {
        let columns = self.by_owner.columns.remove(&found.id).unwrap_or_default();
        let named: HashMap<i64, String> = columns.iter().map(|column| (column.number, column.name.clone())).collect();
        let boundary = |which: i64| columns.iter().find(|column| column.generated_always == which);
        let period = [1, 2].map(|which| boundary(which).map(|column| column.name.as_str()));
        let mut relation = found.relation(kind, &mut self.definitions, period);
        let numbers = columns.iter().filter_map(|column| i32::try_from(column.number).ok()).collect();
        self.identities.relations.push(RelationIdentity { name: name.clone(), number: found.id, columns: numbers });
        relation.columns = self.columns(columns);
        let Self { constraints, indexes, definitions, about, .. } = self;
        constraints.fill(found.id, &mut relation, &named, indexes, definitions, about);
        indexes.fill(found.id, &name.namespace, &mut relation, &named, definitions, about);
        relation.triggers = self.triggers.remove(&found.id).unwrap_or_default();
        relation.uses = self.uses.remove(&found.id).unwrap_or_default();
        if let Some(size) = self.sizes.remove(&found.id) {
            self.statistics.push(RelationStatistics { relation: name.clone(), rows: size.rows, bytes: size.bytes });
        }
        relation
    }
}

/// What is denied on a sequence or a type, which have no place for it themselves, is told with their namespace.
fn denied_on(name: &str, mut native: Native, namespace: &mut Namespace) {
    let Some(denied) = native.remove("denied") else { return };
    let all = namespace.native.entry("denied_on".to_owned()).or_insert_with(|| serde_json::json!({}));
    if let Some(all) = all.as_object_mut() {
        all.insert(name.to_owned(), denied);
    }
}

/// Every list in an order that depends on the content alone; what belongs to a relation is in order already.
fn sort(database: &mut Database) {
    for namespace in &mut database.namespaces {
        namespace.relations.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.sequences.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.types.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.routines.sort_by(|one, other| (&one.name, &one.arguments).cmp(&(&other.name, &other.arguments)));
        if let Some(synonyms) = namespace.native.get_mut("synonyms").and_then(serde_json::Value::as_array_mut) {
            synonyms.sort_by_cached_key(|synonym| synonym["name"].as_str().map(str::to_owned));
        }
    }
}

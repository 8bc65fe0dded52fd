use std::collections::{BTreeMap, HashMap};

use schema_model::{
    Database, Gap, Inspection, Namespace, Native, ObjectName, Reading, Relation, RelationKind, RelationStatistics,
    Report, Sequence, SequenceOptions, Unavailable,
};
use shared_kernel::database::Engine;

use super::product::Product;
use super::rows::{
    Answer, Facts, FoundColumn, FoundConstraint, FoundDatabase, FoundIndexPart, FoundPartition, FoundProgram,
    FoundRelation, FoundRoutine, FoundView, Id, Size,
};
use super::{columns, constraints, grants, indexes, partitions, programs, views};
use crate::{InspectOptions, gaps};

/// All answers of the catalog, to be put together.
pub(super) struct Found {
    pub(super) product: Product,
    pub(super) facts: Facts,
    pub(super) databases: Vec<FoundDatabase>,
    pub(super) relations: Vec<FoundRelation>,
    pub(super) columns: Answer<FoundColumn>,
    pub(super) indexes: Answer<FoundIndexPart>,
    pub(super) constraints: Answer<FoundConstraint>,
    pub(super) views: Vec<FoundView>,
    pub(super) partitions: Answer<FoundPartition>,
    pub(super) programs: Answer<FoundProgram>,
    pub(super) routines: Vec<FoundRoutine>,
    /// MySQL's; `None` where they were not told in time.
    pub(super) statistics: Option<Vec<(Id, Option<Size>)>>,
    /// MariaDB's; `None` where one of them was locked, or not for this user to read.
    pub(super) sequences: Option<Vec<(Id, SequenceOptions)>>,
}

/// What of a relation is asked for by questions of their own, and missing where it could not be opened.
const PARTS: [&str; 7] = ["columns", "keys", "foreign_keys", "checks", "indexes", "triggers", "partitioning"];

impl Found {
    /// Whether some table was open to one question and not to another.
    pub(super) fn is_torn(&self) -> bool {
        self.indexes.warned || self.constraints.warned || self.partitions.warned || self.programs.warned
    }

    pub(super) fn inspection(self, options: &InspectOptions, report: Report) -> Inspection {
        let mut gaps = Vec::new();
        for (part, warned) in [
            ("indexes", self.indexes.warned),
            ("constraints", self.constraints.warned),
            ("partitioning", self.partitions.warned),
            ("triggers", self.programs.warned),
        ] {
            if warned {
                gaps.push(Gap { object: None, part: part.to_owned(), reason: Unavailable::Locked });
            }
        }
        let are_counted = self.product.is_mariadb || self.statistics.is_some();
        if !are_counted {
            gaps.push(Gap { object: None, part: "statistics".to_owned(), reason: Unavailable::Locked });
        }
        let mut namespaces = namespaces(self.databases, options);
        let mut sizes: HashMap<Id, Option<Size>> = self.statistics.into_iter().flatten().collect();
        let mut columns = by_relation(self.columns.rows, |column| &column.relation);
        let mut indexes = by_relation(self.indexes.rows, |part| &part.relation);
        let mut partitions = by_relation(self.partitions.rows, |part| &part.table);
        let mut constraints = constraints::by_table(self.constraints.rows);
        let mut views = views::by_name(self.views);
        let mut programs = programs::sorted(self.programs.rows);
        let mut sequences: HashMap<Id, SequenceOptions> = self.sequences.into_iter().flatten().collect();
        let mut statistics = Vec::new();
        for found in self.relations {
            let Some(namespace) = namespaces.get_mut(&found.id.0) else { continue };
            let name = ObjectName::new(&*found.id.0, &*found.id.1);
            let unreadable = unreadable(&found);
            let found_columns = columns.remove(&found.id).unwrap_or_default();
            if found.kind == "SEQUENCE" {
                match sequences.remove(&found.id) {
                    Some(options) => namespace.value.sequences.push(sequence(found, options, &found_columns)),
                    None => gaps.push(Gap {
                        object: Some(name),
                        part: "options".to_owned(),
                        reason: unreadable.unwrap_or(Unavailable::Forbidden),
                    }),
                }
                continue;
            }
            let mut relation = Relation::new(&*found.id.1, kind(&found));
            let is_view = relation.kind == RelationKind::View;
            let collation = if is_view { None } else { found.collation.clone() };
            relation.columns = columns::assembled(found_columns, collation.as_deref(), self.product);
            if relation.columns.is_empty() {
                let told = if self.columns.warned { Unavailable::Locked } else { Unavailable::Forbidden };
                let reason = unreadable.unwrap_or(told);
                let parts = if is_view { &PARTS[..1] } else { &PARTS[..] };
                gaps.extend(parts.iter().map(|part| Gap {
                    object: Some(name.clone()),
                    part: (*part).to_owned(),
                    reason,
                }));
                relation.native.insert("unavailable".to_owned(), serde_json::to_value(reason).unwrap_or_default());
            }
            indexes::fill(&mut relation, indexes.remove(&found.id).unwrap_or_default(), self.product);
            if let Some(found) = constraints.remove(&found.id) {
                constraints::fill(&mut relation, found, self.product);
            }
            relation.partitioning =
                partitions::assembled(&found.id.0, partitions.remove(&found.id).unwrap_or_default());
            relation.triggers = programs.triggers.remove(&found.id).unwrap_or_default();
            if is_view {
                views::fill(&mut relation, views.remove(&found.id), unreadable);
            } else {
                let size = if self.product.is_mariadb { Some(Some(found.size)) } else { sizes.remove(&found.id) };
                let counted = size.flatten().filter(|_| unreadable.is_none());
                if counted.is_none() && are_counted && unreadable.is_none() {
                    gaps.push(Gap {
                        object: Some(name.clone()),
                        part: "statistics".to_owned(),
                        reason: Unavailable::Locked,
                    });
                }
                let Size { rows, bytes } = counted.unwrap_or_default();
                statistics.push(RelationStatistics { relation: name, rows, bytes });
                describe(&mut relation, found, unreadable.is_none());
            }
            namespace.value.relations.push(relation);
        }
        for (id, event) in programs.events {
            if let Some(namespace) = namespaces.get_mut(&id.0) {
                namespace.value.events.push(event);
            }
        }
        for (namespace, routine) in programs::routines(self.routines) {
            if let Some(found) = namespaces.get_mut(&namespace) {
                found.value.routines.push(routine);
            }
        }
        let mut database = Database {
            engine: if self.product.is_mariadb { Engine::MARIADB } else { Engine::MYSQL }.to_string(),
            version: self.facts.version,
            name: self.facts.name,
            comment: None,
            character_set: Some(self.facts.character_set),
            collation: Some(self.facts.collation),
            namespaces: namespaces.into_values().map(|namespace| namespace.with_grants()).collect(),
            extensions: Vec::new(),
            native: Native::new(),
        };
        sort(&mut database);
        gaps.extend(gaps::of(&mut database, options.longest_definition));
        gaps.sort_unstable();
        gaps.dedup();
        statistics.sort_by(|one, other| one.relation.cmp(&other.relation));
        Inspection { database, statistics, report: Report { gaps, ..report } }
    }
}

/// Why MariaDB could not open a relation: it says so in place of the comment.
pub(super) fn unreadable(found: &FoundRelation) -> Option<Unavailable> {
    let comment = found.comment.as_deref().unwrap_or_default();
    let failed = if found.kind.ends_with("VIEW") { comment != "VIEW" } else { found.engine.is_none() };
    // Errors 1205 and 1684.
    let locked =
        comment.starts_with("Lock wait timeout exceeded") || comment.contains("was skipped since its definition");
    failed.then_some(if locked { Unavailable::Locked } else { Unavailable::Broken })
}

fn kind(found: &FoundRelation) -> RelationKind {
    match (found.kind.as_str(), found.engine.as_deref()) {
        ("VIEW" | "SYSTEM VIEW", _) => RelationKind::View,
        (_, Some("FEDERATED")) => RelationKind::ForeignTable,
        _ => RelationKind::Table,
    }
}

fn describe(relation: &mut Relation, found: FoundRelation, is_readable: bool) {
    let FoundRelation { kind, engine, row_format, collation, options, comment, .. } = found;
    relation.comment = comment.filter(|_| is_readable);
    let character_set = collation.as_deref().and_then(|collation| collation.split('_').next()).map(str::to_owned);
    let options = options.map(|options| options.replace("partitioned", "").trim().to_owned());
    for (key, value) in [
        ("engine", engine),
        ("row_format", row_format),
        ("character_set", character_set),
        ("collation", collation),
        ("options", options.filter(|options| !options.is_empty())),
    ] {
        if let Some(value) = value {
            relation.native.insert(key.to_owned(), value.into());
        }
    }
    if kind == "SYSTEM VERSIONED" {
        relation.native.insert("system_versioned".to_owned(), true.into());
    }
}

fn sequence(found: FoundRelation, options: SequenceOptions, columns: &[FoundColumn]) -> Sequence {
    let counted = columns.iter().find(|column| column.name == "start_value");
    let text = counted.map_or("bigint", |column| column.type_text.as_str());
    Sequence {
        name: found.id.1,
        data_type: text.to_owned(),
        options,
        owned_by: None,
        owner: None,
        comment: found.comment,
        grants: Vec::new(),
    }
}

/// A namespace, and who may do what with what is in it.
struct FoundNamespace {
    value: Namespace,
    grants: grants::Grants,
}

impl FoundNamespace {
    fn with_grants(self) -> Namespace {
        let Self { value: mut namespace, mut grants } = self;
        namespace.grants = grants.take(None, None);
        for relation in &mut namespace.relations {
            relation.grants = grants.take(Some(&relation.name), None);
            for column in &mut relation.columns {
                column.grants = grants.take(Some(&relation.name), Some(&column.name));
            }
        }
        for sequence in &mut namespace.sequences {
            sequence.grants = grants.take(Some(&sequence.name), None);
        }
        namespace
    }
}

/// Databases that were asked for, none of the engine's own.
fn namespaces(found: Vec<FoundDatabase>, options: &InspectOptions) -> BTreeMap<String, FoundNamespace> {
    const SYSTEM: [&str; 5] = ["information_schema", "performance_schema", "mysql", "sys", "ndbinfo"];
    let is_selected = |name: &String| {
        !SYSTEM.contains(&name.to_ascii_lowercase().as_str())
            && options.namespaces.as_ref().is_none_or(|names| names.contains(name))
    };
    let mut namespaces = BTreeMap::new();
    let mut granted = Vec::new();
    for found in found {
        match found {
            FoundDatabase::Namespace { name, character_set, collation, comment, .. } if is_selected(&name) => {
                let mut value = Namespace { comment, ..Namespace::new(&*name) };
                value.native.insert("character_set".to_owned(), character_set.into());
                value.native.insert("collation".to_owned(), collation.into());
                namespaces.insert(name, FoundNamespace { value, grants: grants::Grants::default() });
            }
            FoundDatabase::Namespace { .. } => {}
            FoundDatabase::Grant(grant) => granted.push(grant),
        }
    }
    for grant in granted {
        // A database may be granted by a pattern; the one that stands for nothing but a name has its wildcards quoted.
        let name = if grant.relation.is_none() { grant.namespace.replace("\\_", "_") } else { grant.namespace.clone() };
        if let Some(namespace) = namespaces.get_mut(&name) {
            namespace.grants.add(grant);
        }
    }
    namespaces
}

fn by_relation<T>(found: Vec<T>, id: impl Fn(&T) -> &Id) -> HashMap<Id, Vec<T>> {
    let mut by_relation: HashMap<Id, Vec<T>> = HashMap::new();
    for found in found {
        // Rows of one relation come together, so that most of them need no key of their own.
        match by_relation.get_mut(id(&found)) {
            Some(of_relation) => of_relation.push(found),
            None => drop(by_relation.insert(id(&found).clone(), vec![found])),
        }
    }
    by_relation
}

/// Every list in an order that depends on the content alone.
fn sort(database: &mut Database) {
    for namespace in &mut database.namespaces {
        namespace.relations.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.sequences.sort_by(|one, other| one.name.cmp(&other.name));
        namespace.routines.sort_by(|one, other| {
            (&one.name, &one.arguments, one.kind).cmp(&(&other.name, &other.arguments, other.kind))
        });
        namespace.events.sort_by(|one, other| one.name.cmp(&other.name));
        for relation in &mut namespace.relations {
            relation.unique.sort_by(|one, other| one.name.cmp(&other.name));
            relation.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
            relation.checks.sort_by(|one, other| one.name.cmp(&other.name));
            relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
            relation.triggers.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }
}

/// A text that may be there for others only.
pub(super) fn or_forbidden(text: Option<String>) -> Reading<String> {
    text.map_or(Reading::unavailable(Unavailable::Forbidden), Reading::Known)
}

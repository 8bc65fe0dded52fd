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

    /// Whether the server got row counts and sizes together in time.
    pub(super) fn is_counted(&self) -> bool {
        self.product.is_mariadb || self.statistics.is_some()
    }

    pub(super) fn inspection(mut self, options: &InspectOptions, report: Report) -> Inspection {
        let facts = std::mem::take(&mut self.facts);
        let product = self.product;
        let mut namespaces = namespaces(std::mem::take(&mut self.databases), options);
        let relations = std::mem::take(&mut self.relations);
        let usual = namespaces.iter().filter_map(|(name, found)| Some((name.clone(), found.collation()?))).collect();
        for (namespace, routine) in programs::routines(std::mem::take(&mut self.routines), &usual) {
            if let Some(found) = namespaces.get_mut(&namespace) {
                found.value.routines.push(routine);
            }
        }
        let mut parts = Parts::of(self);
        for found in relations {
            let Some(namespace) = namespaces.get_mut(&found.id.0) else { continue };
            if found.kind == "SEQUENCE" {
                namespace.value.sequences.extend(parts.sequence(found));
            } else {
                namespace.value.relations.push(parts.relation(found));
            }
        }
        for (id, event) in parts.programs.events {
            if let Some(namespace) = namespaces.get_mut(&id.0) {
                namespace.value.events.push(event);
            }
        }
        let mut database = Database {
            engine: if product.is_mariadb { Engine::MARIADB } else { Engine::MYSQL }.to_string(),
            version: facts.version,
            name: facts.name,
            comment: None,
            character_set: Some(facts.character_set),
            collation: Some(facts.collation),
            namespaces: namespaces.into_values().map(FoundNamespace::with_grants).collect(),
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native: Native::new(),
        };
        sort(&mut database);
        let Parts { mut gaps, mut statistics, .. } = parts;
        gaps.extend(gaps::of(&mut database, options.longest_definition));
        gaps.sort_unstable();
        gaps.dedup();
        statistics.sort_by(|one, other| one.relation.cmp(&other.relation));
        Inspection {
            database,
            statistics,
            samples: Vec::new(),
            key_samples: Vec::new(),
            report: Report { gaps, ..report },
            identities: None,
        }
    }
}

/// What is known of relations, by their names, and what was not found while they were put together.
struct Parts {
    product: Product,
    columns: HashMap<Id, Vec<FoundColumn>>,
    /// Whether some relation's columns are missing because it could not be opened.
    lacks_columns: bool,
    indexes: HashMap<Id, Vec<FoundIndexPart>>,
    constraints: HashMap<Id, constraints::OfTable>,
    views: HashMap<Id, views::OfView>,
    partitions: HashMap<Id, Vec<FoundPartition>>,
    programs: programs::Programs,
    sequences: HashMap<Id, SequenceOptions>,
    /// MySQL's; `None` where they are not known.
    sizes: Option<HashMap<Id, Option<Size>>>,
    gaps: Vec<Gap>,
    statistics: Vec<RelationStatistics>,
}

impl Parts {
    fn of(found: Found) -> Self {
        let sizes: Option<HashMap<_, _>> = found.statistics.map(|sizes| sizes.into_iter().collect());
        let gaps = [
            ("indexes", found.indexes.warned),
            ("keys", found.indexes.warned),
            ("foreign_keys", found.constraints.warned),
            ("checks", found.constraints.warned),
            ("partitioning", found.partitions.warned),
            ("triggers", found.programs.warned),
            ("statistics", !found.product.is_mariadb && sizes.is_none()),
        ];
        let gaps = gaps.into_iter().filter(|(_, is_missing)| *is_missing);
        let gaps = gaps.map(|(part, _)| Gap { object: None, part: part.to_owned(), reason: Unavailable::Locked });
        Self {
            product: found.product,
            lacks_columns: found.columns.warned,
            columns: by_relation(found.columns.rows, |column| &column.relation),
            indexes: by_relation(found.indexes.rows, |part| &part.relation),
            constraints: constraints::by_table(found.constraints.rows),
            views: views::by_name(found.views),
            partitions: by_relation(found.partitions.rows, |part| &part.table),
            programs: programs::sorted(found.programs.rows),
            sequences: found.sequences.into_iter().flatten().collect(),
            sizes,
            gaps: gaps.collect(),
            statistics: Vec::new(),
        }
    }

    fn lacks(&mut self, object: &ObjectName, part: &str, reason: Unavailable) {
        self.gaps.push(Gap { object: Some(object.clone()), part: part.to_owned(), reason });
    }

    fn sequence(&mut self, found: FoundRelation) -> Option<Sequence> {
        let columns = self.columns.remove(&found.id).unwrap_or_default();
        if let Some(options) = self.sequences.remove(&found.id) {
            return Some(sequence(found, options, &columns));
        }
        let reason = unreadable(&found).unwrap_or(Unavailable::Forbidden);
        self.lacks(&ObjectName::new(found.id.0, found.id.1), "options", reason);
        None
    }

    fn relation(&mut self, found: FoundRelation) -> Relation {
        let name = ObjectName::new(&*found.id.0, &*found.id.1);
        let unreadable = unreadable(&found);
        let mut relation = Relation::new(&*found.id.1, kind(&found));
        let is_view = relation.kind == RelationKind::View;
        let collation = found.collation.as_deref().filter(|_| !is_view);
        let columns = self.columns.remove(&found.id).unwrap_or_default();
        relation.columns = columns::assembled(columns, collation, self.product);
        if relation.columns.is_empty() {
            let told = if self.lacks_columns { Unavailable::Locked } else { Unavailable::Forbidden };
            let reason = unreadable.unwrap_or(told);
            for part in if is_view { &PARTS[..1] } else { &PARTS } {
                self.lacks(&name, part, reason);
            }
            relation.native.insert("unavailable".to_owned(), serde_json::to_value(reason).unwrap_or_default());
        }
        indexes::fill(&mut relation, self.indexes.remove(&found.id).unwrap_or_default(), self.product);
        if let Some(constraints) = self.constraints.remove(&found.id) {
            constraints::fill(&mut relation, constraints, self.product);
        }
        relation.partitioning =
            partitions::assembled(&found.id.0, self.partitions.remove(&found.id).unwrap_or_default());
        relation.triggers = self.programs.triggers.remove(&found.id).unwrap_or_default();
        if is_view {
            views::fill(&mut relation, self.views.remove(&found.id), unreadable);
            return relation;
        }
        let counted = match &mut self.sizes {
            Some(sizes) => sizes.remove(&found.id).flatten(),
            None => Some(found.size).filter(|_| self.product.is_mariadb && unreadable.is_none()),
        };
        if counted.is_none() && self.sizes.is_some() {
            self.lacks(&name, "statistics", Unavailable::Locked);
        }
        let Size { rows, bytes } = counted.unwrap_or_default();
        self.statistics.push(RelationStatistics { relation: name, rows, bytes });
        describe(&mut relation, found, unreadable.is_none());
        relation
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
    /// How text is compared unless something else is said.
    fn collation(&self) -> Option<String> {
        self.value.native.get("collation").and_then(|collation| collation.as_str()).map(str::to_owned)
    }

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

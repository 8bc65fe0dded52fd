//! What a picture of a database shows: tables, and one line for each foreign key.

use std::collections::{BTreeSet, HashMap, HashSet};

use schema_model::{
    Column, Database, ForeignKey, Index, IndexPart, ObjectName, PartTarget, Partitioning, Relation, RelationKind,
};

/// Tables and lines. Partitions are their table.
pub(crate) struct Diagram<'a> {
    pub(crate) entities: Vec<Entity<'a>>,
    pub(crate) links: Vec<Link<'a>>,
}

/// A table.
pub(crate) struct Entity<'a> {
    pub(crate) name: ObjectName,
    /// `None` for what a foreign key leads to and the model does not have.
    pub(crate) relation: Option<&'a Relation>,
    pub(crate) attributes: Vec<Attribute<'a>>,
    /// The place of each column among them.
    places: HashMap<&'a str, usize>,
    /// How many parts it has, parts of parts included; 0 where it is one by itself.
    pub(crate) partitions: usize,
}

impl<'a> Entity<'a> {
    fn of(name: ObjectName, relation: &'a Relation, unique: &Unique<'_>, partitions: usize) -> Self {
        let attributes = attributes(relation, unique);
        let mut places = HashMap::with_capacity(attributes.len());
        for (place, attribute) in attributes.iter().enumerate() {
            places.entry(attribute.column.name.as_str()).or_insert(place);
        }
        Self { name, relation: Some(relation), attributes, places, partitions }
    }

    /// One of which nothing is known but the name.
    fn unknown(name: ObjectName) -> Self {
        Self { name, relation: None, attributes: Vec::new(), places: HashMap::new(), partitions: 0 }
    }

    /// The place of a column among the attributes.
    pub(crate) fn place(&self, column: &str) -> Option<usize> {
        self.places.get(column).copied()
    }
}

/// A column.
pub(crate) struct Attribute<'a> {
    pub(crate) column: &'a Column,
    pub(crate) primary: bool,
    pub(crate) foreign: bool,
    /// Whether it is unique by itself.
    pub(crate) unique: bool,
}

impl Attribute<'_> {
    /// Whether it is shown where only the columns of keys are.
    pub(crate) fn is_of_key(&self) -> bool {
        self.primary || self.foreign || self.unique
    }
}

/// A foreign key.
pub(crate) struct Link<'a> {
    pub(crate) key: &'a ForeignKey,
    /// The table that it is of.
    pub(crate) child: usize,
    /// The table that it leads to.
    pub(crate) parent: usize,
    /// Whether one row there may be referred to by several here.
    pub(crate) many: bool,
    /// Whether a row here may refer to none.
    pub(crate) optional: bool,
    /// Whether it is a part of what identifies a row here.
    pub(crate) identifying: bool,
}

impl Link<'_> {
    /// The name, or else the columns.
    pub(crate) fn label(&self) -> String {
        let columns = || self.key.columns.iter().map(|pair| pair.column.as_str()).collect::<Vec<_>>().join(", ");
        self.key.name.clone().unwrap_or_else(columns)
    }
}

impl<'a> Diagram<'a> {
    pub(crate) fn of(database: &'a Database) -> Self {
        let mut entities: Vec<Entity<'a>> = Vec::new();
        let mut uniques: Vec<Unique<'a>> = Vec::new();
        let mut places: HashMap<ObjectName, usize> = HashMap::new();
        for (name, relation) in database.relations().filter(|(_, relation)| is_shown(relation.kind)) {
            let place = entities.len();
            let mut parts = Vec::new();
            relation.partitioning.iter().for_each(|partitioning| names(partitioning, &mut parts));
            let partitions = parts.len();
            places.extend(parts.into_iter().map(|part| (part, place)));
            places.insert(name.clone(), place);
            let unique = Unique::of(relation);
            entities.push(Entity::of(name, relation, &unique, partitions));
            uniques.push(unique);
        }
        let mut links = Vec::new();
        for (child, unique) in uniques.iter().enumerate() {
            let Some(relation) = entities[child].relation else { continue };
            let mut keys: Vec<&ForeignKey> = relation.foreign_keys.iter().collect();
            relation.partitioning.iter().for_each(|partitioning| partition_keys(partitioning, &mut keys));
            let mut seen = BTreeSet::new();
            let primary: HashSet<&str> =
                relation.primary_key.iter().flat_map(|key| &key.columns).map(String::as_str).collect();
            for (number, key) in keys.into_iter().enumerate() {
                let parent = *places.entry(key.references.clone()).or_insert_with(|| {
                    entities.push(Entity::unknown(key.references.clone()));
                    entities.len() - 1
                });
                // Several parts may have the same key, each for itself; that of the table is one whatever others are like it.
                if seen.insert((parent, &key.columns)) || number < relation.foreign_keys.len() {
                    let nullable = |name: &str| match entities[child].place(name) {
                        Some(place) => entities[child].attributes[place].column.nullable,
                        None => true,
                    };
                    links.push(Link {
                        key,
                        child,
                        parent,
                        many: !unique.is_within(key.columns.iter().map(|pair| pair.column.as_str())),
                        optional: key.columns.iter().any(|pair| nullable(&pair.column)),
                        identifying: key.columns.iter().all(|pair| primary.contains(pair.column.as_str())),
                    });
                }
            }
        }
        Self { entities, links }
    }
}

fn is_shown(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Table | RelationKind::ForeignTable | RelationKind::VirtualTable)
}

fn names(partitioning: &Partitioning, names_of: &mut Vec<ObjectName>) {
    for partition in &partitioning.partitions {
        names_of.push(partition.name.clone());
        partition.partitioning.iter().for_each(|inner| names(inner, names_of));
    }
}

fn partition_keys<'a>(partitioning: &'a Partitioning, keys: &mut Vec<&'a ForeignKey>) {
    for partition in &partitioning.partitions {
        keys.extend(&partition.foreign_keys);
        partition.partitioning.iter().for_each(|inner| partition_keys(inner, keys));
    }
}

fn attributes<'a>(relation: &'a Relation, unique: &Unique<'_>) -> Vec<Attribute<'a>> {
    let primary: HashSet<&str> = relation.primary_key.iter().flat_map(|key| &key.columns).map(String::as_str).collect();
    let pairs = relation.foreign_keys.iter().flat_map(|key| &key.columns);
    let foreign: HashSet<&str> = pairs.map(|pair| pair.column.as_str()).collect();
    let attribute = |column: &'a Column| {
        let name = column.name.as_str();
        let unique = unique.alone.contains(name);
        Attribute { column, primary: primary.contains(name), foreign: foreign.contains(name), unique }
    };
    relation.columns.iter().map(attribute).collect()
}

/// The sets of columns in which no two rows agree.
struct Unique<'a> {
    /// Each under that of its columns which is in the fewest of them.
    sets: HashMap<&'a str, Vec<Vec<&'a str>>>,
    /// The columns that are such a set by themselves.
    alone: HashSet<&'a str>,
    /// Whether there is one without any column, so that there is one row at most.
    empty: bool,
}

impl<'a> Unique<'a> {
    fn of(relation: &'a Relation) -> Self {
        let all: Vec<Vec<&str>> = unique_columns(relation).collect();
        let mut often: HashMap<&str, usize> = HashMap::new();
        all.iter().flatten().for_each(|name| *often.entry(*name).or_default() += 1);
        let mut unique = Self { sets: HashMap::new(), alone: HashSet::new(), empty: false };
        for columns in all {
            if let [only] = columns.as_slice() {
                unique.alone.insert(*only);
            }
            match columns.iter().copied().min_by_key(|name| often.get(name)) {
                Some(rarest) => unique.sets.entry(rarest).or_default().push(columns),
                None => unique.empty = true,
            }
        }
        unique
    }

    /// Whether one of them has no column but these.
    fn is_within<'b>(&self, columns: impl Iterator<Item = &'b str>) -> bool {
        let columns: HashSet<&str> = columns.collect();
        let mut sets = columns.iter().filter_map(|name| self.sets.get(name)).flatten();
        // A row that has NULL in one of them refers to nothing, so that it is none of the many.
        self.empty || sets.any(|set| set.iter().all(|name| columns.contains(name)))
    }
}

/// Every set of columns in which no two rows agree.
fn unique_columns(relation: &Relation) -> impl Iterator<Item = Vec<&str>> {
    let keys = relation.primary_key.iter().chain(&relation.unique);
    let keys = keys.map(|key| key.columns.iter().map(String::as_str).collect());
    keys.chain(relation.indexes.iter().filter_map(unique_index))
}

/// The columns of an index that keeps all rows apart by columns alone.
fn unique_index<'a>(index: &'a Index) -> Option<Vec<&'a str>> {
    if !index.unique || !index.valid || index.predicate.is_some() {
        return None;
    }
    let column = |part: &'a IndexPart| match &part.target {
        PartTarget::Column(name) if part.prefix_length.is_none() => Some(name.as_str()),
        PartTarget::Column(_) | PartTarget::Expression(_) => None,
    };
    index.parts.iter().map(column).collect()
}

//! What a picture of a database shows: tables, and one line for each foreign key.

use std::collections::{BTreeSet, HashMap};

use schema_model::{
    Column, Database, ForeignKey, Index, IndexPart, Key, ObjectName, PartTarget, Partitioning, Relation, RelationKind,
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
    /// How many parts it has, parts of parts included; 0 where it is one by itself.
    pub(crate) partitions: usize,
}

/// A column.
pub(crate) struct Attribute<'a> {
    pub(crate) column: &'a Column,
    pub(crate) primary: bool,
    pub(crate) foreign: bool,
    /// Whether it is unique by itself.
    pub(crate) unique: bool,
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
        let mut places: HashMap<ObjectName, usize> = HashMap::new();
        for (name, relation) in database.relations().filter(|(_, relation)| is_shown(relation.kind)) {
            let place = entities.len();
            let mut parts = Vec::new();
            relation.partitioning.iter().for_each(|partitioning| names(partitioning, &mut parts));
            let partitions = parts.len();
            places.extend(parts.into_iter().map(|part| (part, place)));
            places.insert(name.clone(), place);
            entities.push(Entity { attributes: attributes(relation), name, relation: Some(relation), partitions });
        }
        let mut links = Vec::new();
        for child in 0..entities.len() {
            let Some(relation) = entities[child].relation else { continue };
            let mut keys: Vec<&ForeignKey> = relation.foreign_keys.iter().collect();
            relation.partitioning.iter().for_each(|partitioning| partition_keys(partitioning, &mut keys));
            let mut seen = BTreeSet::new();
            for key in keys {
                let parent = *places.entry(key.references.clone()).or_insert_with(|| {
                    let name = key.references.clone();
                    entities.push(Entity { name, relation: None, attributes: Vec::new(), partitions: 0 });
                    entities.len() - 1
                });
                // Several parts may have the same key, each for itself; that of the table is one whatever others are like it.
                let own = relation.foreign_keys.iter().any(|own| std::ptr::eq(own, key));
                if seen.insert((parent, &key.columns)) || own {
                    links.push(link(relation, key, child, parent));
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

fn attributes(relation: &Relation) -> Vec<Attribute<'_>> {
    let in_key = |key: Option<&Key>, name: &str| key.is_some_and(|key| key.columns.iter().any(|column| column == name));
    let uniques: Vec<Vec<&str>> = unique_columns(relation).collect();
    let mut attributes = Vec::with_capacity(relation.columns.len());
    for column in &relation.columns {
        let name = column.name.as_str();
        attributes.push(Attribute {
            column,
            primary: in_key(relation.primary_key.as_ref(), name),
            foreign: relation.foreign_keys.iter().flat_map(|key| &key.columns).any(|pair| pair.column == name),
            unique: uniques.iter().any(|columns| matches!(columns.as_slice(), [only] if *only == name)),
        });
    }
    attributes
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

fn link<'a>(relation: &Relation, key: &'a ForeignKey, child: usize, parent: usize) -> Link<'a> {
    let has = |name: &str| key.columns.iter().any(|pair| pair.column == name);
    // A row that has NULL in one of them refers to nothing, so that it is none of the many.
    let unique = unique_columns(relation).any(|columns| columns.iter().all(|name| has(name)));
    let nullable = |name: &str| relation.column(name).is_none_or(|column| column.nullable);
    let identifies = |name: &str| {
        relation.primary_key.as_ref().is_some_and(|primary| primary.columns.iter().any(|column| column == name))
    };
    Link {
        key,
        child,
        parent,
        many: !unique,
        optional: key.columns.iter().any(|pair| nullable(&pair.column)),
        identifying: key.columns.iter().all(|pair| identifies(&pair.column)),
    }
}

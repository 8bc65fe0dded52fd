//! What rules ask of a model again and again.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use schema_model::{
    Check, Column, Database, ForeignKey, Index, IndexPart, Key, ObjectName, PartTarget, Partition, Partitioning,
    Relation, RelationKind,
};
use serde_json::Value;

use crate::Evidence;

/// Tables that are the database's own: not those of other servers, of modules, or of extensions.
pub(crate) fn tables(database: &Database) -> impl Iterator<Item = (ObjectName, &Relation)> {
    let own = |relation: &Relation| relation.kind == RelationKind::Table && !relation.native.contains_key("extension");
    database.relations().filter(move |(_, relation)| own(relation))
}

/// A table or a part of one, with what is its own.
pub(crate) struct Kept<'a> {
    pub(crate) name: ObjectName,
    pub(crate) relation: &'a Relation,
    /// `None` for the table as a whole.
    pub(crate) partition: Option<&'a Partition>,
}

impl<'a> Kept<'a> {
    pub(crate) fn indexes(&self) -> &'a [Index] {
        self.partition.map_or(&self.relation.indexes, |partition| &partition.indexes)
    }

    /// Those of the table count for each of its parts.
    pub(crate) fn all_indexes(&self) -> impl Iterator<Item = &'a Index> + use<'a> {
        let of_table = self.partition.map(|_| self.relation.indexes.as_slice()).unwrap_or_default();
        self.indexes().iter().chain(of_table)
    }

    /// The names of the indexes that a constraint would go with.
    pub(crate) fn that_keep_constraints(&self) -> HashSet<&'a str> {
        let (primary, unique) = match self.partition {
            Some(partition) => (&partition.primary_key, &partition.unique),
            None => (&self.relation.primary_key, &self.relation.unique),
        };
        let of_keys = primary.iter().chain(unique).filter_map(|key| key.index.as_deref());
        let of_indexes = self.indexes().iter().filter(|index| index.constraint.is_some());
        of_keys.chain(of_indexes.map(|index| index.name.as_str())).collect()
    }

    pub(crate) fn checks(&self) -> &'a [Check] {
        self.partition.map_or(&self.relation.checks, |partition| &partition.checks)
    }

    pub(crate) fn foreign_keys(&self) -> &'a [ForeignKey] {
        self.partition.map_or(&self.relation.foreign_keys, |partition| &partition.foreign_keys)
    }
}

/// Every table and materialized view, and each part of a table for itself.
pub(crate) fn kept(database: &Database) -> Vec<Kept<'_>> {
    let mut all = Vec::new();
    for (name, relation) in database.relations() {
        if !matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView)
            || relation.native.contains_key("extension")
        {
            continue;
        }
        all.push(Kept { name, relation, partition: None });
        if let Some(partitioning) = &relation.partitioning {
            parts(partitioning, relation, &mut all);
        }
    }
    all
}

fn parts<'a>(partitioning: &'a Partitioning, relation: &'a Relation, all: &mut Vec<Kept<'a>>) {
    for partition in &partitioning.partitions {
        all.push(Kept { name: partition.name.clone(), relation, partition: Some(partition) });
        if let Some(inner) = &partition.partitioning {
            parts(inner, relation, all);
        }
    }
}

/// Partitions of a table, parts of parts included.
pub(crate) fn partitions(relation: &Relation) -> Vec<&Partition> {
    fn collect<'a>(partitioning: &'a Partitioning, found: &mut Vec<&'a Partition>) {
        for partition in &partitioning.partitions {
            found.push(partition);
            partition.partitioning.iter().for_each(|inner| collect(inner, found));
        }
    }
    let mut found = Vec::new();
    relation.partitioning.iter().for_each(|partitioning| collect(partitioning, &mut found));
    found
}

/// The columns of a relation by their names.
pub(crate) fn by_name(relation: &Relation) -> HashMap<&str, &Column> {
    // Of several with one name the first one counts.
    relation.columns.iter().rev().map(|column| (column.name.as_str(), column)).collect()
}

/// Where what is named is found, however much there is.
pub(crate) struct Lookup<'a> {
    relations: Vec<(ObjectName, &'a Relation)>,
    /// The place of each relation, and of the table that each part is a part of.
    places: HashMap<ObjectName, usize>,
    columns: Vec<OnceCell<HashMap<&'a str, &'a Column>>>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn of(database: &'a Database) -> Self {
        let relations: Vec<(ObjectName, &Relation)> = database.relations().collect();
        let mut places: HashMap<ObjectName, usize> = HashMap::with_capacity(relations.len());
        for (place, (name, _)) in relations.iter().enumerate() {
            places.entry(name.clone()).or_insert(place);
        }
        for (place, (_, relation)) in relations.iter().enumerate() {
            for partition in partitions(relation) {
                places.entry(partition.name.clone()).or_insert(place);
            }
        }
        let columns = relations.iter().map(|_| OnceCell::new()).collect();
        Self { relations, places, columns }
    }

    pub(crate) fn len(&self) -> usize {
        self.relations.len()
    }

    /// The place of the table that an object is, or is a part of.
    pub(crate) fn place(&self, name: &ObjectName) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// What is at a place that [`Lookup::place`] told.
    pub(crate) fn name(&self, place: usize) -> &ObjectName {
        &self.relations[place].0
    }

    pub(crate) fn column(&self, place: usize, name: &str) -> Option<&'a Column> {
        let columns = self.columns[place].get_or_init(|| by_name(self.relations[place].1));
        columns.get(name).copied()
    }
}

/// The names of an index's columns; `None` where one of its parts is no whole column.
pub(crate) fn columns(index: &Index) -> Option<Vec<&str>> {
    index.parts.iter().map(column_of).collect()
}

fn column_of(part: &IndexPart) -> Option<&str> {
    match &part.target {
        PartTarget::Column(name) if part.prefix_length.is_none() => Some(name),
        PartTarget::Column(_) | PartTarget::Expression(_) => None,
    }
}

/// How a key is called in a message.
pub(crate) fn key_name(key: &Key) -> String {
    key.name.clone().unwrap_or_else(|| key.columns.join(", "))
}

/// How a foreign key is called in a message.
pub(crate) fn foreign_key_name(key: &ForeignKey) -> String {
    let columns = || key.columns.iter().map(|pair| pair.column.as_str()).collect::<Vec<_>>().join(", ");
    key.name.clone().unwrap_or_else(columns)
}

/// Facts by their names.
pub(crate) fn evidence<const N: usize>(facts: [(&str, Value); N]) -> Evidence {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

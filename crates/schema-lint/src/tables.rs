//! What rules ask of a model again and again.

use schema_model::{
    Check, Database, ForeignKey, Index, IndexPart, Key, ObjectName, PartTarget, Partition, Partitioning, Relation,
    RelationKind,
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

    /// Whether a constraint would go with it.
    pub(crate) fn keeps_a_constraint(&self, index: &Index) -> bool {
        let (primary, unique) = match self.partition {
            Some(partition) => (&partition.primary_key, &partition.unique),
            None => (&self.relation.primary_key, &self.relation.unique),
        };
        let is_kept = |key: &Key| key.index.as_ref() == Some(&index.name);
        index.constraint.is_some() || primary.iter().chain(unique).any(is_kept)
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

/// The table that an object is, or is a part of.
pub(crate) fn table_of(database: &Database, name: &ObjectName) -> Option<ObjectName> {
    if database.relation(name).is_some() {
        return Some(name.clone());
    }
    let is_part = |relation: &Relation| partitions(relation).iter().any(|partition| partition.name == *name);
    database.relations().find(|(_, relation)| is_part(relation)).map(|(table, _)| table)
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

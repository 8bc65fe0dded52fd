use serde::{Deserialize, Serialize};

use crate::{Check, ForeignKey, Index, Key, Native, ObjectName, Reading};

/// How the rows of one table are kept in several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Partitioning {
    /// By what and how, in the engine's words, such as `RANGE (sold_at)`.
    pub key: Reading<String>,
    /// The parts, in the order of their names.
    pub partitions: Vec<Partition>,
}

/// A part of a table. Its columns are the table's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Partition {
    /// Its name.
    pub name: ObjectName,
    /// Which rows it has, in the engine's words, such as `FOR VALUES FROM (1) TO (5)` or `DEFAULT`.
    pub bound: Reading<String>,
    /// How it is kept in several tables itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub partitioning: Option<Box<Partitioning>>,
    /// A primary key that the table as a whole has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Key>,
    /// Unique constraints that the table as a whole has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Key>,
    /// Foreign keys that the table as a whole has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// Conditions that the table as a whole has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Indexes that belong to none of the table's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

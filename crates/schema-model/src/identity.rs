use serde::{Deserialize, Serialize};

use crate::ObjectName;

/// The numbers that an engine knows objects by: who is renamed keeps them. Like statistics they are no part of the model, as two
/// databases of the same shape have others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identities {
    /// Which database of which server: numbers of different origins say nothing of each other.
    pub origin: String,
    /// Relations in the order of their names.
    pub relations: Vec<RelationIdentity>,
    /// Sequences in the order of their names; those of identity columns are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<ObjectIdentity>,
    /// Types that somebody has made, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<ObjectIdentity>,
}

/// The number of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectIdentity {
    /// The object.
    pub name: ObjectName,
    /// Its number.
    pub number: i64,
}

/// The number of a relation, and those of its columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationIdentity {
    /// The relation.
    pub name: ObjectName,
    /// Its number.
    pub number: i64,
    /// The numbers of its columns within it, in the order of the columns.
    pub columns: Vec<i32>,
}

use serde::{Deserialize, Serialize};

use crate::{Check, Column, DataType, Grant, Reading};

/// A type that somebody has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserType {
    /// Its name.
    pub name: String,
    /// What it is made of.
    #[serde(flatten)]
    pub kind: UserTypeKind,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who may do what with it; empty where nothing but the engine's default was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserTypeKind {
    /// One of a few words.
    Enumeration {
        /// The words, in their order.
        labels: Vec<String>,
    },
    /// Another type with conditions.
    Domain {
        /// The other type.
        base: DataType,
        /// Whether NULL is a value of it.
        nullable: bool,
        /// The expression that stands in for a value that is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Reading<String>>,
        /// The collation, where it is another than the other type's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collation: Option<String>,
        /// The namespace of the collation, where it is not one of the engine's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collation_namespace: Option<String>,
        /// The conditions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        checks: Vec<Check>,
    },
    /// Several values under names.
    Composite {
        /// The values.
        attributes: Vec<Column>,
    },
    /// From one value to another.
    Range {
        /// The type of the values.
        subtype: DataType,
        /// The type of several such ranges, where the engine has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        multirange: Option<String>,
    },
}

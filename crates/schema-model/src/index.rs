use serde::{Deserialize, Serialize};

use crate::{Native, Reading};

/// An index of a relation, those that keep keys included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Index {
    /// Its name.
    pub name: String,
    /// How it is built, in the engine's words: `btree`, `gin`, `FULLTEXT`.
    pub method: String,
    /// Whether no two rows agree in all its parts.
    pub unique: bool,
    /// Whether two NULLs are two different values.
    pub nulls_distinct: bool,
    /// The constraint that it keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// What it is sorted or searched by, in order.
    pub parts: Vec<IndexPart>,
    /// Columns that it holds besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Which rows it has, where it has not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Reading<String>>,
    /// Whether queries may use it: one that failed to be built is not valid.
    pub valid: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

impl Index {
    /// One that keeps nobody from writing a value twice.
    pub fn new(name: impl Into<String>, method: impl Into<String>, parts: Vec<IndexPart>) -> Self {
        Self {
            name: name.into(),
            method: method.into(),
            unique: false,
            nulls_distinct: true,
            constraint: None,
            parts,
            include: Vec::new(),
            predicate: None,
            valid: true,
            comment: None,
            native: Native::new(),
        }
    }
}

/// One thing that an index is sorted or searched by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndexPart {
    /// A column or an expression.
    #[serde(flatten)]
    pub target: PartTarget,
    /// In which direction; `None` where the method knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<SortDirection>,
    /// Where NULLs stand; `None` where the method or the engine knows no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<NullsOrder>,
    /// The operators that it serves, where they are not the type's usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<String>,
    /// The namespace of the operator class, where it is not one of the engine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class_namespace: Option<String>,
    /// The collation, where it is another than the column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The namespace of the collation, where it is not one of the engine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation_namespace: Option<String>,
    /// How many of the first characters or bytes count, where it is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_length: Option<u32>,
}

impl IndexPart {
    /// One in no order of its own.
    pub fn new(target: PartTarget) -> Self {
        Self {
            target,
            direction: None,
            nulls: None,
            operator_class: None,
            operator_class_namespace: None,
            collation: None,
            collation_namespace: None,
            prefix_length: None,
        }
    }
}

/// What a part of an index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartTarget {
    /// A column.
    Column(String),
    /// An expression, in the engine's words.
    Expression(Reading<String>),
}

/// The direction of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SortDirection {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// Where NULLs stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NullsOrder {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}

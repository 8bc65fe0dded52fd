use serde::{Deserialize, Serialize};

use crate::{Index, Native, ObjectName, Reading, WholeNumber};

/// Documents or items under one name: what was declared of them. What they look like is a [`crate::Sample`] beside the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CollectionKind,
    /// The fields that were declared, in the order in which they were; there may be others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<DeclaredField>,
    /// The fields by which the engine finds an item, the one that decides where it is kept first; empty where it is always the same one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// The condition that its documents meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<Validator>,
    /// The pipeline of a view, in the engine's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Reading<String>>,
    /// What a view is made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ObjectName>,
    /// How measurements over time are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_series: Option<TimeSeries>,
    /// How much it holds at most, the oldest documents making room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capped: Option<Capped>,
    /// How text is compared unless something else is said, in the engine's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Its indexes, in the order of their names. A column of one is a field, by its path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

impl Collection {
    /// A collection with nothing but a name.
    pub fn new(name: impl Into<String>, kind: CollectionKind) -> Self {
        Self {
            name: name.into(),
            kind,
            fields: Vec::new(),
            key: Vec::new(),
            validator: None,
            definition: None,
            uses: Vec::new(),
            time_series: None,
            capped: None,
            collation: None,
            indexes: Vec::new(),
            native: Native::new(),
        }
    }
}

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// Documents.
    Collection,
    /// What a pipeline makes of another.
    View,
    /// Measurements over time.
    TimeSeries,
    /// Items that are found by a key of their own choice.
    Table,
    /// Something that the model has no word for; the engine's is in `native`.
    Other,
}

/// A field as it was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeclaredField {
    /// Its name.
    pub name: String,
    /// The types that it may have, in the engine's words; empty is any.
    pub types: Vec<String>,
    /// Whether it has to be there.
    pub required: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A condition that documents are to meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validator {
    /// The condition, in the engine's words.
    pub expression: Reading<String>,
    /// Which writes are looked at, in the engine's word: `strict`, `moderate`, `off`.
    pub level: String,
    /// What becomes of those that do not meet it, in the engine's word: `error`, `warn`.
    pub action: String,
}

/// How measurements over time are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeSeries {
    /// The field that says when.
    pub time_field: String,
    /// The field that says of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_field: Option<String>,
    /// How close measurements of one thing are, in the engine's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granularity: Option<String>,
}

/// How much a collection holds at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capped {
    /// How many bytes; `None` where the engine does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<WholeNumber>,
    /// How many documents; `None` where only bytes count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<WholeNumber>,
}

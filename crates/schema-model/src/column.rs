use serde::{Deserialize, Serialize};

use crate::{Grant, Native, ObjectName, Reading, SequenceOptions};

/// A column of a relation, or an attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Which one it is, from 1, without gaps for columns that were dropped.
    pub position: u32,
    /// What it holds.
    pub data_type: DataType,
    /// Whether it may be NULL, primary keys and domains taken into account as the engine does.
    pub nullable: bool,
    /// The expression that stands in for a value that is left out, in the engine's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Reading<String>>,
    /// How the engine numbers rows by this column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How the engine computes the column from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// The collation, where it is another than the type's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The namespace of the collation, where it is not one of the engine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation_namespace: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who may do what with this column alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

impl Column {
    /// One that may be NULL, and of which nothing else is known. Positions begin with 1.
    pub fn new(name: impl Into<String>, position: u32, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            position,
            data_type,
            nullable: true,
            default: None,
            identity: None,
            generated: None,
            collation: None,
            collation_namespace: None,
            comment: None,
            grants: Vec::new(),
            native: Native::new(),
        }
    }
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataType {
    /// Exactly as the engine writes it, with length, precision and everything else: `numeric(10,2)`, `int unsigned`.
    pub text: String,
    /// What kind of value that is, in words that are the same for every engine.
    pub family: TypeFamily,
    /// The type's own name where somebody has made it: an enumeration, a domain, a composite or a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<ObjectName>,
    /// How many dimensions an array was declared with; 0 for what is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub array_dimensions: u32,
}

impl DataType {
    /// One of the engine's own, and no array.
    pub fn new(text: impl Into<String>, family: TypeFamily) -> Self {
        Self { text: text.into(), family, user_type: None, array_dimensions: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Kinds of types that every engine has in some form. Of an array it is the kind of its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TypeFamily {
    /// True or false.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Numbers with a fixed count of decimal places, money included.
    Decimal,
    /// Floating-point numbers.
    Float,
    /// Characters.
    Text,
    /// Bytes.
    Binary,
    /// Bits in a row.
    Bits,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and a time of day, or an instant.
    Timestamp,
    /// A span of time.
    Interval,
    /// Universally unique identifiers.
    Uuid,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// One of a few words, or a set of them.
    Enumeration,
    /// A range of values.
    Range,
    /// Several values under names.
    Composite,
    /// Points, lines and areas.
    Geometric,
    /// Addresses of a network.
    Network,
    /// Texts prepared for searching.
    TextSearch,
    /// None of these.
    Other,
}

/// How a column numbers rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identity {
    /// Whether a value that is given counts.
    pub generation: IdentityGeneration,
    /// How it counts, where the engine says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<SequenceOptions>,
}

/// Whether a value that is given for an identity column counts (SQL:2003, `GENERATED … AS IDENTITY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentityGeneration {
    /// Only the engine's numbers count.
    Always,
    /// A value that is given counts.
    ByDefault,
}

/// How a column is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Generated {
    /// From what, in the engine's words.
    pub expression: Reading<String>,
    /// When.
    pub storage: GenerationStorage,
}

/// When a generated column is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GenerationStorage {
    /// When the row is written.
    Stored,
    /// When it is read.
    Virtual,
}

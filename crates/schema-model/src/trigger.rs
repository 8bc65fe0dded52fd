use serde::{Deserialize, Serialize};

use crate::{ObjectName, Reading};

/// Something that happens when rows change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Before or after the change, or in its place.
    pub timing: TriggerTiming,
    /// Upon which changes.
    pub events: Vec<TriggerEvent>,
    /// The columns that an update has to name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// For each row or once.
    pub level: TriggerLevel,
    /// The routine that it calls, where it calls one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routine: Option<ObjectName>,
    /// The whole of it, in the engine's words.
    pub definition: Reading<String>,
    /// Whether it happens.
    pub enabled: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// When a trigger happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TriggerTiming {
    /// Before the change.
    Before,
    /// After the change.
    After,
    /// In its place.
    InsteadOf,
}

/// What a trigger waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TriggerEvent {
    /// New rows.
    Insert,
    /// Changed rows.
    Update,
    /// Deleted rows.
    Delete,
    /// All rows going at once.
    Truncate,
}

/// How often a trigger happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TriggerLevel {
    /// Once a row.
    Row,
    /// Once a statement.
    Statement,
}

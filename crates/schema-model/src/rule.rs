use serde::{Deserialize, Serialize};

use crate::{Native, Reading, TriggerEvent};

/// What an engine does besides a statement, or in its place: it rewrites the statement before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Upon which statements.
    pub event: TriggerEvent,
    /// Whether it takes the statement's place.
    pub instead: bool,
    /// The whole of it, in the engine's words.
    pub definition: Reading<String>,
    /// Whether it counts.
    pub enabled: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

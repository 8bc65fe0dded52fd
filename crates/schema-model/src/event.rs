use serde::{Deserialize, Serialize};

use crate::{Native, Reading};

/// Something that the engine does when its time has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its name.
    pub name: String,
    /// When, in the engine's words, such as `EVERY 1 DAY STARTS '2026-01-01 00:00:00'`.
    pub schedule: String,
    /// What it does, in the engine's words.
    pub definition: Reading<String>,
    /// Whether it happens.
    pub enabled: bool,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

use serde::{Deserialize, Serialize};

use crate::{Grant, Native, Reading};

/// A function or a procedure. Several may have one name and differ in their arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Routine {
    /// Its name.
    pub name: String,
    /// The arguments, in the engine's words; together with the name they identify it.
    pub arguments: String,
    /// What it is.
    pub kind: RoutineKind,
    /// What it returns, in the engine's words; `None` where it returns nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// The language that it is written in.
    pub language: String,
    /// The whole of it, in the engine's words; `None` where there is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Reading<String>>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who may do what with it; empty where nothing but the engine's default was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

/// What a routine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoutineKind {
    /// It returns something.
    Function,
    /// It is called.
    Procedure,
    /// It makes one value of many rows.
    Aggregate,
    /// It looks at the rows around.
    Window,
}

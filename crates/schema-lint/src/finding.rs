use std::collections::BTreeMap;

use schema_model::ObjectName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a finding rests on, by names that a rule keeps from version to version.
pub type Evidence = BTreeMap<String, Value>;

/// Something doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaFinding))]
pub struct Finding {
    /// The rule that found it.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub object: Object,
    /// What it is, for people: lower case, without a full stop.
    pub message: String,
    /// The facts.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub evidence: Evidence,
    /// What could be done.
    pub suggestion: String,
}

/// Where something is: an object of the database, and a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaFindingObject))]
pub struct Object {
    /// The table, the sequence, the type.
    pub name: ObjectName,
    /// What of it, such as `index goods_code`; `None` for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

impl Object {
    /// The whole of an object.
    pub fn whole(name: &ObjectName) -> Self {
        Self { name: name.clone(), part: None }
    }

    /// A part of an object: what it is, and its name.
    pub fn part(name: &ObjectName, kind: &str, part: &str) -> Self {
        Self { name: name.clone(), part: Some(format!("{kind} {part}")) }
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaFindingSeverity))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// It costs something, or will.
    Warning,
    /// It is wrong, or is about to be.
    Error,
}

impl Severity {
    /// Every one, the least bad first.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warning, Self::Error];

    /// A stable word, as findings have it in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The severity by its word.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

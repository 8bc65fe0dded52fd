use serde::{Deserialize, Serialize};

/// What somebody may do with an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grant {
    /// To whom it was granted; `None` is everybody (SQL's `PUBLIC`).
    pub grantee: Option<String>,
    /// By whom, where the engine keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantor: Option<String>,
    /// The privileges, in the engine's words and in alphabetical order, such as `SELECT`.
    pub privileges: Vec<String>,
    /// Which of them may be granted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grantable: Vec<String>,
}

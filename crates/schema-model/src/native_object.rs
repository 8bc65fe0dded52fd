use serde::{Deserialize, Serialize};

use crate::{ObjectName, Reading};

/// Something with a name that only one engine has, such as an operator or a configuration of its text search: the model knows no
/// parts of it, only the statements that make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NativeObject {
    /// What it is, in the engine's words: `collation`, `operator class`.
    pub kind: String,
    /// Its name; the namespace is empty where the engine keeps it in none.
    pub name: ObjectName,
    /// What tells it from others of its kind that have its name, in the engine's words, such as what an operator stands between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The statements that make it, in the engine's words, with `;` between them; `None` where nobody writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Reading<String>>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

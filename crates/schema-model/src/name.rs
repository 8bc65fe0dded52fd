use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of an object within a database: its namespace and its own name, both as the engine keeps them, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectName {
    /// The namespace that the object is in (SQL's *schema*).
    pub namespace: String,
    /// The object's own name.
    pub name: String,
}

impl ObjectName {
    /// The object `name` of `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// For people to read; two different names can look alike, so nothing is to be looked up by it.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

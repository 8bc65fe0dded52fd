use serde::{Deserialize, Serialize};

use crate::{
    Check, Column, Exclusion, ForeignKey, Grant, Index, Key, Native, ObjectName, Partitioning, Reading, Rule, Trigger,
};

/// Something with columns and rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// How long its rows last.
    #[serde(default, skip_serializing_if = "Persistence::is_usual")]
    pub persistence: Persistence,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The primary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Key>,
    /// Constraints that values are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Key>,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// Conditions that every row meets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Conditions that no two rows meet together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Its indexes, those that keep keys included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What happens when rows change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// What statements are rewritten by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Who sees which rows; `None` where everybody sees all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_security: Option<RowSecurity>,
    /// The query of a view, in the engine's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Reading<String>>,
    /// What a view is made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ObjectName>,
    /// How the rows are kept in several tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioning: Option<Partitioning>,
    /// Tables that it has its columns from, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<ObjectName>,
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

impl Relation {
    /// A relation with nothing but a name.
    pub fn new(name: impl Into<String>, kind: RelationKind) -> Self {
        Self {
            name: name.into(),
            kind,
            persistence: Persistence::default(),
            columns: Vec::new(),
            primary_key: None,
            unique: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            exclusions: Vec::new(),
            indexes: Vec::new(),
            triggers: Vec::new(),
            rules: Vec::new(),
            row_security: None,
            definition: None,
            uses: Vec::new(),
            partitioning: None,
            inherits: Vec::new(),
            owner: None,
            comment: None,
            grants: Vec::new(),
            native: Native::new(),
        }
    }

    /// The column of this name; letter case counts.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// A table; one that is partitioned is one table.
    Table,
    /// A query under a name.
    View,
    /// A query whose rows are kept.
    MaterializedView,
    /// A table whose rows are on another server.
    ForeignTable,
    /// A table that a module of the engine makes up.
    VirtualTable,
}

/// How long rows last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Persistence {
    /// Until they are deleted.
    #[default]
    Permanent,
    /// Until the server crashes.
    Unlogged,
    /// Until the session ends.
    Temporary,
}

impl Persistence {
    /// Whether it is the usual one.
    pub fn is_usual(&self) -> bool {
        *self == Self::Permanent
    }
}

/// Who sees which rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowSecurity {
    /// Whether the policies count.
    pub enabled: bool,
    /// Whether they count for the owner too.
    pub forced: bool,
    /// The policies, in the order of their names.
    pub policies: Vec<Policy>,
}

/// A rule about who sees or writes which rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// For which statements.
    pub command: PolicyCommand,
    /// Whether it allows; otherwise it forbids what others allow.
    pub permissive: bool,
    /// For whom; empty is everybody.
    pub roles: Vec<String>,
    /// Which rows are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<Reading<String>>,
    /// Which rows may be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_check: Option<Reading<String>>,
}

/// For which statements a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyCommand {
    /// All of them.
    All,
    /// `SELECT`
    Select,
    /// `INSERT`
    Insert,
    /// `UPDATE`
    Update,
    /// `DELETE`
    Delete,
}

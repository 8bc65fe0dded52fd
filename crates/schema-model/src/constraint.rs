use serde::{Deserialize, Serialize};

use crate::{ObjectName, Reading};

/// When a constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Deferrability {
    /// With each statement.
    #[default]
    NotDeferrable,
    /// With each statement, unless the transaction says otherwise.
    InitiallyImmediate,
    /// When the transaction ends, unless it says otherwise.
    InitiallyDeferred,
}

impl Deferrability {
    /// Whether it is the usual one.
    pub fn is_usual(&self) -> bool {
        *self == Self::NotDeferrable
    }
}

/// A primary key, or a constraint that values are unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The columns in the order of the key, which may be another than that of the table.
    pub columns: Vec<String>,
    /// Columns that its index holds besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The index that keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Whether two NULLs are two different values.
    pub nulls_distinct: bool,
    /// When it is checked.
    #[serde(default, skip_serializing_if = "Deferrability::is_usual")]
    pub deferrability: Deferrability,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Key {
    /// One without a name, of these columns.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            name: None,
            columns: columns.into_iter().map(Into::into).collect(),
            include: Vec::new(),
            index: None,
            nulls_distinct: true,
            deferrability: Deferrability::NotDeferrable,
            comment: None,
        }
    }
}

/// A foreign key: one object, however many columns it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignKey {
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The table that it leads to.
    pub references: ObjectName,
    /// The columns, each with the one it leads to, in the order of the key.
    pub columns: Vec<ColumnPair>,
    /// The constraint of the other table that makes what is referred to unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_constraint: Option<String>,
    /// What happens here when the row that is referred to changes its key.
    pub on_update: ReferentialAction,
    /// What happens here when it is deleted.
    pub on_delete: ReferentialAction,
    /// The columns that `SET NULL` or `SET DEFAULT` sets when it is deleted, where it is not all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_on_delete: Vec<String>,
    /// What NULL in some of the columns means.
    pub match_option: MatchOption,
    /// When it is checked.
    #[serde(default, skip_serializing_if = "Deferrability::is_usual")]
    pub deferrability: Deferrability,
    /// Whether the rows that were there before were checked.
    pub validated: bool,
    /// Whether it is checked at all.
    pub enforced: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl ForeignKey {
    /// One without a name, which does nothing but refuse.
    pub fn new(references: ObjectName, columns: Vec<ColumnPair>) -> Self {
        Self {
            name: None,
            references,
            columns,
            target_constraint: None,
            on_update: ReferentialAction::NoAction,
            on_delete: ReferentialAction::NoAction,
            set_on_delete: Vec::new(),
            match_option: MatchOption::Simple,
            deferrability: Deferrability::NotDeferrable,
            validated: true,
            enforced: true,
            comment: None,
        }
    }
}

/// A column and the one that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ColumnPair {
    /// The column here.
    pub column: String,
    /// The column there.
    pub references: String,
}

/// What a foreign key does when the other row goes (SQL:2023, section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// It is an error, unless it is mended by the time that the constraint is checked.
    NoAction,
    /// It is an error at once.
    Restrict,
    /// The row here follows.
    Cascade,
    /// The columns here become NULL.
    SetNull,
    /// The columns here get their default.
    SetDefault,
}

/// What NULL in some of a foreign key's columns means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatchOption {
    /// One NULL, and nothing is checked.
    #[default]
    Simple,
    /// All are NULL, or none is.
    Full,
    /// What is not NULL has to match.
    Partial,
}

/// A condition that every row meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The condition, in the engine's words.
    pub expression: Reading<String>,
    /// The columns that it looks at, where the engine says so, in the order of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Whether the rows that were there before were checked.
    pub validated: bool,
    /// Whether it is checked at all.
    pub enforced: bool,
    /// Whether tables that inherit from this one have it too.
    pub inherited: bool,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A condition that no two rows meet together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exclusion {
    /// Its name.
    pub name: String,
    /// The operators, one for each part of the index.
    pub operators: Vec<String>,
    /// The index that keeps it.
    pub index: String,
    /// When it is checked.
    #[serde(default, skip_serializing_if = "Deferrability::is_usual")]
    pub deferrability: Deferrability,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

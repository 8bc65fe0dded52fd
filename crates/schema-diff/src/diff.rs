use std::fmt;

use schema_model::{Gap, ObjectName};
use serde::Serialize;
use serde_json::Value;

/// What is different in two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaDiff))]
pub struct Diff {
    /// What comes of all changes together.
    pub verdict: Verdict,
    /// How much was compared.
    pub depth: Depth,
    /// One for each cause, in the order of the objects' names.
    pub changes: Vec<Change>,
    /// What one of the models does not tell, so that nobody knows whether it has changed.
    pub not_compared: Vec<Gap>,
}

/// What comes of all changes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing has changed.
    Equal,
    /// What worked before works now.
    Compatible,
    /// Something that worked before may fail.
    Breaking,
}

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Everything: both are databases of one engine.
    Whole,
    /// What two engines say in the same words: relations, columns by the kinds of their types, keys, foreign keys, indexes on columns; which
    /// collections there are.
    Neutral,
}

/// One thing that has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaChange))]
pub struct Change {
    /// What kind of thing it is.
    pub kind: ObjectKind,
    /// The object, under its new name where it has one; `None` for what is of the database as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// Which column, key, index or the like of the object, under its new name; `None` where it has none or it is about the object itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What happened to it.
    pub action: Action,
    /// What of it has changed, such as `data_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// What was there before, as the model writes it; the old name of what was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub before: Option<Value>,
    /// What is there now, as the model writes it; the new name of what was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub after: Option<Value>,
    /// Whether something may fail that worked before.
    pub impact: Impact,
    /// Why that is so.
    pub reason: &'static str,
}

/// What kind of thing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaObjectKind))]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The database as a whole.
    Database,
    /// Something that was added to the engine.
    Extension,
    /// A part of the database (SQL's *schema*).
    Namespace,
    /// A table, a view or what is like them.
    Relation,
    /// Documents, or what is like them.
    Collection,
    /// A column of a relation, or an attribute of a type.
    Column,
    /// A primary key.
    PrimaryKey,
    /// A constraint that values are unique.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A condition that every row meets.
    Check,
    /// A condition that no two rows meet together.
    Exclusion,
    /// An index that keeps no constraint.
    Index,
    /// A trigger.
    Trigger,
    /// A rule about who sees which rows.
    Policy,
    /// A part of a table's rows.
    Partition,
    /// A generator of numbers.
    Sequence,
    /// A type that somebody has made.
    Type,
    /// A function or a procedure.
    Routine,
    /// Something that the engine does when its time has come.
    Event,
    /// Something that the engine does besides a statement, or in its place.
    Rule,
    /// Something that only this engine has, such as an operator.
    NativeObject,
}

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaChangeAction))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another name.
    Renamed,
    /// Something of it is different.
    Changed,
}

/// Whether something may fail that worked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaChangeImpact))]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Statements that worked go on working.
    Compatible,
    /// Some may fail, or mean something else.
    Breaking,
}

impl Verdict {
    pub(crate) fn of(changes: &[Change]) -> Self {
        changes.iter().fold(Self::Equal, |verdict, change| {
            verdict.max(match change.impact {
                Impact::Compatible => Self::Compatible,
                Impact::Breaking => Self::Breaking,
            })
        })
    }
}

/// One line for people to read: `breaking: changed column shop.books.title data_type`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { impact, action, kind, object, part, aspect, .. } = self;
        write!(f, "{impact}: {action} {kind} ")?;
        match (object, part) {
            (Some(object), Some(part)) => write!(f, "{object}.{part}")?,
            (Some(object), None) => object.fmt(f)?,
            (None, part) => f.write_str(part.as_deref().unwrap_or_default())?,
        }
        aspect.iter().try_for_each(|aspect| write!(f, " {aspect}"))
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compatible => "compatible",
            Self::Breaking => "breaking",
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        })
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "database",
            Self::Extension => "extension",
            Self::Namespace => "namespace",
            Self::Relation => "relation",
            Self::Collection => "collection",
            Self::Column => "column",
            Self::PrimaryKey => "primary key",
            Self::Unique => "unique constraint",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
            Self::Exclusion => "exclusion",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Partition => "partition",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Routine => "routine",
            Self::Event => "event",
            Self::Rule => "rule",
            Self::NativeObject => "native object",
        })
    }
}

use serde::{Deserialize, Serialize};

use crate::{Database, Identities, KeySample, ObjectName, Sample, Unavailable};

/// What an inspection has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inspection {
    /// What is in the database.
    pub database: Database,
    /// How much of it there is: changes from day to day and is no part of the model.
    pub statistics: Vec<RelationStatistics>,
    /// What some of the documents look like, where nobody has declared it: another one each time and no part of the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// What some of the keys look like, of an engine that keeps values under keys: other ones each time and no part of the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_samples: Vec<KeySample>,
    /// How it was found, and what was not.
    pub report: Report,
    /// Which objects these are, where the engine numbers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<Identities>,
}

/// How much is in a relation or collection, as the engine last counted. Nothing is scanned for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationStatistics {
    /// Which one; partitions are counted with their table.
    pub relation: ObjectName,
    /// About how many rows; `None` where the engine has never counted.
    pub rows: Option<u64>,
    /// About how many bytes, with indexes and what is kept apart; `None` where the engine does not say.
    pub bytes: Option<u64>,
}

/// Which edition of the model this is. What a later one knows besides, an earlier one has never asked for.
///
/// 1 is whatever does not say so. 2 knows what only PostgreSQL has: native objects, rules, the namespaces of collations and of classes
/// of operators.
pub const EDITION: u32 = 2;

/// That of what was found before anybody said so.
const fn first_edition() -> u32 {
    1
}

/// How something was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Which edition of the model was filled: what only a later one knows was not asked for, whether it is there or not.
    #[serde(default = "first_edition")]
    pub edition: u32,
    /// How many statements were sent, settings included.
    pub statements: u32,
    /// What was done, in order.
    pub stages: Vec<Stage>,
    /// What could not be read or was left out.
    pub gaps: Vec<Gap>,
    /// Which database was looked at, where the connection leads to several and names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<DatabaseChoice>,
}

/// Nothing was done yet, in the present edition.
impl Default for Report {
    fn default() -> Self {
        Self { edition: EDITION, statements: 0, stages: Vec::new(), gaps: Vec::new(), choice: None }
    }
}

/// A database that was chosen among several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatabaseChoice {
    /// Its name.
    pub name: String,
    /// Why this one.
    pub reason: ChoiceReason,
    /// Among how many that are not the server's own.
    pub among: u64,
}

/// Why a database was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChoiceReason {
    /// It is the only one.
    Only,
    /// It is the only one with something in it.
    OnlyFilled,
    /// It takes up the most room.
    Largest,
    /// It is the first by its name: how much is in them the server does not say, or it is as much.
    First,
}

/// A step of an inspection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stage {
    /// What was read, such as `columns`.
    pub name: String,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
}

/// Something that is there and not in the answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Of what; `None` where it is about the database as a whole.
    pub object: Option<ObjectName>,
    /// Which part of it, such as `definition` or `indexes`.
    pub part: String,
    /// Why.
    pub reason: Unavailable,
}

use serde::{Deserialize, Serialize};

use crate::{Grant, WholeNumber};

/// A generator of numbers that is an object of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The type of its numbers, in the engine's words.
    pub data_type: String,
    /// How it counts.
    pub options: SequenceOptions,
    /// The table and the column that it goes with when they are dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<(crate::ObjectName, String)>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who may do what with it; empty where nothing but the engine's default was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// How a sequence counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SequenceOptions {
    /// The first number.
    pub start: WholeNumber,
    /// From one number to the next; below zero it counts down.
    pub increment: WholeNumber,
    /// The least number.
    pub minimum: WholeNumber,
    /// The greatest number.
    pub maximum: WholeNumber,
    /// How many numbers a session takes at once.
    pub cache: WholeNumber,
    /// Whether it begins again at its end.
    pub cycle: bool,
}

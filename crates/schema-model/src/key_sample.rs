use serde::{Deserialize, Serialize};

use crate::{ObservedField, ObservedMap, ObservedType, Presence, SampleLimit, SampleMethod, Unavailable};

/// What some keys of a database look like that keeps values under keys, and how many there are. It is another one each time, and
/// therefore no part of the model.
///
/// No value is in it, and of keys no more than a [`KeyPattern`]: that is the key itself where nothing in it looks like data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeySample {
    /// Of which namespace.
    pub namespace: String,
    /// How many keys there are, as the server counts them; `None` where it does not say.
    pub total: Option<u64>,
    /// How many of them will expire, as the server counts them; `None` where it does not say.
    pub expiring: Option<u64>,
    /// How the keys were picked.
    pub method: SampleMethod,
    /// How many were looked at.
    pub keys: u64,
    /// Why none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
    /// What they look like, the most frequent pattern first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<KeyPattern>,
    /// Which limits have left something out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<SampleLimit>,
}

/// Keys that are built alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPattern {
    /// What they have in common, with a word in braces for each part that is data, such as `session:{uuid}`: `object_id`, `uuid`, `number`,
    /// `date`, `email`, `address`, `hexadecimal`, `text`, or `binary`. Braces of the keys' own are doubled; what cannot be shown is `\x` and
    /// two hexadecimal digits for each byte, and a backslash is two.
    pub pattern: String,
    /// How many of the keys that were looked at are built so.
    pub keys: Presence,
    /// How many there are in all, if the rest is like those that were looked at; `None` where the server does not say how many keys it
    /// has.
    pub estimated: Option<u64>,
    /// What is under them, the most frequent type first. A key that went meanwhile has none.
    pub types: Vec<KeyType>,
    /// How many of them will expire, and when; `None` where that is not known of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<KeyExpiry>,
}

/// How many keys will expire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyExpiry {
    /// How many, among those of which it is known.
    pub presence: Presence,
    /// In how many milliseconds; `None` where none of them will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<Spread>,
}

/// What is under keys and of one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyType {
    /// The engine's word for it, such as `hash`.
    pub name: String,
    /// Under how many keys.
    pub count: u64,
    /// Which part of those whose type is known, from 0 to 1.
    pub share: f64,
    /// How some of them are kept in memory, in the engine's words, the most frequent one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<ObservedType>,
    /// How many elements some of them have, or bytes where they are texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Spread>,
    /// How many bytes of memory some of them take up, about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Spread>,
    /// The fields of some of them, where they are hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<HashFields>,
}

/// From where to where numbers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// Of how many values.
    pub count: u64,
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// All of them together by their number, rounded down.
    pub mean: u64,
}

/// The fields of some hashes. The engine keeps nothing but bytes in them: all are a `string`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HashFields {
    /// Of how many hashes.
    pub hashes: u64,
    /// Of how many among these not all fields were looked at, since they have too many. A field may be there oftener than is told then.
    pub partial: u64,
    /// The fields, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<ObservedField>,
    /// What stands under names that are values themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<ObservedMap>,
}

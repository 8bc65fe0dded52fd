use serde::{Deserialize, Serialize};

use crate::{ObjectName, Unavailable};

/// What some documents of a collection look like. It is another one each time, and therefore no part of the model.
///
/// No value is in it, nor a key that is a value: what varies from document to document is an [`ObservedMap`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sample {
    /// Of which collection.
    pub collection: ObjectName,
    /// How the documents were picked.
    pub method: SampleMethod,
    /// How many they are.
    pub documents: u64,
    /// Why none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
    /// Their fields, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<ObservedField>,
    /// What stands under keys that are values themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<ObservedMap>,
    /// Which limits have left something out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<SampleLimit>,
}

/// How documents were picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SampleMethod {
    /// By the server, at random.
    Random,
    /// The first and the last ones, since the server picks none at random. They say little of those between.
    Ends,
    /// The first ones that the server came across, since it knows no other way.
    First,
}

/// A limit that has left something out of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SampleLimit {
    /// The next document, key or name of a field would have been more bytes than were wanted.
    Bytes,
    /// Something lies deeper than was looked.
    Depth,
    /// There are more fields than were wanted.
    Paths,
    /// There are more keys than were wanted.
    Keys,
    /// There are more patterns of keys than were wanted.
    Patterns,
    /// It would have taken longer than was wanted.
    Time,
}

/// What was seen at one place of documents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Observed {
    /// The types of the values, the most frequent one first. What is missing has none; `null` is one.
    pub types: Vec<ObservedType>,
    /// The fields of the objects among them, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub fields: Vec<ObservedField>,
    /// What stands under keys of these objects that are values themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub map: Option<Box<ObservedMap>>,
    /// The elements of the arrays among them, all arrays together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub elements: Option<Box<Observed>>,
    /// How many of these objects and arrays hold something that was not looked at, because it lies too deep.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub too_deep: u64,
    /// How many of these objects have fields that are not told, because there are too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub too_many: u64,
}

/// A type, and how often a value was of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObservedType {
    /// The engine's word for it, such as `objectId`.
    pub name: String,
    /// How many values.
    pub count: u64,
    /// Which part of the values that are there, from 0 to 1.
    pub share: f64,
}

/// A field of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObservedField {
    /// Its name.
    pub name: String,
    /// How often it is there.
    pub presence: Presence,
    /// What it holds.
    pub values: Observed,
}

/// How often a field is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Presence {
    /// How many objects have it.
    pub count: u64,
    /// Of how many that could.
    pub of: u64,
    /// Which part that is, from 0 to 1.
    pub share: f64,
    /// Between which parts it is in the collection as a whole, with a probability of 95 % (Wilson's interval). `None` where that cannot be
    /// told: of what was not picked at random, and within arrays and maps, where several objects are of one document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// From where to where, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// The least.
    pub lower: f64,
    /// The most.
    pub upper: f64,
}

/// What stands under keys that are values themselves: a date, somebody's name, a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObservedMap {
    /// What the keys look like.
    pub keys: Vec<MapKeys>,
    /// How many such keys there are, those of all objects together.
    pub entries: u64,
    /// What stands under them.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub values: Observed,
}

/// What keys look like that are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MapKeys {
    /// Identifiers that drivers of MongoDB make.
    ObjectId,
    /// UUIDs, or ULIDs.
    Uuid,
    /// Numbers.
    Number,
    /// Days, months or instants.
    Date,
    /// Addresses of mail.
    Email,
    /// Addresses of the internet.
    Address,
    /// Digests and other long hexadecimal numbers.
    Hexadecimal,
    /// Something else: many keys, each in few objects.
    Text,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

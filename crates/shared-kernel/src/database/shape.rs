use super::{Document, DocumentValue};

/// What a value is made of, without the value: its type in the engine's word, and what is within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is within it.
    Scalar(&'static str),
    /// Names with something under each.
    Object(&'static str, Vec<(String, Self)>),
    /// One thing after the other.
    Array(&'static str, Vec<Self>),
}

impl Shape {
    /// The engine's word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Scalar(word) | Self::Object(word, _) | Self::Array(word, _) => word,
        }
    }
}

impl From<&Document> for Shape {
    fn from(document: &Document) -> Self {
        Self::Object("object", document.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    }
}

/// The words are those of MongoDB's `$type`.
impl From<&DocumentValue> for Shape {
    fn from(value: &DocumentValue) -> Self {
        match value {
            DocumentValue::Document(document) => document.into(),
            DocumentValue::Array(items) => Self::Array("array", items.iter().map(Self::from).collect()),
            scalar => Self::Scalar(scalar.type_name()),
        }
    }
}

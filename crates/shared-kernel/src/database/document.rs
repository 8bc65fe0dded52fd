use std::fmt;
use std::str::FromStr;

/// A document in the sense of BSON: fields in the order in which they were written, of BSON's types.
///
/// What was read is kept as it was: the order, the width of numbers, and a field that is there twice. `Debug` shows the
/// values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document(Vec<(String, DocumentValue)>);

impl Document {
    /// A document without fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with one more field at its end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<DocumentValue>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a field at the end, whether there is one of this name or not.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<DocumentValue>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&DocumentValue> {
        self.iter().find_map(|(field, value)| (field == name).then_some(value))
    }

    /// Its fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DocumentValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Document {
    type Item = (String, DocumentValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<String>, V: Into<DocumentValue>> FromIterator<(N, V)> for Document {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One value of a document: every type of BSON 1.1, the deprecated ones included, because old data has them.
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentValue {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A whole number of 32 bits.
    Int32(i32),
    /// A whole number of 64 bits.
    Int64(i64),
    /// A floating-point number of IEEE 754 with 64 bits.
    Double(f64),
    /// A decimal floating-point number of IEEE 754-2008 with 128 bits.
    Decimal128(Decimal128),
    /// Text.
    String(String),
    /// Bytes, and what they mean.
    Binary {
        /// What the bytes mean: 0 for anything, 4 for a UUID, 128 and above for the user's own.
        subtype: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The identifier that drivers make.
    ObjectId(ObjectId),
    /// Milliseconds since 1970-01-01T00:00:00Z, which may lie beyond what a calendar's type holds.
    DateTime(i64),
    /// A position in a replica set's log; no time of a day.
    Timestamp {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: u32,
        /// Which of those within the second.
        increment: u32,
    },
    /// A regular expression.
    Regex {
        /// The pattern. It holds no U+0000.
        pattern: String,
        /// Its switches, in the order of the alphabet.
        options: String,
    },
    /// Values one after the other.
    Array(Vec<Self>),
    /// A document within the document.
    Document(Document),
    /// A text of JavaScript.
    JavaScript(String),
    /// The same with the variables that it sees. Deprecated.
    JavaScriptWithScope {
        /// The text.
        code: String,
        /// The variables.
        scope: Document,
    },
    /// A word of a language that has such. Deprecated.
    Symbol(String),
    /// A reference to a document of another collection. Deprecated.
    DbPointer {
        /// The collection.
        namespace: String,
        /// The document's identifier.
        id: ObjectId,
    },
    /// No value, in another way. Deprecated.
    Undefined,
    /// Before everything else in an order.
    MinKey,
    /// After everything else in an order.
    MaxKey,
}

impl DocumentValue {
    /// The name that MongoDB's `$type` has for the value's type, such as `objectId` or `int`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "bool",
            Self::Int32(_) => "int",
            Self::Int64(_) => "long",
            Self::Double(_) => "double",
            Self::Decimal128(_) => "decimal",
            Self::String(_) => "string",
            Self::Binary { .. } => "binData",
            Self::ObjectId(_) => "objectId",
            Self::DateTime(_) => "date",
            Self::Timestamp { .. } => "timestamp",
            Self::Regex { .. } => "regex",
            Self::Array(_) => "array",
            Self::Document(_) => "object",
            Self::JavaScript(_) => "javascript",
            Self::JavaScriptWithScope { .. } => "javascriptWithScope",
            Self::Symbol(_) => "symbol",
            Self::DbPointer { .. } => "dbPointer",
            Self::Undefined => "undefined",
            Self::MinKey => "minKey",
            Self::MaxKey => "maxKey",
        }
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, of whichever width; a floating-point number is none.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int32(number) => Some(i64::from(*number)),
            Self::Int64(number) => Some(*number),
            _ => None,
        }
    }

    /// The document, when it is one.
    pub fn as_document(&self) -> Option<&Document> {
        match self {
            Self::Document(document) => Some(document),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for DocumentValue {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

from! {
    bool => Boolean, i32 => Int32, i64 => Int64, f64 => Double, &str => String, String => String, ObjectId => ObjectId,
    Decimal128 => Decimal128, Document => Document, Vec<DocumentValue> => Array,
}

/// The twelve bytes by which drivers tell documents apart. Shown as 24 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 12]);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// A text that is no [`ObjectId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an object id has 24 hexadecimal digits")]
pub struct InvalidObjectId;

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 24 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidObjectId);
        }
        let mut bytes = [0; 12];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| InvalidObjectId)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| InvalidObjectId)?;
        }
        Ok(Self(bytes))
    }
}

/// A decimal number of IEEE 754-2008 with 128 bits in its binary integer encoding, the least significant byte first, as BSON
/// has it. Kept bit by bit: two encodings of the same number are not equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal128(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_may_be_there_twice() {
        let document = Document::new().with("b", 1).with("a", "x").with("b", 2_i64);
        let fields: Vec<_> = document.iter().map(|(name, value)| (name, value.type_name())).collect();
        assert_eq!(fields, [("b", "int"), ("a", "string"), ("b", "long")]);
        assert_eq!(document.get("b").and_then(DocumentValue::as_i64), Some(1), "the first one");
        assert_eq!(document.get("c"), None);
        assert_eq!(document.clone().into_iter().collect::<Document>(), document);
    }

    #[test]
    fn the_width_of_a_number_is_part_of_it() {
        assert_ne!(DocumentValue::from(1_i32), DocumentValue::from(1_i64));
        assert_eq!(DocumentValue::from(1_i32).as_i64(), DocumentValue::from(1_i64).as_i64());
        assert_eq!(DocumentValue::from(1.0).as_i64(), None);
    }

    #[test]
    fn an_object_id_is_24_hexadecimal_digits() {
        let text = "0123456789abcdef01234567";
        assert_eq!(text.parse::<ObjectId>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<ObjectId>().unwrap().to_string(), text);
        for wrong in
            ["", "0123456789abcdef0123456", "0123456789abcdef0123456g", "+1+1+1+1+1+1+1+1+1+1+1+1", "äääääääääääää"]
        {
            assert_eq!(wrong.parse::<ObjectId>(), Err(InvalidObjectId), "{wrong}");
        }
    }
}

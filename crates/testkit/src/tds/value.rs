//! SQL Server's types and values, as far as a driver of this project sends or reads them.

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

mod decode;
mod encode;
mod temporal;

pub(super) use decode::decode_parameter;
pub(super) use encode::{encode_type, encode_value};

/// How long the values of a text or binary type may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// At most this many bytes (binary) or characters (text).
    Of(u16),
    /// `MAX`: sent in chunks (partially length-prefixed, MS-TDS section 2.2.5.2.3).
    Max,
}

/// A column's or a parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TdsType {
    /// The untyped NULL that tiberius sends for some empty parameters.
    Null,
    /// `BIT`
    Bit,
    /// `TINYINT`, unsigned
    TinyInt,
    /// `SMALLINT`
    SmallInt,
    /// `INT`
    Int,
    /// `BIGINT`
    BigInt,
    /// `REAL`
    Real,
    /// `FLOAT(53)`
    Float,
    /// `NUMERIC` or `DECIMAL`
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// `NVARCHAR`
    NVarChar(Length),
    /// `NCHAR`
    NChar(u16),
    /// `VARCHAR` in code page 1252
    VarChar(Length),
    /// `VARBINARY`
    VarBinary(Length),
    /// `BINARY`
    Binary(u16),
    /// `UNIQUEIDENTIFIER`
    UniqueIdentifier,
    /// `DATE`
    Date,
    /// `TIME`; the scale is the number of decimals of a second, 0 to 7
    Time(u8),
    /// `DATETIME2`; the scale is the number of decimals of a second, 0 to 7
    DateTime2(u8),
    /// `DATETIMEOFFSET`; the scale is the number of decimals of a second, 0 to 7
    DateTimeOffset(u8),
    /// `DATETIME`, in steps of 1/300 s. For parameters and columns of old schemas.
    DateTime,
}

/// A value in a row or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum TdsValue {
    /// NULL of whatever type.
    Null,
    /// A `BIT`.
    Bit(bool),
    /// An integer of any width; the type says which.
    Int(i64),
    /// A `REAL`.
    Real(f32),
    /// A `FLOAT`.
    Float(f64),
    /// A `NUMERIC`, whole digits and their scale: up to 38 digits, more than `rust_decimal` holds.
    Decimal {
        /// The number without its point.
        unscaled: i128,
        /// Digits after the point.
        scale: u8,
    },
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A `UNIQUEIDENTIFIER`.
    Uuid(Uuid),
    /// A `DATE`.
    Date(NaiveDate),
    /// A `TIME`, in steps of 100 ns.
    Time(NaiveTime),
    /// A `DATETIME2` or a `DATETIME`.
    DateTime(NaiveDateTime),
    /// A `DATETIMEOFFSET`.
    DateTimeOffset(DateTime<FixedOffset>),
}

/// A column of a scripted answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) name: String,
    pub(super) kind: TdsType,
}

impl Column {
    /// A nullable column.
    pub fn new(name: impl Into<String>, kind: TdsType) -> Self {
        Self { name: name.into(), kind }
    }
}

macro_rules! from_values {
    ($($source:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$source> for TdsValue {
            fn from($value: $source) -> Self {
                $made
            }
        })*
    };
}

from_values! {
    bool => |value| Self::Bit(value);
    u8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    f32 => |value| Self::Real(value);
    f64 => |value| Self::Float(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    Vec<u8> => |value| Self::Bytes(value);
    Uuid => |value| Self::Uuid(value);
    NaiveDate => |value| Self::Date(value);
    NaiveTime => |value| Self::Time(value);
    NaiveDateTime => |value| Self::DateTime(value);
    DateTime<FixedOffset> => |value| Self::DateTimeOffset(value);
    DateTime<Utc> => |value| Self::DateTimeOffset(value.fixed_offset());
    Decimal => |value| Self::Decimal {
        unscaled: value.mantissa(),
        // A rust_decimal has at most 28 decimals.
        scale: u8::try_from(value.scale()).unwrap_or(u8::MAX),
    };
}

impl<T: Into<Self>> From<Option<T>> for TdsValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A mistake in the script: what it wants sent cannot be sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Misfit {
    /// A value that its column's type cannot hold.
    #[error("the script puts {value:?} into a column of type {kind:?}")]
    Value { value: TdsValue, kind: TdsType },
    /// A row with too many values or too few.
    #[error("the script puts {values} values into a row of {columns} columns")]
    Row { values: usize, columns: usize },
}

/// Windows-1252, the code page of the collation that this server names: ASCII and Latin-1 are enough for scripts.
fn encode_varchar(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|character| match u32::from(character) {
            code @ (0..=0x7F | 0xA0..=0xFF) => u8::try_from(code).ok(),
            _ => None,
        })
        .collect()
}

/// `SQL_Latin1_General_CP1_CI_AS`: locale 0x0409, code page 1252 (MS-TDS section 2.2.5.1.2).
pub(super) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

fn put_plp(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u64_le(bytes.len() as u64);
    // Small chunks, so that a reader which expects only one is found out.
    for chunk in bytes.chunks(4000) {
        out.put_u32_le(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(chunk);
    }
    out.put_u32_le(0);
}

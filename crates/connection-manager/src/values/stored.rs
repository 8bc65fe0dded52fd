use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sea_query::{ArrayType, Value};
use serde_json::Value as Json;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use uuid::Uuid;

/// What an engine holds in one column of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored<'row> {
    /// NULL.
    Null,
    /// A truth value of an engine that has such a type.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// A number of single precision.
    Float(f32),
    /// A number of double precision.
    Double(f64),
    /// An exact decimal.
    Decimal(Decimal),
    /// An exact decimal with more digits than [`Decimal`] holds, as text.
    WideDecimal(Cow<'row, str>),
    /// Text.
    Text(Cow<'row, str>),
    /// Bytes.
    Bytes(Cow<'row, [u8]>),
    /// The text of a JSON document.
    Json(Cow<'row, str>),
    /// A UUID of an engine that has such a type.
    Uuid(Uuid),
    /// A calendar date.
    Date(NaiveDate),
    /// A time of day.
    Time(NaiveTime),
    /// A date and time without a zone; an instant stored so is in UTC.
    DateTime(NaiveDateTime),
    /// An instant.
    Instant(DateTime<Utc>),
}

impl Stored<'_> {
    /// Reads the stored value as `wanted`, as long as nothing is lost by it. NULL becomes the empty value of that type.
    ///
    /// `column` and `stored_type` are for the message.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Decode`], naming the column and the types and never the value.
    pub fn into_value(self, wanted: &ArrayType, column: &str, stored_type: &str) -> Result<Value, DatabaseError> {
        self.read(wanted).ok_or_else(|| {
            let message = format!("column `{column}` of type {stored_type} holds a value that is no {wanted:?}");
            DatabaseError::new(DatabaseErrorKind::Decode, message)
        })
    }

    #[allow(clippy::match_wildcard_for_single_variants, reason = "a single variant with our features alone")]
    fn read(self, wanted: &ArrayType) -> Option<Value> {
        Some(match wanted {
            ArrayType::Bool => Value::Bool(self.opt(Self::bool)?),
            ArrayType::TinyInt => Value::TinyInt(self.opt(Self::int)?),
            ArrayType::SmallInt => Value::SmallInt(self.opt(Self::int)?),
            ArrayType::Int => Value::Int(self.opt(Self::int)?),
            ArrayType::BigInt => Value::BigInt(self.opt(Self::int)?),
            ArrayType::TinyUnsigned => Value::TinyUnsigned(self.opt(Self::int)?),
            ArrayType::SmallUnsigned => Value::SmallUnsigned(self.opt(Self::int)?),
            ArrayType::Unsigned => Value::Unsigned(self.opt(Self::int)?),
            ArrayType::BigUnsigned => Value::BigUnsigned(self.opt(Self::int)?),
            ArrayType::Float => Value::Float(self.opt(Self::float)?),
            ArrayType::Double => Value::Double(self.opt(Self::double)?),
            ArrayType::String => Value::String(self.opt(Self::text)?),
            ArrayType::Char => Value::Char(self.opt(Self::char)?),
            ArrayType::Bytes => Value::Bytes(self.opt(Self::bytes)?),
            ArrayType::Json => Value::Json(self.opt(Self::json)?.map(Box::new)),
            ArrayType::Uuid => Value::Uuid(self.opt(Self::uuid)?),
            ArrayType::Decimal => Value::Decimal(self.opt(Self::decimal)?),
            ArrayType::ChronoDate => Value::ChronoDate(self.opt(Self::date)?),
            ArrayType::ChronoTime => Value::ChronoTime(self.opt(Self::time)?),
            ArrayType::ChronoDateTime => Value::ChronoDateTime(self.opt(Self::date_time)?),
            ArrayType::ChronoDateTimeUtc => Value::ChronoDateTimeUtc(self.opt(Self::instant)?),
            ArrayType::ChronoDateTimeLocal => {
                Value::ChronoDateTimeLocal(self.opt(Self::instant)?.map(|instant| instant.with_timezone(&Local)))
            }
            ArrayType::ChronoDateTimeWithTimeZone => {
                Value::ChronoDateTimeWithTimeZone(self.opt(Self::instant)?.map(|instant| instant.fixed_offset()))
            }
            // And what exists only when another crate in the build turns on more of sea-query, such as ranges.
            _ => return None,
        })
    }

    /// `Some(None)` for NULL, `None` when `read` cannot read the value.
    #[expect(clippy::option_option, reason = "the outer one is failure, the inner one is SQL's NULL")]
    fn opt<T>(self, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        match self {
            Self::Null => Some(None),
            other => read(other).map(Some),
        }
    }

    fn bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            Self::Int(0) | Self::UInt(0) => Some(false),
            Self::Int(1) | Self::UInt(1) => Some(true),
            // MySQL's BIT(1) arrives as one byte.
            Self::Bytes(bytes) => match bytes.as_ref() {
                [0] => Some(false),
                [1] => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    fn int<T: TryFrom<i64> + TryFrom<u64>>(self) -> Option<T> {
        match self {
            Self::Int(value) => T::try_from(value).ok(),
            Self::UInt(value) => T::try_from(value).ok(),
            Self::Bool(value) => T::try_from(i64::from(value)).ok(),
            // The sum of integers is an exact decimal on MySQL and PostgreSQL.
            Self::Decimal(value) if value.is_integer() => match value.to_i64() {
                Some(value) => T::try_from(value).ok(),
                None => T::try_from(value.to_u64()?).ok(),
            },
            _ => None,
        }
    }

    fn double(self) -> Option<f64> {
        // 2^53: up to here every integer is a double.
        const EXACT: u64 = 1 << 53;
        match self {
            Self::Double(value) => Some(value),
            Self::Float(value) => Some(value.into()),
            Self::Decimal(value) => value.to_f64(),
            #[expect(clippy::cast_precision_loss, reason = "the guard keeps to integers that a double holds exactly")]
            Self::Int(value) if value.unsigned_abs() <= EXACT => Some(value as f64),
            #[expect(clippy::cast_precision_loss, reason = "the guard keeps to integers that a double holds exactly")]
            Self::UInt(value) if value <= EXACT => Some(value as f64),
            _ => None,
        }
    }

    fn float(self) -> Option<f32> {
        let wide = self.double()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "SQLite has double precision alone; what was single returns"
        )]
        let narrow = wide as f32;
        (narrow.is_finite() || !wide.is_finite()).then_some(narrow)
    }

    fn decimal(self) -> Option<Decimal> {
        match self {
            Self::Decimal(value) => Some(value),
            Self::Int(value) => Some(value.into()),
            Self::UInt(value) => Some(value.into()),
            Self::Text(text) | Self::WideDecimal(text) => Decimal::from_str_exact(&text).ok(),
            // What SQLite computes is a double; its shortest text is the decimal that was meant.
            Self::Double(value) => Decimal::from_str_exact(&value.to_string()).ok(),
            Self::Float(value) => Decimal::from_str_exact(&value.to_string()).ok(),
            _ => None,
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Json(text) | Self::WideDecimal(text) => Some(text.into_owned()),
            Self::Uuid(uuid) => Some(uuid.to_string()),
            Self::Decimal(value) => Some(value.to_string()),
            // MySQL calls a text column with a binary collation binary in places, such as CAST and some functions.
            Self::Bytes(bytes) => String::from_utf8(bytes.into_owned()).ok(),
            _ => None,
        }
    }

    fn char(self) -> Option<char> {
        let text = self.text()?;
        let mut characters = text.chars();
        characters.next().filter(|_| characters.next().is_none())
    }

    fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.into_owned()),
            Self::Text(text) => Some(text.into_owned().into_bytes()),
            Self::Uuid(uuid) => Some(uuid.as_bytes().to_vec()),
            _ => None,
        }
    }

    fn json(self) -> Option<Json> {
        match self {
            Self::Json(text) | Self::Text(text) => serde_json::from_str(&text).ok(),
            // SQLite may keep a bare number as a number.
            Self::Int(value) => Some(value.into()),
            Self::UInt(value) => Some(value.into()),
            Self::Double(value) => serde_json::Number::from_f64(value).map(Json::Number),
            _ => None,
        }
    }

    fn uuid(self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(uuid),
            Self::Bytes(bytes) => Uuid::from_slice(&bytes).ok(),
            Self::Text(text) => Uuid::try_parse(text.trim_end()).ok(),
            _ => None,
        }
    }

    fn date(self) -> Option<NaiveDate> {
        match self {
            Self::Date(date) => Some(date),
            Self::Text(text) => NaiveDate::from_str(&text).ok(),
            Self::DateTime(value) if value.time() == NaiveTime::MIN => Some(value.date()),
            _ => None,
        }
    }

    fn time(self) -> Option<NaiveTime> {
        match self {
            Self::Time(time) => Some(time),
            Self::Text(text) => NaiveTime::from_str(&text).ok(),
            _ => None,
        }
    }

    fn date_time(self) -> Option<NaiveDateTime> {
        match self {
            Self::DateTime(value) => Some(value),
            Self::Instant(value) => Some(value.naive_utc()),
            Self::Date(date) => Some(date.and_time(NaiveTime::MIN)),
            Self::Text(text) => naive(&text),
            _ => None,
        }
    }

    fn instant(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::DateTime(value) => Some(value.and_utc()),
            Self::Text(text) => match DateTime::parse_from_rfc3339(&text) {
                Ok(instant) => Some(instant.to_utc()),
                // What `CURRENT_TIMESTAMP` writes in SQLite: UTC without saying so.
                Err(_) => naive(&text).map(|value| value.and_utc()),
            },
            _ => None,
        }
    }
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use sea_query::ValueType;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "an expectation reads better without a reference")]
    fn check<T: ValueType + PartialEq + std::fmt::Debug>(stored: Stored<'_>, expected: Option<T>) {
        let shown = format!("{stored:?}");
        let value = stored.into_value(&T::array_type(), "c", "STORED").ok();
        assert_eq!(value.map(|value| T::try_from(value).expect("no NULL")), expected, "{shown}");
    }

    #[test]
    fn integers_are_read_from_what_engines_make_of_them() {
        check(Stored::Int(i64::MIN), Some(i64::MIN));
        check(Stored::UInt(7), Some(7_i64));
        check(Stored::Decimal(Decimal::from(12)), Some(12_i64));
        check(Stored::Decimal(Decimal::new(120, 1)), Some(12_i64));
        check::<i64>(Stored::Decimal(Decimal::new(125, 1)), None);
        check::<i64>(Stored::UInt(u64::MAX), None);
        check::<i16>(Stored::Int(40_000), None);
        check::<i64>(Stored::Double(1.0), None);
        check::<i64>(Stored::Text("1".into()), None);
    }

    #[test]
    fn truth_is_zero_or_one() {
        check(Stored::Int(1), Some(true));
        check(Stored::Bytes(vec![0].into()), Some(false));
        check::<bool>(Stored::Int(2), None);
    }

    #[test]
    fn decimals_lose_no_digit() {
        let text = "123456789012345678.1234567890";
        check(Stored::Text(text.into()), Some(Decimal::from_str_exact(text).unwrap()));
        check::<Decimal>(Stored::Text("0.12345678901234567890123456789012".into()), None);
        check(Stored::Double(0.1), Some(Decimal::new(1, 1)));
    }

    #[test]
    fn uuids_are_read_from_bytes_and_text() {
        let uuid = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        check(Stored::Bytes(uuid.as_bytes().to_vec().into()), Some(uuid));
        check(Stored::Text(uuid.to_string().into()), Some(uuid));
        check::<Uuid>(Stored::Bytes(vec![1; 15].into()), None);
    }

    #[test]
    fn instants_are_read_from_text_in_any_offset() {
        let expected = DateTime::parse_from_rfc3339("2024-02-28T23:00:00.001234Z").unwrap().to_utc();
        check(Stored::Text("2024-02-28T23:00:00.001234+00:00".into()), Some(expected));
        check(Stored::Text("2024-02-29T04:30:00.001234+05:30".into()), Some(expected));
        check(Stored::Text("2024-02-28 23:00:00.001234".into()), Some(expected));
        check::<DateTime<Utc>>(Stored::Text("yesterday".into()), None);
    }

    #[test]
    fn null_is_the_empty_value_of_the_type_asked_for() {
        let value = Stored::Null.into_value(&ArrayType::Uuid, "c", "BLOB").unwrap();
        assert_eq!(value, Value::Uuid(None));
    }

    #[test]
    fn a_failure_names_the_column_and_no_value() {
        let error = Stored::Text("secret".into()).into_value(&ArrayType::Int, "pages", "TEXT").unwrap_err();
        assert_eq!(error.kind(), &DatabaseErrorKind::Decode);
        assert!(error.message().contains("pages") && error.message().contains("TEXT"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Utc};
use rust_decimal::Decimal;
use sea_query::{OptionEnum, Value, Values};
use serde_json::Value as Json;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use uuid::Uuid;

use crate::endpoint::NotAsked;

/// The fixed-width text of an instant where an engine has no type for it, so that texts sort as the instants do.
pub const SQLITE_INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6f+00:00";

/// A value on its way to an engine, with Rust's many types reduced to those that engines tell apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// NULL, with the type it stands for: typed protocols want to know.
    Null(Kind),
    /// A truth value.
    Bool(bool),
    /// A signed integer of at most 16 bits.
    Int16(i16),
    /// A signed integer of at most 32 bits.
    Int32(i32),
    /// Any other integer.
    Int64(i64),
    /// A number of single precision.
    Float(f32),
    /// A number of double precision.
    Double(f64),
    /// An exact decimal.
    Decimal(Decimal),
    /// Text.
    Text(Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON document.
    Json(Box<Json>),
    /// A UUID.
    Uuid(Uuid),
    /// A calendar date.
    Date(NaiveDate),
    /// A time of day, cut to microseconds.
    Time(NaiveTime),
    /// A date and time without a zone, cut to microseconds.
    DateTime(NaiveDateTime),
    /// An instant in UTC, cut to microseconds.
    Instant(DateTime<Utc>),
}

impl Parameter {
    /// The type, which NULL has too.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Bool(_) => Kind::Bool,
            Self::Int16(_) => Kind::Int16,
            Self::Int32(_) => Kind::Int32,
            Self::Int64(_) => Kind::Int64,
            Self::Float(_) => Kind::Float,
            Self::Double(_) => Kind::Double,
            Self::Decimal(_) => Kind::Decimal,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Json(_) => Kind::Json,
            Self::Uuid(_) => Kind::Uuid,
            Self::Date(_) => Kind::Date,
            Self::Time(_) => Kind::Time,
            Self::DateTime(_) => Kind::DateTime,
            Self::Instant(_) => Kind::Instant,
        }
    }
}

/// The type that a NULL stands for; one for each other variant of [`Parameter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the variant of `Parameter` by the same name")]
pub enum Kind {
    Bool,
    Int16,
    Int32,
    Int64,
    Float,
    Double,
    Decimal,
    Text,
    Bytes,
    Json,
    Uuid,
    Date,
    Time,
    DateTime,
    Instant,
}

/// Reduces a statement's values; drivers bind the result in order.
///
/// # Errors
/// [`DatabaseErrorKind::Unsupported`] for a `u64` beyond `i64::MAX` and for values that no dialect of this project
/// sends; names the position, never the value.
pub fn parameters(values: Values) -> Result<Vec<Parameter>, DatabaseError> {
    values.0.into_iter().enumerate().map(|(index, value)| parameter(index + 1, value)).collect()
}

fn parameter(position: usize, value: Value) -> Result<Parameter, DatabaseError> {
    fn or_null<T>(value: Option<T>, kind: Kind, some: impl FnOnce(T) -> Parameter) -> Parameter {
        value.map_or(Parameter::Null(kind), some)
    }
    Ok(match value {
        Value::Bool(value) => or_null(value, Kind::Bool, Parameter::Bool),
        Value::TinyInt(value) => or_null(value, Kind::Int16, |value| Parameter::Int16(value.into())),
        Value::SmallInt(value) => or_null(value, Kind::Int16, Parameter::Int16),
        Value::Int(value) => or_null(value, Kind::Int32, Parameter::Int32),
        Value::BigInt(value) => or_null(value, Kind::Int64, Parameter::Int64),
        Value::TinyUnsigned(value) => or_null(value, Kind::Int16, |value| Parameter::Int16(value.into())),
        Value::SmallUnsigned(value) => or_null(value, Kind::Int32, |value| Parameter::Int32(value.into())),
        Value::Unsigned(value) => or_null(value, Kind::Int64, |value| Parameter::Int64(value.into())),
        Value::BigUnsigned(None) => Parameter::Null(Kind::Int64),
        Value::BigUnsigned(Some(value)) => Parameter::Int64(i64::try_from(value).map_err(|_| {
            unsupported(position, "an unsigned integer beyond 9223372036854775807, which engines cannot store")
        })?),
        Value::Float(value) => or_null(value, Kind::Float, Parameter::Float),
        Value::Double(value) => or_null(value, Kind::Double, Parameter::Double),
        Value::String(value) => or_null(value, Kind::Text, |value| Parameter::Text(value.into())),
        Value::Char(value) => or_null(value, Kind::Text, |value| Parameter::Text(value.to_string().into())),
        Value::Enum(OptionEnum::Some(value)) => Parameter::Text(value.value),
        Value::Enum(OptionEnum::None(_)) => Parameter::Null(Kind::Text),
        Value::Bytes(value) => or_null(value, Kind::Bytes, Parameter::Bytes),
        Value::Json(value) => or_null(value, Kind::Json, Parameter::Json),
        Value::Uuid(value) => or_null(value, Kind::Uuid, Parameter::Uuid),
        Value::Decimal(value) => or_null(value, Kind::Decimal, Parameter::Decimal),
        Value::ChronoDate(value) => or_null(value, Kind::Date, Parameter::Date),
        Value::ChronoTime(value) => or_null(value, Kind::Time, |value| Parameter::Time(value.trunc_subsecs(6))),
        Value::ChronoDateTime(value) => {
            or_null(value, Kind::DateTime, |value| Parameter::DateTime(value.trunc_subsecs(6)))
        }
        Value::ChronoDateTimeUtc(value) => {
            or_null(value, Kind::Instant, |value| Parameter::Instant(value.trunc_subsecs(6)))
        }
        Value::ChronoDateTimeLocal(value) => {
            or_null(value, Kind::Instant, |value| Parameter::Instant(value.to_utc().trunc_subsecs(6)))
        }
        Value::ChronoDateTimeWithTimeZone(value) => {
            or_null(value, Kind::Instant, |value| Parameter::Instant(value.to_utc().trunc_subsecs(6)))
        }
        // Variants that exist only when another crate in the build turns on more of sea-query, such as arrays.
        #[allow(unreachable_patterns, reason = "reachable only with more of sea-query's features than ours")]
        _ => return Err(unsupported(position, "a value of a type that this project does not send")),
    })
}

fn unsupported(position: usize, what: &str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, format!("parameter {position} is {what}"))
        .with_source(NotAsked::at_all())
}

/// What becomes of a parameter that a driver will not take.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub(crate) fn unbound() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, "a parameter could not be bound").with_source(NotAsked::at_all())
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, TimeZone};

    use super::*;

    #[test]
    fn instants_of_any_offset_become_utc_microseconds() {
        let zone = FixedOffset::east_opt(5 * 3600 + 1800).unwrap();
        let instant = zone.with_ymd_and_hms(2024, 2, 29, 4, 30, 0).unwrap() + chrono::TimeDelta::nanoseconds(1_234_567);
        let bound = parameters(Values(vec![instant.into()])).unwrap();
        let Parameter::Instant(utc) = &bound[0] else { panic!("{bound:?}") };
        assert_eq!(utc.format(SQLITE_INSTANT).to_string(), "2024-02-28T23:00:00.001234+00:00");
    }

    #[test]
    fn unsigned_integers_that_do_not_fit_are_refused_by_position() {
        assert!(parameters(Values(vec![i64::MAX.unsigned_abs().into()])).is_ok());
        let error = parameters(Values(vec![1.into(), u64::MAX.into()])).unwrap_err();
        assert_eq!(error.kind(), &DatabaseErrorKind::Unsupported);
        assert!(error.message().contains("parameter 2"), "{error}");
        assert!(!error.message().contains(&u64::MAX.to_string()), "{error}");
    }

    #[test]
    fn nulls_keep_their_type() {
        let bound = parameters(Values(vec![Option::<Uuid>::None.into(), Option::<String>::None.into()])).unwrap();
        assert_eq!(bound, [Parameter::Null(Kind::Uuid), Parameter::Null(Kind::Text)]);
    }
}

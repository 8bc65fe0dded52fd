use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime2, DateTimeOffset, Time};
use tiberius::{ColumnData, ToSql};

use crate::endpoint::NotAsked;
use crate::values::{Kind, Parameter, parameters};

/// A parameter in the form that it is sent in. Texts and bytes are lent to the driver, not copied for it.
#[derive(Debug)]
pub(super) struct Bound(ColumnData<'static>);

impl ToSql for Bound {
    fn to_sql(&self) -> ColumnData<'_> {
        match &self.0 {
            ColumnData::String(Some(text)) => ColumnData::String(Some(Cow::Borrowed(text))),
            ColumnData::Binary(Some(bytes)) => ColumnData::Binary(Some(Cow::Borrowed(bytes))),
            other => other.clone(),
        }
    }
}

/// SQL Server has a type for all that is sent, but not for all of its values.
///
/// # Errors
/// `Unsupported` for years outside 1 to 9999 and for numbers that are not finite; names the position, never the value.
pub(super) fn bind(values: Values) -> Result<Vec<Bound>, DatabaseError> {
    let bind_one = |(index, parameter)| {
        column_data(parameter).map(Bound).map_err(|what| {
            let message = format!("parameter {} is {what}, which SQL Server cannot store", index + 1);
            DatabaseError::new(DatabaseErrorKind::Unsupported, message).with_source(NotAsked::at_all())
        })
    };
    parameters(values)?.into_iter().enumerate().map(bind_one).collect()
}

fn column_data(parameter: Parameter) -> Result<ColumnData<'static>, &'static str> {
    const NOT_FINITE: &str = "an infinity or not a number";
    Ok(match parameter {
        Parameter::Null(kind) => null(kind),
        Parameter::Bool(value) => ColumnData::Bit(Some(value)),
        Parameter::Int16(value) => ColumnData::I16(Some(value)),
        Parameter::Int32(value) => ColumnData::I32(Some(value)),
        Parameter::Int64(value) => ColumnData::I64(Some(value)),
        Parameter::Float(value) => ColumnData::F32(Some(Some(value).filter(|it| it.is_finite()).ok_or(NOT_FINITE)?)),
        Parameter::Double(value) => ColumnData::F64(Some(Some(value).filter(|it| it.is_finite()).ok_or(NOT_FINITE)?)),
        Parameter::Decimal(value) => {
            // Both hold whole digits and a scale; a `Decimal` has at most 28 decimals, SQL Server takes 38.
            let scale = u8::try_from(value.scale()).map_err(|_| "a decimal of a scale that no decimal has")?;
            ColumnData::Numeric(Some(Numeric::new_with_scale(value.mantissa(), scale)))
        }
        Parameter::Text(value) => ColumnData::String(Some(value)),
        Parameter::Bytes(value) => ColumnData::Binary(Some(value.into())),
        Parameter::Json(value) => ColumnData::String(Some(value.to_string().into())),
        Parameter::Uuid(value) => ColumnData::Guid(Some(value)),
        Parameter::Date(value) => ColumnData::Date(Some(date(value)?)),
        Parameter::Time(value) => ColumnData::Time(Some(time(value)?)),
        Parameter::DateTime(value) => {
            ColumnData::DateTime2(Some(DateTime2::new(date(value.date())?, time(value.time())?)))
        }
        Parameter::Instant(value) => {
            let utc = value.naive_utc();
            let moment = DateTime2::new(date(utc.date())?, time(utc.time())?);
            ColumnData::DateTimeOffset(Some(DateTimeOffset::new(moment, 0)))
        }
    })
}

/// The dialect writes NULL into the text, because the driver can give only some of them a type. Raw statements may
/// bind one all the same.
fn null(kind: Kind) -> ColumnData<'static> {
    match kind {
        Kind::Bool => ColumnData::Bit(None),
        Kind::Int16 => ColumnData::I16(None),
        Kind::Int32 => ColumnData::I32(None),
        Kind::Int64 => ColumnData::I64(None),
        Kind::Float => ColumnData::F32(None),
        Kind::Double => ColumnData::F64(None),
        Kind::Decimal => ColumnData::Numeric(None),
        Kind::Text | Kind::Json => ColumnData::String(None),
        Kind::Bytes => ColumnData::Binary(None),
        Kind::Uuid => ColumnData::Guid(None),
        Kind::Date => ColumnData::Date(None),
        Kind::Time => ColumnData::Time(None),
        Kind::DateTime => ColumnData::DateTime2(None),
        Kind::Instant => ColumnData::DateTimeOffset(None),
    }
}

fn date(date: NaiveDate) -> Result<Date, &'static str> {
    if !(1..=9999).contains(&date.year()) {
        return Err("a date outside the years 1 to 9999");
    }
    // Both count from 0001-01-01: the one from 1, the other from 0.
    let days = u32::try_from(date.num_days_from_ce() - 1).map_err(|_| "a date before the year 1")?;
    Ok(Date::new(days))
}

/// In steps of 100 ns, SQL Server's finest; what is sent has whole microseconds.
fn time(time: NaiveTime) -> Result<Time, &'static str> {
    if time.nanosecond() >= 1_000_000_000 {
        return Err("a leap second");
    }
    let steps = u64::from(time.num_seconds_from_midnight()) * 10_000_000 + u64::from(time.nanosecond() / 100);
    Ok(Time::new(steps, 7))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rust_decimal::Decimal;
    use sea_query::Value;

    use super::*;

    #[track_caller]
    fn refused(value: impl Into<Value>, what: &str) {
        let error = bind(Values(vec![1.into(), value.into()])).unwrap_err();
        assert_eq!(error.kind(), &DatabaseErrorKind::Unsupported);
        assert!(error.message().contains("parameter 2") && error.message().contains(what), "{error}");
    }

    #[test]
    fn what_sql_server_cannot_store_is_refused_before_anything_is_sent() {
        refused(f64::NAN, "not a number");
        refused(f32::INFINITY, "not a number");
        refused(NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap(), "years 1 to 9999");
        refused(NaiveDate::from_ymd_opt(0, 12, 31).unwrap(), "years 1 to 9999");
        refused(NaiveTime::from_hms_milli_opt(23, 59, 59, 1_000).unwrap(), "leap second");
    }

    #[test]
    fn the_driver_understands_the_edges_as_they_were_meant() {
        let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        for day in [date(1, 1, 1), date(1900, 1, 1), date(2024, 2, 29), date(9999, 12, 31)] {
            let bound = bind(Values(vec![day.into()])).unwrap();
            assert_eq!(bound[0].to_sql(), day.to_sql(), "{day}");
        }
        let instant = DateTime::<Utc>::from_timestamp_micros(1_709_161_200_001_234).unwrap();
        let bound = bind(Values(vec![instant.into()])).unwrap();
        assert_eq!(bound[0].to_sql(), instant.fixed_offset().to_sql());
        for text in ["79228162514264337593543950335", "-0.0000000000000000000000000001", "12345.678900"] {
            let decimal: Decimal = text.parse().unwrap();
            let bound = bind(Values(vec![decimal.into()])).unwrap();
            assert_eq!(bound[0].to_sql(), decimal.to_sql(), "{text}");
        }
    }
}

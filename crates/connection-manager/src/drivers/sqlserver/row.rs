use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use sea_query::{ArrayType, Value};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, RowSource};
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime2, DateTimeOffset, Time};
use tiberius::{ColumnData, Row};

use crate::values::Stored;

/// A row of SQL Server.
pub(super) struct SqlServerRowSource(pub(super) Row);

impl fmt::Debug for SqlServerRowSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlServerRowSource")
    }
}

impl RowSource for SqlServerRowSource {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn column_name(&self, index: usize) -> Option<&str> {
        self.0.columns().get(index).map(tiberius::Column::name)
    }

    fn decode(&self, index: usize, wanted: &ArrayType) -> Result<Value, DatabaseError> {
        let name = self.column_name(index).unwrap_or_default();
        let unreadable =
            || DatabaseError::new(DatabaseErrorKind::Decode, format!("column `{name}` holds a value out of range"));
        let (_, data) = self.0.cells().nth(index).ok_or_else(unreadable)?;
        let (kind, stored) = read(data).ok_or_else(unreadable)?;
        stored.into_value(wanted, name, kind)
    }
}

/// The stored value and its type's name. The driver's own conversions are not used: they panic on numbers that a
/// `Decimal` cannot hold and wrap around on times that no day has.
fn read<'row>(data: &'row ColumnData<'static>) -> Option<(&'static str, Stored<'row>)> {
    fn or_null<'row, T>(
        kind: &'static str,
        value: Option<T>,
        read: impl FnOnce(T) -> Option<Stored<'row>>,
    ) -> Option<(&'static str, Stored<'row>)> {
        Some((kind, value.map_or(Some(Stored::Null), read)?))
    }
    match data {
        ColumnData::Bit(value) => or_null("BIT", *value, |it| Some(Stored::Bool(it))),
        ColumnData::U8(value) => or_null("TINYINT", *value, |it| Some(Stored::Int(it.into()))),
        ColumnData::I16(value) => or_null("SMALLINT", *value, |it| Some(Stored::Int(it.into()))),
        ColumnData::I32(value) => or_null("INT", *value, |it| Some(Stored::Int(it.into()))),
        ColumnData::I64(value) => or_null("BIGINT", *value, |it| Some(Stored::Int(it))),
        ColumnData::F32(value) => or_null("REAL", *value, |it| Some(Stored::Float(it))),
        ColumnData::F64(value) => or_null("FLOAT", *value, |it| Some(Stored::Double(it))),
        ColumnData::Numeric(value) => or_null("NUMERIC", *value, |it| Some(decimal(it))),
        ColumnData::String(value) => or_null("NVARCHAR", value.as_deref(), |it| Some(Stored::Text(it.into()))),
        ColumnData::Xml(value) => or_null("XML", value.as_deref(), |it| Some(Stored::Text(it.to_string().into()))),
        ColumnData::Binary(value) => or_null("VARBINARY", value.as_deref(), |it| Some(Stored::Bytes(it.into()))),
        ColumnData::Guid(value) => or_null("UNIQUEIDENTIFIER", *value, |it| Some(Stored::Uuid(it))),
        ColumnData::Date(value) => or_null("DATE", *value, |it| date(it).map(Stored::Date)),
        ColumnData::Time(value) => or_null("TIME", *value, |it| time(it).map(Stored::Time)),
        ColumnData::DateTime2(value) => or_null("DATETIME2", *value, |it| moment(it).map(Stored::DateTime)),
        ColumnData::DateTimeOffset(value) => or_null("DATETIMEOFFSET", *value, |it| instant(it).map(Stored::Instant)),
        ColumnData::DateTime(value) => or_null("DATETIME", *value, |it| {
            // In steps of 1/300 s.
            let nanos = i64::from(it.seconds_fragments()) * 10_000_000 / 3;
            since_1900(it.days().into(), TimeDelta::nanoseconds(nanos)).map(Stored::DateTime)
        }),
        ColumnData::SmallDateTime(value) => or_null("SMALLDATETIME", *value, |it| {
            let minutes = TimeDelta::minutes(it.seconds_fragments().into());
            since_1900(it.days().into(), minutes).map(Stored::DateTime)
        }),
    }
}

fn decimal(number: Numeric) -> Stored<'static> {
    match Decimal::try_from_i128_with_scale(number.value(), number.scale().into()) {
        Ok(decimal) => Stored::Decimal(decimal),
        // Up to 38 digits: more than a `Decimal` has room for.
        Err(_) => Stored::WideDecimal(digits(number).into()),
    }
}

/// The number as SQL writes it. The driver's own text has a point even where there are no decimals.
fn digits(number: Numeric) -> String {
    let sign = if number.value() < 0 { "-" } else { "" };
    let scale = usize::from(number.scale());
    let digits = format!("{:0width$}", number.value().unsigned_abs(), width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{decimals}")
}

fn date(date: Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1, 1, 1)?.checked_add_days(Days::new(date.days().into()))
}

fn time(time: Time) -> Option<NaiveTime> {
    let nanos = time.increments().checked_mul(10_u64.checked_pow(9_u8.checked_sub(time.scale())?.into())?)?;
    let seconds = u32::try_from(nanos / 1_000_000_000).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, u32::try_from(nanos % 1_000_000_000).ok()?)
}

fn moment(value: DateTime2) -> Option<NaiveDateTime> {
    Some(date(value.date())?.and_time(time(value.time())?))
}

/// The moment is sent in UTC; the offset only says how it was written.
fn instant(value: DateTimeOffset) -> Option<DateTime<Utc>> {
    Some(moment(value.datetime2())?.and_utc())
}

fn since_1900(days: i64, time: TimeDelta) -> Option<NaiveDateTime> {
    let midnight = NaiveDate::from_ymd_opt(1900, 1, 1)?.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(TimeDelta::try_days(days)?)?.checked_add_signed(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_out_of_range_are_errors_and_no_panics() {
        let wide = ColumnData::Numeric(Some(Numeric::new_with_scale(i128::MAX / 2, 38)));
        assert!(matches!(read(&wide), Some(("NUMERIC", Stored::WideDecimal(_)))));
        assert_eq!(read(&ColumnData::Time(Some(Time::new(u64::MAX, 7)))), None);
        assert_eq!(read(&ColumnData::Time(Some(Time::new(1, 200)))), None);
        assert_eq!(read(&ColumnData::Time(Some(Time::new(864_000_000_000, 7)))), None);
        let days = ColumnData::DateTime(Some(tiberius::time::DateTime::new(i32::MAX, u32::MAX)));
        assert_eq!(read(&days), None);
    }

    #[test]
    fn wide_numbers_keep_every_digit_and_their_point() {
        let wide = 10_i128.pow(38) - 1;
        for (value, scale, text) in [
            (wide, 0, "99999999999999999999999999999999999999"),
            (-wide, 37, "-9.9999999999999999999999999999999999999"),
            (-wide, 38, "-0.99999999999999999999999999999999999999"),
            (5, 3, "0.005"),
        ] {
            assert_eq!(digits(Numeric::new_with_scale(value, scale)), text);
        }
    }

    #[test]
    fn old_date_types_are_read_in_their_own_steps() {
        let noon = ColumnData::DateTime(Some(tiberius::time::DateTime::new(1, 12 * 3600 * 300 + 1)));
        let Some((_, Stored::DateTime(read_back))) = read(&noon) else { panic!("{noon:?}") };
        assert_eq!(read_back.to_string(), "1900-01-02 12:00:00.003333333");
        let small = ColumnData::SmallDateTime(Some(tiberius::time::SmallDateTime::new(1, 61)));
        let Some((_, Stored::DateTime(read_back))) = read(&small) else { panic!("{small:?}") };
        assert_eq!(read_back.to_string(), "1900-01-02 01:01:00");
    }
}

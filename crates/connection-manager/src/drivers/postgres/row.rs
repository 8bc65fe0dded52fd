use chrono::TimeDelta;
use rust_decimal::Decimal;
use sea_query::{ArrayType, Value};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, RowSource};
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgRow, PgTypeInfo, PgTypeKind, PgValueFormat, PgValueRef};
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::{Column, Decode, Postgres, Row, TypeInfo, ValueRef};

use super::numeric;
use crate::values::Stored;

pub(super) struct PostgresRowSource(pub(super) PgRow);

impl RowSource for PostgresRowSource {
    fn len(&self) -> usize {
        self.0.columns().len()
    }

    fn column_name(&self, index: usize) -> Option<&str> {
        self.0.columns().get(index).map(Column::name)
    }

    fn decode(&self, index: usize, wanted: &ArrayType) -> Result<Value, DatabaseError> {
        let column = self.0.columns().get(index);
        let (name, stored_type) =
            column.map_or(("", "unknown type"), |column| (column.name(), column.type_info().name()));
        let value = self.0.try_get_raw(index).ok();
        let stored = value.zip(column).and_then(|(value, column)| {
            if value.is_null() { Some(Stored::Null) } else { read(value, column.type_info()) }
        });
        let stored = stored.ok_or_else(|| {
            let message = format!("column `{name}` of type {stored_type} cannot be read");
            DatabaseError::new(DatabaseErrorKind::Decode, message)
        })?;
        stored.into_value(wanted, name, stored_type)
    }
}

/// Reads a value by the number of its type, which is looked up faster than its name. The engine's own types have the same numbers
/// everywhere (`pg_type.dat`).
fn read<'row>(value: PgValueRef<'row>, stored_type: &PgTypeInfo) -> Option<Stored<'row>> {
    fn get<'row, T: Decode<'row, Postgres>>(value: PgValueRef<'row>) -> Option<T> {
        T::decode(value).ok()
    }
    let Some(Oid(number)) = stored_type.oid() else { return text_of_a_type(&value, stored_type) };
    match number {
        // bool
        16 => get(value).map(Stored::Bool),
        // int2, int4, int8
        21 => get::<i16>(value).map(|value| Stored::Int(value.into())),
        23 => get::<i32>(value).map(|value| Stored::Int(value.into())),
        20 => get(value).map(Stored::Int),
        // oid
        26 => get::<Oid>(value).map(|oid| Stored::UInt(oid.0.into())),
        // float4, float8
        700 => get(value).map(Stored::Float),
        701 => get(value).map(Stored::Double),
        // numeric
        1700 => {
            let text = match value.format() {
                PgValueFormat::Binary => numeric::text(value.as_bytes().ok()?)?,
                PgValueFormat::Text => value.as_str().ok()?.to_owned(),
            };
            let decimal = Decimal::from_str_exact(&text);
            Some(decimal.map_or_else(|_| Stored::WideDecimal(text.into()), Stored::Decimal))
        }
        // bytea
        17 => match value.format() {
            PgValueFormat::Binary => Some(Stored::Bytes(value.as_bytes().ok()?.into())),
            PgValueFormat::Text => get::<Vec<u8>>(value).map(|bytes| Stored::Bytes(bytes.into())),
        },
        // uuid
        2950 => get(value).map(Stored::Uuid),
        // date, time
        1082 => date(value).map(Stored::Date),
        1083 => get::<NaiveTime>(value).map(Stored::Time),
        // timestamp, timestamptz
        1114 => moment(value).map(Stored::DateTime),
        1184 => moment(value).map(|moment| Stored::Instant(moment.and_utc())),
        // json
        114 => value.as_str().ok().map(|text| Stored::Json(text.into())),
        // jsonb
        3802 => {
            let text = value.as_str().ok()?;
            // In binary a version comes first, and there is one version.
            Some(Stored::Json(text.strip_prefix('\u{1}').unwrap_or(text).into()))
        }
        // text, varchar, bpchar, name, "char", unknown, xml
        25 | 1043 | 1042 | 19 | 18 | 705 | 142 => text(&value),
        _ => text_of_a_type(&value, stored_type),
    }
}

/// A value of a type that somebody has made, where it is text.
fn text_of_a_type<'row>(value: &PgValueRef<'row>, stored_type: &PgTypeInfo) -> Option<Stored<'row>> {
    let is_enum = matches!(stored_type.kind(), PgTypeKind::Enum(_));
    // citext, of the extension by that name, is text in all but comparison.
    if is_enum || stored_type.name().eq_ignore_ascii_case("citext") { text(value) } else { None }
}

/// The day that PostgreSQL counts from.
fn epoch() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2000, 1, 1)
}

/// `infinity` and days beyond chrono's range are `None`: the driver's own decoding would panic on them.
fn date(value: PgValueRef<'_>) -> Option<NaiveDate> {
    match value.format() {
        PgValueFormat::Binary => {
            let days = i32::from_be_bytes(value.as_bytes().ok()?.try_into().ok()?);
            epoch()?.checked_add_signed(TimeDelta::try_days(days.into())?)
        }
        PgValueFormat::Text => <NaiveDate as Decode<Postgres>>::decode(value).ok(),
    }
}

/// As [`date`], for both kinds of timestamp: they are sent as microseconds since the epoch, in UTC or in no time zone.
fn moment(value: PgValueRef<'_>) -> Option<NaiveDateTime> {
    match value.format() {
        PgValueFormat::Binary => {
            let microseconds = i64::from_be_bytes(value.as_bytes().ok()?.try_into().ok()?);
            epoch()?.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::microseconds(microseconds))
        }
        // The session's texts of a TIMESTAMPTZ carry an offset, which only the type that has one reads.
        PgValueFormat::Text if value.type_info().name() == "TIMESTAMPTZ" => {
            <DateTime<Utc> as Decode<Postgres>>::decode(value).ok().map(|instant| instant.naive_utc())
        }
        PgValueFormat::Text => <NaiveDateTime as Decode<Postgres>>::decode(value).ok(),
    }
}

fn text<'row>(value: &PgValueRef<'row>) -> Option<Stored<'row>> {
    value.as_str().ok().map(|text| Stored::Text(text.into()))
}

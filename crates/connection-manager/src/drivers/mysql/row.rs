use rust_decimal::Decimal;
use sea_query::{ArrayType, Value};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, RowSource};
use sqlx::mysql::{MySqlRow, MySqlValueRef};
use sqlx::types::chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use sqlx::{Column, Decode, MySql, Row, Type, TypeInfo, ValueRef};

use crate::values::Stored;

pub(super) struct MySqlRowSource(pub(super) MySqlRow);

impl RowSource for MySqlRowSource {
    fn len(&self) -> usize {
        self.0.columns().len()
    }

    fn column_name(&self, index: usize) -> Option<&str> {
        self.0.columns().get(index).map(Column::name)
    }

    fn decode(&self, index: usize, wanted: &ArrayType) -> Result<Value, DatabaseError> {
        let name = self.column_name(index).unwrap_or_default();
        let value = self.0.try_get_raw(index).ok();
        let stored_type = self.0.columns().get(index).map_or("unknown type", |column| column.type_info().name());
        let stored =
            value.and_then(|value| if value.is_null() { Some(Stored::Null) } else { read(value, stored_type) });
        let stored = stored.ok_or_else(|| {
            let message = format!("column `{name}` of type {stored_type} cannot be read");
            DatabaseError::new(DatabaseErrorKind::Decode, message)
        })?;
        stored.into_value(wanted, name, stored_type)
    }
}

fn read<'row>(value: MySqlValueRef<'row>, stored_type: &str) -> Option<Stored<'row>> {
    fn get<'row, T: Decode<'row, MySql>>(value: MySqlValueRef<'row>) -> Option<T> {
        T::decode(value).ok()
    }
    match stored_type {
        // The driver calls every TINYINT(1) BOOLEAN, also one that is UNSIGNED and reaches 255.
        "BOOLEAN" if <u64 as Type<MySql>>::compatible(&value.type_info()) => get(value).map(Stored::UInt),
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => get(value).map(Stored::Int),
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED"
        | "YEAR" | "BIT" => get(value).map(Stored::UInt),
        "FLOAT" => get(value).map(Stored::Float),
        "DOUBLE" => get(value).map(Stored::Double),
        "DECIMAL" => {
            let text: &str = get(value)?;
            Some(Decimal::from_str_exact(text).map_or(Stored::WideDecimal(text.into()), Stored::Decimal))
        }
        "DATE" => get::<NaiveDate>(value).map(Stored::Date),
        "TIME" => get::<NaiveTime>(value).map(Stored::Time),
        "DATETIME" => get::<NaiveDateTime>(value).map(Stored::DateTime),
        // The session's time zone is UTC.
        "TIMESTAMP" => get::<sqlx::types::chrono::DateTime<sqlx::types::chrono::Utc>>(value).map(Stored::Instant),
        "JSON" => get::<&str>(value).map(|text| Stored::Json(text.into())),
        "ENUM" | "SET" => get::<&str>(value).map(|text| Stored::Text(text.into())),
        // A text with a binary collation is called binary by its flags, and text by its character set.
        _ if <str as Type<MySql>>::compatible(&value.type_info()) => {
            get::<&str>(value).map(|text| Stored::Text(text.into()))
        }
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" | "GEOMETRY" | "CHAR" | "VARCHAR"
        | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" => {
            get::<&[u8]>(value).map(|bytes| Stored::Bytes(bytes.into()))
        }
        _ => None,
    }
}

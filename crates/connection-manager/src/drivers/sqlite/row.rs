use sea_query::{ArrayType, Value};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, RowSource};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Column, Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::values::Stored;

pub(super) struct SqliteRowSource(pub(super) SqliteRow);

impl RowSource for SqliteRowSource {
    fn len(&self) -> usize {
        self.0.columns().len()
    }

    fn column_name(&self, index: usize) -> Option<&str> {
        self.0.columns().get(index).map(Column::name)
    }

    fn decode(&self, index: usize, wanted: &ArrayType) -> Result<Value, DatabaseError> {
        let name = self.column_name(index).unwrap_or_default();
        let unreadable = || DatabaseError::new(DatabaseErrorKind::Decode, format!("column `{name}` cannot be read"));
        let value = self.0.try_get_raw(index).map_err(|_| unreadable())?;
        if value.is_null() {
            return Stored::Null.into_value(wanted, name, "NULL");
        }
        // The storage class of this very value; SQLite's columns hold values of any.
        let (class, stored) = read(value).ok_or_else(unreadable)?;
        stored.into_value(wanted, name, class)
    }
}

fn read(value: SqliteValueRef<'_>) -> Option<(&'static str, Stored<'_>)> {
    let class = value.type_info();
    Some(match class.name() {
        "INTEGER" => ("INTEGER", Stored::Int(<i64 as Decode<Sqlite>>::decode(value).ok()?)),
        "REAL" => ("REAL", Stored::Double(<f64 as Decode<Sqlite>>::decode(value).ok()?)),
        "TEXT" => ("TEXT", Stored::Text(<&str as Decode<Sqlite>>::decode(value).ok()?.into())),
        "BLOB" => ("BLOB", Stored::Bytes(<&[u8] as Decode<Sqlite>>::decode(value).ok()?.into())),
        _ => return None,
    })
}

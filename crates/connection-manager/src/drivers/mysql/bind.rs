use sea_query::Values;
use shared_kernel::database::DatabaseError;
use sqlx::Arguments;
use sqlx::mysql::MySqlArguments;
use sqlx::types::Json;

use crate::values::{Parameter, parameters, unbound};

/// A UUID travels as its sixteen bytes; an instant as the date and time in UTC, for a column of type `DATETIME(6)`.
pub(super) fn arguments(values: Values) -> Result<MySqlArguments, DatabaseError> {
    let mut arguments = MySqlArguments::default();
    for parameter in parameters(values)? {
        let added = match parameter {
            // MySQL's NULL has no type.
            Parameter::Null(_) => arguments.add(None::<i64>),
            Parameter::Bool(value) => arguments.add(value),
            Parameter::Int16(value) => arguments.add(value),
            Parameter::Int32(value) => arguments.add(value),
            Parameter::Int64(value) => arguments.add(value),
            Parameter::Float(value) => arguments.add(value),
            Parameter::Double(value) => arguments.add(value),
            Parameter::Decimal(value) => arguments.add(value),
            Parameter::Text(value) => arguments.add(value.as_ref()),
            Parameter::Bytes(value) => arguments.add(value),
            Parameter::Json(value) => arguments.add(Json(value)),
            Parameter::Uuid(value) => arguments.add(value.as_bytes().as_slice()),
            Parameter::Date(value) => arguments.add(value),
            Parameter::Time(value) => arguments.add(value),
            Parameter::DateTime(value) => arguments.add(value),
            Parameter::Instant(value) => arguments.add(value.naive_utc()),
        };
        added.map_err(|_| unbound())?;
    }
    Ok(arguments)
}

use rust_decimal::Decimal;
use sea_query::Values;
use shared_kernel::database::DatabaseError;
use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::values::{Parameter, SQLITE_INSTANT, parameters, unbound};

/// What SQLite has no type for travels as text whose order is the values' order, except decimals, whose text keeps
/// every digit and has no useful order.
pub(super) fn arguments(values: Values) -> Result<SqliteArguments, DatabaseError> {
    bind(values, |arguments, decimal| arguments.add(decimal.to_string()))
}

/// SeaORM reads decimals of SQLite as floating-point numbers, so it must write them so.
#[cfg(feature = "sea-orm")]
pub(super) fn arguments_of_orm(values: Values) -> Result<SqliteArguments, DatabaseError> {
    use rust_decimal::prelude::ToPrimitive;
    bind(values, |arguments, decimal| arguments.add(decimal.to_f64()))
}

fn bind(
    values: Values,
    decimal: impl Fn(&mut SqliteArguments, Decimal) -> Result<(), sqlx::error::BoxDynError>,
) -> Result<SqliteArguments, DatabaseError> {
    let mut arguments = SqliteArguments::default();
    for parameter in parameters(values)? {
        let added = match parameter {
            Parameter::Null(_) => arguments.add(None::<i64>),
            Parameter::Bool(value) => arguments.add(value),
            Parameter::Int16(value) => arguments.add(value),
            Parameter::Int32(value) => arguments.add(value),
            Parameter::Int64(value) => arguments.add(value),
            Parameter::Float(value) => arguments.add(value),
            Parameter::Double(value) => arguments.add(value),
            Parameter::Decimal(value) => decimal(&mut arguments, value),
            Parameter::Text(value) => arguments.add(value.into_owned()),
            Parameter::Bytes(value) => arguments.add(value),
            Parameter::Json(value) => arguments.add(value.to_string()),
            Parameter::Uuid(value) => arguments.add(value.as_bytes().to_vec()),
            Parameter::Date(value) => arguments.add(value.format("%Y-%m-%d").to_string()),
            Parameter::Time(value) => arguments.add(value.format("%H:%M:%S%.6f").to_string()),
            Parameter::DateTime(value) => arguments.add(value.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()),
            Parameter::Instant(value) => arguments.add(value.format(SQLITE_INSTANT).to_string()),
        };
        added.map_err(|_| unbound())?;
    }
    Ok(arguments)
}

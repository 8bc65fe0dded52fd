use std::fmt;

use sea_query::Values;
use shared_kernel::database::DatabaseError;
use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::types::Json;
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use uuid::Uuid;

use crate::values::{Kind, Parameter, parameters, unbound};

/// The types of a statement's parameters, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature(Box<[Kind]>);

impl Signature {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|kind| write!(f, "{kind:?} "))
    }
}

/// Every parameter is sent with its type, NULL included, because PostgreSQL decides by the type what an operator means.
pub(super) fn arguments(values: Values) -> Result<(PgArguments, Signature), DatabaseError> {
    let mut arguments = PgArguments::default();
    let parameters = parameters(values)?;
    let signature = Signature(parameters.iter().map(Parameter::kind).collect());
    for parameter in parameters {
        let added = match parameter {
            Parameter::Null(kind) => null(&mut arguments, kind),
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
            Parameter::Uuid(value) => arguments.add(value),
            Parameter::Date(value) => arguments.add(value),
            Parameter::Time(value) => arguments.add(value),
            Parameter::DateTime(value) => arguments.add(value),
            Parameter::Instant(value) => arguments.add(value),
        };
        added.map_err(|_| unbound())?;
    }
    Ok((arguments, signature))
}

fn null(arguments: &mut PgArguments, kind: Kind) -> Result<(), sqlx::error::BoxDynError> {
    match kind {
        Kind::Bool => arguments.add(None::<bool>),
        Kind::Int16 => arguments.add(None::<i16>),
        Kind::Int32 => arguments.add(None::<i32>),
        Kind::Int64 => arguments.add(None::<i64>),
        Kind::Float => arguments.add(None::<f32>),
        Kind::Double => arguments.add(None::<f64>),
        Kind::Decimal => arguments.add(None::<rust_decimal::Decimal>),
        Kind::Text => arguments.add(None::<String>),
        Kind::Bytes => arguments.add(None::<Vec<u8>>),
        Kind::Json => arguments.add(None::<Json<serde_json::Value>>),
        Kind::Uuid => arguments.add(None::<Uuid>),
        Kind::Date => arguments.add(None::<NaiveDate>),
        Kind::Time => arguments.add(None::<NaiveTime>),
        Kind::DateTime => arguments.add(None::<NaiveDateTime>),
        Kind::Instant => arguments.add(None::<DateTime<Utc>>),
    }
}

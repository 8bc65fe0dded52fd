//! Parameters: which values may be sent, and in which type.

use sea_query::{OptionEnum, SqlWriter, Value};

use super::{Builder, put};
use crate::{Dialect, RenderError};

pub(super) const NUL_IN_TEXT: &str = "text contains U+0000";
pub(super) const NOT_FINITE: &str = "number is not finite";
pub(super) const TOO_LARGE: &str = "unsigned number is larger than a signed 64-bit integer";

impl Builder {
    /// Writes a placeholder and keeps the value for it.
    ///
    /// A NULL for SQL Server becomes the word, because its driver sends an untyped NULL that the server then takes for
    /// a number or text wherever it cannot tell.
    pub(super) fn parameter(&self, value: Value, sql: &mut impl SqlWriter) {
        if let Some(reason) = flaw(&value) {
            self.refuse_value(reason);
            return;
        }
        if self.is(Dialect::SqlServer) && is_null(&value) {
            put(sql, "NULL");
            return;
        }
        match value {
            Value::Enum(value) => self.enumeration(value, sql),
            Value::BigUnsigned(Some(number)) if !self.is(Dialect::MySql) => match i64::try_from(number) {
                Ok(number) => self.push(Value::BigInt(Some(number)), sql),
                Err(_) => self.refuse_value(TOO_LARGE),
            },
            value => self.push(value, sql),
        }
    }

    /// Refuses the value that would have become the next parameter.
    pub(super) fn refuse_value(&self, reason: &'static str) {
        let position = self.parameters.get() + 1;
        self.fail(RenderError::Value { dialect: self.dialect, position, reason });
    }

    fn push(&self, value: Value, sql: &mut impl SqlWriter) {
        self.parameters.set(self.parameters.get() + 1);
        sql.push_param(value, self);
    }

    /// An enumeration travels as text; PostgreSQL must be told its type.
    fn enumeration(&self, value: OptionEnum, sql: &mut impl SqlWriter) {
        let (name, text) = match value {
            OptionEnum::Some(value) => (value.type_name, Some(value.value.into_owned())),
            OptionEnum::None(name) => (name, None),
        };
        self.push(Value::String(text), sql);
        if self.is(Dialect::Postgres) {
            put(sql, "::");
            self.identifier_text(&name, sql);
        }
    }
}

/// Why no engine is sent this value, if so.
pub(super) fn flaw(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(Some(text)) => text.as_bytes().contains(&0).then_some(NUL_IN_TEXT),
        Value::Char(Some('\0')) => Some(NUL_IN_TEXT),
        Value::Enum(OptionEnum::Some(value)) => value.value.contains('\0').then_some(NUL_IN_TEXT),
        Value::Json(Some(json)) => has_nul(json).then_some(NUL_IN_TEXT),
        Value::Float(Some(number)) => (!number.is_finite()).then_some(NOT_FINITE),
        Value::Double(Some(number)) => (!number.is_finite()).then_some(NOT_FINITE),
        _ => None,
    }
}

pub(super) fn is_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_none(),
        Value::BigInt(number) => number.is_none(),
        Value::Int(number) => number.is_none(),
        Value::Bytes(bytes) => bytes.is_none(),
        Value::Json(json) => json.is_none(),
        Value::Enum(value) => !value.is_some(),
        value => *value == value.as_null(),
    }
}

fn has_nul(json: &sea_query::prelude::serde_json::Value) -> bool {
    use sea_query::prelude::serde_json::Value as Json;
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul),
        Json::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

//! Values written into the text, for the few places where the caller asks for it.

use std::fmt::Write;

use sea_query::{OptionEnum, SqlWriter, Value};

use super::value::{flaw, is_null};
use super::{Builder, put};
use crate::Dialect;

impl Builder {
    /// Writes `Expr::Constant`. Types whose text differs from engine to engine become a parameter instead, so that the
    /// driver decides about them as it does everywhere else.
    pub(super) fn constant(&self, value: &Value, sql: &mut impl SqlWriter) {
        if has_literal(value) { self.literal(value, sql) } else { self.parameter(value.clone(), sql) }
    }

    pub(super) fn literal(&self, value: &Value, sql: &mut impl Write) {
        if let Some(reason) = flaw(value) {
            self.refuse_value(reason);
            return;
        }
        if is_null(value) {
            return put(sql, "NULL");
        }
        let _ = match value {
            Value::Bool(Some(truth)) => {
                self.boolean(*truth, sql);
                Ok(())
            }
            Value::TinyInt(Some(number)) => write!(sql, "{number}"),
            Value::SmallInt(Some(number)) => write!(sql, "{number}"),
            Value::Int(Some(number)) => write!(sql, "{number}"),
            Value::BigInt(Some(number)) => write!(sql, "{number}"),
            Value::TinyUnsigned(Some(number)) => write!(sql, "{number}"),
            Value::SmallUnsigned(Some(number)) => write!(sql, "{number}"),
            Value::Unsigned(Some(number)) => write!(sql, "{number}"),
            Value::BigUnsigned(Some(number)) => write!(sql, "{number}"),
            Value::Float(Some(number)) => write!(sql, "{number:e}"),
            Value::Double(Some(number)) => write!(sql, "{number:e}"),
            Value::String(Some(text)) => {
                self.text(text, sql);
                Ok(())
            }
            Value::Char(Some(character)) => {
                self.text(character.encode_utf8(&mut [0; 4]), sql);
                Ok(())
            }
            Value::Enum(OptionEnum::Some(value)) => {
                self.text(&value.value, sql);
                if self.is(Dialect::Postgres) {
                    put(sql, "::");
                    self.identifier_text(&value.type_name, sql);
                }
                Ok(())
            }
            Value::Bytes(Some(bytes)) => {
                self.bytes(bytes, sql);
                Ok(())
            }
            _ => {
                self.refuse("a literal of this type");
                Ok(())
            }
        };
    }

    pub(super) fn boolean(&self, truth: bool, sql: &mut impl Write) {
        put(
            sql,
            match (self.dialect, truth) {
                (Dialect::SqlServer, true) => "CAST(1 AS BIT)",
                (Dialect::SqlServer, false) => "CAST(0 AS BIT)",
                (_, true) => "TRUE",
                (_, false) => "FALSE",
            },
        );
    }

    /// A text literal.
    ///
    /// MySQL reads a backslash as an escape by default; PostgreSQL does so only after `E`; the others never do.
    pub(super) fn text(&self, text: &str, sql: &mut impl Write) {
        put(
            sql,
            match self.dialect {
                Dialect::Postgres if text.contains('\\') => "E'",
                Dialect::SqlServer => "N'",
                _ => "'",
            },
        );
        self.escape(text, sql);
        put(sql, "'");
    }

    pub(super) fn escape(&self, text: &str, sql: &mut impl Write) {
        let backslash = matches!(self.dialect, Dialect::MySql | Dialect::Postgres);
        for character in text.chars() {
            if character == '\'' || (character == '\\' && backslash) {
                let _ = sql.write_char(character);
            }
            let _ = sql.write_char(character);
        }
    }

    fn bytes(&self, bytes: &[u8], sql: &mut impl Write) {
        let (open, close) = match self.dialect {
            Dialect::MySql | Dialect::Sqlite => ("x'", "'"),
            Dialect::Postgres => ("'\\x", "'::bytea"),
            Dialect::SqlServer => ("0x", ""),
        };
        put(sql, open);
        for byte in bytes {
            let _ = write!(sql, "{byte:02X}");
        }
        put(sql, close);
    }
}

fn has_literal(value: &Value) -> bool {
    is_null(value)
        || matches!(
            value,
            Value::Bool(_)
                | Value::TinyInt(_)
                | Value::SmallInt(_)
                | Value::Int(_)
                | Value::BigInt(_)
                | Value::TinyUnsigned(_)
                | Value::SmallUnsigned(_)
                | Value::Unsigned(_)
                | Value::BigUnsigned(_)
                | Value::Float(_)
                | Value::Double(_)
                | Value::String(_)
                | Value::Char(_)
                | Value::Enum(_)
                | Value::Bytes(_)
        )
}

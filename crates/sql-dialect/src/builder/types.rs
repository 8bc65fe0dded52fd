//! Type names after `CAST … AS`.

use std::borrow::Cow;

use sea_query::{DynIden, SqlWriter, TableRefBuilder, TypeRef};

use super::{Builder, put};
use crate::Dialect;

impl Builder {
    /// Writes a type that the caller named without quotes.
    ///
    /// The portable names are `text`, `smallint`, `integer`, `bigint`, `double precision`, `decimal(p, s)`, `boolean`,
    /// `date` and `uuid`, in any case; a dialect whose `CAST` has no such type refuses. Other names are the caller's own
    /// words in the dialect at hand.
    pub(super) fn cast_type(&self, name: &str, sql: &mut impl SqlWriter) {
        match self.portable_type(name) {
            Some(name) => put(sql, &name),
            None => self.refuse("CAST to this type"),
        }
    }

    fn portable_type<'a>(&self, name: &'a str) -> Option<Cow<'a, str>> {
        let lower = name.trim().to_ascii_lowercase();
        let (base, arguments) = lower
            .split_once('(')
            .map_or((lower.as_str(), None), |(base, rest)| (base.trim_end(), Some(rest.trim_end_matches(')'))));
        let [mysql, postgres, sqlite, server] = match base {
            "text" => ["CHAR", "TEXT", "TEXT", "NVARCHAR(MAX)"],
            "smallint" => ["SIGNED", "SMALLINT", "INTEGER", "SMALLINT"],
            "int" | "integer" => ["SIGNED", "INTEGER", "INTEGER", "INT"],
            "bigint" => ["SIGNED", "BIGINT", "INTEGER", "BIGINT"],
            "double" | "double precision" => ["DOUBLE", "DOUBLE PRECISION", "REAL", "FLOAT(53)"],
            "boolean" | "bool" => ["", "BOOLEAN", "", "BIT"],
            "decimal" | "numeric" => ["DECIMAL", "DECIMAL", "", "DECIMAL"],
            // SQLite would take the digits before the first `-` for a number.
            "date" => ["DATE", "DATE", "", "DATE"],
            "uuid" => ["", "UUID", "", "UNIQUEIDENTIFIER"],
            _ => return Some(Cow::Borrowed(name)),
        };
        let own = match self.dialect {
            Dialect::MySql => mysql,
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
            Dialect::SqlServer => server,
        };
        match arguments {
            _ if own.is_empty() => None,
            None => Some(Cow::Borrowed(own)),
            Some(arguments) if own == "DECIMAL" => Some(Cow::Owned(format!("{own}({arguments})"))),
            Some(_) => Some(Cow::Borrowed(name)),
        }
    }

    /// Writes a type that the caller wants quoted: one that a user of the database has made.
    pub(super) fn quoted_type(&self, TypeRef(schema, name): &TypeRef, sql: &mut impl SqlWriter) {
        self.refuse_on(&[Dialect::MySql], "a quoted type name");
        if let Some(schema) = schema {
            self.prepare_schema_name(schema, sql);
            put(sql, ".");
        }
        let name = name.to_string();
        let base = name.trim_end_matches("[]");
        if base.len() < name.len() {
            self.refuse_on(&[Dialect::Sqlite, Dialect::SqlServer], "array types");
        }
        self.identifier(&DynIden::from(base.to_owned()), sql);
        put(sql, &name[base.len()..]);
    }
}

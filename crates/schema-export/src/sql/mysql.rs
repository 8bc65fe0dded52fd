//! MySQL and MariaDB, in one text but for what only one of them knows.

mod columns;
mod grants;
mod indexes;
mod literals;
mod names;
mod outline;
mod partitions;
mod programs;
mod session;
mod tables;
mod views;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schema_model::{Database, Native, ObjectName, Relation, Sequence, SequenceOptions};

use self::names::{literal, qualified, quoted};
use self::session::Settings;
use super::SqlOptions;
use super::script::Script;
use crate::Export;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    MySql,
    MariaDb,
}

impl Product {
    fn shown(self) -> &'static str {
        match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        }
    }
}

/// A script in the making.
struct Writer<'a> {
    database: &'a Database,
    product: Product,
    options: SqlOptions,
    script: Script,
    settings: Settings,
    /// Relations that were not made, so that nothing that needs them is made either.
    absent: BTreeSet<ObjectName>,
}

pub(super) fn script(database: &Database, product: Product, options: SqlOptions) -> Export {
    let (script, settings, absent) = Default::default();
    let mut writer = Writer { database, product, options, script, settings, absent };
    writer.begin();
    writer.namespaces();
    writer.sequences();
    writer.tables();
    writer.foreign_keys();
    // A view that calls a function that is not there is refused, and a routine may name what is not there yet.
    writer.routines();
    writer.views();
    writer.triggers();
    writer.events();
    writer.grants();
    writer.end();
    writer.script.export()
}

impl Writer<'_> {
    fn namespaces(&mut self) {
        for namespace in &self.database.namespaces {
            let name = quoted(&namespace.name);
            let mut options = String::new();
            // The collation names its character set too.
            if let Some(collation) = text(&namespace.native, "collation") {
                let _ = write!(options, " COLLATE {}", quoted(collation));
            }
            if let Some(comment) = namespace.comment.as_ref().filter(|_| self.product == Product::MariaDb) {
                let _ = write!(options, " COMMENT {}", literal(comment));
            }
            self.script.statement(&format!("CREATE DATABASE IF NOT EXISTS {name}"));
            // It may be there and be something else.
            if !options.is_empty() {
                self.script.statement(&format!("ALTER DATABASE {name}{options}"));
            }
        }
    }

    fn sequences(&mut self) {
        for namespace in &self.database.namespaces {
            for sequence in &namespace.sequences {
                let Sequence { name, data_type, options, comment, .. } = sequence;
                let of_type = if data_type.starts_with("bigint") { String::new() } else { format!(" AS {data_type}") };
                let name = qualified(&ObjectName::new(&namespace.name, name));
                let comment = comment.as_ref().map(|comment| format!(" COMMENT {}", literal(comment)));
                let counting = counting(options);
                let comment = comment.unwrap_or_default();
                self.script.statement(&format!("CREATE SEQUENCE {name}{of_type} {counting}{comment}"));
            }
        }
    }

    /// Notes that something was not made, and why.
    fn leave_out(&mut self, name: &ObjectName, part: &str, reason: &str) {
        self.absent.insert(name.clone());
        self.script.omit(name, part, reason);
    }
}

/// How a sequence counts.
fn counting(options: &SequenceOptions) -> String {
    let SequenceOptions { start, increment, minimum, maximum, cache, cycle } = options;
    let cycle = if *cycle { "CYCLE" } else { "NOCYCLE" };
    format!("START WITH {start} MINVALUE {minimum} MAXVALUE {maximum} INCREMENT BY {increment} CACHE {cache} {cycle}")
}

/// A fact that is a text.
fn text<'a>(native: &'a Native, key: &str) -> Option<&'a str> {
    native.get(key).and_then(serde_json::Value::as_str)
}

/// Whether a fact is so.
fn is(native: &Native, key: &str) -> bool {
    native.get(key).and_then(serde_json::Value::as_bool) == Some(true)
}

/// A fact that is a number.
fn number(native: &Native, key: &str) -> Option<i64> {
    native.get(key).and_then(serde_json::Value::as_i64)
}

/// Why a relation has no columns, where the model says so.
fn unavailable(relation: &Relation) -> &'static str {
    let reason = relation.native.get("unavailable").cloned();
    let reason = reason.and_then(|reason| serde_json::from_value(reason).ok());
    reason.map_or("the model has no columns of it", crate::exporter::why)
}

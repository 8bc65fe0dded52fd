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

use std::collections::{BTreeMap, BTreeSet};
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
    /// Functions that were not made, by what they are called by.
    absent_functions: BTreeMap<ObjectName, ObjectName>,
}

pub(super) fn script(database: &Database, product: Product, options: SqlOptions) -> Export {
    let (script, settings, absent, absent_functions) = Default::default();
    let mut writer = Writer { database, product, options, script, settings, absent, absent_functions };
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
                let of_type = type_of_numbers(data_type).map(|of| format!(" AS {of}")).unwrap_or_default();
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

/// What a sequence of MariaDB counts in, told as the type of a column, where that is not the only one that was there before 11.5. The
/// statement has no place for how wide it is shown.
fn type_of_numbers(told: &str) -> Option<String> {
    let (name, rest) = told.split_once('(').unwrap_or((told, ""));
    let others = rest.split_once(')').map_or("", |(_, others)| others);
    Some(format!("{name}{others}")).filter(|of| of != "bigint")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_counts_in_the_type_that_it_was_told_with() {
        for (told, written) in [
            ("bigint(21)", None),
            ("bigint", None),
            ("bigint(20) unsigned", Some("bigint unsigned")),
            ("int(12)", Some("int")),
            ("tinyint(3) unsigned", Some("tinyint unsigned")),
        ] {
            assert_eq!(type_of_numbers(told).as_deref(), written, "{told}");
        }
    }
}

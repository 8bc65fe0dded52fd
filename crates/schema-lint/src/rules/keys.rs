use schema_model::{Column, Database, TypeFamily};
use serde_json::json;

use super::describe;
use crate::tables::{by_name, evidence, key_name, partitions, tables};
use crate::{Findings, Lint, Object, TooMany};

/// Tables whose rows nothing identifies.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPrimaryKey;

impl Lint for NoPrimaryKey {
    describe!("no-primary-key", Warning, "a table has no primary key");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let lacking = tables(database).filter(|(_, relation)| {
            // A table may leave it to each of its parts.
            let parts = partitions(relation);
            let leaves = parts.iter().filter(|partition| partition.partitioning.is_none());
            let by_parts = !parts.is_empty() && leaves.into_iter().all(|partition| partition.primary_key.is_some());
            relation.primary_key.is_none() && !by_parts && !relation.columns.is_empty()
        });
        found.extend(lacking.map(|(name, relation)| {
            let by_name = by_name(relation);
            let required = |column: &String| by_name.get(column.as_str()).is_some_and(|column| !column.nullable);
            let candidates: Vec<&Vec<String>> =
                relation.unique.iter().map(|key| &key.columns).filter(|columns| columns.iter().all(required)).collect();
            let facts = evidence([("columns", json!(relation.columns.len())), ("candidates", json!(candidates))]);
            self.finding(
                Object::whole(&name),
                format!("table `{name}` has no primary key"),
                facts,
                "declare a primary key: rows can then be told apart, replicated and referred to",
            )
        }))
    }
}

/// Unique constraints that any number of rows with NULL pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullableUnique;

impl Lint for NullableUnique {
    describe!(
        "nullable-unique",
        Notice,
        "a unique constraint has columns that may be NULL, and NULLs count as different"
    );

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for (name, relation) in tables(database) {
            let primary = relation.primary_key.as_ref();
            // That of SQLite may have NULLs, as the standard's may not.
            let keys = relation.unique.iter().chain(primary).filter(|key| key.nulls_distinct);
            let by_name = by_name(relation);
            for key in keys {
                let nullable = |column: &&String| by_name.get(column.as_str()).is_some_and(|column| column.nullable);
                let columns: Vec<&String> = key.columns.iter().filter(nullable).collect();
                if columns.is_empty() {
                    continue;
                }
                let key_name = key_name(key);
                found.push(self.finding(
                    Object::part(&name, "constraint", &key_name),
                    format!("rows of `{name}` with NULL are never the same to `{key_name}`"),
                    evidence([("columns", json!(key.columns)), ("nullable", json!(columns))]),
                    "declare the columns NOT NULL, or the constraint NULLS NOT DISTINCT where the engine has it",
                ))?;
            }
        }
        Ok(())
    }
}

/// Keys of four bytes or fewer that the engine counts up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SmallKey;

impl Lint for SmallKey {
    describe!("small-key", Warning, "a primary key that is counted up is a number of four bytes or fewer");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for (name, relation) in tables(database).filter(|_| database.engine != "sqlite") {
            let Some([column]) = relation.primary_key.as_ref().map(|key| key.columns.as_slice()) else { continue };
            let Some(column) = relation.column(column).filter(|column| is_counted(column)) else { continue };
            let Some(greatest) = greatest(&column.data_type.text) else { continue };
            found.push(self.finding(
                Object::part(&name, "column", &column.name),
                format!("key `{}` of `{name}` ends at {greatest}", column.name),
                evidence([("type", json!(column.data_type.text)), ("greatest", json!(greatest.to_string()))]),
                "make it a bigint before there are that many rows: later, every reference to it changes as well",
            ))?;
        }
        Ok(())
    }
}

/// Whether the engine numbers rows by it.
fn is_counted(column: &Column) -> bool {
    let default = column.default.as_ref().and_then(|default| default.known());
    let increment = column.native.contains_key("auto_increment");
    column.data_type.family == TypeFamily::Integer
        && (column.identity.is_some() || increment || default.is_some_and(|text| text.contains("nextval(")))
}

/// The greatest number of a small type.
pub(super) fn greatest(data_type: &str) -> Option<i64> {
    let text = data_type.to_ascii_lowercase();
    let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    let signed = match name.as_str() {
        "tinyint" => 127,
        "smallint" | "int2" | "smallserial" => i64::from(i16::MAX),
        "mediumint" => 8_388_607,
        "int" | "integer" | "int4" | "serial" => i64::from(i32::MAX),
        _ => return None,
    };
    Some(if text.contains("unsigned") { signed * 2 + 1 } else { signed })
}

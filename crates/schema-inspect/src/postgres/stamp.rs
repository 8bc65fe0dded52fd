//! The state of the catalogs, in one row.
//!
//! PostgreSQL changes no row of a catalog in its place, but for a few facts that no transaction is to undo: a change is another
//! version of the row, at another place or made by another transaction. So a version is told by `ctid`, where it lies, and `xmin`,
//! which made it, which freezing leaves as it is. The same transaction puts no two versions in one place, and its number comes
//! back after 2³² others. What is changed in place is told itself: row counts, sizes, and on version 13 whether an index is ready.
//!
//! What `initdb` has made is taken for granted, and tables of sessions are nobody else's.
//!
//! A server that is a copy of another one may number the same transactions otherwise from some moment on. So the instant at which
//! the server was started is part of it, and its own number where the login may know it.

use shared_kernel::database::{DatabaseError, Dialect, Row, Statement};

use super::qualified::qualified;
use crate::Stamp;
use crate::cells::Cells;
use crate::statement::select;

/// A catalog whose rows count.
struct Catalog {
    name: &'static str,
    /// What of a row `t` is changed in its place and told.
    in_place: &'static str,
    /// Which rows. Numbers below 16384 are of what the engine was made with.
    rows: &'static str,
}

const fn catalog(name: &'static str, rows: &'static str) -> Catalog {
    Catalog { name, in_place: "", rows }
}

/// All that the questions of a look read, and what writes their texts out reads besides.
const CATALOGS: [Catalog; 35] = [
    Catalog {
        name: "pg_class",
        in_place: "t.reltuples, t.relpages",
        rows: "t.oid >= 16384 AND t.relpersistence <> 't'",
    },
    catalog("pg_attribute", "t.attnum > 0 AND t.attrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_attrdef", "t.adrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_constraint", "t.contypid <> 0 OR t.conrelid = ANY (SELECT oid FROM relations)"),
    Catalog {
        name: "pg_index",
        in_place: "t.indisvalid, t.indisready",
        rows: "t.indrelid = ANY (SELECT oid FROM relations)",
    },
    catalog("pg_inherits", "t.inhrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_partitioned_table", "t.partrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_foreign_table", "t.ftrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_sequence", "t.seqrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_trigger", "NOT t.tgisinternal AND t.tgrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_policy", "t.polrelid = ANY (SELECT oid FROM relations)"),
    catalog("pg_rewrite", "t.ev_class = ANY (SELECT oid FROM relations)"),
    // What belongs to an extension, or to a column.
    catalog(
        "pg_depend",
        "t.deptype = 'e' OR (t.deptype = 'a' OR t.deptype = 'i') AND (t.classid = {pg_proc} \
         OR t.classid = {pg_class} AND t.objid = ANY (SELECT oid FROM relations))",
    ),
    // The namespace `public` is one of those that the engine was made with.
    catalog("pg_description", "t.objoid >= 16384 OR t.classoid = {pg_namespace}"),
    catalog("pg_type", "t.oid >= 16384 AND t.typnamespace = ANY (SELECT oid FROM namespaces)"),
    catalog("pg_enum", "t.oid >= 16384"),
    catalog("pg_range", "t.rngtypid >= 16384"),
    catalog("pg_proc", "t.oid >= 16384"),
    catalog("pg_aggregate", "t.aggfnoid::pg_catalog.oid >= 16384"),
    catalog("pg_operator", "t.oid >= 16384"),
    catalog("pg_opclass", "t.oid >= 16384"),
    catalog("pg_collation", "t.oid >= 16384"),
    catalog("pg_ts_config", "t.oid >= 16384"),
    catalog("pg_ts_dict", "t.oid >= 16384"),
    catalog("pg_ts_config_map", "t.mapcfg >= 16384"),
    catalog("pg_ts_parser", "t.oid >= 16384"),
    catalog("pg_ts_template", "t.oid >= 16384"),
    catalog("pg_opfamily", "t.oid >= 16384"),
    catalog("pg_amop", "t.oid >= 16384"),
    catalog("pg_amproc", "t.oid >= 16384"),
    catalog("pg_cast", "t.oid >= 16384"),
    catalog("pg_am", "t.oid >= 16384"),
    catalog("pg_language", "true"),
    catalog("pg_extension", "true"),
    catalog("pg_foreign_server", "true"),
];

/// Settings of a session that expressions are written out by.
const SETTINGS: [&str; 10] = [
    "server_version",
    "block_size",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "bytea_output",
    "xmlbinary",
    "extra_float_digits",
    "lc_monetary",
    "standard_conforming_strings",
];

/// The question, which every version understands. It is the first one, before the search path is empty.
pub(super) fn statement() -> Statement {
    let mut parts: Vec<String> = CATALOGS
        .iter()
        .map(|Catalog { name, in_place, rows }| {
            summed(&version(in_place), &format!("pg_catalog.{name} t WHERE {rows}"))
        })
        .collect();
    parts.push(summed("version", "namespaces"));
    parts.push(summed(&version(""), "pg_catalog.pg_tablespace t"));
    // Who owns and may do what is told by name. Others of the server's roles are nothing to this database.
    let roles = "pg_catalog.pg_roles t WHERE t.oid = ANY (SELECT s.refobjid FROM pg_catalog.pg_shdepend s \
         WHERE s.dbid = d.oid AND s.refclassid = {pg_authid}) OR t.oid = 10";
    parts.push(summed(&hash("ROW(t.oid, t.rolname)", "0"), roles));
    parts.extend(SETTINGS.map(|name| format!("pg_catalog.current_setting('{name}')")));
    let sums = parts.join(",\n");
    let text = include_str!("stamp.sql").replace("{sums}", &sums).replace("{version}", &version(""));
    select(Dialect::Postgres, &qualified(&text)).into()
}

/// How many rows there are, and the sum of a number of each, in whatever order they come.
fn summed(number: &str, rows: &str) -> String {
    format!("(SELECT pg_catalog.concat(pg_catalog.count(*), ' ', pg_catalog.sum({number})) FROM {rows})")
}

/// A number for a version of the row `t`.
fn version(in_place: &str) -> String {
    let seed = if in_place.is_empty() { "0".to_owned() } else { hash(&format!("ROW({in_place})"), "0") };
    hash("t.ctid", &hash("t.xmin", &seed))
}

fn hash(value: &str, seed: &str) -> String {
    format!("pg_catalog.hashtextextended(({value})::pg_catalog.text, {seed})")
}

pub(super) fn read(row: &Row) -> Result<Stamp, DatabaseError> {
    let text: String = Cells::of(row).next()?;
    Ok(Stamp::of([Some(&*text)]))
}

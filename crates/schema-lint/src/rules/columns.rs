use schema_model::{Column, Database, ObjectName, TypeFamily};
use serde_json::json;

use super::describe;
use crate::tables::{evidence, tables};
use crate::{Evidence, Findings, Lint, Object, TooMany};

/// Columns of tables that a rule picks.
fn picked<'a>(
    database: &'a Database,
    is: impl Fn(&Column) -> bool + Copy + 'a,
) -> impl Iterator<Item = (ObjectName, &'a Column)> {
    tables(database).flat_map(move |(name, relation)| {
        let columns = relation.columns.iter().filter(move |column| is(column));
        columns.map(move |column| (name.clone(), column))
    })
}

fn type_of(column: &Column) -> Evidence {
    evidence([("type", json!(column.data_type.text)), ("family", json!(column.data_type.family))])
}

/// Amounts of money that are rounded.
#[derive(Debug, Clone, Copy, Default)]
pub struct FloatMoney;

const MONEY: [&str; 22] = [
    "amount", "balance", "budget", "charge", "cost", "credit", "debit", "deposit", "discount", "fee", "fees", "money",
    "payment", "payout", "price", "prices", "refund", "revenue", "salary", "tax", "vat", "wage",
];

impl Lint for FloatMoney {
    describe!("float-money", Warning, "a column whose name tells of money is a floating-point number");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let is = |column: &Column| {
            column.data_type.family == TypeFamily::Float
                && words(&column.name).any(|word| MONEY.contains(&word.as_str()))
        };
        let finding = |(name, column): (ObjectName, &Column)| {
            self.finding(
                Object::part(&name, "column", &column.name),
                format!("`{}` of `{name}` seems to be money and is {}", column.name, column.data_type.text),
                type_of(column),
                "make it a decimal number, or a whole number of the smallest unit: binary fractions cannot hold 0.10",
            )
        };
        found.extend(picked(database, is).map(finding))
    }
}

/// The words of a name, in small letters: `unitPrice` and `unit_price` have the same two.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut parted = String::with_capacity(name.len() + 4);
    let mut last_is_small = false;
    for character in name.chars() {
        if character.is_uppercase() && last_is_small {
            parted.push('_');
        }
        last_is_small = character.is_lowercase();
        parted.extend(character.to_lowercase());
    }
    let words: Vec<String> = parted.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter()
}

/// Instants of which nobody knows where.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimestampWithoutZone;

impl Lint for TimestampWithoutZone {
    describe!("timestamp-without-zone", Notice, "PostgreSQL keeps no zone with `timestamp without time zone`");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        if database.engine != "postgres" {
            return Ok(());
        }
        let is = |column: &Column| {
            column.data_type.family == TypeFamily::Timestamp && column.data_type.text.contains("without time zone")
        };
        let finding = |(name, column): (ObjectName, &Column)| {
            self.finding(
                Object::part(&name, "column", &column.name),
                format!("`{}` of `{name}` is a time of no place", column.name),
                type_of(column),
                "make it `timestamp with time zone` where it means an instant",
            )
        };
        found.extend(picked(database, is).map(finding))
    }
}

/// Texts that are filled up with spaces.
#[derive(Debug, Clone, Copy, Default)]
pub struct CharColumn;

impl Lint for CharColumn {
    describe!("char-column", Notice, "PostgreSQL fills `character(n)` up with spaces and saves nothing by it");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        if database.engine != "postgres" {
            return Ok(());
        }
        let is = |column: &Column| column.data_type.text.starts_with("character(") || column.data_type.text == "bpchar";
        let finding = |(name, column): (ObjectName, &Column)| {
            self.finding(
                Object::part(&name, "column", &column.name),
                format!("`{}` of `{name}` is {}", column.name, column.data_type.text),
                type_of(column),
                "make it `text`, with a check of its length",
            )
        };
        found.extend(picked(database, is).map(finding))
    }
}

/// Tables with nothing in their rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoColumns;

impl Lint for NoColumns {
    describe!("no-columns", Notice, "a table has no columns");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let empty = tables(database).filter(|(_, relation)| relation.columns.is_empty());
        let finding = |(name, _)| {
            let message = format!("table `{name}` has no columns");
            self.finding(
                Object::whole(&name),
                message,
                evidence([("columns", json!(0))]),
                "drop it, if nobody knows it",
            )
        };
        found.extend(empty.map(finding))
    }
}

/// Tables in which a row may be nothing but NULLs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingRequired;

impl Lint for NothingRequired {
    describe!("nothing-required", Notice, "every column of a table may be NULL");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let loose = tables(database).filter(|(_, relation)| {
            !relation.columns.is_empty() && relation.columns.iter().all(|column| column.nullable)
        });
        found.extend(loose.map(|(name, relation)| {
            let columns: Vec<&String> = relation.columns.iter().map(|column| &column.name).collect();
            self.finding(
                Object::whole(&name),
                format!("every column of `{name}` may be NULL"),
                evidence([("columns", json!(columns))]),
                "declare NOT NULL what a row cannot be without",
            )
        }))
    }
}

use std::collections::HashSet;

use schema_model::{Database, ObjectName, Relation};
use serde_json::json;

use super::{describe, reserved};
use crate::tables::evidence;
use crate::{Findings, Lint, Object, TooMany};

/// What the names of a relation are, with what each is of: `("column", "price")`.
fn names(relation: &Relation) -> impl Iterator<Item = (&'static str, &str)> {
    let columns = relation.columns.iter().map(|column| ("column", column.name.as_str()));
    std::iter::once(("table", relation.name.as_str())).chain(columns)
}

/// Those, and the names of constraints and indexes.
fn all_names(relation: &Relation) -> Vec<(&'static str, &str)> {
    let mut all: Vec<(&'static str, &str)> = names(relation).collect();
    all.extend(relation.indexes.iter().map(|index| ("index", index.name.as_str())));
    let keys = relation.primary_key.iter().chain(&relation.unique);
    all.extend(keys.filter_map(|key| key.name.as_deref()).map(|name| ("constraint", name)));
    all.extend(relation.foreign_keys.iter().filter_map(|key| key.name.as_deref()).map(|name| ("constraint", name)));
    all.extend(relation.checks.iter().filter_map(|check| check.name.as_deref()).map(|name| ("constraint", name)));
    all.sort_unstable_by_key(|(kind, name)| (*name, *kind));
    // An index has the name of the constraint that it keeps.
    all.dedup_by(|one, other| one.1 == other.1 && one.0 != "column" && other.0 != "column");
    all
}

/// Names that every statement has to write in quotes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NameQuoting;

impl Lint for NameQuoting {
    describe!("name-quoting", Notice, "a table or a column has a name that has to be written in quotes");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for (name, relation) in database.relations().filter(|(_, relation)| !relation.native.contains_key("extension"))
        {
            // Those of the engine itself, such as what an FTS5 table has for its functions.
            let hidden: HashSet<&str> = relation
                .columns
                .iter()
                .filter(|column| column.native.contains_key("hidden"))
                .map(|column| column.name.as_str())
                .collect();
            let doubtful: Vec<_> = names(relation)
                .filter(|(kind, part)| *kind == "table" || !hidden.contains(part))
                .filter_map(|(kind, part)| Some((kind, part, why(&database.engine, part)?)))
                .collect();
            if doubtful.is_empty() {
                continue;
            }
            let facts: Vec<_> =
                doubtful.iter().map(|(kind, part, why)| json!({ "kind": kind, "name": part, "reason": why })).collect();
            let count = doubtful.len();
            let which =
                if count == 1 { format!("{} `{}`", doubtful[0].0, doubtful[0].1) } else { format!("{count} names") };
            found.push(self.finding(
                Object::whole(&name),
                format!("{which} of `{name}` must be written in quotes"),
                evidence([("names", json!(facts))]),
                "choose names of small letters, digits and `_` that are no words of SQL",
            ))?;
        }
        Ok(())
    }
}

/// Why a name needs quotes on an engine; `None` where it does not.
fn why(engine: &str, name: &str) -> Option<&'static str> {
    let folds_to_small = engine == "postgres";
    let letter = |character: char| match engine {
        "postgres" => character.is_ascii_lowercase() || character == '_' || !character.is_ascii(),
        _ => character.is_ascii_alphabetic() || character == '_' || !character.is_ascii(),
    };
    let first = name.chars().next().is_none_or(|character| !letter(character));
    let rest =
        name.chars().skip(1).any(|character| !(letter(character) || character.is_ascii_digit() || character == '$'));
    if folds_to_small && (first || rest) && name.chars().any(|character| character.is_ascii_uppercase()) {
        return Some("capital letters");
    }
    if first || rest {
        return Some("characters");
    }
    reserved::is_reserved(engine, name).then_some("reserved word")
}

/// Names that have no room left.
#[derive(Debug, Clone, Copy, Default)]
pub struct NameLength;

impl Lint for NameLength {
    describe!(
        "name-length",
        Notice,
        "a name is nearly as long as the engine allows, which cuts what is longer or refuses it"
    );

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        // In bytes on PostgreSQL (NAMEDATALEN), in characters elsewhere. SQLite has no limit.
        let (limit, unit) = match database.engine.as_str() {
            "postgres" => (63, "bytes"),
            "mysql" | "mariadb" => (64, "characters"),
            "sqlserver" => (128, "characters"),
            _ => return Ok(()),
        };
        let length = |name: &str| if unit == "bytes" { name.len() } else { name.chars().count() };
        for (name, relation) in database.relations() {
            for (kind, part) in all_names(relation).into_iter().filter(|(_, part)| length(part) * 10 >= limit * 9) {
                found.push(self.finding(
                    object(&name, kind, part),
                    format!("{kind} `{part}` has {} of {limit} {unit}", length(part)),
                    evidence([("length", json!(length(part))), ("limit", json!(limit)), ("unit", json!(unit))]),
                    "choose a shorter name: names that are made of it, as those of indexes, are cut and may become the same",
                ))?;
            }
        }
        Ok(())
    }
}

fn object(name: &ObjectName, kind: &str, part: &str) -> Object {
    if kind == "table" { Object::whole(name) } else { Object::part(name, kind, part) }
}

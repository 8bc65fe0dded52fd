use std::collections::BTreeSet;

use schema_model::{Column, Database, ForeignKey, Index, ObjectName, Relation, TypeFamily, UserTypeKind};
use serde_json::json;

use super::describe;
use crate::tables::{Kept, columns, evidence, foreign_key_name, kept, table_of};
use crate::{Finding, Lint, Object};

/// Foreign keys that no index helps to follow back.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnindexedForeignKey;

impl Lint for UnindexedForeignKey {
    describe!("unindexed-foreign-key", Warning, "no index begins with the columns of a foreign key");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Vec::new();
        for kept in kept(database) {
            for key in kept.foreign_keys().iter().filter(|key| key.enforced) {
                let columns: BTreeSet<&str> = key.columns.iter().map(|pair| pair.column.as_str()).collect();
                if columns.is_empty() || is_indexed(&kept, &columns) {
                    continue;
                }
                let name = foreign_key_name(key);
                let indexes: Vec<&str> = kept.all_indexes().map(|index| index.name.as_str()).collect();
                found.push(self.finding(
                    Object::part(&kept.name, "foreign key", &name),
                    format!("no index of `{}` begins with the columns of `{name}`", kept.name),
                    evidence([
                        ("columns", json!(key.columns.iter().map(|pair| &pair.column).collect::<Vec<_>>())),
                        ("references", json!(key.references)),
                        ("on_delete", json!(key.on_delete)),
                        ("indexes", json!(indexes)),
                    ]),
                    "make an index on these columns: without it each delete or change of a key there reads the whole table here",
                ));
            }
        }
        found
    }
}

fn is_indexed(kept: &Kept<'_>, of_key: &BTreeSet<&str>) -> bool {
    let begins = |names: &[&str]| {
        names.len() >= of_key.len() && names[..of_key.len()].iter().copied().collect::<BTreeSet<_>>() == *of_key
    };
    let by_index = |index: &Index| {
        let method = index.method.to_ascii_lowercase();
        let finds =
            matches!(method.as_str(), "btree" | "nonclustered" | "clustered") || method == "hash" && of_key.len() == 1;
        finds && index.valid && has_all_that_refer(index, of_key) && columns(index).is_some_and(|names| begins(&names))
    };
    // The number of a row needs no index of its own.
    let primary = kept.relation.primary_key.as_ref().filter(|key| key.index.is_none());
    let by_key = primary.is_some_and(|key| begins(&key.columns.iter().map(String::as_str).collect::<Vec<_>>()));
    by_key || kept.all_indexes().any(by_index)
}

/// Whether an index leaves out no row but those that refer to nothing.
fn has_all_that_refer(index: &Index, of_key: &BTreeSet<&str>) -> bool {
    let Some(predicate) = &index.predicate else { return true };
    let Some(text) = predicate.known() else { return false };
    let text = text.trim_matches(['(', ')']).to_ascii_lowercase();
    text.strip_suffix(" is not null")
        .is_some_and(|column| of_key.iter().any(|name| name.to_ascii_lowercase() == column.trim_matches('"')))
}

/// Foreign keys between columns of different types.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForeignKeyTypes;

impl Lint for ForeignKeyTypes {
    describe!("foreign-key-types", Warning, "a column of a foreign key has another type than the one that it leads to");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Vec::new();
        for kept in kept(database) {
            for key in kept.foreign_keys() {
                let Some(table) = table_of(database, &key.references) else { continue };
                let Some(target) = database.relation(&table) else { continue };
                found.extend(self.differences(database, (&kept.name, kept.relation), key, target));
            }
        }
        found
    }
}

impl ForeignKeyTypes {
    fn differences(
        self,
        database: &Database,
        (name, relation): (&ObjectName, &Relation),
        key: &ForeignKey,
        target: &Relation,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        for pair in &key.columns {
            let (Some(here), Some(there)) = (relation.column(&pair.column), target.column(&pair.references)) else {
                continue;
            };
            if compared(database, here) == compared(database, there) {
                continue;
            }
            let (one, other) = (&here.data_type.text, &there.data_type.text);
            found.push(self.finding(
                Object::part(name, "foreign key", &foreign_key_name(key)),
                format!("`{}` of `{name}` is {one} and leads to {other} `{}`", pair.column, pair.references),
                evidence([
                    ("column", json!(pair.column)),
                    ("type", json!(one)),
                    ("references", json!({ "table": key.references, "column": pair.references })),
                    ("referenced_type", json!(other)),
                ]),
                "give both the same type: what fits into one may not fit into the other, and each comparison converts",
            ));
        }
        found
    }
}

/// How many domains rest on each other, at most: a model that is made up may have them rest on themselves.
const MOST_DOMAINS: usize = 32;

/// What counts of a type when two columns are compared: not how long a text may be or how many digits a number has.
fn compared(database: &Database, column: &Column) -> (String, u32) {
    let data_type = &column.data_type;
    let mut text = data_type.text.clone();
    // A domain is what it rests on.
    let mut name = data_type.user_type.clone();
    for _ in 0..MOST_DOMAINS {
        let Some(UserTypeKind::Domain { base, .. }) = name.take().and_then(|name| kind_of(database, &name)) else {
            break;
        };
        text.clone_from(&base.text);
        name.clone_from(&base.user_type);
    }
    let text = without_lengths(&text.to_ascii_lowercase());
    let word = match (database.engine.as_str(), data_type.family) {
        // SQLite compares values, and knows the kind alone.
        ("sqlite", family) => format!("{family:?}"),
        ("postgres", TypeFamily::Text) if matches!(text.as_str(), "character varying" | "varchar" | "text") => {
            "text".to_owned()
        }
        _ => text,
    };
    (word, data_type.array_dimensions)
}

fn kind_of<'a>(database: &'a Database, name: &ObjectName) -> Option<&'a UserTypeKind> {
    let types = &database.namespace(&name.namespace)?.types;
    types.iter().find(|user_type| user_type.name == name.name).map(|user_type| &user_type.kind)
}

fn without_lengths(text: &str) -> String {
    let mut depth = 0_u32;
    let mut short = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => short.push(character),
            _ => {}
        }
    }
    short.split_whitespace().collect::<Vec<_>>().join(" ")
}

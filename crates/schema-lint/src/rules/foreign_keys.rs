use std::collections::{BTreeSet, HashMap, HashSet};

use schema_model::{Column, Database, ForeignKey, ObjectName, TypeFamily, UserTypeKind};
use serde_json::json;

use super::describe;
use crate::tables::{Kept, Lookup, columns, evidence, foreign_key_name, kept};
use crate::{Finding, Findings, Lint, Object, TooMany};

/// Foreign keys that no index helps to follow back.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnindexedForeignKey;

impl Lint for UnindexedForeignKey {
    describe!("unindexed-foreign-key", Warning, "no index begins with the columns of a foreign key");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for kept in kept(database) {
            let is_looked_at = |key: &&ForeignKey| key.enforced && key.columns.len() <= MOST_COLUMNS;
            let lengths: BTreeSet<usize> =
                kept.foreign_keys().iter().filter(is_looked_at).map(|key| key.columns.len()).collect();
            // A part has all indexes of its table, and most have no key of their own.
            if lengths.is_empty() {
                continue;
            }
            let beginnings = Beginnings::of(&kept, &lengths);
            for key in kept.foreign_keys().iter().filter(is_looked_at) {
                let columns: BTreeSet<&str> = key.columns.iter().map(|pair| pair.column.as_str()).collect();
                if columns.is_empty() || beginnings.help(&columns) {
                    continue;
                }
                let name = foreign_key_name(key);
                let indexes: Vec<&str> = kept.all_indexes().take(MOST_TOLD).map(|index| index.name.as_str()).collect();
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
                ))?;
            }
        }
        Ok(())
    }
}

/// How many columns a key has at most to be looked at: each index is read in as many lengths as the keys of its table have.
const MOST_COLUMNS: usize = 64;

/// How many indexes one finding names at most: a table may have many of them, and many keys that none of them helps.
const MOST_TOLD: usize = 100;

/// What the indexes of a table begin with, in as many columns as its foreign keys have.
#[derive(Default)]
struct Beginnings<'a>(HashMap<Vec<&'a str>, Beginning>);

/// The indexes that begin with the same columns, in whatever order.
#[derive(Default)]
struct Beginning {
    /// Whether one of them has all rows.
    whole: bool,
    /// The columns, in small letters, without whose NULLs one of them has all rows.
    but_nulls_of: HashSet<String>,
}

impl<'a> Beginnings<'a> {
    fn of(kept: &Kept<'a>, lengths: &BTreeSet<usize>) -> Self {
        let mut beginnings = Self::default();
        // The number of a row needs no index of its own.
        if let Some(key) = kept.relation.primary_key.as_ref().filter(|key| key.index.is_none()) {
            let names: Vec<&str> = key.columns.iter().map(String::as_str).collect();
            beginnings.add(&names, lengths, |beginning| beginning.whole = true);
        }
        for index in kept.all_indexes().filter(|index| index.valid) {
            let by_length = match index.method.to_ascii_lowercase().as_str() {
                "btree" | "nonclustered" | "clustered" => lengths.clone(),
                "hash" => lengths.iter().copied().filter(|length| *length == 1).collect(),
                _ => continue,
            };
            let Some(names) = columns(index) else { continue };
            match &index.predicate {
                None => beginnings.add(&names, &by_length, |beginning| beginning.whole = true),
                Some(predicate) => {
                    if let Some(column) = predicate.known().and_then(|text| all_but_nulls(text)) {
                        beginnings.add(&names, &by_length, |beginning| {
                            beginning.but_nulls_of.insert(column.clone());
                        });
                    }
                }
            }
        }
        beginnings
    }

    fn add(&mut self, names: &[&'a str], lengths: &BTreeSet<usize>, note: impl Fn(&mut Beginning)) {
        for length in lengths.iter().take_while(|length| **length <= names.len()) {
            let mut beginning = names[..*length].to_vec();
            beginning.sort_unstable();
            note(self.0.entry(beginning).or_default());
        }
    }

    /// Whether rows can be found by these columns.
    fn help(&self, of_key: &BTreeSet<&'a str>) -> bool {
        let sorted: Vec<&str> = of_key.iter().copied().collect();
        // Rows that refer to nothing need not be found.
        self.0.get(&sorted).is_some_and(|beginning| {
            beginning.whole || of_key.iter().any(|name| beginning.but_nulls_of.contains(&name.to_ascii_lowercase()))
        })
    }
}

/// The column that a condition says no more of than that it is not NULL, in small letters.
fn all_but_nulls(condition: &str) -> Option<String> {
    let text = condition.trim_matches(['(', ')']).to_ascii_lowercase();
    text.strip_suffix(" is not null").map(|column| column.trim_matches('"').to_owned())
}

/// Foreign keys between columns of different types.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForeignKeyTypes;

impl Lint for ForeignKeyTypes {
    describe!("foreign-key-types", Warning, "a column of a foreign key has another type than the one that it leads to");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let lookup = Lookup::of(database);
        let kinds = kinds(database);
        for kept in kept(database) {
            let Some(here) = lookup.place(&kept.name) else { continue };
            for key in kept.foreign_keys() {
                let Some(there) = lookup.place(&key.references) else { continue };
                for pair in &key.columns {
                    let columns = lookup.column(here, &pair.column).zip(lookup.column(there, &pair.references));
                    let Some((one, other)) = columns else { continue };
                    if compared(&database.engine, &kinds, one) != compared(&database.engine, &kinds, other) {
                        found.push(self.difference(&kept.name, key, (&pair.column, one), (&pair.references, other)))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl ForeignKeyTypes {
    fn difference(
        self,
        name: &ObjectName,
        key: &ForeignKey,
        (column, here): (&str, &Column),
        (references, there): (&str, &Column),
    ) -> Finding {
        let (one, other) = (shown(&here.data_type.text), shown(&there.data_type.text));
        self.finding(
            Object::part(name, "foreign key", &foreign_key_name(key)),
            format!("`{column}` of `{name}` is {one} and leads to {other} `{references}`"),
            evidence([
                ("column", json!(column)),
                ("type", json!(one)),
                ("references", json!({ "table": key.references, "column": references })),
                ("referenced_type", json!(other)),
            ]),
            "give both the same type: what fits into one may not fit into the other, and each comparison converts",
        )
    }
}

/// The beginning of a long type, such as an enumeration's of many words: many keys may lead to one column.
fn shown(data_type: &str) -> String {
    match data_type.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &data_type[..end]),
        None => data_type.to_owned(),
    }
}

/// How many domains rest on each other, at most: a model that is made up may have them rest on themselves.
const MOST_DOMAINS: usize = 32;

/// What counts of a type when two columns are compared: not how long a text may be or how many digits a number has.
fn compared(engine: &str, kinds: &HashMap<ObjectName, &UserTypeKind>, column: &Column) -> (String, u32) {
    let data_type = &column.data_type;
    let mut text = data_type.text.clone();
    // A domain is what it rests on.
    let mut name = data_type.user_type.clone();
    for _ in 0..MOST_DOMAINS {
        let Some(UserTypeKind::Domain { base, .. }) = name.take().and_then(|name| kinds.get(&name)) else {
            break;
        };
        text.clone_from(&base.text);
        name.clone_from(&base.user_type);
    }
    let text = without_lengths(&text.to_ascii_lowercase());
    let word = match (engine, data_type.family) {
        // SQLite compares values, and knows the kind alone.
        ("sqlite", family) => format!("{family:?}"),
        ("postgres", TypeFamily::Text) if matches!(text.as_str(), "character varying" | "varchar" | "text") => {
            "text".to_owned()
        }
        _ => text,
    };
    (word, data_type.array_dimensions)
}

/// What the types are that somebody has made.
fn kinds(database: &Database) -> HashMap<ObjectName, &UserTypeKind> {
    let mut kinds = HashMap::new();
    for namespace in &database.namespaces {
        for user_type in &namespace.types {
            kinds.entry(ObjectName::new(&namespace.name, &user_type.name)).or_insert(&user_type.kind);
        }
    }
    kinds
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

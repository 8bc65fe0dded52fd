//! What is told of two models.

mod collections;
mod completeness;
mod editions;
mod natives;
mod rules;
mod unknown;

use schema_diff::Diff;
use schema_model::{Column, DataType, Database, Key, Namespace, Native, Relation, RelationKind, TypeFamily};

/// A database with nothing but `public`.
fn database() -> Database {
    Database {
        engine: "postgres".to_owned(),
        version: "15.18".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![Namespace::new("public")],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    }
}

/// A database with these tables.
fn with(relations: impl IntoIterator<Item = Relation>) -> Database {
    let mut database = database();
    database.namespaces[0].relations.extend(relations);
    database
}

/// A table whose columns are called so, each with its type; `?` behind it is for NULL.
fn table(name: &str, columns: &[(&str, &str)]) -> Relation {
    let mut relation = Relation::new(name, RelationKind::Table);
    relation.columns = (1..).zip(columns).map(|(position, (name, text))| column(position, name, text)).collect();
    relation
}

fn column(position: u32, name: &str, text: &str) -> Column {
    let (text, nullable) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
    let family = match text.split('(').next().unwrap_or_default() {
        "smallint" | "integer" | "bigint" | "int" => TypeFamily::Integer,
        "numeric" => TypeFamily::Decimal,
        "boolean" => TypeFamily::Boolean,
        _ => TypeFamily::Text,
    };
    Column { nullable, ..Column::new(name, position, DataType::new(text, family)) }
}

fn key(name: &str, columns: &[&str]) -> Key {
    Key { name: Some(name.to_owned()), ..Key::new(columns.iter().copied()) }
}

/// Each change as a line.
fn lines(diff: &Diff) -> Vec<String> {
    diff.changes.iter().map(ToString::to_string).collect()
}

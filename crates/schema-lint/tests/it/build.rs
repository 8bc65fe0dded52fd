//! Models in a few words.

use schema_model::{
    Check, Column, ColumnPair, DataType, Database, ForeignKey, Index, IndexPart, Key, Namespace, Native, NullsOrder,
    ObjectName, PartTarget, Partition, Partitioning, Reading, Relation, RelationKind, SortDirection, TypeFamily,
};

pub(crate) fn database(engine: &str, relations: Vec<Relation>) -> Database {
    let mut namespace = Namespace::new("public");
    namespace.relations = relations;
    Database {
        engine: engine.to_owned(),
        version: "1".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    }
}

pub(crate) fn postgres(relations: Vec<Relation>) -> Database {
    database("postgres", relations)
}

/// `"id bigint!"`: a name, a type, and `!` where it may not be NULL.
pub(crate) fn column(text: &str) -> Column {
    let (name, data_type) = text.split_once(' ').expect("a name and a type");
    let nullable = !data_type.ends_with('!');
    let data_type = data_type.trim_end_matches('!');
    let family = match data_type.split('(').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "bigint" | "integer" | "int" | "smallint" | "int unsigned" => TypeFamily::Integer,
        "double precision" | "real" => TypeFamily::Float,
        "numeric" => TypeFamily::Decimal,
        "uuid" => TypeFamily::Uuid,
        text if text.starts_with("timestamp") => TypeFamily::Timestamp,
        _ => TypeFamily::Text,
    };
    Column { nullable, ..Column::new(name, 1, DataType::new(data_type, family)) }
}

pub(crate) fn table(name: &str, columns: &[&str]) -> Relation {
    let mut table = Relation::new(name, RelationKind::Table);
    table.columns = columns.iter().map(|text| column(text)).collect();
    table
}

/// One whose first column is its key.
pub(crate) fn keyed(name: &str, columns: &[&str]) -> Relation {
    let mut table = table(name, columns);
    let first = table.columns[0].name.clone();
    table.primary_key = Some(key("pk", &[&first]));
    table
}

pub(crate) fn key(name: &str, columns: &[&str]) -> Key {
    Key { name: Some(name.to_owned()), ..Key::new(columns.iter().copied()) }
}

/// `"column table.column"`.
pub(crate) fn foreign_key(name: &str, pairs: &[&str]) -> ForeignKey {
    let mut references = ObjectName::new("public", "");
    let columns = pairs.iter().map(|pair| {
        let (column, target) = pair.split_once(' ').expect("a column and a target");
        let (table, referred) = target.split_once('.').expect("a table and a column");
        table.clone_into(&mut references.name);
        ColumnPair { column: column.to_owned(), references: referred.to_owned() }
    });
    let columns = columns.collect();
    ForeignKey { name: Some(name.to_owned()), ..ForeignKey::new(references, columns) }
}

/// `"column"` or `"column desc"`.
pub(crate) fn index(name: &str, parts: &[&str]) -> Index {
    let part = |text: &&str| {
        let (column, down) = text.strip_suffix(" desc").map_or((*text, false), |column| (column, true));
        IndexPart {
            direction: Some(if down { SortDirection::Descending } else { SortDirection::Ascending }),
            nulls: Some(if down { NullsOrder::First } else { NullsOrder::Last }),
            ..IndexPart::new(PartTarget::Column(column.to_owned()))
        }
    };
    Index::new(name, "btree", parts.iter().map(part).collect())
}

pub(crate) fn check(name: &str) -> Check {
    Check {
        name: Some(name.to_owned()),
        expression: Reading::Known("a > 0".to_owned()),
        columns: Vec::new(),
        validated: true,
        enforced: true,
        inherited: true,
        comment: None,
    }
}

pub(crate) fn partition(name: &str) -> Partition {
    Partition {
        name: ObjectName::new("public", name),
        bound: Reading::Known("DEFAULT".to_owned()),
        partitioning: None,
        primary_key: None,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        native: Native::new(),
    }
}

pub(crate) fn partitioned(mut table: Relation, partitions: Vec<Partition>) -> Relation {
    table.partitioning = Some(Partitioning { key: Reading::Known("RANGE (a)".to_owned()), partitions });
    table
}

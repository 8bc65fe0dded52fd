//! Models in a few words.

use schema_model::{
    Check, Column, ColumnPair, DataType, Database, Deferrability, ForeignKey, Index, IndexPart, Key, MatchOption,
    Namespace, Native, NullsOrder, ObjectName, PartTarget, Partition, Partitioning, Reading, ReferentialAction,
    Relation, RelationKind, SortDirection, TypeFamily,
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
    Column {
        name: name.to_owned(),
        position: 1,
        data_type: DataType { text: data_type.to_owned(), family, user_type: None, array_dimensions: 0 },
        nullable,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        grants: Vec::new(),
        native: Native::new(),
    }
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
    Key {
        name: Some(name.to_owned()),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        include: Vec::new(),
        index: None,
        nulls_distinct: true,
        deferrability: Deferrability::NotDeferrable,
        comment: None,
    }
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
    ForeignKey {
        name: Some(name.to_owned()),
        references,
        columns,
        target_constraint: None,
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        set_on_delete: Vec::new(),
        match_option: MatchOption::Simple,
        deferrability: Deferrability::NotDeferrable,
        validated: true,
        enforced: true,
        comment: None,
    }
}

/// `"column"` or `"column desc"`.
pub(crate) fn index(name: &str, parts: &[&str]) -> Index {
    let part = |text: &&str| {
        let (column, down) = text.strip_suffix(" desc").map_or((*text, false), |column| (column, true));
        IndexPart {
            target: PartTarget::Column(column.to_owned()),
            direction: Some(if down { SortDirection::Descending } else { SortDirection::Ascending }),
            nulls: Some(if down { NullsOrder::First } else { NullsOrder::Last }),
            operator_class: None,
            collation: None,
            prefix_length: None,
        }
    };
    Index {
        name: name.to_owned(),
        method: "btree".to_owned(),
        unique: false,
        nulls_distinct: true,
        constraint: None,
        parts: parts.iter().map(part).collect(),
        include: Vec::new(),
        predicate: None,
        valid: true,
        comment: None,
        native: Native::new(),
    }
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

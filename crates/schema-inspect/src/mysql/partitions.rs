use schema_model::{Native, ObjectName, Partition, Partitioning, Reading};

use super::rows::FoundPartition;

/// How a table's rows are kept in several; `None` for one that is whole.
pub(super) fn assembled(namespace: &str, mut found: Vec<FoundPartition>) -> Option<Partitioning> {
    found.sort_by_key(|part| (part.position, part.part_position));
    let first = found.first()?;
    let key = key(first.method.as_deref(), first.expression.as_deref());
    let mut partitions: Vec<Partition> = found
        .chunk_by(|one, other| one.position == other.position)
        .filter_map(|parts| partition(namespace, parts))
        .collect();
    partitions.sort_by(|one, other| one.name.cmp(&other.name));
    Some(Partitioning { key: Reading::Known(key), partitions })
}

fn partition(namespace: &str, parts: &[FoundPartition]) -> Option<Partition> {
    let first = parts.first()?;
    let mut whole = empty(namespace, &first.name, first.position);
    whole.bound = Reading::Known(bound(first.method.as_deref(), first.description.as_deref()));
    if let (Some(comment), true) = (&first.comment, first.part.is_none()) {
        whole.native.insert("comment".to_owned(), comment.as_str().into());
    }
    let mut inner: Vec<Partition> = parts
        .iter()
        .filter_map(|part| {
            let mut found = empty(namespace, part.part.as_deref()?, part.part_position.unwrap_or_default());
            if let Some(comment) = &part.comment {
                found.native.insert("comment".to_owned(), comment.as_str().into());
            }
            if let Some(tablespace) = &part.tablespace {
                found.native.insert("tablespace".to_owned(), tablespace.as_str().into());
            }
            Some(found)
        })
        .collect();
    if inner.is_empty() {
        if let Some(tablespace) = &first.tablespace {
            whole.native.insert("tablespace".to_owned(), tablespace.as_str().into());
        }
    } else {
        inner.sort_by(|one, other| one.name.cmp(&other.name));
        let key = key(first.part_method.as_deref(), first.part_expression.as_deref());
        whole.partitioning = Some(Box::new(Partitioning { key: Reading::Known(key), partitions: inner }));
    }
    Some(whole)
}

/// A partition of which the name is known, and the place, which counts for ranges.
fn empty(namespace: &str, name: &str, position: i64) -> Partition {
    Partition {
        name: ObjectName::new(namespace, name),
        bound: Reading::Known(String::new()),
        partitioning: None,
        primary_key: None,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        native: Native::from([("position".to_owned(), position.into())]),
    }
}

fn key(method: Option<&str>, expression: Option<&str>) -> String {
    format!("{} ({})", method.unwrap_or_default(), expression.unwrap_or_default())
}

fn bound(method: Option<&str>, description: Option<&str>) -> String {
    let method = method.unwrap_or_default();
    match description {
        None => String::new(),
        // What MariaDB calls the rest of a list of columns.
        Some("MAXVALUE") if method.starts_with("LIST") => "DEFAULT".to_owned(),
        Some("MAXVALUE") => "VALUES LESS THAN MAXVALUE".to_owned(),
        Some(description) if method.starts_with("RANGE") => format!("VALUES LESS THAN ({description})"),
        Some("DEFAULT") => "DEFAULT".to_owned(),
        Some(description) if method.starts_with("LIST") => format!("VALUES IN ({description})"),
        Some(description) => description.to_owned(),
    }
}

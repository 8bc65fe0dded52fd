use schema_model::{
    Column, DataType, Generated, GenerationStorage, Identity, IdentityGeneration, Native, ObjectName, TypeFamily,
};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use super::relations::or_locked;
use crate::cells::Cells;

/// A column and where it belongs.
pub(super) struct FoundColumn {
    pub(super) relation: i64,
    /// The catalog's number of it, which keys and indexes name it by: those of dropped columns are left out.
    pub(super) number: i32,
    /// Its position is not known yet.
    pub(super) column: Column,
}

pub(super) fn read(row: &Row) -> Result<FoundColumn, DatabaseError> {
    let mut cells = Cells::of(row);
    let (relation, number) = (cells.next()?, cells.next()?);
    let name = cells.next()?;
    let text = cells.next()?;
    let not_null: bool = cells.next()?;
    let identity: String = cells.next()?;
    let generated: String = cells.next()?;
    let has_expression: bool = cells.next()?;
    let expression: Option<String> = cells.next()?;
    let expression = has_expression.then(|| or_locked(expression));
    let (collation, collation_namespace) = (cells.next()?, cells.next()?);
    let data_type = data_type(text, &mut cells)?;
    let storage = match generated.as_str() {
        "s" => Some(GenerationStorage::Stored),
        "v" => Some(GenerationStorage::Virtual),
        _ => None,
    };
    let (default, generated) = match (storage, expression) {
        (Some(storage), Some(expression)) => (None, Some(Generated { expression, storage })),
        (_, expression) => (expression, None),
    };
    let generation = match identity.as_str() {
        "a" => Some(IdentityGeneration::Always),
        "d" => Some(IdentityGeneration::ByDefault),
        _ => None,
    };
    let mut column = Column {
        name,
        position: 0,
        data_type,
        nullable: !not_null,
        default,
        identity: generation.map(|generation| Identity { generation, options: None }),
        generated,
        collation,
        collation_namespace,
        comment: cells.next()?,
        grants: grants::read(&cells.json::<Vec<String>>()?),
        native: Native::new(),
    };
    if cells.next()? {
        column.native.insert("inherited".to_owned(), true.into());
    }
    // The column refuses NULL as well as its domain, and goes on when the domain does no longer.
    if cells.next()? {
        column.native.insert("not_null".to_owned(), true.into());
    }
    Ok(FoundColumn { relation, number, column })
}

/// A type from what stands next: its dimensions; of its elements the category and the name, of what they rest on where that is a
/// domain; their own name, and the namespace where somebody has made them.
pub(super) fn data_type(text: String, cells: &mut Cells<'_>) -> Result<DataType, DatabaseError> {
    let dimensions: i32 = cells.next()?;
    let category: Option<String> = cells.next()?;
    let rests_on: Option<String> = cells.next()?;
    let (name, namespace): (Option<String>, Option<String>) = (cells.next()?, cells.next()?);
    // Declared dimensions are kept for tables alone: an array elsewhere has at least one.
    let dimensions = u32::try_from(dimensions).unwrap_or_default().max(u32::from(text.ends_with("[]")));
    Ok(DataType {
        text,
        family: family(category.as_deref().unwrap_or_default(), rests_on.as_deref().unwrap_or_default()),
        user_type: namespace.zip(name).map(|(namespace, name)| ObjectName { namespace, name }),
        array_dimensions: dimensions,
    })
}

/// By the type's name, or else by its category (<https://www.postgresql.org/docs/current/catalog-pg-type.html>).
fn family(category: &str, name: &str) -> TypeFamily {
    match (category, name) {
        (_, "int2" | "int4" | "int8" | "oid") => TypeFamily::Integer,
        (_, "float4" | "float8") => TypeFamily::Float,
        (_, "bytea") => TypeFamily::Binary,
        (_, "uuid") => TypeFamily::Uuid,
        (_, "json" | "jsonb") => TypeFamily::Json,
        (_, "xml") => TypeFamily::Xml,
        (_, "date") => TypeFamily::Date,
        (_, "time" | "timetz") => TypeFamily::Time,
        (_, "tsvector" | "tsquery") => TypeFamily::TextSearch,
        ("B", _) => TypeFamily::Boolean,
        ("N", _) => TypeFamily::Decimal,
        ("S", _) => TypeFamily::Text,
        ("D", _) => TypeFamily::Timestamp,
        ("T", _) => TypeFamily::Interval,
        ("V", _) => TypeFamily::Bits,
        ("E", _) => TypeFamily::Enumeration,
        ("R", _) => TypeFamily::Range,
        ("C", _) => TypeFamily::Composite,
        ("G", _) => TypeFamily::Geometric,
        ("I", _) => TypeFamily::Network,
        _ => TypeFamily::Other,
    }
}

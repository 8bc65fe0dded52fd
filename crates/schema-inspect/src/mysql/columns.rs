use schema_model::{
    Column, DataType, Generated, GenerationStorage, Identity, IdentityGeneration, Native, Reading, TypeFamily,
};

use super::expressions::{literal, written};
use super::product::Product;
use super::rows::FoundColumn;

/// The columns of a relation with this collation, in order.
pub(super) fn assembled(mut found: Vec<FoundColumn>, collation: Option<&str>, product: Product) -> Vec<Column> {
    found.sort_by_key(|column| column.position);
    found.into_iter().zip(1..).map(|(found, position)| column(found, position, collation, product)).collect()
}

fn column(found: FoundColumn, position: u32, usual: Option<&str>, product: Product) -> Column {
    let family = family(&found.type_name, &found.type_text);
    let extra = found.extra.to_ascii_uppercase();
    let generated = found.generated_as.map(|expression| Generated {
        expression: Reading::Known(if product.is_mariadb { expression } else { written(&expression) }),
        storage: if extra.contains("VIRTUAL") { GenerationStorage::Virtual } else { GenerationStorage::Stored },
    });
    let default = match found.default {
        _ if generated.is_some() => None,
        // An expression to MariaDB, whose NULL is the value that is there without any default.
        Some(default) if product.is_mariadb => (default != "NULL").then_some(default),
        Some(default) if extra.contains("DEFAULT_GENERATED") => Some(written(&default)),
        // No bytes at all, for which there is no number.
        Some(default) if family == TypeFamily::Binary && default == "0x" => Some("''".to_owned()),
        Some(default) => Some(if is_written_bare(family, &default) { default } else { literal(&default) }),
        None => None,
    };
    let mut native = Native::new();
    if let Some(at) = extra.find("ON UPDATE ") {
        let words = found.extra.get(at + "ON UPDATE ".len()..).unwrap_or_default();
        native.insert("on_update".to_owned(), words.split([',', ' ']).next().unwrap_or_default().into());
    }
    if extra.contains("INVISIBLE") {
        native.insert("invisible".to_owned(), true.into());
    }
    if extra.contains("WITHOUT SYSTEM VERSIONING") {
        native.insert("system_versioned".to_owned(), false.into());
    }
    if let Some(number) = found.reference_system {
        native.insert("srid".to_owned(), number.into());
    }
    let collation = found.collation.filter(|collation| Some(collation.as_str()) != usual);
    if let Some(character_set) = found.character_set.filter(|_| collation.is_some()) {
        native.insert("character_set".to_owned(), character_set.into());
    }
    let identity = extra
        .contains("AUTO_INCREMENT")
        .then_some(Identity { generation: IdentityGeneration::ByDefault, options: None });
    Column {
        name: found.name,
        position,
        data_type: DataType { text: found.type_text, family, user_type: None, array_dimensions: 0 },
        nullable: found.nullable,
        default: default.map(Reading::Known),
        identity,
        generated,
        collation,
        collation_namespace: None,
        comment: found.comment,
        grants: Vec::new(),
        native,
    }
}

/// Whether MySQL shows a literal of this kind as it would be written.
fn is_written_bare(family: TypeFamily, text: &str) -> bool {
    match family {
        TypeFamily::Boolean | TypeFamily::Integer | TypeFamily::Decimal | TypeFamily::Float | TypeFamily::Bits => true,
        TypeFamily::Binary => text.starts_with("0x"),
        _ => false,
    }
}

fn family(name: &str, text: &str) -> TypeFamily {
    match name {
        // What BOOLEAN is another word for.
        "tinyint" if text == "tinyint(1)" => TypeFamily::Boolean,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => TypeFamily::Integer,
        "decimal" => TypeFamily::Decimal,
        "float" | "double" => TypeFamily::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => TypeFamily::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => TypeFamily::Binary,
        "bit" => TypeFamily::Bits,
        "date" => TypeFamily::Date,
        "time" => TypeFamily::Time,
        "datetime" | "timestamp" => TypeFamily::Timestamp,
        "uuid" => TypeFamily::Uuid,
        "json" => TypeFamily::Json,
        "enum" | "set" => TypeFamily::Enumeration,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => TypeFamily::Geometric,
        "inet4" | "inet6" => TypeFamily::Network,
        _ => TypeFamily::Other,
    }
}

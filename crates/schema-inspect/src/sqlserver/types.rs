use std::collections::HashMap;

use schema_model::{DataType, ObjectName, TypeFamily};

/// A type as `sys.types` has it.
#[derive(Debug, Clone, Default)]
pub(super) struct FoundType {
    pub(super) id: i64,
    pub(super) schema: i64,
    pub(super) name: String,
    /// The engine's own type that it is made of; of the engine's own types that are written in CLR it is none of theirs.
    pub(super) system: i64,
    pub(super) declared: Declared,
    pub(super) nullable: bool,
    pub(super) collation: Option<String>,
    pub(super) is_user_defined: bool,
    pub(super) is_assembly: bool,
    /// What has the columns of a table type.
    pub(super) table: Option<i64>,
    pub(super) owner: Option<String>,
}

/// How something was declared.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    pub(super) type_id: i64,
    /// In bytes; -1 is `max`.
    pub(super) max_length: i64,
    pub(super) precision: i64,
    pub(super) scale: i64,
    /// The schema collection that XML keeps to.
    pub(super) collection: Option<(String, String)>,
    pub(super) is_document: bool,
}

/// All types by their numbers.
#[derive(Debug, Default)]
pub(super) struct Types {
    by_id: HashMap<i64, (FoundType, String)>,
}

impl Types {
    pub(super) fn of<'a>(found: Vec<FoundType>, schema: impl Fn(i64) -> &'a str) -> Self {
        let named = |found: FoundType| (found.id, (found.clone(), schema(found.schema).to_owned()));
        Self { by_id: found.into_iter().map(named).collect() }
    }

    /// Those that somebody has made, in the order of their numbers.
    pub(super) fn made(&self) -> Vec<&FoundType> {
        let mut made: Vec<&FoundType> =
            self.by_id.values().map(|(found, _)| found).filter(|found| found.is_user_defined).collect();
        made.sort_unstable_by_key(|found| found.id);
        made
    }

    pub(super) fn data_type(&self, declared: &Declared) -> DataType {
        let Some((found, schema)) = self.by_id.get(&declared.type_id) else {
            return DataType { text: String::new(), family: TypeFamily::Other, user_type: None, array_dimensions: 0 };
        };
        if found.is_user_defined {
            let family = match (found.table, self.by_id.get(&found.system)) {
                (Some(_), _) => TypeFamily::Composite,
                (None, Some((base, _))) if !found.is_assembly => family(&base.name),
                _ => TypeFamily::Other,
            };
            let text = qualified(schema, &found.name);
            let user_type = Some(ObjectName::new(schema, &found.name));
            return DataType { text, family, user_type, array_dimensions: 0 };
        }
        let text = with_modifiers(&found.name, declared);
        DataType { text, family: family(&found.name), user_type: None, array_dimensions: 0 }
    }

    /// What an alias is another name for.
    pub(super) fn base(&self, alias: &FoundType) -> DataType {
        self.data_type(&Declared { type_id: alias.system, ..alias.declared.clone() })
    }

    /// The least and the greatest number that something declared so can hold.
    pub(super) fn limits(&self, declared: &Declared) -> (i128, i128) {
        let mut found = self.by_id.get(&declared.type_id).map(|(found, _)| found);
        if let Some(alias) = found.filter(|found| found.is_user_defined) {
            found = self.by_id.get(&alias.system).map(|(found, _)| found);
        }
        match found.map(|found| found.name.as_str()) {
            Some("tinyint") => (0, 255),
            Some("smallint") => (i16::MIN.into(), i16::MAX.into()),
            Some("int") => (i32::MIN.into(), i32::MAX.into()),
            Some("decimal" | "numeric") => {
                let digits = u32::try_from(declared.precision).unwrap_or(38).min(38);
                let greatest = 10_i128.pow(digits) - 1;
                (-greatest, greatest)
            }
            _ => (i64::MIN.into(), i64::MAX.into()),
        }
    }
}

fn with_modifiers(name: &str, declared: &Declared) -> String {
    let Declared { max_length, precision, scale, .. } = declared;
    match name {
        "char" | "varchar" | "binary" | "varbinary" | "nchar" | "nvarchar" => match max_length {
            -1 => format!("{name}(max)"),
            // Two bytes a character.
            length if name.starts_with('n') => format!("{name}({})", length / 2),
            length => format!("{name}({length})"),
        },
        "decimal" | "numeric" => format!("{name}({precision},{scale})"),
        "datetime2" | "datetimeoffset" | "time" => format!("{name}({scale})"),
        "xml" => match &declared.collection {
            Some((schema, collection)) => {
                let content = if declared.is_document { "DOCUMENT" } else { "CONTENT" };
                format!("xml({content} {})", qualified(schema, collection))
            }
            None => name.to_owned(),
        },
        // Of the other types the catalog's lengths say nothing that the name does not.
        _ => name.to_owned(),
    }
}

/// A name with its schema, in brackets where it has to be.
pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

fn quoted(name: &str) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && text.chars().all(|part| part.is_ascii_alphanumeric() || part == '_')
    };
    if is_plain(name) { name.to_owned() } else { format!("[{}]", name.replace(']', "]]")) }
}

fn family(name: &str) -> TypeFamily {
    match name {
        "bit" => TypeFamily::Boolean,
        "tinyint" | "smallint" | "int" | "bigint" => TypeFamily::Integer,
        "decimal" | "numeric" | "money" | "smallmoney" => TypeFamily::Decimal,
        "float" | "real" => TypeFamily::Float,
        "char" | "varchar" | "nchar" | "nvarchar" | "text" | "ntext" | "sysname" => TypeFamily::Text,
        "binary" | "varbinary" | "image" | "timestamp" => TypeFamily::Binary,
        "date" => TypeFamily::Date,
        "time" => TypeFamily::Time,
        "datetime" | "smalldatetime" | "datetime2" | "datetimeoffset" => TypeFamily::Timestamp,
        "uniqueidentifier" => TypeFamily::Uuid,
        "json" => TypeFamily::Json,
        "xml" => TypeFamily::Xml,
        "geometry" | "geography" => TypeFamily::Geometric,
        _ => TypeFamily::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        let own =
            |id, name: &str| FoundType { id, schema: 4, name: name.to_owned(), system: id, ..FoundType::default() };
        let made = |id, name: &str, system| FoundType {
            id,
            schema: 5,
            name: name.to_owned(),
            system,
            declared: Declared { type_id: id, max_length: 40, precision: 9, scale: 2, ..Declared::default() },
            is_user_defined: true,
            ..FoundType::default()
        };
        let found = vec![
            own(56, "int"),
            own(106, "decimal"),
            own(231, "nvarchar"),
            own(167, "varchar"),
            own(42, "datetime2"),
            own(62, "float"),
            own(241, "xml"),
            made(257, "pho]ne", 231),
            made(258, "amount", 106),
            FoundType { table: Some(77), ..made(259, "rows", 243) },
        ];
        Types::of(found, |schema| if schema == 4 { "sys" } else { "shop" })
    }

    #[track_caller]
    fn check(type_id: i64, max_length: i64, precision: i64, scale: i64, text: &str, family: TypeFamily) {
        let declared = Declared { type_id, max_length, precision, scale, ..Declared::default() };
        let found = types().data_type(&declared);
        assert_eq!((found.text.as_str(), found.family), (text, family));
        assert_eq!(found.user_type.is_some(), (257..=259).contains(&type_id));
    }

    #[test]
    fn types_are_written_as_they_are_declared() {
        check(56, 4, 10, 0, "int", TypeFamily::Integer);
        check(106, 9, 18, 4, "decimal(18,4)", TypeFamily::Decimal);
        check(231, 40, 0, 0, "nvarchar(20)", TypeFamily::Text);
        check(231, -1, 0, 0, "nvarchar(max)", TypeFamily::Text);
        check(167, 8000, 0, 0, "varchar(8000)", TypeFamily::Text);
        check(42, 8, 23, 3, "datetime2(3)", TypeFamily::Timestamp);
        check(62, 8, 53, 0, "float", TypeFamily::Float);
        check(257, 40, 0, 0, "shop.[pho]]ne]", TypeFamily::Text);
        check(259, -1, 0, 0, "shop.rows", TypeFamily::Composite);
        check(9999, 0, 0, 0, "", TypeFamily::Other);
    }

    #[test]
    fn typed_xml_names_what_it_keeps_to() {
        let collection = Some(("shop".to_owned(), "order v2".to_owned()));
        let declared = Declared { type_id: 241, max_length: -1, collection, is_document: true, ..Declared::default() };
        assert_eq!(types().data_type(&declared).text, "xml(DOCUMENT shop.[order v2])");
        assert_eq!(types().data_type(&Declared { type_id: 241, ..Declared::default() }).text, "xml");
    }

    #[test]
    fn aliases_count_within_the_limits_of_what_they_stand_for() {
        let types = types();
        let alias = types.made()[1];
        assert_eq!(types.base(alias).text, "decimal(9,2)");
        let limits = |type_id, precision| types.limits(&Declared { type_id, precision, ..Declared::default() });
        assert_eq!(limits(258, 9), (-999_999_999, 999_999_999));
        assert_eq!(limits(56, 10), (i32::MIN.into(), i32::MAX.into()));
        assert_eq!(limits(106, i64::MAX).1, 10_i128.pow(38) - 1);
        assert_eq!(limits(0, 0).1, i64::MAX.into());
    }
}

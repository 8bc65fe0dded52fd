//! Whether every value of one type is one of another as well.

use schema_model::{DataType, TypeFamily};

/// Types of an engine, from the narrowest to the widest, that say how much fits in by their name alone.
const LADDERS: [&[&[&str]]; 3] = [
    &[&["tinyint"], &["smallint", "int2"], &["mediumint"], &["int", "integer", "int4"], &["bigint", "int8"]],
    &[&["tinytext"], &["text"], &["mediumtext"], &["longtext"]],
    &[&["real", "float4", "float"], &["double precision", "float8", "double"]],
];

/// Whether whatever was kept fits, and comes back as it was.
pub(crate) fn holds_all_of(after: &DataType, before: &DataType) -> bool {
    if before.family != after.family
        || before.array_dimensions != after.array_dimensions
        || before.user_type.is_some()
        || after.user_type.is_some()
    {
        return false;
    }
    if after.family == TypeFamily::Enumeration {
        // More words behind those that were there.
        let words = before.text.strip_suffix(')').and_then(|words| after.text.strip_prefix(words));
        return before.text == after.text || words.is_some_and(|more| more.starts_with(','));
    }
    let (before, after) = (Written::of(&before.text), Written::of(&after.text));
    match (before.numbers.as_slice(), after.numbers.as_slice()) {
        _ if before.rest != after.rest => false,
        _ if before.name == after.name && before.numbers == after.numbers => true,
        // Lengths of what is not filled up to them.
        ([length], [other]) if before.name == after.name && is_varying(&before.name) => other >= length,
        // Counts of digits.
        ([digits, places], [others, other_places]) if before.name == after.name => {
            other_places >= places && others.saturating_sub(*other_places) >= digits.saturating_sub(*places)
        }
        ([digits], [others]) if before.name == after.name && is_decimal(&before.name) => others >= digits,
        ([digits], [others, places]) if before.name == after.name && is_decimal(&before.name) => {
            others.saturating_sub(*places) >= *digits
        }
        ([_, ..], []) if before.name == after.name => is_varying(&before.name) || is_decimal(&before.name),
        // `text` holds whatever is written without a length.
        ([_] | [], []) if before.name.contains("varying") || before.name == "varchar" => after.name == "text",
        ([], []) => LADDERS.iter().any(|ladder| {
            let step = |name: &str| ladder.iter().position(|names| names.contains(&name));
            step(&before.name).zip(step(&after.name)).is_some_and(|(before, after)| before <= after)
        }),
        _ => false,
    }
}

fn is_varying(name: &str) -> bool {
    matches!(name, "character varying" | "varchar" | "nvarchar" | "varbinary" | "bit varying" | "varbit")
}

fn is_decimal(name: &str) -> bool {
    matches!(name, "numeric" | "decimal")
}

/// Whether two types of different engines are for the same values: their kind, and how much fits in where both say so.
pub(crate) fn alike(one: &DataType, other: &DataType) -> bool {
    let family = |of: &DataType| match of.family {
        // Engines without a type for these write them so.
        TypeFamily::Uuid | TypeFamily::Json | TypeFamily::Xml | TypeFamily::Enumeration | TypeFamily::Network => {
            TypeFamily::Text
        }
        TypeFamily::Boolean => TypeFamily::Integer,
        family => family,
    };
    let numbers = |of: &DataType| Written::of(&of.text).numbers;
    let (here, there) = (numbers(one), numbers(other));
    let sized = matches!(family(one), TypeFamily::Text | TypeFamily::Decimal) && !here.is_empty() && !there.is_empty();
    family(one) == family(other) && one.array_dimensions == other.array_dimensions && (!sized || here == there)
}

/// A type's text, taken apart: `character varying(20)[]` is a name, numbers and a rest.
struct Written {
    name: String,
    numbers: Vec<i64>,
    rest: String,
}

impl Written {
    fn of(text: &str) -> Self {
        let whole =
            |name: &str| Self { name: name.trim().to_ascii_lowercase(), numbers: Vec::new(), rest: String::new() };
        let Some((name, (inside, rest))) =
            text.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?)))
        else {
            let (name, rest) =
                text.split_once([' ', '[']).filter(|(_, rest)| rest.contains("unsigned")).unwrap_or((text, ""));
            return Self { rest: rest.trim().to_ascii_lowercase(), ..whole(name) };
        };
        match inside.split(',').map(|number| number.trim().parse()).collect::<Result<Vec<i64>, _>>() {
            Ok(numbers) => {
                let named = whole(name);
                // How wide a whole number is shown says nothing of how large it may be.
                let is_whole_number = LADDERS[0].iter().any(|names| names.contains(&named.name.as_str()));
                let numbers = if is_whole_number { Vec::new() } else { numbers };
                Self { numbers, rest: rest.trim().to_ascii_lowercase(), ..named }
            }
            // A list of words, say.
            Err(_) => whole(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(before: &str, after: &str, family: TypeFamily) -> bool {
        let of = |text: &str| DataType { text: text.to_owned(), family, user_type: None, array_dimensions: 0 };
        holds_all_of(&of(after), &of(before))
    }

    #[test]
    fn wider_types_hold_all_of_narrower_ones() {
        for (before, after, family) in [
            ("smallint", "bigint", TypeFamily::Integer),
            ("int unsigned", "bigint unsigned", TypeFamily::Integer),
            ("int(11)", "bigint(20)", TypeFamily::Integer),
            ("int(10) unsigned", "bigint(20) unsigned", TypeFamily::Integer),
            ("character varying(10)", "character varying(20)", TypeFamily::Text),
            ("character varying(10)", "text", TypeFamily::Text),
            ("varchar(10)", "varchar(10)", TypeFamily::Text),
            ("text", "mediumtext", TypeFamily::Text),
            ("numeric(10,2)", "numeric(12,2)", TypeFamily::Decimal),
            ("numeric(10,2)", "numeric(12,4)", TypeFamily::Decimal),
            ("numeric(10,2)", "numeric", TypeFamily::Decimal),
            ("real", "double precision", TypeFamily::Float),
            ("enum('a','b')", "enum('a','b','c')", TypeFamily::Enumeration),
        ] {
            assert!(holds(before, after, family), "{before} {after}");
            assert!(before == after || !holds(after, before, family), "{after} {before}");
        }
        for (before, after, family) in [
            ("int", "bigint unsigned", TypeFamily::Integer),
            ("numeric(10,2)", "numeric(11,4)", TypeFamily::Decimal),
            ("character(10)", "text", TypeFamily::Text),
            ("character(10)", "character(12)", TypeFamily::Text),
            ("bit(3)", "bit(5)", TypeFamily::Bits),
            ("vector(3)", "vector(4)", TypeFamily::Other),
            ("timestamp(3) with time zone", "timestamp(3) without time zone", TypeFamily::Timestamp),
            ("enum('a','b')", "enum('b')", TypeFamily::Enumeration),
        ] {
            assert!(!holds(before, after, family), "{before} {after}");
        }
    }
}

use schema_model::ObjectName;

/// Always in quotes: whether a name needs them differs from version to version.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn qualified(name: &ObjectName) -> String {
    format!("{}.{}", quoted(&name.namespace), quoted(&name.name))
}

pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// With `standard_conforming_strings`, a backslash is a backslash.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Between dollars with a word that the text has not.
pub(super) fn dollar_quoted(text: &str) -> String {
    let mut word = "$body$".to_owned();
    let mut number = 0_u32;
    while text.contains(&word) {
        number += 1;
        word = format!("$body{number}$");
    }
    format!("{word}{text}{word}")
}

/// Whether a text of the server's names the object: with its namespace, each in quotes or not. What only looks like it counts too; it
/// does no harm, since it has an effect on the order alone.
pub(super) fn mentions(text: &str, object: &ObjectName) -> bool {
    if !object.name.contains('"') && !text.contains(&object.name) {
        return false;
    }
    let forms = |name: &str| [name.to_owned(), quoted(name)];
    forms(&object.namespace).iter().any(|namespace| {
        forms(&object.name).iter().any(|name| {
            let whole = format!("{namespace}.{name}");
            text.match_indices(&whole).any(|(at, _)| {
                let is_letter = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$' | '"');
                !text[..at].chars().next_back().is_some_and(is_letter)
                    && !text[at + whole.len()..].chars().next().is_some_and(is_letter)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_mentioned_by_its_whole_name() {
        let object = ObjectName::new("shop", "goods");
        for text in ["SELECT FROM shop.goods g", "shop.\"goods\"", "(shop.goods)"] {
            assert!(mentions(text, &object), "{text}");
        }
        for text in ["SELECT FROM shop.goods2", "workshop.goods", "goods"] {
            assert!(!mentions(text, &object), "{text}");
        }
        assert!(mentions("x \"a b\".\"c\"\"d\" y", &ObjectName::new("a b", "c\"d")));
    }

    #[test]
    fn dollars_in_a_text_do_not_end_it() {
        assert_eq!(dollar_quoted("a $body$ b"), "$body1$a $body$ b$body1$");
    }
}

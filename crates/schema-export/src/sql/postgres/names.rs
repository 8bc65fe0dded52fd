use std::collections::BTreeSet;

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

/// What a text of the server's may name: everything with a namespace, each in quotes, a word or the signs of an operator. What only looks like a name counts
/// too: what seems to need something comes behind it, and what seems to need what is not made is left out.
pub(super) fn mentioned(text: &str) -> BTreeSet<ObjectName> {
    let mut names = mentioned_in(text);
    // A name may stand in a literal, as that of a sequence or of a configuration does.
    if text.contains("''") || text.contains(r"\\") {
        names.extend(mentioned_in(&text.replace("''", "'").replace(r"\\", r"\")));
    }
    names
}

fn mentioned_in(text: &str) -> BTreeSet<ObjectName> {
    let names = text.match_indices('.').filter_map(|(dot, _)| {
        let (before, behind) = (&text[..dot], &text[dot + 1..]);
        Some(ObjectName { namespace: last_name(before)?, name: first_name(behind)? })
    });
    names.collect()
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

/// Whether a name is made of the signs that operators are made of.
pub(super) fn is_operator(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_sign)
}

fn is_sign(character: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(character)
}

/// A text of the server's behind its first words and the name with a namespace that comes then; all of it where there is none.
pub(super) fn behind_name<'t>(text: &'t str, words: &[&str]) -> &'t str {
    let Some(rest) = words.iter().find_map(|words| text.strip_prefix(words)) else { return text };
    let behind = |text: &'t str| text.get(written_length(text)?..);
    behind(rest).and_then(|rest| behind(rest.strip_prefix('.')?)).unwrap_or(text)
}

/// How many bytes the name takes that a text begins with.
fn written_length(text: &str) -> Option<usize> {
    let Some(inner) = text.strip_prefix('"') else {
        return Some(text.find(|character| !is_letter(character)).unwrap_or(text.len()));
    };
    let mut end = inner.find('"')?;
    while inner[end + 1..].starts_with('"') {
        end += 2 + inner[end + 2..].find('"')?;
    }
    Some(end + 2)
}

/// The name that a text begins with.
fn first_name(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        let is_part = if text.starts_with(is_sign) { is_sign } else { is_letter };
        let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
        return Some(text[..end].to_owned()).filter(|name| !name.is_empty());
    };
    let mut quotes = inner.match_indices('"').map(|(at, _)| at);
    let mut end = quotes.next()?;
    // Two of them are one in the name.
    while inner[end + 1..].starts_with('"') {
        quotes.next();
        end = quotes.next()?;
    }
    Some(inner[..end].replace("\"\"", "\""))
}

/// The name that a text ends with.
fn last_name(text: &str) -> Option<String> {
    let Some(inner) = text.strip_suffix('"') else {
        let start = text
            .rfind(|character| !is_letter(character))
            .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
        return Some(text[start..].to_owned()).filter(|name| !name.is_empty());
    };
    let mut quotes = inner.rmatch_indices('"').map(|(at, _)| at);
    let mut start = quotes.next()?;
    while inner[..start].ends_with('"') {
        quotes.next();
        start = quotes.next()?;
    }
    Some(inner[start + 1..].replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_mentioned_by_its_whole_name() {
        let object = ObjectName::new("shop", "goods");
        for text in
            ["SELECT FROM shop.goods g", "shop.\"goods\"", "(shop.goods)", "'shop.goods'::regclass", "shop.goods.id"]
        {
            assert!(mentioned(text).contains(&object), "{text}");
        }
        for text in ["SELECT FROM shop.goods2", "workshop.goods", "goods", "shop. goods", "shop.\"goods", ".", "\".\""]
        {
            assert!(!mentioned(text).contains(&object), "{text}");
        }
        for text in [r#"nextval('"it''s"."a b"'::regclass)"#, r#"E'"it''s"."a b"'"#] {
            assert!(mentioned(text).contains(&ObjectName::new("it's", "a b")), "{text}");
        }
        assert!(mentioned(r#"E'"a\\b"."c"'"#).contains(&ObjectName::new(r"a\b", "c")));
        let operator = mentioned("a OPERATOR(\"s.\".<=#) b");
        assert!(operator.contains(&ObjectName::new("s.", "<=#")), "{operator:?}");
        assert!(mentioned("x \"a b\".\"c\"\"d\" y").contains(&ObjectName::new("a b", "c\"d")));
        assert!(mentioned("(\"a.b\"\"\".größe)").contains(&ObjectName::new("a.b\"", "größe")));
    }

    #[test]
    fn what_stands_behind_a_name_is_all_but_the_name() {
        let words = ["CREATE FUNCTION ", "CREATE PROCEDURE "];
        assert_eq!(behind_name("CREATE PROCEDURE a.b(x a.c)", &words), "(x a.c)");
        assert_eq!(behind_name("CREATE FUNCTION \"a\"\"(.\".\"b\"(x a.c)", &words), "(x a.c)");
        for text in ["CREATE VIEW a.b", "CREATE FUNCTION a", "CREATE FUNCTION \"a.b("] {
            assert_eq!(behind_name(text, &words), text);
        }
    }

    #[test]
    fn dollars_in_a_text_do_not_end_it() {
        assert_eq!(dollar_quoted("a $body$ b"), "$body1$a $body$ b$body1$");
    }
}

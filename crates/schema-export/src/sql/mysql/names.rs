use std::collections::BTreeSet;

use schema_model::ObjectName;

/// Always in quotes, whatever a version has for a word of its own.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

pub(super) fn qualified(name: &ObjectName) -> String {
    format!("{}.{}", quoted(&name.namespace), quoted(&name.name))
}

pub(super) fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A literal where a backslash escapes.
pub(super) fn literal(text: &str) -> String {
    let mut escaped = text.replace('\\', "\\\\").replace('\'', "''");
    // What some clients do not pass on as it is.
    for (character, letter) in [('\0', "\\0"), ('\r', "\\r"), ('\u{1a}', "\\Z")] {
        escaped = escaped.replace(character, letter);
    }
    format!("'{escaped}'")
}

/// A literal under this `sql_mode`.
pub(super) fn literal_in(sql_mode: &str, text: &str) -> String {
    if sql_mode.split(',').any(|mode| mode == "NO_BACKSLASH_ESCAPES") {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        literal(text)
    }
}

/// Who is told as `user@host`, or a role, which has no host.
pub(super) fn account(told: &str) -> String {
    match told.rsplit_once('@') {
        Some((user, host)) if !host.is_empty() => format!("{}@{}", quoted(user), quoted(host)),
        Some((role, _)) => quoted(role),
        None => quoted(told),
    }
}

/// Who is told as `'user'@'host'`, the quotes within not doubled.
pub(super) fn grantee(told: &str) -> String {
    let inner = told.strip_prefix('\'').and_then(|told| told.strip_suffix('\''));
    match inner.map(|inner| inner.rsplit_once("'@'").ok_or(inner)) {
        Some(Ok((user, host))) => format!("{}@{}", quoted(user), quoted(host)),
        Some(Err(role)) => quoted(role),
        None => account(told),
    }
}

/// What a query of the server's may name: two names in quotes with a dot in between. What only looks so counts too. A view that seems to
/// use another comes behind it; where that one is not made, neither is the view.
pub(super) fn mentioned(text: &str) -> BTreeSet<ObjectName> {
    let names = text.match_indices("`.`").filter_map(|(dot, _)| {
        let (before, behind) = (&text[..dot], &text[dot + 3..]);
        Some(ObjectName { namespace: last_name(before)?.1, name: first_name(behind)? })
    });
    names.collect()
}

/// The functions that a query of the server's, made in this namespace, may call, as [`as_called`] has them: the server puts the names of those
/// that somebody has made in quotes.
pub(super) fn called(query: &str, namespace: &str) -> BTreeSet<ObjectName> {
    let query = without_literals(query);
    let calls = query.match_indices("`(").filter_map(|(end, _)| {
        let (begin, name) = last_name(&query[..end])?;
        let namespace = match query[..begin].strip_suffix("`.") {
            Some(before) => last_name(before)?.1,
            None => namespace.to_owned(),
        };
        Some(as_called(&ObjectName { namespace, name }))
    });
    calls.collect()
}

/// A function by what the server goes by: it does not ask how its name is written in capitals, and may ask it of the namespace.
pub(super) fn as_called(function: &ObjectName) -> ObjectName {
    ObjectName { namespace: function.namespace.clone(), name: function.name.to_lowercase() }
}

fn without_literals(query: &str) -> String {
    let mut rest = query;
    let mut left = String::with_capacity(query.len());
    while let Some(at) = rest.find(['\'', '`']) {
        let (before, from) = rest.split_at(at);
        left.push_str(before);
        let is_name = from.starts_with('`');
        let mut escaped = false;
        let end = from.char_indices().skip(1).find(|(_, character)| {
            let is_end = !escaped && *character == if is_name { '`' } else { '\'' };
            escaped = !is_name && *character == '\\' && !escaped;
            is_end
        });
        let length = end.map_or(from.len(), |(end, _)| end + 1);
        if is_name {
            left.push_str(&from[..length]);
        }
        rest = &from[length..];
    }
    left + rest
}

/// The name that a text begins with; its first quote is gone already.
fn first_name(text: &str) -> Option<String> {
    let mut end = text.find('`')?;
    while text[end + 1..].starts_with('`') {
        end = end + 2 + text[end + 2..].find('`')?;
    }
    Some(text[..end].replace("``", "`"))
}

/// The name that a text ends with, whose last quote is gone already, and where its first one is.
fn last_name(text: &str) -> Option<(usize, String)> {
    let mut start = text.rfind('`')?;
    while text[..start].ends_with('`') {
        start = text[..start - 1].rfind('`')?;
    }
    Some((start, text[start + 1..].replace("``", "`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_mentioned_by_its_whole_name() {
        let object = ObjectName::new("shop", "goods");
        for text in ["select `shop`.`goods`.`id` from `shop`.`goods`", "`shop`.`goods`", "(`shop`.`goods`)"] {
            assert!(mentioned(text).contains(&object), "{text}");
        }
        for text in ["`shop`.`goods2`", "`workshop`.`goods`", "shop.goods", "`shop`.`goods", "`.`", "goods`.`"] {
            assert!(!mentioned(text).contains(&object), "{text}");
        }
        assert!(mentioned("x `a b`.`c``d` y").contains(&ObjectName::new("a b", "c`d")));
        assert!(mentioned("(`a.b```.`größe`)").contains(&ObjectName::new("a.b`", "größe")));
    }

    #[test]
    fn a_call_is_a_name_of_a_function_in_front_of_a_parenthesis() {
        let function = ObjectName::new("shop", "tw`ice");
        for text in [
            "select `tw``ice`(1) AS `a`",
            "select 1 + `Tw``Ice`(`a`.`b`)",
            "select concat('it\\'s \\\\',`shop`.`tw``ice`(6))",
            "select '`' AS `it's`,`tw``ice`(1)",
        ] {
            assert!(called(text, "shop").contains(&function), "{text}");
        }
        for text in [
            "select '`tw``ice`(1)' AS `a`",
            "select `tw``ice` AS `a`",
            "select `other`.`tw``ice`(1)",
            "select `a``tw``ice`(1)",
            "select 'it''s `tw``ice`(1)'",
            "select `it's`,'`tw``ice`(1)'",
        ] {
            assert!(!called(text, "shop").contains(&function), "{text}");
        }
        assert!(!called("select `tw``ice`(1)", "other").contains(&function));
        assert!(called("select `shop`.`tw``ice`(1)", "other").contains(&function));
        assert!(!called("select `tw``ice`(1)", "Shop").contains(&function));
    }

    #[test]
    fn accounts_are_a_user_and_a_host() {
        assert_eq!(account("root@%"), "`root`@`%`");
        assert_eq!(account("a@b`@10.%"), "`a@b```@`10.%`");
        assert_eq!((account("readers@").as_str(), account("readers").as_str()), ("`readers`", "`readers`"));
        assert_eq!(grantee("'a'b'@'%'"), "`a'b`@`%`");
        assert_eq!(grantee("'readers'"), "`readers`");
    }

    #[test]
    fn a_backslash_is_one_or_an_escape() {
        assert_eq!(literal("it's \\ \0\r\n"), "'it''s \\\\ \\0\\r\n'");
        assert_eq!(literal_in("ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "it's \\"), "'it''s \\'");
        assert_eq!(literal_in("STRICT_ALL_TABLES", "\\"), "'\\\\'");
    }
}

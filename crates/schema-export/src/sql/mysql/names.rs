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

/// What a query of the server's may name: two names in quotes with a dot in between. What only looks so counts too; it does no harm,
/// since it has an effect on the order alone.
pub(super) fn mentioned(text: &str) -> BTreeSet<ObjectName> {
    let names = text.match_indices("`.`").filter_map(|(dot, _)| {
        let (before, behind) = (&text[..dot], &text[dot + 3..]);
        Some(ObjectName { namespace: last_name(before)?, name: first_name(behind)? })
    });
    names.collect()
}

/// The name that a text begins with; its first quote is gone already.
fn first_name(text: &str) -> Option<String> {
    let mut end = text.find('`')?;
    while text[end + 1..].starts_with('`') {
        end = end + 2 + text[end + 2..].find('`')?;
    }
    Some(text[..end].replace("``", "`"))
}

/// The name that a text ends with; its last quote is gone already.
fn last_name(text: &str) -> Option<String> {
    let mut start = text.rfind('`')?;
    while text[..start].ends_with('`') {
        start = text[..start - 1].rfind('`')?;
    }
    Some(text[start + 1..].replace("``", "`"))
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

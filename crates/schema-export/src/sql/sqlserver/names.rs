use std::collections::BTreeSet;

use schema_model::ObjectName;

use super::tokens::{self, Token};

/// Always in brackets: whether a name needs them differs from version to version.
pub(super) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

pub(super) fn qualified(name: &ObjectName) -> String {
    format!("{}.{}", quoted(&name.namespace), quoted(&name.name))
}

pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

pub(super) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// A name as databases compare it that take no notice of the case of letters. It is looked for by it, and never written.
pub(super) fn folded(name: &ObjectName) -> ObjectName {
    ObjectName::new(name.namespace.to_lowercase(), name.name.to_lowercase())
}

/// The parts of a name that stands alone, those left out as empty ones: `server.database..object` has four.
pub(super) fn parts(text: &str) -> Option<Vec<String>> {
    let found = tokens::read(text).filter(|found| !found.has_comments)?;
    let mut parts = vec![String::new()];
    for piece in found.pieces {
        let last = parts.last_mut()?;
        match piece.token {
            Token::Sign('.') => parts.push(String::new()),
            token if last.is_empty() => *last = token.name()?,
            _ => return None,
        }
    }
    let is_one = (1..=4).contains(&parts.len()) && parts.last().is_some_and(|last| !last.is_empty());
    is_one.then_some(parts)
}

/// What a text may name, folded.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    /// With a namespace.
    pub(super) whole: BTreeSet<ObjectName>,
    /// Without one, in the namespace that the text is of and in the usual one.
    pub(super) bare: BTreeSet<ObjectName>,
}

/// What a text in this namespace may name. What only looks like a name counts too.
pub(super) fn mentioned(text: &str, namespace: &str) -> Mentioned {
    let mut found = Mentioned::default();
    let Some(read) = tokens::read(text) else { return found };
    let is_dot =
        |at: Option<usize>| at.and_then(|at| read.pieces.get(at)).is_some_and(|piece| piece.token == Token::Sign('.'));
    for (at, piece) in read.pieces.iter().enumerate() {
        let Some(name) = piece.token.name() else { continue };
        if is_dot(Some(at + 1))
            && let Some(other) = read.pieces.get(at + 2).and_then(|other| other.token.name())
        {
            found.whole.insert(folded(&ObjectName::new(&*name, other)));
        }
        if !is_dot(at.checked_sub(1)) && !is_dot(Some(at + 1)) {
            for namespace in [namespace, "dbo"] {
                found.bare.insert(folded(&ObjectName::new(namespace, &*name)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_they_are() {
        assert_eq!(qualified(&ObjectName::new("a]b", "c.d")), "[a]]b].[c.d]");
        assert_eq!(literal("it's ]"), "N'it''s ]'");
    }

    #[test]
    fn a_name_is_read_in_its_parts() {
        let of = |text| parts(text).map(|parts| parts.join("|"));
        assert_eq!(of("[shop].[go]]ods]").as_deref(), Some("shop|go]ods"));
        assert_eq!(of("other..goods").as_deref(), Some("other||goods"));
        assert_eq!(of("[a.b].[c].[d].\"e\"").as_deref(), Some("a.b|c|d|e"));
        for text in ["", "a b", "a.", "a.b.c.d.e", "a.'b'", "a; DROP TABLE b", "a -- b", "[a", "a(b)"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_text_names_is_found_whatever_the_case() {
        let found = mentioned("SELECT g.id FROM Shop.[Goods] g JOIN makers m ON 'x.y' = 1 -- a.b", "shop");
        let object = |namespace: &str, name: &str| ObjectName::new(namespace, name);
        assert!(found.whole.contains(&object("shop", "goods")) && !found.whole.contains(&object("a", "b")));
        assert!(found.bare.contains(&object("shop", "makers")) && found.bare.contains(&object("dbo", "makers")));
        assert!(!found.bare.contains(&object("shop", "goods")));
    }
}

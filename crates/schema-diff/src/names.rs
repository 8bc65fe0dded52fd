use std::collections::{HashMap, HashSet};

use schema_model::ObjectName;

use crate::pairing::At;
use crate::tokens::{Token, tokens, without_aliases};

/// What things of before are called now.
#[derive(Default)]
pub(crate) struct Names {
    namespaces: HashMap<String, String>,
    objects: HashMap<ObjectName, ObjectName>,
    columns: HashMap<ObjectName, HashMap<String, String>>,
    /// All of them by themselves, for expressions: an old name with what it may have become.
    words: HashMap<String, HashSet<String>>,
}

impl Names {
    pub(crate) fn namespace_is(&mut self, before: &str, after: &str) {
        if before != after {
            self.namespaces.insert(before.to_owned(), after.to_owned());
            self.word(before, after);
        }
    }

    pub(crate) fn object_is(&mut self, before: &ObjectName, after: &ObjectName) {
        if before != after {
            self.objects.insert(before.clone(), after.clone());
            self.word(&before.name, &after.name);
            self.word(&before.namespace, &after.namespace);
            self.word(&before.to_string(), &after.to_string());
        }
    }

    pub(crate) fn column_is(&mut self, relation: &ObjectName, before: &str, after: &str) {
        if before != after {
            self.columns.entry(relation.clone()).or_default().insert(before.to_owned(), after.to_owned());
            self.word(before, after);
        }
    }

    fn word(&mut self, before: &str, after: &str) {
        if before != after {
            self.words.entry(before.to_owned()).or_default().insert(after.to_owned());
        }
    }

    pub(crate) fn namespace<'n>(&'n self, before: &'n str) -> &'n str {
        self.namespaces.get(before).map_or(before, String::as_str)
    }

    /// The name now of a relation, a type or another object.
    pub(crate) fn object(&self, before: &ObjectName) -> ObjectName {
        let elsewhere = || ObjectName::new(self.namespace(&before.namespace), &before.name);
        self.objects.get(before).cloned().unwrap_or_else(elsewhere)
    }

    /// The name now of a column of the relation that was called so before.
    pub(crate) fn column<'n>(&'n self, relation: &ObjectName, before: &'n str) -> &'n str {
        self.columns.get(relation).and_then(|columns| columns.get(before)).map_or(before, String::as_str)
    }

    pub(crate) fn columns(&self, relation: &ObjectName, before: &[String]) -> Vec<String> {
        before.iter().map(|column| self.column(relation, column).to_owned()).collect()
    }

    /// Whether an expression says the same: only names in it have changed, as those of objects did.
    pub(crate) fn same_text(&self, before: &str, after: &str) -> bool {
        if before == after {
            return true;
        }
        if self.words.is_empty() {
            return false;
        }
        let same = |before: &[Token], after: &[Token]| {
            before.len() == after.len()
                && before.iter().zip(after).all(|(before, after)| self.same_token(before, after))
        };
        let (before, after) = (tokens(before), tokens(after));
        // A view goes on calling a column what it has always called it: `new AS old`.
        same(&before, &after) || same(&without_aliases(before), &without_aliases(after))
    }

    /// An expression with the names of now, as a key to find its like by: each piece apart, and quotes gone.
    pub(crate) fn rewritten(&self, at: At, text: &str) -> String {
        let now = |old: String| match self.words.get(&old) {
            Some(names) if at == At::Before && names.len() == 1 => names.iter().next().cloned().unwrap_or(old),
            _ => old,
        };
        let piece = |token: &Token| match token {
            Token::Word(word) => now(word.clone()),
            Token::Literal(text) => format!("'{text}'"),
            Token::Other(other) => other.to_string(),
        };
        let all = tokens(text);
        let (mut rest, mut pieces) = (all.as_slice(), Vec::with_capacity(all.len()));
        while let [first, further @ ..] = rest {
            // Of a name with its namespace it is known what it has become, whatever else was called so.
            if let [Token::Word(namespace), Token::Other('.'), Token::Word(name), behind @ ..] = rest
                && at == At::Before
                && let Some(object) = self.objects.get(&ObjectName::new(namespace, name))
            {
                pieces.extend([object.namespace.clone(), ".".to_owned(), object.name.clone()]);
                rest = behind;
            } else {
                pieces.push(piece(first));
                rest = further;
            }
        }
        pieces.join(" ")
    }

    /// Whether an expression names one of these, with its namespace.
    pub(crate) fn names_any(text: &str, is_one: impl Fn(&ObjectName) -> bool) -> bool {
        tokens(text).windows(3).any(|three| match three {
            [Token::Word(namespace), Token::Other('.'), Token::Word(name)] => is_one(&ObjectName::new(namespace, name)),
            _ => false,
        })
    }

    fn same_token(&self, before: &Token, after: &Token) -> bool {
        match (before, after) {
            (Token::Word(old), Token::Word(new)) => old == new || self.became(old, new),
            // PostgreSQL names sequences within texts: `nextval('shop.numbers'::regclass)`.
            (Token::Literal(old), Token::Literal(new)) => {
                let unquoted = |text: &str| text.replace('"', "");
                old == new || self.became(&unquoted(old), &unquoted(new))
            }
            _ => before == after,
        }
    }

    fn became(&self, old: &str, new: &str) -> bool {
        self.words.get(old).is_some_and(|names| names.contains(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_renames_and_nothing_else() {
        let mut names = Names::default();
        let books = ObjectName::new("shop", "books");
        assert!(!names.same_text("(price > 0)", "(cost > 0)"));
        names.column_is(&books, "price", "the cost");
        names.object_is(&books, &ObjectName::new("shop", "Volumes"));
        names.object_is(&ObjectName::new("shop", "n"), &ObjectName::new("shop", "m"));
        for (before, after) in [
            ("(price > 0)", "(\"the cost\" > 0)"),
            ("SELECT books.price FROM shop.books", "SELECT \"Volumes\".\"the cost\" AS price FROM shop.\"Volumes\""),
            ("nextval('shop.n'::regclass)", "nextval('shop.m'::regclass)"),
        ] {
            assert!(names.same_text(before, after), "{before} {after}");
        }
        for (before, after) in [
            ("(price > 0)", "(\"the cost\" > 1)"),
            ("(price > 0)", "(other > 0)"),
            ("(price > '0')", "(price > 0)"),
            ("'price'", "'cost'"),
        ] {
            assert!(!names.same_text(before, after), "{before} {after}");
        }
    }
}

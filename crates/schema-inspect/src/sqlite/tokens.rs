//! The words of a statement in SQLite's grammar (<https://www.sqlite.org/lang_keywords.html>, <https://www.sqlite.org/syntax.html>).

/// A word of a statement and where it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// The first byte, and the one after the last.
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a name, in capital letters.
    Word(String),
    /// A name in quotes of any kind, without them.
    Name(String),
    /// A text, without its quotes.
    Text(String),
    /// Any other single character.
    Other(char),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(found) if found == word)
    }

    pub(super) fn is_sign(&self, sign: char) -> bool {
        self.kind == TokenKind::Other(sign)
    }
}

/// All words of `sql` but for spaces and comments. What is not closed reaches to the end.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let start = at;
        let (kind, length) = match first {
            _ if first.is_ascii_whitespace() => (None, first.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            '"' | '`' => {
                let (name, length) = quoted(rest, first);
                (Some(TokenKind::Name(name)), length)
            }
            '[' => {
                let end = rest.find(']');
                let name = rest[1..end.unwrap_or(rest.len())].to_owned();
                (Some(TokenKind::Name(name)), end.map_or(rest.len(), |end| end + 1))
            }
            '\'' => {
                let (text, length) = quoted(rest, '\'');
                (Some(TokenKind::Text(text)), length)
            }
            _ if is_of_word(first) => {
                let length = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
                (Some(TokenKind::Word(rest[..length].to_ascii_uppercase())), length)
            }
            other => (Some(TokenKind::Other(other)), other.len_utf8()),
        };
        at += length;
        found.extend(kind.map(|kind| Token { kind, start, end: at }));
    }
    found
}

/// Letters, digits, `_`, `$` and everything beyond ASCII.
fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

/// What stands in quotes, where two of them stand for one, and how long it is with them.
fn quoted(text: &str, quote: char) -> (String, usize) {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            inner.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            inner.push(quote);
        } else {
            return (inner, at + 1);
        }
    }
    (inner, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_hide_what_is_in_them() {
        let sql = "create \"a\"\"b,(\" /* , ( */ [c d] `e``f` 'it''s, (' -- , (\n, größe (1)";
        let kinds: Vec<TokenKind> = tokens(sql).into_iter().map(|token| token.kind).collect();
        let (word, name) =
            (|word: &str| TokenKind::Word(word.to_owned()), |name: &str| TokenKind::Name(name.to_owned()));
        assert_eq!(
            kinds,
            [
                word("CREATE"),
                name("a\"b,("),
                name("c d"),
                name("e`f"),
                TokenKind::Text("it's, (".to_owned()),
                TokenKind::Other(','),
                word("GRößE"),
                TokenKind::Other('('),
                word("1"),
                TokenKind::Other(')'),
            ]
        );
    }

    #[test]
    fn a_comment_does_not_end_with_the_star_that_it_begins_with() {
        assert!(tokens("/*/ a */").is_empty());
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for text in ["\"a", "'a", "[a", "/* a", "-- a", "`", "a\"", ""] {
            let found = tokens(text);
            assert!(found.iter().all(|token| token.end <= text.len()), "{text}");
        }
    }
}

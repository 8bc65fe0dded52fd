//! What a text of T-SQL consists of.

/// A part of a text that is no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A word or a number: `SELECT`, `@count`, `#rows`, `12`.
    Word(&'a str),
    /// What is in brackets or in double quotes, as it is written there, and what ends it.
    Quoted(&'a str, char),
    /// What is in single quotes.
    Text,
    /// Anything else.
    Sign(char),
}

impl Token<'_> {
    /// Whether it is one of the words.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word(word) if words.iter().any(|one| word.eq_ignore_ascii_case(one)))
    }

    /// The name that it stands for, where it is one.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some((*word).to_owned()),
            Self::Quoted(inner, end) => Some(inner.replace(&format!("{end}{end}"), &end.to_string())),
            Self::Text | Self::Sign(_) => None,
        }
    }
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A text whose quotes and comments all end.
#[derive(Debug, Default)]
pub(super) struct Tokens<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) has_comments: bool,
    /// Whether a line in single quotes ends with a backslash: the server takes that away, and the end of the line with it.
    pub(super) is_continued: bool,
}

/// Reads a text; `None` where it ends in quotes or in a comment, or where it is not certain which line ends a comment.
pub(super) fn read(text: &str) -> Option<Tokens<'_>> {
    let mut found = Tokens::default();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("--") {
            found.has_comments = true;
            let line = rest.split('\n').next().unwrap_or_default();
            // Servers and clients need not agree about these.
            if line.trim_end_matches('\r').contains(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
                return None;
            }
            at += line.len();
            continue;
        }
        if rest.starts_with("/*") {
            found.has_comments = true;
            at += comment(rest)?;
            continue;
        }
        let end = match first {
            '\'' => Some('\''),
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let (token, length) = match end {
            Some(end) => {
                let length = quotes(rest, end)?;
                let inner = &rest[1..length - 1];
                if end == '\'' {
                    found.is_continued |= inner.contains("\\\n") || inner.contains("\\\r");
                    (Token::Text, length)
                } else {
                    (Token::Quoted(inner, end), length)
                }
            }
            None if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            None => {
                let is_of_word = |one: char| one.is_alphanumeric() || matches!(one, '_' | '@' | '#' | '$');
                match rest.find(|one| !is_of_word(one)).unwrap_or(rest.len()) {
                    0 => (Token::Sign(first), first.len_utf8()),
                    length => (Token::Word(&rest[..length]), length),
                }
            }
        };
        found.pieces.push(Piece { token, start: at, end: at + length });
        at += length;
    }
    Some(found)
}

/// How long the comment is that a text begins with. Comments may be in comments.
fn comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let next = at + text[at..].find(['/', '*'])?;
        (depth, at) = match text.get(next..next + 2) {
            Some("/*") => (depth + 1, next + 2),
            Some("*/") if depth == 1 => return Some(next + 2),
            Some("*/") => (depth.saturating_sub(1), next + 2),
            _ => (depth, next + 1),
        };
    }
}

/// How long what is in quotes is, with them. Two that end it are one in it.
fn quotes(text: &str, end: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(end)? + 1;
        if !text[at..].starts_with(end) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_a_server_reads_it() {
        let text = "SELECT [a]]b] /* x /* y */ ' */ , N'it''s' -- ]\n FROM \"c\"\"d\".#e";
        let found = read(text).expect("it ends");
        let tokens: Vec<Token<'_>> = found.pieces.iter().map(|piece| piece.token).collect();
        let word = Token::Word;
        assert_eq!(
            tokens,
            [
                word("SELECT"),
                Token::Quoted("a]]b", ']'),
                Token::Sign(','),
                word("N"),
                Token::Text,
                word("FROM"),
                Token::Quoted("c\"\"d", '"'),
                Token::Sign('.'),
                word("#e")
            ]
        );
        assert_eq!((tokens[1].name().as_deref(), tokens[6].name().as_deref()), (Some("a]b"), Some("c\"d")));
        assert!(found.has_comments && !found.is_continued);
        assert!(read("'a\\\nb'").expect("it ends").is_continued && !read("'a\\b\nc'").expect("it ends").is_continued);
    }

    #[test]
    fn what_is_not_closed_is_not_read() {
        for text in ["'a", "[a", "[a]]", "\"a", "/* a", "/* /* a */", "/*/", "'a''", "-- a\rb", "-- a\u{2028}b"] {
            assert!(read(text).is_none(), "{text}");
        }
        for text in
            ["", "-- a", "-- '\r\n1", "/**/", "/* '/* \" */ [ */", "[']", "'['", "'--'", "a / b * c", "[a'b\"c]"]
        {
            assert!(read(text).is_some(), "{text}");
        }
    }
}

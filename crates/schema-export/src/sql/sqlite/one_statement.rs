//! Whether a text that a file of SQLite keeps is one statement. SQLite itself reads the first of it and no further, so that whatever
//! somebody has written behind would be carried out where the script is.

/// What a statement of a trigger begins with.
const WITHIN: [&str; 7] = ["SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"];

/// What has to stand behind the text to end it, where it is one statement.
pub(super) fn end_of(text: &str) -> Option<&'static str> {
    let mut tokens = Tokens { rest: text, end: Some(";\n") };
    let found: Vec<Token<'_>> = tokens.by_ref().collect();
    let is_one = if is_trigger(&found) { is_one_trigger(&found) } else { !found.contains(&Token::Semicolon) };
    tokens.end.filter(|_| is_one)
}

fn is_trigger(tokens: &[Token<'_>]) -> bool {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is(words));
    is(0, &["CREATE"]) && (is(1, &["TRIGGER"]) || is(1, &["TEMP", "TEMPORARY"]) && is(2, &["TRIGGER"]))
}

/// What follows each of its semicolons is a statement that a trigger may have, or its end, and nothing follows that.
fn is_one_trigger(tokens: &[Token<'_>]) -> bool {
    let mut parts = tokens.split(|token| *token == Token::Semicolon);
    let begins =
        parts.next().is_some_and(|head| head.windows(2).any(|pair| pair[0].is(&["BEGIN"]) && pair[1].is(&WITHIN)));
    let parts: Vec<&[Token<'_>]> = parts.collect();
    let Some(([Token::Word(end)], within)) = parts.split_last().map(|(last, within)| (*last, within)) else {
        return false;
    };
    let are_allowed = |part: &&[Token<'_>]| part.first().is_some_and(|first| first.is(&WITHIN));
    begins && end.eq_ignore_ascii_case("END") && within.iter().all(are_allowed)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Semicolon,
    /// What is in quotes, or a sign.
    Other,
}

impl Token<'_> {
    fn is(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word(word) if words.iter().any(|one| word.eq_ignore_ascii_case(one)))
    }
}

/// What a text consists of, comments left out.
struct Tokens<'a> {
    rest: &'a str,
    /// What ends the text where it stops; nothing can where it stops in quotes.
    end: Option<&'static str>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest;
            let first = rest.chars().next()?;
            let behind = |from: usize, end: &str| rest[from..].find(end).map(|at| from + at + end.len());
            let quotes = match first {
                '\'' => Some("'"),
                '"' => Some("\""),
                '`' => Some("`"),
                '[' => Some("]"),
                _ => None,
            };
            if let Some(quotes) = quotes {
                let Some(end) = behind(1, quotes) else {
                    (self.rest, self.end) = ("", None);
                    return Some(Token::Other);
                };
                self.rest = &rest[end..];
                return Some(Token::Other);
            }
            let comment = if rest.starts_with("--") {
                Some((behind(2, "\n"), "\n;\n"))
            } else if rest.starts_with("/*") {
                Some((behind(2, "*/"), " */;\n"))
            } else {
                None
            };
            match comment {
                Some((Some(end), _)) => self.rest = &rest[end..],
                Some((None, end)) => (self.rest, self.end) = ("", Some(end)),
                None if first.is_ascii_whitespace() => self.rest = &rest[1..],
                // There the text is at its end, for SQLite.
                None if first == '\0' => {
                    (self.rest, self.end) = ("", None);
                    return Some(Token::Other);
                }
                None => {
                    let is_of_word = |character: char| {
                        character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
                    };
                    let length = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
                    let (token, length) = match first {
                        ';' => (Token::Semicolon, 1),
                        _ if length == 0 => (Token::Other, 1),
                        _ => (Token::Word(&rest[..length]), length),
                    };
                    self.rest = &rest[length..];
                    return Some(token);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_that_is_not_closed_ends_with_its_statement() {
        for (text, end) in [
            ("CREATE VIEW a AS SELECT 1 AS x /* not closed", " */;\n"),
            ("CREATE VIEW b AS SELECT 1 AS x -- to the end of the line", "\n;\n"),
            ("CREATE VIEW c AS SELECT 1 AS x /* closed */ \n", ";\n"),
            ("CREATE VIEW d AS SELECT 1 AS \"--\"", ";\n"),
        ] {
            assert_eq!(end_of(text), Some(end), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_comment_in_quotes_is_none() {
        for closed in [
            "'/*'",
            "\"/*\"",
            "`/*`",
            "[/*]",
            "-- '\n/* ' */",
            "'it''s /*'",
            "[it's] '/*'",
            "/**/",
            "a / b * c",
            "'a\n--'",
        ] {
            assert_eq!(end_of(closed), Some(";\n"), "{closed}");
        }
        for open in ["/*", "/*/", "'a' /* '", "-- '\n/* '", "[it's] /* ]", "/* a */ /* b", "\"\"\"\"/*"] {
            assert_eq!(end_of(open), Some(" */;\n"), "{open}");
        }
        for line in ["-- /*", "a -- '", "a --;"] {
            assert_eq!(end_of(line), Some("\n;\n"), "{line}");
        }
    }

    #[test]
    fn a_table_or_view_with_another_statement_behind_it_is_not_one() {
        for text in [
            "CREATE TABLE a(b)",
            "CREATE TABLE a(b DEFAULT ';', \";\", `;`, [;])",
            "CREATE VIEW a AS SELECT 1 /* ; */ -- ;",
        ] {
            assert!(end_of(text).is_some(), "{text}");
        }
        for text in [
            "CREATE TABLE a(b); DROP TABLE victim; --",
            "CREATE TABLE a(b); '",
            "CREATE TABLE a(b) '",
            "CREATE TABLE a(b)\0",
            "CREATE TABLE trigger(b); SELECT 1; END",
            "CREATE VIEW a AS SELECT ''';'''; DROP TABLE victim",
            "CREATE VIEW a AS SELECT 1;",
        ] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_trigger_ends_with_its_end() {
        for text in [
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END",
            "create temp trigger t after insert on a begin delete from a; insert into a values (';'); end -- of it",
            "CREATE TRIGGER \"BEGIN\" AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; END",
        ] {
            assert!(end_of(text).is_some(), "{text}");
        }
        for text in [
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END; DROP TABLE victim",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END SELECT 1; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; DROP TABLE victim; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; ; END",
            "CREATE TRIGGER begin; DROP TABLE victim; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;",
            "CREATE TRIGGER t AFTER INSERT ON a",
        ] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }
}

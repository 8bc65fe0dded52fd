//! Whether the text of a module is one statement that makes it. The server takes a view, a function, a procedure or a trigger as the only
//! statement of its batch, and whatever stands behind the beginning of a procedure or a trigger as its body, up to the end of the batch.

use schema_model::ObjectName;

use super::expressions::begins_statement;
use super::names::qualified;
use super::tokens::{self, Piece, Token};

/// What a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    View,
    Function,
    Procedure,
    /// On this table or view.
    Trigger(&'a ObjectName),
}

impl Kind<'_> {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::View => &["VIEW"],
            Self::Function => &["FUNCTION"],
            Self::Procedure => &["PROCEDURE", "PROC"],
            Self::Trigger(_) => &["TRIGGER"],
        }
    }
}

const UNKNOWN: &str = "its text is not one statement that makes it";

/// The statement that makes the module under its name. The server keeps the text that somebody wrote: it may have no namespace, for that
/// of whoever wrote it, and has the old name of what has been renamed since. Then its beginning is another one.
pub(super) fn written(text: &str, kind: Kind<'_>, name: &ObjectName) -> Result<String, &'static str> {
    let found = tokens::read(text).ok_or("a quote or a comment in it does not end")?;
    let mut rest = Rest(&found.pieces);
    let start = rest.word(&["CREATE"]).ok_or(UNKNOWN)?.start;
    let replaces = rest.word(&["OR"]).is_some();
    if replaces {
        rest.word(&["ALTER"]).ok_or(UNKNOWN)?;
    }
    rest.word(kind.words()).ok_or(UNKNOWN)?;
    let (is_named, mut end) = rest.object(name).ok_or(UNKNOWN)?;
    let mut is_same = is_named && !replaces;
    let mut head = format!("CREATE {} {}", kind.words()[0], qualified(name));
    if let Kind::Trigger(on) = kind {
        rest.word(&["ON"]).ok_or(UNKNOWN)?;
        let (is_on, end_of_table) = rest.object(on).ok_or(UNKNOWN)?;
        is_same &= is_on;
        end = end_of_table;
        head = format!("{head} ON {}", qualified(on));
    }
    let is_one = match kind {
        Kind::View => is_query(rest.0),
        Kind::Function => is_function(rest.0),
        Kind::Procedure | Kind::Trigger(_) => has_body(rest.0),
    };
    if !is_one {
        return Err(UNKNOWN);
    }
    Ok(if is_same { text.to_owned() } else { format!("{}{head}{}", &text[..start], &text[end..]) })
}

/// What has not been looked at.
struct Rest<'a>(&'a [Piece<'a>]);

impl<'a> Rest<'a> {
    fn word(&mut self, words: &[&str]) -> Option<Piece<'a>> {
        let (first, rest) = self.0.split_first()?;
        first.token.is(words).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// Whether the next is the whole name of this object, and where it ends; `None` where it is no name.
    fn object(&mut self, object: &ObjectName) -> Option<(bool, usize)> {
        let (first, rest) = self.0.split_first()?;
        let name = first.token.name()?;
        if let [dot, second, rest @ ..] = rest
            && dot.token == Token::Sign('.')
        {
            self.0 = rest;
            return Some((ObjectName::new(name, second.token.name()?) == *object, second.end));
        }
        self.0 = rest;
        Some((false, first.end))
    }
}

/// Without the semicolons at the end.
fn trimmed<'a, 'b>(mut pieces: &'b [Piece<'a>]) -> &'b [Piece<'a>] {
    while let [before @ .., last] = pieces
        && last.token == Token::Sign(';')
    {
        pieces = before;
    }
    pieces
}

/// Whether it is what stands behind the name of a view, or of a function that is a query.
fn is_query(pieces: &[Piece<'_>]) -> bool {
    let pieces = trimmed(pieces);
    let goes_on = |piece: &Piece<'_>| piece.token == Token::Sign(';') || begins_statement(&piece.token);
    !pieces.is_empty() && !pieces.iter().any(goes_on)
}

/// A function is a query, or ends with the end of its block.
fn is_function(pieces: &[Piece<'_>]) -> bool {
    let Some(begin) = pieces.iter().position(|piece| piece.token.is(&["BEGIN"])) else { return is_query(pieces) };
    let (head, block) = pieces.split_at(begin);
    has_no_statement(head, &[]) && ends_with_block(trimmed(block))
}

fn ends_with_block(pieces: &[Piece<'_>]) -> bool {
    let mut depth = 0_usize;
    for (place, piece) in pieces.iter().enumerate() {
        if piece.token.is(&["BEGIN", "CASE"]) {
            depth += 1;
        } else if piece.token.is(&["END"]) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return place + 1 == pieces.len();
        }
    }
    false
}

/// Whether `AS` and something behind it end the text, and nothing begins in front of that.
fn has_body(pieces: &[Piece<'_>]) -> bool {
    let Some(at) = pieces.iter().position(|piece| piece.token.is(&["AS"])) else { return false };
    let (head, body) = pieces.split_at(at);
    // A procedure may have a number, `p;2`.
    let head = match head {
        [semicolon, number, rest @ ..] if semicolon.token == Token::Sign(';') && is_number(number) => rest,
        head => head,
    };
    has_no_statement(head, &["INSERT", "UPDATE", "DELETE"]) && !trimmed(&body[1..]).is_empty()
}

fn is_number(piece: &Piece<'_>) -> bool {
    matches!(piece.token, Token::Word(word) if word.chars().all(|one| one.is_ascii_digit()))
}

/// Whether nothing in it begins a statement, these words and those of `EXECUTE AS` apart.
fn has_no_statement(pieces: &[Piece<'_>], but: &[&str]) -> bool {
    pieces.iter().enumerate().all(|(place, piece)| {
        let is_followed_by_as = pieces.get(place + 1).is_none_or(|next| next.token.is(&["AS"]));
        let is_allowed = piece.token.is(but) || (piece.token.is(&["EXEC", "EXECUTE"]) && is_followed_by_as);
        piece.token != Token::Sign(';') && (is_allowed || !begins_statement(&piece.token))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ObjectName {
        ObjectName::new("shop", "goods]s")
    }

    #[track_caller]
    fn check(text: &str, kind: Kind<'_>, expected: Option<&str>) {
        assert_eq!(written(text, kind, &name()).ok().as_deref(), expected, "{text}");
    }

    #[test]
    fn a_text_under_its_whole_name_stays_as_it_is() {
        let table = ObjectName::new("shop", "t");
        for (text, kind) in [
            ("CREATE VIEW shop.[goods]]s] AS SELECT 1 AS a;", Kind::View),
            ("-- Why.\n/* DROP */ create view [shop].\"goods]s\" WITH SCHEMABINDING AS SELECT 1 AS a", Kind::View),
            ("CREATE VIEW shop.[goods]]s] AS SELECT ';' AS [drop] WITH CHECK OPTION", Kind::View),
            ("CREATE FUNCTION shop.[goods]]s] (@n int = 2) RETURNS TABLE AS RETURN (SELECT 1 AS a)", Kind::Function),
            (
                "CREATE FUNCTION shop.[goods]]s] () RETURNS int WITH EXECUTE AS OWNER AS BEGIN DECLARE @a int; SET @a = CASE 1 WHEN 1 THEN 2 END IF @a = 2 BEGIN RETURN 1 END RETURN @a END;",
                Kind::Function,
            ),
            ("CREATE PROC shop.[goods]]s];1 @a int, @b AS int OUTPUT AS DROP TABLE a; DROP TABLE b", Kind::Procedure),
            ("CREATE PROCEDURE shop.[goods]]s] WITH EXECUTE AS OWNER AS BEGIN SELECT 1 END", Kind::Procedure),
            (
                "CREATE TRIGGER shop.[goods]]s] ON shop.t WITH EXECUTE AS 'ann' INSTEAD OF INSERT, UPDATE, DELETE AS DELETE shop.t",
                Kind::Trigger(&table),
            ),
        ] {
            check(text, kind, Some(text));
        }
    }

    #[test]
    fn under_another_name_it_gets_its_own() {
        let made = "/* a */ CREATE VIEW [shop].[goods]]s](a) AS SELECT 1";
        for text in [
            "/* a */ CREATE VIEW goods(a) AS SELECT 1",
            "/* a */ CREATE OR ALTER VIEW shop.[goods]]s](a) AS SELECT 1",
            "/* a */ create -- b\n view [other].goods(a) AS SELECT 1",
        ] {
            check(text, Kind::View, Some(made));
        }
        let table = ObjectName::new("shop", "t");
        let made = "CREATE TRIGGER [shop].[goods]]s] ON [shop].[t] FOR DELETE AS RETURN";
        for text in [
            "CREATE TRIGGER shop.[goods]]s] ON t FOR DELETE AS RETURN",
            "CREATE TRIGGER [goods]]s] ON shop.old FOR DELETE AS RETURN",
        ] {
            check(text, Kind::Trigger(&table), Some(made));
        }
        check("CREATE PROC p AS SELECT 1", Kind::Procedure, Some("CREATE PROCEDURE [shop].[goods]]s] AS SELECT 1"));
    }

    #[test]
    fn what_is_not_one_statement_is_not_written() {
        for text in [
            "",
            "DROP TABLE victim",
            "DROP TABLE victim CREATE VIEW a.b AS SELECT 1",
            "; CREATE VIEW a.b AS SELECT 1",
            "CREATE VIEW a.b",
            "CREATE VIEW 'a' AS SELECT 1",
            "CREATE TABLE a.b (c int)",
            "CREATE VIEW a.b AS SELECT 1 AS c; DROP TABLE victim",
            "CREATE VIEW a.b AS SELECT 1 AS c DROP TABLE victim",
            "CREATE VIEW a.b AS SELECT 1 AS c EXEC ('DROP TABLE victim')",
            "CREATE VIEW a.b AS SELECT 1 AS c; SELECT 2",
            "CREATE VIEW a.b AS SELECT 1 AS c /* not closed",
            "CREATE PROCEDURE a.b AS SELECT 1",
            "ALTER VIEW a.b AS SELECT 1",
        ] {
            check(text, Kind::View, None);
        }
        for text in [
            "CREATE FUNCTION a.b () RETURNS int AS BEGIN RETURN 1 END DROP TABLE victim",
            "CREATE FUNCTION a.b () RETURNS int AS BEGIN RETURN 1 END; DROP TABLE victim",
            "CREATE FUNCTION a.b () RETURNS int AS BEGIN RETURN 1 END SELECT 1 END",
            "CREATE FUNCTION a.b () RETURNS int AS BEGIN RETURN CASE WHEN 1 = 1 THEN 1 END",
            "CREATE FUNCTION a.b () DROP TABLE victim; BEGIN RETURN 1 END",
            "CREATE FUNCTION a.b () EXEC ('DROP TABLE victim') BEGIN RETURN 1 END",
            "CREATE FUNCTION a.b () RETURNS TABLE AS RETURN (SELECT 1 AS c) DELETE victim",
        ] {
            check(text, Kind::Function, None);
        }
        for text in [
            "CREATE PROCEDURE a.b; DROP TABLE victim",
            "CREATE PROCEDURE a.b DROP TABLE victim AS SELECT 1",
            "CREATE PROCEDURE a.b AS",
            "CREATE PROCEDURE a.b",
        ] {
            check(text, Kind::Procedure, None);
        }
        let table = ObjectName::new("a", "t");
        for text in ["CREATE TRIGGER a.b FOR DELETE AS RETURN", "CREATE TRIGGER a.b ON t; DROP TABLE victim AS RETURN"]
        {
            check(text, Kind::Trigger(&table), None);
        }
    }
}

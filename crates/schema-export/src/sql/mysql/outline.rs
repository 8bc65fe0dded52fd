//! Whether a text that is told without the quotes in its literals is one statement to whoever reads it.
//!
//! `SELECT 'x''; DROP TABLE t; SELECT ''y'` is told as `SELECT 'x'; DROP TABLE t; SELECT 'y'`. Written so it is three statements, and
//! a server runs the second for whoever runs the script.

use std::iter::{Peekable, from_fn};

/// Whether the text goes on to its end as one statement. `outline` has a `'` where something is in quotes, and no comments. What this
/// does not understand is not one: blocks are counted where nothing else can stand there, and their ends wherever one may be.
pub(super) fn is_one_statement(outline: &str) -> bool {
    // What is for some versions alone, and texts between dollars, may have quotes in them that other versions take for some.
    if outline.contains("/*") || outline.contains('$') {
        return false;
    }
    let mut tokens = tokens(outline).peekable();
    let (mut depth, mut before) = (0_usize, Before::Statement);
    while let Some(token) = tokens.next() {
        let is_name = before == Before::Qualifier && !matches!(token, "." | "@" | ";");
        let word = if is_name { String::new() } else { token.to_ascii_uppercase() };
        before = match word.as_str() {
            ";" if depth == 0 => return tokens.next().is_none(),
            ";" => Before::Statement,
            "." | "@" => Before::Qualifier,
            ":" if before == Before::Label => Before::Statement,
            _ if before == Before::Statement && tokens.peek() == Some(&":") => Before::Label,
            "BEGIN" if before == Before::Statement => {
                depth += 1;
                Before::Statement
            }
            "CASE" => {
                depth += 1;
                Before::Other
            }
            "END" if is_of_another_block(&mut tokens) => Before::Other,
            "END" if depth == 0 => return false,
            "END" => {
                depth -= 1;
                Before::Other
            }
            // The block of a handler, and the one in a loop.
            "SQLEXCEPTION" | "SQLWARNING" | "LOOP" => Before::Statement,
            _ => Before::Other,
        };
    }
    true
}

/// What stands in front of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: a statement begins with it.
    Statement,
    /// The beginning of a statement, and it is its label.
    Label,
    /// A dot or an `@`: it is a name, whatever it looks like.
    Qualifier,
    Other,
}

/// Whether an `END` is that of a block without a `BEGIN`. That of a `CASE` ends what has been counted.
fn is_of_another_block<'a>(tokens: &mut Peekable<impl Iterator<Item = &'a str>>) -> bool {
    let next = tokens.peek().map(|next| next.to_ascii_uppercase());
    let is_other = matches!(next.as_deref(), Some("IF" | "LOOP" | "WHILE" | "REPEAT"));
    if is_other || next.as_deref() == Some("CASE") {
        tokens.next();
    }
    is_other
}

/// Words, and every other sign by itself, as MySQL tells them apart: every character beyond ASCII is a letter.
fn tokens(outline: &str) -> impl Iterator<Item = &str> {
    let mut rest = outline;
    from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let first = rest.chars().next()?;
        let is_letter = |one: char| one.is_ascii_alphanumeric() || one == '_' || !one.is_ascii();
        let length =
            if is_letter(first) { rest.find(|one| !is_letter(one)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, behind) = rest.split_at(length);
        rest = behind;
        Some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_one_statement() {
        for one in [
            "SELECT 1",
            "SELECT 1 ;",
            "BEGIN SELECT '; SELECT 2; END",
            "outer_one: BEGIN inner_one: BEGIN SELECT 1; END inner_one; SELECT '; END outer_one",
            "': BEGIN SELECT 1; END",
            "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; SELECT 1; END",
            "BEGIN IF a THEN SELECT 1; ELSEIF b THEN SELECT 2; END IF; SELECT 3; END",
            "begin while a do set a = 0; end while; repeat set a = 1; until a end repeat; end",
            "BEGIN l: LOOP LEAVE l; END LOOP l; SELECT CASE a WHEN 1 THEN 2 END; CASE a WHEN 1 THEN SELECT 2; END CASE; END",
        ] {
            assert!(is_one_statement(one), "{one}");
        }
    }

    #[test]
    fn what_a_server_may_read_as_several_is_not_one() {
        for several in [
            "SELECT '; DROP TABLE t; SELECT '",
            "BEGIN SELECT '; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT t.case; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT t . case; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT @case; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT 1 AS begin; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT CASE WHEN a THEN begin END; END; DROP TABLE t; SELECT '; END",
            "BEGIN begin: LOOP SELECT 1; END LOOP; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT t.loop begin; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT 1; /*!99999 BEGIN */ SELECT '; END; DROP TABLE t; END",
            "IF a THEN SELECT 1; END IF; DROP TABLE t",
            "END; DROP TABLE t",
            "SELECT 1 END",
            "BEGIN SELECT @@case; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT case\u{2003}; END; DROP TABLE t; SELECT '; END",
            "BEGIN SELECT 1;\u{2003}BEGIN SELECT 1; END; DROP TABLE t; SELECT '; END",
            "SELECT /*!99999 '",
            "SELECT $$ '",
        ] {
            assert!(!is_one_statement(several), "{several}");
        }
    }
}

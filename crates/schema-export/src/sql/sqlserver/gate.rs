//! What may be a batch of a script. Whoever runs one has it cut and carried out by a client, `sqlcmd` or SQL Server Management Studio,
//! which looks for its own commands in each line, and in some versions in literals and comments as well.

use super::tokens;
use crate::text::is_unseen;

/// Commands that need no colon in front of them, `ON ERROR` to the client that is written in Go.
const COMMANDS: [&str; 6] = ["GO", "EXIT", "QUIT", "RESET", "ED", "ON ERROR"];

/// Whose words a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Ours, with names and literals of others in them.
    Written,
    /// Those of a module, as they were when somebody made it.
    Kept,
}

/// Why a text is none for a batch.
pub(super) fn refusal(text: &str, words: Words) -> Option<&'static str> {
    if text.split(ends_line).any(is_command) {
        return Some("a line of it would be a command to clients of SQL Server");
    }
    if text.contains("$(") {
        return Some("clients of SQL Server would put a variable into it");
    }
    // The first ends texts for some, the other files.
    if text.contains(['\0', '\u{1a}']) {
        return Some("it has a character that no client passes on");
    }
    match tokens::read(text) {
        None => Some("a quote or a comment in it does not end"),
        Some(found) if found.is_continued && words == Words::Written => {
            Some("the server would take away a backslash at the end of a line")
        }
        Some(_) => None,
    }
}

/// What anybody takes for the end of a line.
fn ends_line(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a line, or what is behind a comment in it, may be taken for a command.
fn is_command(line: &str) -> bool {
    let behind = line.match_indices("*/").map(|(at, end)| &line[at + end.len()..]);
    std::iter::once(line).chain(behind).any(begins_with_command)
}

fn begins_with_command(text: &str) -> bool {
    let text = text.trim_start_matches(|one: char| one.is_whitespace() || is_unseen(one));
    if text.starts_with([':', '!']) {
        return true;
    }
    // As those compare that take `ſ` for an `s`.
    let upper: String = text.chars().take(9).flat_map(char::to_uppercase).collect();
    let is_end = |rest: &str| !rest.starts_with(|one: char| one.is_ascii_alphanumeric() || one == '_');
    COMMANDS.iter().any(|command| upper.strip_prefix(command).is_some_and(is_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_refused: bool) {
        assert_eq!(refusal(text, Words::Kept).is_some(), is_refused, "{text:?}");
    }

    #[test]
    fn a_line_that_a_client_takes_for_a_command_is_none_of_a_batch() {
        for line in [
            "GO",
            "go",
            " \tGo ",
            "GO 5",
            "GO;",
            "GO -- again",
            "GO$x",
            "GOé",
            "\u{feff}GO",
            "\u{a0}GO",
            "\u{200b}GO",
            ":r other.sql",
            ":setvar a b",
            ":!!dir",
            "!!dir",
            "  : connect x",
            "EXIT(SELECT 1)",
            "quit",
            "reset",
            "re\u{17f}et",
            "ex\u{131}t",
            "ed",
            "ON ERROR ignore",
            "on error",
        ] {
            check(line, true);
            for end in ["\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1e}"] {
                check(&format!("SELECT 1{end}{line}{end}SELECT 2"), true);
                check(&format!("SELECT N'a{end}{line}{end}b'"), true);
                check(&format!("SELECT 1 AS [a{end}{line}{end}b]"), true);
                check(&format!("SELECT 1 /* a{end}{line}{end}b */"), true);
            }
            check(&format!("/* a */ {line}"), true);
            check(&format!("SELECT 1 /*\n*/{line}"), true);
        }
        for line in [
            "GOODS",
            "GO_ON",
            "GO2",
            "SELECT GO",
            "EXITS",
            "EDIT",
            "ON ERRORS",
            "ON a = b",
            "-- GO",
            "a : b",
            "[GO]",
            "SELECT '!!'",
        ] {
            check(&format!("SELECT 1 AS x\n{line}"), false);
        }
    }

    #[test]
    fn variables_and_what_does_not_end_are_none_of_a_batch() {
        for text in ["SELECT N'$(a)'", "-- $(", "SELECT [$(a)]", "SELECT N'a\0'", "SELECT N'\u{1a}'", "N'a", "[a", "/*"]
        {
            check(text, true);
        }
        for text in ["SELECT '$'", "SELECT $ (1)", "SELECT $1", "SELECT N'(', N'$'"] {
            check(text, false);
        }
    }

    #[test]
    fn a_backslash_at_the_end_of_a_line_is_taken_away_from_literals() {
        assert!(refusal("EXEC x N'a\\\nb'", Words::Written).is_some());
        assert!(refusal("EXEC x N'a\\\r\nb'", Words::Written).is_some());
        assert!(refusal("EXEC x N'a\\\nb'", Words::Kept).is_none(), "it was written so");
        assert!(refusal("SELECT [a\\\nb], N'\\'", Words::Written).is_none());
    }
}

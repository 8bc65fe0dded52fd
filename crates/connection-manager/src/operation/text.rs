//! A statement's text without the values that were written into it.

use std::iter::Peekable;
use std::str::CharIndices;

/// As much of a text is told.
const MOST: usize = 2_000;

/// Stands for what is not told.
const CUT: &str = " …";

/// The text with a `?` in the place of each literal. It ends where engines disagree about what a literal is (a backslash
/// in a string, a dollar-quoted string, a double quote that one engine takes for a name and another for a string), and at
/// a comment: what cannot be told apart from a value is not told.
pub(super) fn without_values(sql: &str) -> String {
    let mut told = String::with_capacity(sql.len().min(MOST));
    let mut rest = sql.char_indices().peekable();
    let mut in_word = false;
    while let Some((at, character)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        let comment = matches!((character, next), ('-', Some('-')) | ('/', Some('*'))) || character == '#';
        let dollar_quote = character == '$' && !next.is_some_and(|next| next.is_ascii_digit());
        if told.len() >= MOST || comment || dollar_quote || matches!(character, '"' | '\\') {
            told.push_str(CUT);
            return told;
        }
        match character {
            '\'' => {
                if !skip_string(&mut rest) {
                    told.push_str(CUT);
                    return told;
                }
                // `N'…'`, `X'…'` and the like: the letter says only what kind of literal it is.
                told.push('?');
            }
            '0'..='9' if !in_word => {
                skip_number(&sql[at..], &mut rest);
                told.push('?');
            }
            _ => told.push(character),
        }
        // A digit in a name, and a parameter such as `$1` or `@P1`, is no value.
        in_word =
            character.is_alphanumeric() && (in_word || !character.is_numeric()) || matches!(character, '_' | '$' | '@');
    }
    told
}

/// Goes past a string whose first quote is behind; false when its end cannot be told.
fn skip_string(rest: &mut Peekable<CharIndices<'_>>) -> bool {
    while let Some((_, character)) = rest.next() {
        match character {
            '\\' => return false,
            '\'' if rest.next_if(|(_, next)| *next == '\'').is_none() => return true,
            _ => {}
        }
    }
    false
}

/// Goes past a number whose first digit is behind: digits, a point, an exponent, hexadecimal digits.
fn skip_number(number: &str, rest: &mut Peekable<CharIndices<'_>>) {
    let mut before = number.chars().next().unwrap_or_default();
    while let Some((_, character)) = rest.next_if(|(_, next)| {
        next.is_ascii_alphanumeric() || *next == '.' || matches!(before, 'e' | 'E') && matches!(next, '+' | '-')
    }) {
        before = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(without_values(sql), expected);
    }

    #[test]
    fn parameters_and_names_stay_and_literals_go() {
        check(
            "SELECT a1, b FROM t2 WHERE c = $1 AND d = ? AND e = @P1",
            "SELECT a1, b FROM t2 WHERE c = $1 AND d = ? AND e = @P1",
        );
        check("SELECT 'it''s', N'x', 12, 0x1F, 1.5e-3, -7", "SELECT ?, N?, ?, ?, ?, -?");
        check("INSERT INTO t VALUES (1,'a',2)", "INSERT INTO t VALUES (?,?,?)");
        check("SELECT `a` FROM [b c]", "SELECT `a` FROM [b c]");
    }

    #[test]
    fn a_text_ends_where_a_value_could_be_taken_for_something_else() {
        for (sql, told) in [
            (r"SELECT 'a\' OR secret'", "SELECT  …"),
            ("SELECT $tag$secret$tag$", "SELECT  …"),
            ("SELECT \"secret\"", "SELECT  …"),
            ("SELECT 1 -- secret", "SELECT ?  …"),
            ("SELECT 1 /* secret */", "SELECT ?  …"),
            ("SELECT 'secret", "SELECT  …"),
        ] {
            check(sql, told);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let told = without_values(&"a".repeat(10 * MOST));
        assert!(told.len() <= MOST + CUT.len() && told.ends_with(CUT));
    }
}

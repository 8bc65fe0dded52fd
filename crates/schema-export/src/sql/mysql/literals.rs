//! What both products do to literals on the way of a program's text into `information_schema`, undone as far as it can be.
//!
//! MySQL tells the value of a literal where the literal stood, and does so with names: `'it''s \\'` is told as `'it's \'`. MariaDB doubles quotes again and
//! writes control characters with a backslash, but a backslash as it is.

use super::Product;
use super::outline::is_one_statement;

/// A text as it was written, and may be written again; `None` where it may have been more than one, or what was one statement would be
/// several.
pub(super) fn written(told: &str, product: Product, sql_mode: &str) -> Option<String> {
    let has = |mode: &str| sql_mode.split(',').any(|one| one == mode);
    let reader = Reader { product, escapes: !has("NO_BACKSLASH_ESCAPES"), names_in_quotes: has("ANSI_QUOTES") };
    reader.read(told)
}

struct Reader {
    product: Product,
    /// Whether a backslash in a literal escapes.
    escapes: bool,
    /// Whether what is in double quotes is a name.
    names_in_quotes: bool,
}

impl Reader {
    fn read(&self, told: &str) -> Option<String> {
        let mut text = String::with_capacity(told.len());
        let (mut outline, mut has_quotes) = (String::with_capacity(told.len()), false);
        let mut rest = told;
        while let Some(first) = rest.chars().next() {
            let is_name = first == '`' || (first == '"' && self.names_in_quotes);
            if is_name || matches!(first, '\'' | '"') {
                let (quoted, behind) = rest.split_at(self.end_of_quoted(rest, first)?);
                if self.product == Product::MySql && is_doubtful(&text, behind, first, is_name) {
                    return None;
                }
                text += &if is_name { quoted.to_owned() } else { self.literal(quoted)? };
                outline.push('\'');
                has_quotes = true;
                rest = behind;
            } else {
                let comment = comment(rest)?;
                let (taken, behind) = rest.split_at(comment.max(first.len_utf8()));
                text += taken;
                outline += if comment > 0 { " " } else { taken };
                rest = behind;
            }
        }
        // Without quotes, and with those of MariaDB, it is what it was.
        let is_told = self.product == Product::MariaDb || !has_quotes || !told.contains(';');
        (is_told || is_one_statement(&outline)).then_some(text)
    }

    /// Where what is in quotes ends. To MariaDB two of them are one in it.
    fn end_of_quoted(&self, text: &str, quote: char) -> Option<usize> {
        let mut end = 1 + text[1..].find(quote)?;
        while self.product == Product::MariaDb && text[end + 1..].starts_with(quote) {
            end = end + 2 + text[end + 2..].find(quote)?;
        }
        Some(end + 1)
    }

    fn literal(&self, told: &str) -> Option<String> {
        if !self.escapes {
            return Some(told.to_owned());
        }
        // MariaDB tells a new line as `\n`, and so it does with a backslash before an `n`.
        let is_twofold = |(at, _): (usize, &str)| told[at + 1..].starts_with(['0', 't', 'n', 'r', 'Z']);
        if self.product == Product::MariaDb && told.match_indices('\\').any(is_twofold) {
            return None;
        }
        Some(told.replace('\\', "\\\\"))
    }
}

/// How long the comment is that the text begins with, 0 without one; `None` where it never ends.
fn comment(text: &str) -> Option<usize> {
    let is_line = text.starts_with('#')
        || text
            .strip_prefix("--")
            .is_some_and(|rest| rest.chars().next().is_none_or(|next| next == ' ' || next.is_ascii_control()));
    if is_line {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    // What is for some versions alone is no comment to others.
    if text.starts_with("/*") && !text.starts_with("/*!") && !text.starts_with("/*M!") {
        return Some(text[2..].find("*/")? + 4);
    }
    Some(0)
}

/// Whether a literal or a name of MySQL's is probably a part of one that had quotes in it: beside it is what stands beside none.
fn is_doubtful(before: &str, behind: &str, quote: char, is_name: bool) -> bool {
    let is_letter = |one: char| one.is_alphanumeric() || matches!(one, '_' | '$');
    let goes_on = behind.starts_with(quote) || behind.starts_with(is_letter);
    if goes_on || is_name {
        return goes_on;
    }
    let word = before.trim_end_matches(is_letter).len();
    // `N'…'`, `x'…'`, `b'…'`, `_utf8mb4'…'`
    let is_introduced = |word: &str| word.starts_with('_') || matches!(word, "" | "N" | "n" | "X" | "x" | "B" | "b");
    let touches = ['\'', '"', '`', '@', '.'];
    !is_introduced(&before[word..]) || behind.starts_with(touches) || behind.trim_start().starts_with([quote, '('])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(product: Product, sql_mode: &str, told: &str, expected: Option<&str>) {
        assert_eq!(written(told, product, sql_mode).as_deref(), expected, "{told}");
    }

    #[test]
    fn values_of_mysql_get_their_backslashes_back() {
        let with_all = r#"SET a = 'b\c', `it's \` = "it's" + _latin1'e' + N'n' /* it's \ */ -- it's \"#;
        check(Product::MySql, "", with_all, Some(&with_all.replace(r"b\c", r"b\\c")));
        check(Product::MySql, "", "BEGIN SET a = 'b'; END", Some("BEGIN SET a = 'b'; END"));
        check(Product::MySql, "NO_BACKSLASH_ESCAPES", r"SET a = '\'", Some(r"SET a = '\'"));
        check(Product::MySql, "ANSI_QUOTES", r#"SET "it's \" = 'a'"#, Some(r#"SET "it's \" = 'a'"#));
    }

    #[test]
    fn values_of_mysql_with_quotes_in_them_are_not_guessed() {
        for told in [
            "SET a = 'it's'",
            "SET a = 'it's and it's'",
            "SET a = concat('x ('', b, '')')",
            "SET a = 'b = '' '' and'",
            "SET a = 'b = ' ' and'",
            "SET a = 'b '(c)' d'",
            "SET a = '''",
            "SET a = \"\"\"\"",
            "SET `a`b` = 1, `c`d` = 2",
            "/* never ends",
            "/*/ never ends",
            "SELECT 'x'; DROP TABLE t; SELECT 'y'",
            "SELECT 1 --\u{2003}; DROP TABLE t; SELECT 'y'",
            "SELECT /*!99999 ' */ 1; DROP TABLE t; SELECT 'y'",
            "SELECT $$ ' $$; DROP TABLE t; SELECT 'y'",
            "BEGIN SELECT `a`; END; DROP TABLE t; SELECT `b`; END",
        ] {
            check(Product::MySql, "", told, None);
        }
    }

    #[test]
    fn values_of_mariadb_get_their_backslashes_back_where_they_are_that() {
        check(Product::MariaDb, "", r"SET a = 'it''s \ b\b'", Some(r"SET a = 'it''s \\ b\\b'"));
        check(Product::MariaDb, "", r"SET a = 'one\ntwo'", None);
        check(Product::MariaDb, "", r"SET `a``b` = 1", Some(r"SET `a``b` = 1"));
        check(Product::MariaDb, "", r"SET `a\n` = 1 -- it's \n", Some(r"SET `a\n` = 1 -- it's \n"));
        check(Product::MariaDb, "NO_BACKSLASH_ESCAPES", r"SET a = '\n'", Some(r"SET a = '\n'"));
    }
}

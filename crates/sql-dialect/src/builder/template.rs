//! `Expr::cust_with_values` and `Expr::cust_with_exprs`: a text with marks for expressions.

use sea_query::{Expr, SqlWriter};

use super::{Builder, put};
use crate::Dialect;

impl Builder {
    /// Fills a template.
    ///
    /// `$1` stands for the first expression, in every dialect. `?` stands for the next one, except for PostgreSQL, where
    /// `?` is an operator of its own. A doubled mark stands for itself. Marks inside quotes are text.
    pub(super) fn template(&self, template: &str, values: &[Expr], sql: &mut impl SqlWriter) {
        let mut rest = template;
        let mut next = 0;
        while let Some(character) = rest.chars().next() {
            let width = match character {
                '\'' | '"' | '`' => quoted(rest, character),
                '[' if self.is(Dialect::SqlServer) => quoted(rest, ']'),
                '$' if rest[1..].starts_with('$') => {
                    put(sql, "$");
                    rest = &rest[2..];
                    continue;
                }
                '$' => {
                    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                    if digits > 0 {
                        self.fill(values, rest[1..=digits].parse::<usize>().ok(), sql);
                        rest = &rest[1 + digits..];
                        continue;
                    }
                    1
                }
                '?' if !self.is(Dialect::Postgres) => {
                    if rest[1..].starts_with('?') {
                        put(sql, "?");
                        rest = &rest[2..];
                    } else {
                        next += 1;
                        self.fill(values, Some(next), sql);
                        rest = &rest[1..];
                    }
                    continue;
                }
                other => other.len_utf8(),
            };
            put(sql, &rest[..width]);
            rest = &rest[width..];
        }
    }

    fn fill(&self, values: &[Expr], number: Option<usize>, sql: &mut impl SqlWriter) {
        match number.and_then(|number| number.checked_sub(1)).and_then(|index| values.get(index)) {
            Some(value) => self.value_expression(value, sql),
            None => self.refuse("a custom expression with a mark that has no value"),
        }
    }
}

/// The width of the quoted piece at the start of `text`; all of it if the quote is not closed.
fn quoted(text: &str, close: char) -> usize {
    text[1..].find(close).map_or(text.len(), |end| end + 2)
}

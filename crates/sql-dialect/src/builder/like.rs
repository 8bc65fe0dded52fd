//! `LIKE`, with the same wildcards everywhere: `%`, `_`, and the escape character if there is one.

use std::borrow::Cow;

use sea_query::{BinOper, Expr, SqlWriter, Value};

use super::expression::parenthesized;
use super::{Builder, operator, put};
use crate::Dialect;

impl Builder {
    /// Writes `left LIKE right`, where `right` may carry an escape character.
    ///
    /// Without one, MySQL and PostgreSQL take a backslash for it and the others do not, so a pattern with a backslash is
    /// refused. Transact-SQL has a third wildcard, `[`, which is escaped here. Its texts have no ESCAPE: what stands
    /// for itself is put in brackets, because Babelfish finds nothing when `%` comes right before an escape character.
    pub(super) fn like(&self, left: &Expr, operator: BinOper, right: &Expr, sql: &mut impl SqlWriter) {
        let (pattern, escape) = match right {
            Expr::Binary(pattern, BinOper::Escape, escape) => match **escape {
                Expr::Constant(Value::Char(Some(character))) | Expr::Value(Value::Char(Some(character))) => {
                    (&**pattern, Some(character))
                }
                _ => return self.refuse("an ESCAPE that is not one character"),
            },
            pattern => (pattern, None),
        };
        if matches!(escape, Some('%' | '_' | '\0')) {
            return self.refuse("a wildcard as the ESCAPE character");
        }
        self.operand(left, operator, sql);
        put(sql, if operator == BinOper::Like { " LIKE " } else { " NOT LIKE " });
        if let Expr::Value(Value::String(Some(text))) | Expr::Constant(Value::String(Some(text))) = pattern {
            match self.pattern(text, escape) {
                Ok(Cow::Borrowed(_)) => self.operand(pattern, operator, sql),
                Ok(Cow::Owned(text)) if matches!(pattern, Expr::Value(_)) => {
                    self.parameter(Value::String(Some(text)), sql);
                }
                Ok(Cow::Owned(text)) => self.text(&text, sql),
                Err(reason) => self.refuse_value(reason),
            }
        } else if self.is(Dialect::SqlServer) {
            if escape.is_some() {
                self.refuse("ESCAPE with a pattern that is not a text value");
            }
            put(sql, "REPLACE(");
            self.value_expression(pattern, sql);
            put(sql, ", N'[', N'[[]')");
        } else {
            parenthesized(!operator::binds_tighter(pattern, operator), sql, |sql| {
                self.value_expression(pattern, sql);
            });
        }
        if let Some(character) = escape
            && !self.is(Dialect::SqlServer)
        {
            put(sql, " ESCAPE ");
            self.text(character.encode_utf8(&mut [0; 4]), sql);
        }
    }

    /// The pattern in the dialect's own terms.
    fn pattern<'a>(&self, text: &'a str, escape: Option<char>) -> Result<Cow<'a, str>, &'static str> {
        let Some(escape) = escape else {
            if text.contains('\\') {
                return Err("a LIKE pattern with a backslash needs an ESCAPE character");
            }
            return Ok(if self.is(Dialect::SqlServer) && text.contains('[') {
                Cow::Owned(text.replace('[', "[[]"))
            } else {
                Cow::Borrowed(text)
            });
        };
        let mut own = String::with_capacity(text.len() + 4);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character == escape {
                let Some(next) = characters.next() else {
                    return Err("a LIKE pattern ends with its ESCAPE character");
                };
                match next {
                    '%' | '_' | '[' if self.is(Dialect::SqlServer) => own.extend(['[', next, ']']),
                    _ if self.is(Dialect::SqlServer) => own.push(next),
                    _ => own.extend([character, next]),
                }
            } else if character == '[' && self.is(Dialect::SqlServer) {
                own.push_str("[[]");
            } else {
                own.push(character);
            }
        }
        Ok(if own == text { Cow::Borrowed(text) } else { Cow::Owned(own) })
    }
}

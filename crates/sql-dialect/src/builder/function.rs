//! Functions, under each dialect's name and with the same meaning.

use sea_query::{BinOper, ColumnRef, Expr, Func, FunctionCall, PostgresQueryBuilder, QueryBuilder, SqlWriter};

use super::expression::parenthesized;
use super::{Builder, identifier, list, put};
use crate::Dialect;

impl Builder {
    pub(super) fn function(&self, call: &FunctionCall, sql: &mut impl SqlWriter) {
        let function = call.get_func();
        let arguments = call.get_args();
        if call.get_filter().is_some() && !self.has_filter() && !(is_aggregate(function) && arguments.len() == 1) {
            return self.refuse("FILTER on this function");
        }
        match function {
            Func::Cast => self.cast(arguments, sql),
            Func::CharLength => self.char_length(arguments, sql),
            Func::Random => put(sql, self.random()),
            Func::Round => self.round(call, sql),
            Func::Coalesce | Func::Greatest | Func::Least if arguments.len() < 2 => match arguments {
                // One value is itself; SQLite would even take MAX of one value for the aggregate.
                [only] => parenthesized(true, sql, |sql| self.value_expression(only, sql)),
                _ => self.refuse("COALESCE, GREATEST or LEAST of nothing"),
            },
            Func::Avg if self.is(Dialect::SqlServer) => {
                // The average of integers would be cut to an integer.
                put(sql, "AVG(");
                self.argument(call, sql, |argument, sql| {
                    put(sql, "1.0 * ");
                    self.operand(argument, BinOper::Mul, sql);
                });
                put(sql, ")");
            }
            Func::Custom(name) => {
                let name = name.to_string();
                if !identifier::is_bare(&name, '.') {
                    self.refuse_identifier(&name, "a function's name is letters and digits");
                }
                self.call(&name, call, sql);
            }
            Func::PgFunction(_) => {
                if self.is(Dialect::Postgres) {
                    PostgresQueryBuilder.prepare_function_name(function, sql);
                    self.call("", call, sql);
                } else {
                    self.refuse("PostgreSQL's own functions");
                }
            }
            _ => match self.function_name(function) {
                Ok(name) => self.call(name, call, sql),
                Err(construct) => self.refuse(construct),
            },
        }
    }

    fn function_name(&self, function: &Func) -> Result<&'static str, &'static str> {
        use Dialect::{MySql, Postgres, SqlServer, Sqlite};
        Ok(match (function, self.dialect) {
            (Func::Sum, _) => "SUM",
            (Func::Avg, _) => "AVG",
            (Func::Abs, _) => "ABS",
            // COUNT of Transact-SQL is a 32-bit integer that overflows.
            (Func::Count, SqlServer) => "COUNT_BIG",
            (Func::Count, _) => "COUNT",
            // ISNULL would cut the second value to the type of the first.
            (Func::IfNull, Postgres | SqlServer) | (Func::Coalesce, _) => "COALESCE",
            (Func::IfNull, MySql | Sqlite) => "IFNULL",
            (Func::Greatest | Func::Least, SqlServer) => return Err("GREATEST and LEAST"),
            (Func::Max, _) | (Func::Greatest, Sqlite) => "MAX",
            (Func::Min, _) | (Func::Least, Sqlite) => "MIN",
            (Func::Greatest, _) => "GREATEST",
            (Func::Least, _) => "LEAST",
            (Func::Lower, _) => "LOWER",
            (Func::Upper, _) => "UPPER",
            (Func::BitAnd | Func::BitOr, Sqlite | SqlServer) => return Err("BIT_AND and BIT_OR"),
            (Func::BitAnd, _) => "BIT_AND",
            (Func::BitOr, _) => "BIT_OR",
            // MySQL has lost it with 9.6.
            (Func::Md5, MySql | Sqlite | SqlServer) => return Err("MD5"),
            (Func::Md5, Postgres) => "MD5",
            _ => return Err("this function"),
        })
    }

    fn has_filter(&self) -> bool {
        matches!(self.dialect, Dialect::Postgres | Dialect::Sqlite)
    }

    fn call(&self, name: &str, call: &FunctionCall, sql: &mut impl SqlWriter) {
        put(sql, name);
        put(sql, "(");
        let distinct = call.get_mods().iter().any(|modifier| modifier.distinct);
        if let [_] = call.get_args() {
            self.argument(call, sql, |argument, sql| self.count_argument(argument, sql));
        } else {
            if distinct {
                self.refuse("DISTINCT over several arguments");
            }
            list(sql, call.get_args(), |argument, sql| self.value_expression(argument, sql));
        }
        put(sql, ")");
        if let Some(filter) = call.get_filter()
            && self.has_filter()
        {
            put(sql, " FILTER (WHERE ");
            self.prepare_condition_where(filter, sql);
            put(sql, ")");
        }
    }

    /// Writes the one argument of an aggregate, with DISTINCT, and with FILTER as CASE where there is no FILTER: an
    /// aggregate passes over NULL.
    fn argument<W: SqlWriter>(&self, call: &FunctionCall, sql: &mut W, write: impl FnOnce(&Expr, &mut W)) {
        let [argument] = call.get_args() else {
            return self.refuse("an aggregate without its argument");
        };
        if call.get_mods().iter().any(|modifier| modifier.distinct) {
            put(sql, "DISTINCT ");
        }
        match call.get_filter() {
            Some(filter) if !self.has_filter() => {
                put(sql, "CASE WHEN ");
                self.prepare_condition_where(filter, sql);
                put(sql, " THEN ");
                if matches!(argument, Expr::Column(ColumnRef::Asterisk(_))) {
                    put(sql, "1");
                } else {
                    write(argument, sql);
                }
                put(sql, " END");
            }
            _ => write(argument, sql),
        }
    }

    fn count_argument(&self, argument: &Expr, sql: &mut impl SqlWriter) {
        if matches!(argument, Expr::Column(ColumnRef::Asterisk(Some(_)))) && !self.is(Dialect::Postgres) {
            self.refuse("a function of a whole row");
        }
        self.value_expression(argument, sql);
    }

    fn cast(&self, arguments: &[Expr], sql: &mut impl SqlWriter) {
        let [Expr::Binary(expr, BinOper::As, name)] = arguments else {
            return self.refuse("CAST without a type");
        };
        put(sql, "CAST(");
        self.value_expression(expr, sql);
        put(sql, " AS ");
        match &**name {
            Expr::Custom(name) => self.cast_type(name, sql),
            Expr::TypeName(name) => self.quoted_type(name, sql),
            _ => self.refuse("CAST without a type"),
        }
        put(sql, ")");
    }

    /// The number of characters, that is, of Unicode scalar values.
    ///
    /// LEN of Transact-SQL leaves trailing blanks out, so one more character is put behind them and taken off again. It
    /// counts UTF-16 code units unless the collation knows supplementary characters, so it is given one that does.
    fn char_length(&self, arguments: &[Expr], sql: &mut impl SqlWriter) {
        let [argument] = arguments else {
            return self.refuse("CHAR_LENGTH without one argument");
        };
        let (open, close) = match self.dialect {
            Dialect::MySql | Dialect::Postgres => ("CHAR_LENGTH(", ")"),
            Dialect::Sqlite => ("LENGTH(", ")"),
            Dialect::SqlServer => {
                ("(LEN((CAST(", " AS NVARCHAR(MAX)) + N'.') COLLATE Latin1_General_100_CI_AS_SC) - 1)")
            }
        };
        put(sql, open);
        self.value_expression(argument, sql);
        put(sql, close);
    }

    /// A number from 0 up to but not including 1, a new one for each row.
    fn random(&self) -> &'static str {
        match self.dialect {
            Dialect::MySql => "RAND()",
            Dialect::Postgres => "RANDOM()",
            // RANDOM() is a 64-bit integer here; 53 bits of it fill a double.
            Dialect::Sqlite => "((RANDOM() & 9007199254740991) / 9007199254740992.0)",
            // RAND() alone is drawn once for the whole statement.
            Dialect::SqlServer => "RAND(CHECKSUM(NEWID()))",
        }
    }

    fn round(&self, call: &FunctionCall, sql: &mut impl SqlWriter) {
        match call.get_args() {
            [value] if self.is(Dialect::SqlServer) => {
                put(sql, "ROUND(");
                self.value_expression(value, sql);
                put(sql, ", 0)");
            }
            _ => self.call("ROUND", call, sql),
        }
    }
}

fn is_aggregate(function: &Func) -> bool {
    matches!(function, Func::Max | Func::Min | Func::Sum | Func::Avg | Func::Count)
}

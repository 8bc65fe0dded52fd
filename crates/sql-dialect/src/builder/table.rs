//! What stands in `FROM`.

use sea_query::{Expr, JoinExpr, JoinOn, JoinType, QueryBuilder, SqlWriter, TableRef, Value, ValueTuple, Values};

use super::{Builder, Place, list, put};
use crate::Dialect;

impl Builder {
    pub(super) fn table(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        match table {
            TableRef::Table(name, alias) => {
                self.table_name(name, sql);
                if let Some(alias) = alias {
                    put(sql, " AS ");
                    self.identifier(alias, sql);
                }
            }
            TableRef::SubQuery(select, alias) => {
                put(sql, "(");
                self.within(Place::Derived, || self.prepare_select_statement(select, sql));
                put(sql, ") AS ");
                self.identifier(alias, sql);
            }
            TableRef::ValuesList(rows, alias) => {
                let rows: Vec<Vec<&Value>> = rows.iter().map(|row| ValueTuple::iter(row).collect()).collect();
                let width = self.width(&rows);
                match self.dialect {
                    // MySQL wants the word ROW before each row, and MariaDB does not know it.
                    Dialect::MySql => {
                        put(sql, "(");
                        self.rows_by_union(&rows, sql);
                        put(sql, ") AS ");
                        self.identifier(alias, sql);
                    }
                    Dialect::Postgres | Dialect::Sqlite => {
                        put(sql, "(");
                        self.rows_by_values(&rows, sql);
                        put(sql, ") AS ");
                        self.identifier(alias, sql);
                    }
                    Dialect::SqlServer => {
                        put(sql, "(");
                        self.rows_by_values(&rows, sql);
                        put(sql, ") AS ");
                        self.identifier(alias, sql);
                        put(sql, " (");
                        list(sql, 1..=width, |number, sql| self.identifier_text(&format!("column{number}"), sql));
                        put(sql, ")");
                    }
                }
            }
            TableRef::FunctionCall(call, alias) => {
                self.refuse_on(&[Dialect::MySql], "a function in FROM");
                self.function(call, sql);
                put(sql, " AS ");
                self.identifier(alias, sql);
            }
            _ => self.refuse("this table reference"),
        }
    }

    /// Writes the table that a statement changes, which is always a name.
    pub(super) fn target(&self, table: &TableRef, aliased: &[Dialect], sql: &mut impl SqlWriter) {
        match table {
            TableRef::Table(_, alias) => {
                if alias.is_some() && !aliased.contains(&self.dialect) {
                    self.refuse("an alias for the table that is changed");
                }
                self.table(table, sql);
            }
            _ => self.refuse("a change of anything but a table"),
        }
    }

    pub(super) fn join(&self, join: &JoinExpr, sql: &mut impl SqlWriter) {
        use Dialect::{MySql, Postgres, SqlServer, Sqlite};
        let word = match join.join {
            JoinType::Join => "JOIN",
            JoinType::CrossJoin => "CROSS JOIN",
            JoinType::InnerJoin => "INNER JOIN",
            JoinType::LeftJoin => "LEFT JOIN",
            JoinType::RightJoin => "RIGHT JOIN",
            JoinType::FullOuterJoin => {
                self.refuse_on(&[MySql], "FULL OUTER JOIN");
                "FULL OUTER JOIN"
            }
            JoinType::StraightJoin => {
                self.refuse_on(&[Postgres, Sqlite, SqlServer], "STRAIGHT_JOIN");
                "STRAIGHT_JOIN"
            }
        };
        if join.lateral {
            // MySQL has it, MariaDB does not.
            self.refuse_on(&[MySql, Sqlite, SqlServer], "LATERAL");
        }
        put(sql, word);
        put(sql, if join.lateral { " LATERAL " } else { " " });
        self.table(&join.table, sql);
        match &join.on {
            None => {}
            Some(JoinOn::Condition(condition)) => self.condition_clause(condition, "ON", sql),
            Some(_) => self.refuse("JOIN … USING"),
        }
    }

    /// Writes the rows of a common table expression.
    pub(super) fn common_table_rows(&self, rows: &[Values], sql: &mut impl SqlWriter) {
        let rows: Vec<Vec<&Value>> = rows.iter().map(|row| row.0.iter().collect()).collect();
        self.width(&rows);
        match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => self.rows_by_values(&rows, sql),
            Dialect::MySql | Dialect::SqlServer => self.rows_by_union(&rows, sql),
        }
    }

    fn width(&self, rows: &[Vec<&Value>]) -> usize {
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            self.refuse("VALUES without rows of one length");
        }
        width
    }

    fn rows_by_values(&self, rows: &[Vec<&Value>], sql: &mut impl SqlWriter) {
        put(sql, "VALUES ");
        list(sql, rows, |row, sql| {
            put(sql, "(");
            list(sql, row, |value, sql| self.parameter((*value).clone(), sql));
            put(sql, ")");
        });
    }

    /// The rows as a union of selects, with the column names that PostgreSQL and SQLite give to `VALUES`.
    fn rows_by_union(&self, rows: &[Vec<&Value>], sql: &mut impl SqlWriter) {
        for (index, row) in rows.iter().enumerate() {
            put(sql, if index == 0 { "SELECT " } else { " UNION ALL SELECT " });
            list(sql, row.iter().enumerate(), |(column, value), sql| {
                self.parameter((*value).clone(), sql);
                if index == 0 {
                    put(sql, " AS ");
                    self.identifier_text(&format!("column{}", column + 1), sql);
                }
            });
        }
    }

    /// Whether a column of a derived table would have no name on SQL Server, which wants one.
    pub(super) fn is_nameless(expr: &Expr, has_alias: bool) -> bool {
        !has_alias && !matches!(expr, Expr::Column(_) | Expr::Custom(_))
    }
}

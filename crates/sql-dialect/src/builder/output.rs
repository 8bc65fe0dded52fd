//! `RETURNING`, and `OUTPUT` of Transact-SQL.

use sea_query::{ColumnName, ColumnRef, DynIden, Expr, QueryBuilder, ReturningClause, SqlWriter, TableName, TableRef};

use super::{Builder, list, put};
use crate::Dialect;

/// The rows that columns in `OUTPUT` belong to.
#[derive(Debug)]
pub(super) struct Output {
    rows: &'static str,
    target: Option<DynIden>,
}

/// The version of the changed rows that `RETURNING` means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows {
    Inserted,
    Deleted,
}

impl Builder {
    /// Checks `RETURNING` before anything is written.
    pub(super) fn check_returning(&self, returning: Option<&ReturningClause>) {
        self.refuse_on(&[Dialect::MySql], "RETURNING");
        let empty = match returning {
            Some(ReturningClause::Columns(columns)) => columns.is_empty(),
            Some(ReturningClause::Exprs(exprs)) => exprs.is_empty(),
            _ => false,
        };
        if empty {
            self.refuse("RETURNING nothing");
        }
    }

    /// Writes `OUTPUT`, which stands in the middle of the statement.
    pub(super) fn output(
        &self,
        returning: Option<&ReturningClause>,
        rows: Rows,
        target: Option<&TableRef>,
        sql: &mut impl SqlWriter,
    ) {
        let Some(returning) = returning else { return };
        if !self.is(Dialect::SqlServer) {
            return;
        }
        let rows = match rows {
            Rows::Inserted => "INSERTED.",
            Rows::Deleted => "DELETED.",
        };
        let target = match target {
            Some(TableRef::Table(TableName(_, name), _)) => Some(name.clone()),
            _ => None,
        };
        put(sql, " OUTPUT ");
        self.output.replace(Some(Output { rows, target }));
        match returning {
            ReturningClause::All => {
                put(sql, rows);
                put(sql, "*");
            }
            ReturningClause::Columns(columns) => list(sql, columns, |column, sql| self.column(column, sql)),
            ReturningClause::Exprs(exprs) => list(sql, exprs, |expr, sql| self.value_expression(expr, sql)),
        }
        self.output.replace(None);
    }

    /// Writes a column inside `OUTPUT`: one of the changed rows.
    pub(super) fn output_column(&self, output: &Output, column: &ColumnRef, sql: &mut impl SqlWriter) {
        let (table, name) = match column {
            ColumnRef::Column(ColumnName(table, name)) => (table.as_ref(), Some(name)),
            ColumnRef::Asterisk(table) => (table.as_ref(), None),
            _ => return self.refuse("this column reference"),
        };
        if let Some(TableName(_, table)) = table
            && output.target.as_ref() != Some(table)
        {
            self.refuse("RETURNING a column of another table");
        }
        put(sql, output.rows);
        match name {
            Some(name) => self.identifier(name, sql),
            None => put(sql, "*"),
        }
    }

    /// Writes `RETURNING`, which stands at the end.
    pub(super) fn returning(&self, returning: Option<&ReturningClause>, sql: &mut impl SqlWriter) {
        let Some(returning) = returning else { return };
        if self.is(Dialect::SqlServer) {
            return;
        }
        put(sql, " RETURNING ");
        match returning {
            ReturningClause::All => put(sql, "*"),
            ReturningClause::Columns(columns) => list(sql, columns, |column, sql| self.column(column, sql)),
            ReturningClause::Exprs(exprs) => list(sql, exprs, |expr: &Expr, sql| self.prepare_expr(expr, sql)),
        }
    }
}

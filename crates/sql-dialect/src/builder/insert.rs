//! `INSERT`.

use std::cell::{Cell, RefCell};

use sea_query::{
    Expr, InsertStatement, OnConflict, QueryBuilder, ReturningClause, SelectStatement, SqlWriter, TableRef, WithClause,
};

use super::output::Rows;
use super::recorder::Recorder;
use super::{Builder, Place, put};
use crate::Dialect;

/// SQL Server takes no more rows in one list of values.
const MOST_ROWS: usize = 1000;

impl Builder {
    pub(super) fn insert(&self, insert: &InsertStatement, sql: &mut impl SqlWriter) {
        let shape = InsertShape::of(insert);
        self.check_insert(&shape);
        if self.failure.borrow().is_none() {
            let walk = InsertWalk { builder: self, target: RefCell::new(None) };
            walk.prepare_insert_statement_common(insert, sql);
        }
    }

    fn check_insert(&self, shape: &InsertShape) {
        use Dialect::{MySql, Postgres, SqlServer, Sqlite};
        if !shape.table {
            self.refuse("INSERT without a table");
        }
        if shape.with {
            self.refuse_on(&[MySql], "WITH before INSERT, UPDATE or DELETE");
        }
        if shape.replace {
            self.refuse_on(&[Postgres, SqlServer], "REPLACE");
        }
        match (shape.defaults, shape.columns) {
            (Some(rows), _) => {
                if rows > 1 {
                    self.refuse_on(&[Sqlite, SqlServer], "several rows of default values");
                }
            }
            (None, 0) => self.refuse("INSERT without a list of columns"),
            (None, columns) => {
                if !shape.select && shape.values == 0 {
                    self.refuse("INSERT without values");
                }
                if shape.values / columns > MOST_ROWS {
                    self.refuse_on(&[SqlServer], "INSERT of more than 1000 rows");
                }
            }
        }
        if shape.conflict {
            self.refuse_on(&[SqlServer], "ON CONFLICT");
            if shape.select {
                // The parser takes ON for the condition of a join.
                self.refuse_on(&[Sqlite], "ON CONFLICT after INSERT … SELECT");
            }
            if shape.replace {
                self.refuse("REPLACE with ON CONFLICT");
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells whether the statement has the clause")]
struct InsertShape {
    with: bool,
    replace: bool,
    table: bool,
    columns: usize,
    values: usize,
    select: bool,
    defaults: Option<u32>,
    conflict: bool,
}

impl InsertShape {
    fn of(insert: &InsertStatement) -> Self {
        let scan = InsertScan::default();
        scan.prepare_insert_statement_common(insert, &mut Recorder::default());
        Self { columns: scan.identifiers.get(), ..scan.shape.get() }
    }
}

#[derive(Default)]
struct InsertScan {
    identifiers: Cell<usize>,
    shape: Cell<InsertShape>,
}

impl InsertScan {
    fn note(&self, change: impl FnOnce(&mut InsertShape)) {
        let mut shape = self.shape.get();
        change(&mut shape);
        self.shape.set(shape);
    }
}

scan!(InsertScan {
    ignore! {
        prepare_select_into(sea_query::SelectInto)
        prepare_returning(Option<ReturningClause>)
        prepare_output(Option<ReturningClause>)
    }

    fn prepare_with_clause(&self, _: &WithClause, _: &mut impl SqlWriter) {
        self.note(|shape| shape.with = true);
    }

    fn prepare_insert(&self, replace: bool, _: &mut impl SqlWriter) {
        self.note(|shape| shape.replace = replace);
    }

    fn prepare_table_ref(&self, _: &TableRef, _: &mut impl SqlWriter) {
        self.note(|shape| shape.table = true);
    }

    fn prepare_expr(&self, _: &Expr, _: &mut impl SqlWriter) {
        self.note(|shape| shape.values += 1);
    }

    fn prepare_select_statement(&self, _: &SelectStatement, _: &mut impl SqlWriter) {
        self.note(|shape| shape.select = true);
    }

    fn insert_default_values(&self, rows: u32, _: &mut impl SqlWriter) {
        self.note(|shape| shape.defaults = Some(rows));
    }

    fn prepare_on_conflict(&self, conflict: &Option<OnConflict>, _: &mut impl SqlWriter) {
        self.note(|shape| shape.conflict = conflict.is_some());
    }
});

struct InsertWalk<'a> {
    builder: &'a Builder,
    target: RefCell<Option<TableRef>>,
}

walk!(InsertWalk {
    forward! {
        prepare_with_clause(WithClause)
        prepare_on_conflict(Option<OnConflict>)
    }

    fn prepare_table_ref(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        self.target.replace(Some(table.clone()));
        self.builder.target(table, &[Dialect::Postgres, Dialect::Sqlite], sql);
    }

    fn prepare_select_statement(&self, select: &SelectStatement, sql: &mut impl SqlWriter) {
        self.builder.within(Place::Source, || self.builder.prepare_select_statement(select, sql));
    }

    fn insert_default_values(&self, rows: u32, sql: &mut impl SqlWriter) {
        let row = match self.builder.dialect {
            Dialect::Sqlite | Dialect::SqlServer => return put(sql, "DEFAULT VALUES"),
            Dialect::MySql => "()",
            Dialect::Postgres => "(DEFAULT)",
        };
        put(sql, "VALUES ");
        super::list(sql, 0..rows, |_, sql| put(sql, row));
    }

    fn prepare_output(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        if returning.is_some() {
            self.builder.check_returning(returning.as_ref());
            self.builder.output(returning.as_ref(), Rows::Inserted, self.target.borrow().as_ref(), sql);
        }
    }

    fn prepare_returning(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        self.builder.returning(returning.as_ref(), sql);
    }
});

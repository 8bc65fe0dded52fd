//! `UPDATE` and `DELETE`.

use std::cell::{Cell, RefCell};

use sea_query::{
    ConditionHolder, DeleteStatement, DynIden, Expr, OrderExpr, QueryBuilder, ReturningClause, SqlWriter, TableName,
    TableRef, UpdateStatement, WithClause,
};

use super::output::Rows;
use super::recorder::Recorder;
use super::{Builder, list, put};
use crate::Dialect;

impl Builder {
    pub(super) fn update(&self, update: &UpdateStatement, sql: &mut impl SqlWriter) {
        let scan = ModifyScan::default();
        let mut recorder = Recorder::default();
        scan.prepare_update_statement(update, &mut recorder);
        let shape = scan.shape.get();
        self.check_modify(shape, recorder.limit.is_some());
        if update.get_values().is_empty() {
            self.refuse("UPDATE without values");
        }
        if shape.sources > 0 {
            if shape.sources > 1 {
                self.refuse_on(&[Dialect::MySql], "UPDATE from several tables");
            }
            if shape.ordered || recorder.limit.is_some() {
                self.refuse("UPDATE from another table with ORDER BY or LIMIT");
            }
            if shape.all {
                // PostgreSQL alone returns the columns of the other tables too.
                self.refuse_on(&[Dialect::Sqlite, Dialect::SqlServer], "RETURNING * of UPDATE from another table");
            }
        }
        if self.failure.borrow().is_none() {
            UpdateWalk::new(self).prepare_update_statement(update, sql);
        }
    }

    pub(super) fn delete(&self, delete: &DeleteStatement, sql: &mut impl SqlWriter) {
        let scan = ModifyScan::default();
        let mut recorder = Recorder::default();
        scan.prepare_delete_statement(delete, &mut recorder);
        self.check_modify(scan.shape.get(), recorder.limit.is_some());
        if self.failure.borrow().is_none() {
            DeleteWalk { builder: self, target: RefCell::new(None) }.prepare_delete_statement(delete, sql);
        }
    }

    fn check_modify(&self, shape: ModifyShape, limited: bool) {
        use Dialect::{MySql, Postgres, SqlServer, Sqlite};
        if !shape.table {
            self.refuse("UPDATE or DELETE without a table");
        }
        if shape.with {
            self.refuse_on(&[MySql], "WITH before INSERT, UPDATE or DELETE");
        }
        if shape.ordered || limited {
            // SQLite has it as an option that is off in the usual builds.
            self.refuse_on(&[Postgres, Sqlite, SqlServer], "ORDER BY and LIMIT on UPDATE and DELETE");
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells whether the statement has the clause")]
struct ModifyShape {
    with: bool,
    table: bool,
    sources: usize,
    ordered: bool,
    /// RETURNING *
    all: bool,
}

#[derive(Default)]
struct ModifyScan {
    identifiers: Cell<usize>,
    shape: Cell<ModifyShape>,
}

impl ModifyScan {
    fn note(&self, change: impl FnOnce(&mut ModifyShape)) {
        let mut shape = self.shape.get();
        change(&mut shape);
        self.shape.set(shape);
    }
}

scan!(ModifyScan {
    ignore! {
        prepare_select_into(sea_query::SelectInto)
        prepare_expr(Expr)
        prepare_returning(Option<ReturningClause>)
    }

    fn prepare_with_clause(&self, _: &WithClause, _: &mut impl SqlWriter) {
        self.note(|shape| shape.with = true);
    }

    fn prepare_table_ref(&self, _: &TableRef, _: &mut impl SqlWriter) {
        self.note(|shape| shape.table = true);
    }

    fn prepare_update_from(&self, from: &[TableRef], _: &mut impl SqlWriter) {
        self.note(|shape| shape.sources = from.len());
    }

    fn prepare_output(&self, returning: &Option<ReturningClause>, _: &mut impl SqlWriter) {
        self.note(|shape| shape.all = matches!(returning, Some(ReturningClause::All)));
    }

    fn prepare_condition(&self, _: &ConditionHolder, _: &str, _: &mut impl SqlWriter) {}

    fn prepare_order_expr(&self, _: &OrderExpr, _: &mut impl SqlWriter) {
        self.note(|shape| shape.ordered = true);
    }
});

struct UpdateWalk<'a> {
    builder: &'a Builder,
    target: RefCell<Option<TableRef>>,
    from: RefCell<Vec<TableRef>>,
}

impl<'a> UpdateWalk<'a> {
    fn new(builder: &'a Builder) -> Self {
        Self { builder, target: RefCell::new(None), from: RefCell::new(Vec::new()) }
    }

    fn write_from(&self, from: &[TableRef], sql: &mut impl SqlWriter) {
        if !from.is_empty() {
            put(sql, " FROM ");
            list(sql, from, |table, sql| self.builder.prepare_table_ref(table, sql));
        }
    }
}

walk!(UpdateWalk {
    forward! {
        prepare_with_clause(WithClause)
        prepare_order_expr(OrderExpr)
    }

    fn prepare_table_ref(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        self.target.replace(Some(table.clone()));
        self.builder.target(table, &[Dialect::MySql, Dialect::Postgres, Dialect::Sqlite], sql);
    }

    fn prepare_update_join(&self, from: &[TableRef], condition: &ConditionHolder, sql: &mut impl SqlWriter) {
        if self.builder.is(Dialect::MySql) && !from.is_empty() {
            put(sql, " JOIN ");
            list(sql, from, |table, sql| self.builder.prepare_table_ref(table, sql));
            self.builder.prepare_condition(condition, "ON", sql);
        }
    }

    /// MySQL must be told which of the joined tables a column belongs to; the others allow no table here.
    fn prepare_update_column(
        &self,
        table: &Option<Box<TableRef>>,
        from: &[TableRef],
        column: &DynIden,
        sql: &mut impl SqlWriter,
    ) {
        if self.builder.is(Dialect::MySql)
            && !from.is_empty()
            && let Some(TableRef::Table(TableName(schema, name), alias)) = table.as_deref()
        {
            match alias {
                Some(alias) => self.builder.identifier(alias, sql),
                None => self.builder.table_name(&TableName(schema.clone(), name.clone()), sql),
            }
            put(sql, ".");
        }
        self.builder.identifier(column, sql);
    }

    /// `OUTPUT` of Transact-SQL stands before `FROM`, and sea-query hands it over behind it.
    ///
    /// The table that is changed is named in `FROM` as well: where another source is the same table under an alias and
    /// the only mention of it, Transact-SQL takes that one for the table to change.
    fn prepare_update_from(&self, from: &[TableRef], sql: &mut impl SqlWriter) {
        match self.builder.dialect {
            Dialect::MySql => {}
            Dialect::Postgres | Dialect::Sqlite => self.write_from(from, sql),
            Dialect::SqlServer if from.is_empty() => {}
            Dialect::SqlServer => {
                let target = self.target.borrow().clone();
                self.from.replace(target.into_iter().chain(from.iter().cloned()).collect());
            }
        }
    }

    fn prepare_output(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        if returning.is_some() {
            self.builder.check_returning(returning.as_ref());
            self.builder.output(returning.as_ref(), Rows::Inserted, self.target.borrow().as_ref(), sql);
        }
        self.write_from(&self.from.borrow(), sql);
    }

    fn prepare_update_condition(&self, from: &[TableRef], condition: &ConditionHolder, sql: &mut impl SqlWriter) {
        if from.is_empty() || !self.builder.is(Dialect::MySql) {
            self.builder.prepare_condition(condition, "WHERE", sql);
        }
    }

    fn prepare_returning(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        self.builder.returning(returning.as_ref(), sql);
    }
});

struct DeleteWalk<'a> {
    builder: &'a Builder,
    target: RefCell<Option<TableRef>>,
}

walk!(DeleteWalk {
    forward! {
        prepare_with_clause(WithClause)
        prepare_order_expr(OrderExpr)
    }

    fn prepare_table_ref(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        self.target.replace(Some(table.clone()));
        self.builder.target(table, &[Dialect::Postgres, Dialect::Sqlite], sql);
    }

    fn prepare_condition(&self, holder: &ConditionHolder, keyword: &str, sql: &mut impl SqlWriter) {
        self.builder.prepare_condition(holder, keyword, sql);
    }

    fn prepare_output(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        if returning.is_some() {
            self.builder.check_returning(returning.as_ref());
            self.builder.output(returning.as_ref(), Rows::Deleted, self.target.borrow().as_ref(), sql);
        }
    }

    fn prepare_returning(&self, returning: &Option<ReturningClause>, sql: &mut impl SqlWriter) {
        self.builder.returning(returning.as_ref(), sql);
    }
});

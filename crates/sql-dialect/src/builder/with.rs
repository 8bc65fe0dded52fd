//! Common table expressions.

use std::cell::Cell;

use sea_query::{
    CommonTableExpression, QueryBuilder, QuotedBuilder, SqlWriter, SubQueryStatement, Values, WithClause, WithQuery,
};

use super::recorder::{Recorder, debug_ends_with, debug_head};
use super::{Builder, Place, put};
use crate::Dialect;

impl Builder {
    pub(super) fn with_query(&self, query: &WithQuery, sql: &mut impl SqlWriter) {
        // sea-query panics without it, and tells nobody but its debug text.
        if debug_ends_with(query, "query: None }") {
            return self.refuse("WITH without a statement");
        }
        WithWalk { builder: self }.prepare_with_query(query, sql);
    }

    /// Writes a statement inside another one, or behind `WITH`.
    pub(super) fn statement(&self, query: &SubQueryStatement, sql: &mut impl SqlWriter) {
        let place = self.place.get();
        match query {
            SubQueryStatement::SelectStatement(select) => return self.prepare_select_statement(select, sql),
            SubQueryStatement::WithStatement(query) => return self.descend(|| self.prepare_with_query(query, sql)),
            _ => {}
        }
        match place {
            // MariaDB has WITH before SELECT alone, and MySQL before all but INSERT.
            Place::Top | Place::AfterWith => self.refuse_on(&[Dialect::MySql], "WITH before INSERT, UPDATE or DELETE"),
            Place::CommonTable if self.is(Dialect::Postgres) => {}
            _ => self.refuse("INSERT, UPDATE or DELETE inside another statement"),
        }
        match query {
            SubQueryStatement::InsertStatement(insert) => self.prepare_insert_statement(insert, sql),
            SubQueryStatement::UpdateStatement(update) => self.prepare_update_statement(update, sql),
            SubQueryStatement::DeleteStatement(delete) => self.prepare_delete_statement(delete, sql),
            SubQueryStatement::SelectStatement(_) | SubQueryStatement::WithStatement(_) => {}
        }
    }

    pub(super) fn with_clause(&self, clause: &WithClause, sql: &mut impl SqlWriter) {
        let head = debug_head(clause, 160);
        let recursive = head.starts_with("WithClause { recursive: true");
        let plain = head.find("search: None, cycle: None, cte_expressions: [");
        let Some(plain) = plain.filter(|start| *start < 40) else {
            return self.refuse("SEARCH and CYCLE");
        };
        // sea-query panics without a table.
        if head[plain..].starts_with("search: None, cycle: None, cte_expressions: []") {
            return self.refuse("WITH without a common table expression");
        }
        match self.place.get() {
            Place::Top => {}
            Place::AfterWith => self.refuse("WITH after WITH"),
            _ => self.refuse_on(&[Dialect::SqlServer], "WITH inside a statement"),
        }
        put(sql, if recursive && !self.is(Dialect::SqlServer) { "WITH RECURSIVE " } else { "WITH " });
        if recursive {
            self.recursive.set(true);
        }
        self.within(Place::CommonTable, || self.prepare_with_clause_common_tables(clause, sql));
    }

    pub(super) fn common_table(&self, table: &CommonTableExpression, sql: &mut impl SqlWriter) {
        if debug_head(table, 48).starts_with("CommonTableExpression { table_name: None") {
            return self.refuse("a common table expression without a name");
        }
        CommonTableWalk { builder: self }.prepare_with_query_clause_common_table(table, sql);
    }

    /// Writes `MATERIALIZED` or `NOT MATERIALIZED`.
    pub(super) fn materialization(&self, table: &CommonTableExpression, sql: &mut impl SqlWriter) {
        let mut recorder = Recorder::default();
        let scan = MaterializationScan::default();
        scan.prepare_with_query_clause_materialization(table, &mut recorder);
        if recorder.wrote() {
            self.refuse_on(&[Dialect::MySql, Dialect::SqlServer], "MATERIALIZED");
            scan.prepare_with_query_clause_materialization(table, sql);
        }
    }
}

struct WithWalk<'a> {
    builder: &'a Builder,
}

impl QuotedBuilder for WithWalk<'_> {
    fn quote(&self) -> sea_query::Quote {
        self.builder.quote()
    }
}

deciders!(WithWalk<'_>);

impl QueryBuilder for WithWalk<'_> {
    forward! {
        prepare_with_clause(WithClause)
        prepare_explain_statement(sea_query::ExplainStatement)
        prepare_select_into(sea_query::SelectInto)
    }

    fn prepare_value(&self, value: sea_query::Value, sql: &mut impl SqlWriter) {
        self.builder.parameter(value, sql);
    }

    fn prepare_query_statement(&self, query: &SubQueryStatement, sql: &mut impl SqlWriter) {
        let place = match self.builder.place.get() {
            Place::Top => Place::AfterWith,
            inner => inner,
        };
        self.builder.within(place, || self.builder.statement(query, sql));
    }
}

struct CommonTableWalk<'a> {
    builder: &'a Builder,
}

walk!(CommonTableWalk {
    fn prepare_with_query_clause_materialization(&self, table: &CommonTableExpression, sql: &mut impl SqlWriter) {
        self.builder.materialization(table, sql);
    }

    fn prepare_values_rows(&self, rows: &[Values], sql: &mut impl SqlWriter) {
        self.builder.common_table_rows(rows, sql);
    }
});

/// Runs the default of a hook that the builder overrides.
#[derive(Default)]
struct MaterializationScan {
    identifiers: Cell<usize>,
}

scan!(MaterializationScan {
    ignore! {
        prepare_select_into(sea_query::SelectInto)
        prepare_expr(sea_query::Expr)
    }
});

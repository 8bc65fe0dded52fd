//! One sea-query backend for all four dialects.
//!
//! Nearly every field of sea-query's statements is private, so a statement cannot be walked from outside. What is open is
//! [`QueryBuilder`]: its provided methods walk the private fields and hand each part to a hook. This backend is those
//! hooks. Two small kinds of helper stand beside it:
//!
//! - a *walk* runs one provided method of sea-query and sends each of its parts back to the [`Builder`];
//! - a *scan* runs the same method with hooks that only take notes, for what must be known before the first word.
//!
//! The hooks cannot return an error, so the first one is kept in the builder, and the text written so far is dropped.

use std::cell::{Cell, RefCell};

use sea_query::{
    BinOper, CaseStatement, ColumnRef, CommonTableExpression, Condition, ConditionHolder, DeleteStatement, DynIden,
    EscapeBuilder, ExplainStatement, Expr, Frame, InsertStatement, OnConflictAction, OnConflictTarget, Oper,
    OperLeftAssocDecider, OrderExpr, PrecedenceDecider, QueryBuilder, Quote, QuotedBuilder, SelectExpr, SelectInto,
    SelectStatement, SqlWriter, SubQueryStatement, TableRef, TableRefBuilder, TypeRef, UnionType, UpdateStatement,
    Value, Values, WindowStatement, WithClause, WithQuery, Write,
};

use crate::{Dialect, RenderError};

#[macro_use]
mod walk;

mod condition;
mod conflict;
mod expression;
mod function;
mod hint;
mod identifier;
mod insert;
mod like;
mod literal;
mod modify;
mod operator;
mod order;
mod output;
mod recorder;
mod select;
mod table;
mod template;
mod types;
mod value;
mod window;
mod with;

/// Where the statement that is being written stands in the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The statement itself.
    Top,
    /// The statement itself, after its `WITH`.
    AfterWith,
    /// In parentheses inside an expression.
    Expression,
    /// In `FROM`.
    Derived,
    /// The body of a common table expression.
    CommonTable,
    /// The right-hand side of `UNION`, `INTERSECT` or `EXCEPT`.
    Member,
    /// The rows of `INSERT … SELECT`.
    Source,
}

/// SQL Server needs some expressions written twice; nested deeper than this the text would grow out of hand.
const MOST_DOUBLED: usize = 6;

/// Expressions nested deeper than this are refused rather than left to overflow the stack.
const DEEPEST: usize = 200;

#[derive(Debug)]
pub(crate) struct Builder {
    dialect: Dialect,
    failure: RefCell<Option<RenderError>>,
    parameters: Cell<usize>,
    depth: Cell<usize>,
    doubled: Cell<usize>,
    place: Cell<Place>,
    recursive: Cell<bool>,
    conflict_target: Cell<bool>,
    output: RefCell<Option<output::Output>>,
}

impl Builder {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            failure: RefCell::new(None),
            parameters: Cell::new(0),
            depth: Cell::new(0),
            doubled: Cell::new(0),
            place: Cell::new(Place::Top),
            recursive: Cell::new(false),
            conflict_target: Cell::new(false),
            output: RefCell::new(None),
        }
    }

    /// Ends the statement: the first failure, the engine's limit on parameters, the closing words.
    pub(crate) fn finish(self, sql: &mut impl SqlWriter) -> Result<(), RenderError> {
        let dialect = self.dialect;
        // Every other engine recurses until there are no more rows; SQL Server stops at 100 levels unless told not to.
        if dialect == Dialect::SqlServer && self.recursive.get() {
            put(sql, " OPTION (MAXRECURSION 0)");
        }
        if let Some(failure) = self.failure.into_inner() {
            return Err(failure);
        }
        let (most, construct) = match dialect {
            Dialect::MySql | Dialect::Postgres => (65_535, "more than 65535 parameters"),
            Dialect::Sqlite => (32_766, "more than 32766 parameters"),
            // 2100 for the procedure call that carries the statement, which itself takes two.
            Dialect::SqlServer => (2_098, "more than 2098 parameters"),
        };
        if self.parameters.get() > most {
            return Err(RenderError::Unsupported { dialect, construct });
        }
        Ok(())
    }

    fn is(&self, dialect: Dialect) -> bool {
        self.dialect == dialect
    }

    fn fail(&self, error: RenderError) {
        self.failure.borrow_mut().get_or_insert(error);
    }

    fn refuse(&self, construct: &'static str) {
        self.fail(RenderError::Unsupported { dialect: self.dialect, construct });
    }

    fn refuse_on(&self, dialects: &[Dialect], construct: &'static str) {
        if dialects.contains(&self.dialect) {
            self.refuse(construct);
        }
    }

    fn within(&self, place: Place, write: impl FnOnce()) {
        let outer = self.place.replace(place);
        write();
        self.place.set(outer);
    }

    /// Runs `write`, which writes something twice.
    fn doubling(&self, write: impl FnOnce()) {
        let doubled = self.doubled.get();
        if doubled >= MOST_DOUBLED {
            return self.refuse("truth values of truth values more than 6 levels deep");
        }
        self.doubled.set(doubled + 1);
        write();
        self.doubled.set(doubled);
    }

    /// Runs `write` one level deeper, unless that is too deep.
    fn descend(&self, write: impl FnOnce()) {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            self.refuse("expressions nested more than 200 levels deep");
            return;
        }
        self.depth.set(depth + 1);
        write();
        self.depth.set(depth);
    }
}

/// Writes to a `String` underneath, which cannot fail.
fn put(sql: &mut (impl Write + ?Sized), text: &str) {
    let _ = sql.write_str(text);
}

/// Runs `each` for every item with `", "` between them.
fn list<W: Write, T>(sql: &mut W, items: impl IntoIterator<Item = T>, mut each: impl FnMut(T, &mut W)) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            put(sql, ", ");
        }
        each(item, sql);
    }
}

impl QuotedBuilder for Builder {
    fn quote(&self) -> Quote {
        match self.dialect {
            Dialect::MySql => Quote::new(b'`'),
            Dialect::Postgres | Dialect::Sqlite => Quote::new(b'"'),
            Dialect::SqlServer => Quote::from((b'[', b']')),
        }
    }

    fn prepare_iden(&self, iden: &DynIden, sql: &mut impl SqlWriter) {
        self.identifier(iden, sql);
    }
}

impl EscapeBuilder for Builder {
    fn write_escaped(&self, buffer: &mut impl Write, string: &str) {
        self.escape(string, buffer);
    }
}

impl TableRefBuilder for Builder {}

impl PrecedenceDecider for Builder {
    fn inner_expr_well_known_greater_precedence(&self, inner: &Expr, outer: &Oper) -> bool {
        match outer {
            Oper::BinOper(outer) => operator::binds_tighter(inner, *outer),
            Oper::UnOper(_) => operator::binds_tighter(inner, BinOper::And),
        }
    }
}

impl OperLeftAssocDecider for Builder {
    fn well_known_left_associative(&self, operator: &BinOper) -> bool {
        operator::is_left_associative(*operator)
    }
}

impl QueryBuilder for Builder {
    fn placeholder(&self) -> (&'static str, bool) {
        match self.dialect {
            Dialect::MySql | Dialect::Sqlite => ("?", false),
            Dialect::Postgres => ("$", true),
            Dialect::SqlServer => ("@P", true),
        }
    }

    fn prepare_select_statement(&self, select: &SelectStatement, sql: &mut impl SqlWriter) {
        self.descend(|| self.select(select, sql));
    }

    fn prepare_insert_statement(&self, insert: &InsertStatement, sql: &mut impl SqlWriter) {
        self.insert(insert, sql);
    }

    fn prepare_update_statement(&self, update: &UpdateStatement, sql: &mut impl SqlWriter) {
        self.update(update, sql);
    }

    fn prepare_delete_statement(&self, delete: &DeleteStatement, sql: &mut impl SqlWriter) {
        self.delete(delete, sql);
    }

    fn prepare_with_query(&self, query: &WithQuery, sql: &mut impl SqlWriter) {
        self.with_query(query, sql);
    }

    fn prepare_query_statement(&self, query: &SubQueryStatement, sql: &mut impl SqlWriter) {
        self.statement(query, sql);
    }

    fn prepare_explain_statement(&self, _: &ExplainStatement, _: &mut impl SqlWriter) {
        self.refuse("EXPLAIN");
    }

    fn prepare_with_clause(&self, clause: &WithClause, sql: &mut impl SqlWriter) {
        self.with_clause(clause, sql);
    }

    fn prepare_with_query_clause_common_table(&self, table: &CommonTableExpression, sql: &mut impl SqlWriter) {
        self.common_table(table, sql);
    }

    fn prepare_with_query_clause_materialization(&self, table: &CommonTableExpression, sql: &mut impl SqlWriter) {
        self.materialization(table, sql);
    }

    fn prepare_values_rows(&self, rows: &[Values], sql: &mut impl SqlWriter) {
        self.common_table_rows(rows, sql);
    }

    fn prepare_select_into(&self, into: &SelectInto, sql: &mut impl SqlWriter) {
        self.select_into(into, sql);
    }

    fn prepare_union_statement(&self, kind: UnionType, select: &SelectStatement, sql: &mut impl SqlWriter) {
        self.union_member(kind, select, sql);
    }

    fn prepare_select_expr(&self, column: &SelectExpr, sql: &mut impl SqlWriter) {
        self.select_column(column, sql);
    }

    fn prepare_table_ref(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        self.table(table, sql);
    }

    fn prepare_column_ref(&self, column: &ColumnRef, sql: &mut impl SqlWriter) {
        self.column(column, sql);
    }

    fn prepare_window_statement(&self, window: &WindowStatement, sql: &mut impl SqlWriter) {
        self.window(window, sql);
    }

    fn prepare_frame(&self, frame: &Frame, sql: &mut impl SqlWriter) {
        window::frame(frame, sql);
    }

    fn prepare_order_expr(&self, order: &OrderExpr, sql: &mut impl SqlWriter) {
        self.order(order, order::Nulls::Free, sql);
    }

    fn prepare_condition(&self, holder: &ConditionHolder, keyword: &str, sql: &mut impl SqlWriter) {
        self.condition_clause(holder, keyword, sql);
    }

    fn prepare_condition_where(&self, condition: &Condition, sql: &mut impl SqlWriter) {
        self.condition(condition, sql);
    }

    fn prepare_case_statement(&self, case: &CaseStatement, sql: &mut impl SqlWriter) {
        self.case(case, sql);
    }

    fn prepare_expr(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        self.value_expression(expr, sql);
    }

    fn prepare_type_ref(&self, name: &TypeRef, sql: &mut impl SqlWriter) {
        self.quoted_type(name, sql);
    }

    fn prepare_value(&self, value: Value, sql: &mut impl SqlWriter) {
        self.parameter(value, sql);
    }

    fn prepare_constant(&self, value: &Value, sql: &mut impl SqlWriter) {
        self.constant(value, sql);
    }

    fn write_value(&self, sql: &mut impl Write, value: &Value) -> std::fmt::Result {
        self.literal(value, sql);
        Ok(())
    }

    fn prepare_on_conflict_target(&self, target: &OnConflictTarget, sql: &mut impl SqlWriter) {
        self.on_conflict_target(target, sql);
    }

    fn prepare_on_conflict_action(&self, action: &Option<OnConflictAction>, sql: &mut impl SqlWriter) {
        self.on_conflict_action(action.as_ref(), sql);
    }

    fn prepare_on_conflict_condition(&self, condition: &ConditionHolder, sql: &mut impl SqlWriter) {
        self.on_conflict_condition(condition, sql);
    }

    fn prepare_on_conflict_keywords(&self, sql: &mut impl SqlWriter) {
        put(sql, if self.is(Dialect::MySql) { " ON DUPLICATE KEY" } else { " ON CONFLICT " });
    }
}

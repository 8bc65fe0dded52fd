//! `SELECT`.

use std::cell::Cell;

use sea_query::{
    ConditionHolder, Expr, JoinExpr, LockClause, LockType, MysqlQueryBuilder, OrderExpr, PostgresQueryBuilder,
    QueryBuilder, SelectDistinct, SelectExpr, SelectInto, SelectStatement, SqlWriter, TableRef, UnionType, Value,
    WindowStatement, WithClause,
};

use super::order::Nulls;
use super::recorder::Recorder;
use super::{Builder, Place, list, put};
use crate::Dialect;

impl Builder {
    pub(super) fn select(&self, select: &SelectStatement, sql: &mut impl SqlWriter) {
        let shape = SelectShape::of(select);
        self.check_select(&shape);
        let walk = SelectWalk { builder: self, shape, started: Cell::new(false) };
        walk.prepare_select_statement(select, sql);
    }

    fn check_select(&self, shape: &SelectShape) {
        use Dialect::{MySql, Postgres, SqlServer, Sqlite};
        if shape.columns == 0 {
            self.refuse("SELECT of no columns");
        }
        if shape.hinted {
            self.refuse_on(&[Postgres, Sqlite, SqlServer], "index hints");
        }
        if shape.sampled {
            self.refuse_on(&[MySql, Sqlite, SqlServer], "TABLESAMPLE");
        }
        if shape.locked {
            self.refuse_on(&[Sqlite, SqlServer], "FOR UPDATE and FOR SHARE");
            if shape.members > 0 {
                self.refuse("FOR UPDATE and FOR SHARE after a set operation");
            }
        }
        if shape.window {
            self.refuse_on(&[SqlServer], "WINDOW");
            // sea-query writes it behind these clauses, and every engine wants it before them.
            if shape.ordered || shape.is_limited() || shape.locked || shape.members > 0 {
                self.refuse("WINDOW together with a set operation, ORDER BY, LIMIT or FOR UPDATE");
            }
        }
        if shape.mixed {
            // INTERSECT binds tighter than UNION, but not on SQLite.
            self.refuse_on(&[Sqlite], "INTERSECT after UNION or EXCEPT");
        }
        if self.is(SqlServer) && shape.is_limited() && !shape.ordered && !shape.is_nothing() {
            self.refuse("LIMIT or OFFSET without ORDER BY");
        }
    }

    pub(super) fn select_into(&self, into: &SelectInto, sql: &mut impl SqlWriter) {
        self.refuse_on(&[Dialect::MySql, Dialect::Sqlite], "SELECT INTO");
        put(sql, " INTO ");
        if let Some(modifier) = &into.target_table_modifier {
            self.refuse_on(&[Dialect::SqlServer], "SELECT INTO a temporary or unlogged table");
            put(sql, &modifier.to_string());
            put(sql, " ");
        }
        self.identifier(&into.target_table, sql);
    }

    /// Writes the right-hand side of a set operation. Parentheses are left out where the meaning is clear without, for
    /// Transact-SQL and SQLite do not take them everywhere.
    pub(super) fn union_member(&self, kind: UnionType, select: &SelectStatement, sql: &mut impl SqlWriter) {
        put(
            sql,
            match kind {
                UnionType::Intersect => " INTERSECT ",
                UnionType::Distinct => " UNION ",
                UnionType::Except => " EXCEPT ",
                UnionType::All => " UNION ALL ",
                _ => return self.refuse("this set operation"),
            },
        );
        let shape = SelectShape::of(select);
        let own_end = shape.ordered || shape.is_limited() || shape.locked;
        let bare = !own_end && shape.members == 0 && !shape.with;
        let write = |sql: &mut _| self.within(Place::Member, || self.prepare_select_statement(select, sql));
        match self.dialect {
            _ if bare => write(sql),
            Dialect::Sqlite => {
                put(sql, "SELECT * FROM (");
                write(sql);
                put(sql, ")");
            }
            Dialect::MySql | Dialect::Postgres | Dialect::SqlServer => {
                if own_end {
                    self.refuse_on(&[Dialect::SqlServer], "ORDER BY or LIMIT in a member of a set operation");
                }
                put(sql, "(");
                write(sql);
                put(sql, ")");
            }
        }
    }

    fn limit_offset(&self, shape: &SelectShape, sql: &mut impl SqlWriter) {
        let number = |number: u64| Value::BigInt(Some(i64::try_from(number).unwrap_or(i64::MAX)));
        match (self.dialect, shape.limit, shape.offset) {
            (Dialect::SqlServer, ..) => {
                if shape.is_nothing() && shape.members == 0 {
                    // TOP (0) has been written.
                } else if shape.is_nothing() {
                    // FETCH wants at least one row, so it is taken from behind the last one.
                    put(sql, " OFFSET 9223372036854775807 ROWS FETCH NEXT 1 ROWS ONLY");
                } else if shape.is_limited() {
                    put(sql, " OFFSET ");
                    match shape.offset {
                        Some(offset) => self.parameter(number(offset), sql),
                        None => put(sql, "0"),
                    }
                    put(sql, " ROWS");
                    if let Some(limit) = shape.limit {
                        put(sql, " FETCH NEXT ");
                        self.parameter(number(limit), sql);
                        put(sql, " ROWS ONLY");
                    }
                } else if shape.ordered
                    && matches!(self.place.get(), Place::Expression | Place::Derived | Place::CommonTable)
                {
                    // An order in a subquery is refused without an offset.
                    put(sql, " OFFSET 0 ROWS");
                }
            }
            (dialect, limit, offset) => {
                match (dialect, limit, offset) {
                    (_, Some(limit), _) => {
                        put(sql, " LIMIT ");
                        self.parameter(number(limit), sql);
                    }
                    (Dialect::MySql, None, Some(_)) => put(sql, " LIMIT 9223372036854775807"),
                    (Dialect::Sqlite, None, Some(_)) => put(sql, " LIMIT -1"),
                    _ => {}
                }
                if let Some(offset) = offset {
                    put(sql, " OFFSET ");
                    self.parameter(number(offset), sql);
                }
            }
        }
    }

    fn lock(&self, lock: &LockClause, sql: &mut impl SqlWriter) {
        let walk = LockWalk { builder: self, strength: Cell::new(None) };
        let mut recorder = Recorder::default();
        walk.prepare_select_lock(lock, &mut recorder);
        if self.is(Dialect::MySql) {
            let strength = walk.strength.get();
            if !matches!(strength, Some(LockType::Update | LockType::Share)) {
                self.refuse("FOR NO KEY UPDATE and FOR KEY SHARE");
            }
            if recorder.of {
                // MySQL has it, MariaDB does not.
                self.refuse("FOR UPDATE OF");
            }
            if recorder.behaviour && strength == Some(LockType::Share) {
                self.refuse("FOR SHARE with NOWAIT or SKIP LOCKED");
            }
        }
        walk.prepare_select_lock(lock, sql);
    }

    fn distinct(&self, distinct: &SelectDistinct, sql: &mut impl SqlWriter) {
        match distinct {
            SelectDistinct::All => put(sql, "ALL"),
            SelectDistinct::Distinct => put(sql, "DISTINCT"),
            SelectDistinct::DistinctRow if self.is(Dialect::MySql) => put(sql, "DISTINCTROW"),
            SelectDistinct::DistinctOn(columns) if self.is(Dialect::Postgres) && !columns.is_empty() => {
                put(sql, "DISTINCT ON (");
                list(sql, columns, |column, sql| self.column(column, sql));
                put(sql, ")");
            }
            SelectDistinct::DistinctOn(_) => self.refuse("DISTINCT ON"),
            _ => self.refuse("this kind of DISTINCT"),
        }
    }
}

/// What has to be known about a `SELECT` before its first word is written.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells whether the statement has the clause")]
pub(super) struct SelectShape {
    with: bool,
    distinct: bool,
    columns: usize,
    hinted: bool,
    sampled: bool,
    members: usize,
    /// INTERSECT comes after another set operation.
    mixed: bool,
    ordered: bool,
    limit: Option<u64>,
    offset: Option<u64>,
    locked: bool,
    window: bool,
}

impl SelectShape {
    pub(super) fn of(select: &SelectStatement) -> Self {
        let scan = SelectScan::default();
        let mut recorder = Recorder::default();
        scan.prepare_select_statement(select, &mut recorder);
        let mut shape = scan.shape.get();
        shape.limit = recorder.limit.as_ref().map(count);
        shape.offset = recorder.offset.as_ref().map(count);
        shape
    }

    pub(super) fn is_limited(&self) -> bool {
        self.limit.is_some() || self.offset.is_some()
    }

    /// LIMIT 0.
    fn is_nothing(&self) -> bool {
        self.limit == Some(0)
    }
}

fn count(value: &Value) -> u64 {
    match value {
        Value::BigUnsigned(Some(number)) => *number,
        _ => u64::MAX,
    }
}

#[derive(Default)]
struct SelectScan {
    identifiers: Cell<usize>,
    shape: Cell<SelectShape>,
}

impl SelectScan {
    fn note(&self, change: impl FnOnce(&mut SelectShape)) {
        let mut shape = self.shape.get();
        change(&mut shape);
        self.shape.set(shape);
    }
}

scan!(SelectScan {
    ignore! {
        prepare_select_into(SelectInto)
        prepare_expr(Expr)
        prepare_table_ref(TableRef)
        prepare_join_expr(JoinExpr)
    }

    fn prepare_with_clause(&self, _: &WithClause, _: &mut impl SqlWriter) {
        self.note(|shape| shape.with = true);
    }

    fn prepare_select_distinct(&self, _: &SelectDistinct, _: &mut impl SqlWriter) {
        self.note(|shape| shape.distinct = true);
    }

    fn prepare_select_expr(&self, _: &SelectExpr, _: &mut impl SqlWriter) {
        self.note(|shape| shape.columns += 1);
    }

    fn prepare_index_hints(&self, table: &TableRef, select: &SelectStatement, _: &mut impl SqlWriter) {
        let mut recorder = Recorder::default();
        MysqlQueryBuilder.prepare_index_hints(table, select, &mut recorder);
        if recorder.wrote() {
            self.note(|shape| shape.hinted = true);
        }
    }

    fn prepare_table_sample(&self, select: &SelectStatement, _: &mut impl SqlWriter) {
        let mut recorder = Recorder::default();
        PostgresQueryBuilder.prepare_table_sample(select, &mut recorder);
        if recorder.wrote() {
            self.note(|shape| shape.sampled = true);
        }
    }

    fn prepare_condition(&self, _: &ConditionHolder, _: &str, _: &mut impl SqlWriter) {}

    fn prepare_union_statement(&self, kind: UnionType, _: &SelectStatement, _: &mut impl SqlWriter) {
        self.note(|shape| {
            shape.mixed |= shape.members > 0 && kind == UnionType::Intersect;
            shape.members += 1;
        });
    }

    fn prepare_order_expr(&self, _: &OrderExpr, _: &mut impl SqlWriter) {
        self.note(|shape| shape.ordered = true);
    }

    fn prepare_select_lock(&self, _: &LockClause, _: &mut impl SqlWriter) {
        self.note(|shape| shape.locked = true);
    }

    fn prepare_window_statement(&self, _: &WindowStatement, _: &mut impl SqlWriter) {
        self.note(|shape| shape.window = true);
    }
});

struct SelectWalk<'a> {
    builder: &'a Builder,
    shape: SelectShape,
    started: Cell<bool>,
}

walk!(SelectWalk {
    forward! {
        prepare_with_clause(WithClause)
        prepare_table_ref(TableRef)
        prepare_window_statement(WindowStatement)
    }

    fn prepare_select_distinct(&self, distinct: &SelectDistinct, sql: &mut impl SqlWriter) {
        self.builder.distinct(distinct, sql);
    }

    fn prepare_select_expr(&self, column: &SelectExpr, sql: &mut impl SqlWriter) {
        let builder = self.builder;
        if builder.is(Dialect::SqlServer) {
            if !self.started.replace(true) && self.shape.is_nothing() && self.shape.members == 0 {
                put(sql, "TOP (0) ");
            }
            if builder.place.get() == Place::Derived && Builder::is_nameless(&column.expr, column.alias.is_some()) {
                builder.refuse("a column without a name in a subquery of FROM");
            }
        }
        builder.prepare_select_expr(column, sql);
    }

    fn prepare_index_hints(&self, table: &TableRef, select: &SelectStatement, sql: &mut impl SqlWriter) {
        if self.shape.hinted {
            self.builder.index_hints(table, select, sql);
        }
    }

    fn prepare_table_sample(&self, select: &SelectStatement, sql: &mut impl SqlWriter) {
        if self.shape.sampled {
            PostgresQueryBuilder.prepare_table_sample(select, sql);
        }
    }

    fn prepare_join_expr(&self, join: &JoinExpr, sql: &mut impl SqlWriter) {
        self.builder.join(join, sql);
    }

    fn prepare_condition(&self, holder: &ConditionHolder, keyword: &str, sql: &mut impl SqlWriter) {
        self.builder.prepare_condition(holder, keyword, sql);
    }

    fn prepare_union_statement(&self, kind: UnionType, select: &SelectStatement, sql: &mut impl SqlWriter) {
        self.builder.union_member(kind, select, sql);
    }

    fn prepare_order_expr(&self, order: &OrderExpr, sql: &mut impl SqlWriter) {
        let bound =
            self.shape.members > 0 || (self.shape.distinct && self.builder.is(Dialect::SqlServer));
        self.builder.order(order, if bound { Nulls::Bound } else { Nulls::Free }, sql);
    }

    fn prepare_select_limit_offset(&self, _: &SelectStatement, sql: &mut impl SqlWriter) {
        self.builder.limit_offset(&self.shape, sql);
    }

    fn prepare_select_lock(&self, lock: &LockClause, sql: &mut impl SqlWriter) {
        self.builder.lock(lock, sql);
    }
});

struct LockWalk<'a> {
    builder: &'a Builder,
    strength: Cell<Option<LockType>>,
}

walk!(LockWalk {
    forward! {
        prepare_table_ref(TableRef)
    }

    fn lock_phrase(&self, strength: LockType) -> &'static str {
        self.strength.set(Some(strength));
        match (self.builder.dialect, strength) {
            // MySQL has FOR SHARE too, MariaDB does not.
            (Dialect::MySql, LockType::Share) => "LOCK IN SHARE MODE",
            (_, LockType::Update) => "FOR UPDATE",
            (_, LockType::NoKeyUpdate) => "FOR NO KEY UPDATE",
            (_, LockType::Share) => "FOR SHARE",
            (_, LockType::KeyShare) => "FOR KEY SHARE",
            (_, _) => {
                self.builder.refuse("this lock");
                ""
            }
        }
    }
});

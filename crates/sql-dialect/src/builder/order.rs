//! `ORDER BY`, with a place for NULL.

use std::cell::Cell;

use sea_query::{Expr, NullOrdering, OrderExpr, PostgresQueryBuilder, QueryBuilder, SqlWriter, Value, Values, Write};

use super::recorder::{Recorder, Word, debug_ends_with};
use super::{Builder, put};
use crate::Dialect;

/// Whether an expression may stand before the ordered column to put NULL in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Anywhere an order may be by any expression.
    Free,
    /// Where the order is by columns of the result alone: after a set operation, and after DISTINCT on SQL Server.
    Bound,
}

impl Builder {
    /// Writes one item of an order.
    ///
    /// MySQL and SQL Server have no `NULLS LAST`. NULL is their smallest value, so that nothing is needed for NULLs
    /// first when ascending or last when descending; otherwise a first sort key tells NULL from the rest.
    pub(super) fn order(&self, order: &OrderExpr, nulls: Nulls, sql: &mut impl SqlWriter) {
        let walk = OrderWalk { builder: self };
        let shape = OrderShape::of(order);
        // The order by a list of values is a CASE, which is never NULL.
        let placed = if shape.by_list { None } else { shape.nulls };
        match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => {
                walk.prepare_order_expr(order, sql);
                put(
                    sql,
                    match placed {
                        Some(NullOrdering::First) => " NULLS FIRST",
                        Some(NullOrdering::Last) => " NULLS LAST",
                        None => "",
                    },
                );
            }
            Dialect::MySql | Dialect::SqlServer => {
                let natural = if shape.descending { NullOrdering::Last } else { NullOrdering::First };
                if let Some(placed) = placed
                    && placed != natural
                {
                    if nulls == Nulls::Bound {
                        self.refuse("NULLS FIRST or LAST where the order is by columns of the result");
                    }
                    put(sql, "CASE WHEN ");
                    NullKey { builder: self }.prepare_order_expr(order, &mut *sql);
                    put(
                        sql,
                        match placed {
                            NullOrdering::First => "THEN 0 ELSE 1 END, ",
                            NullOrdering::Last => "THEN 1 ELSE 0 END, ",
                        },
                    );
                }
                walk.prepare_order_expr(order, sql);
            }
        }
    }
}

struct OrderShape {
    descending: bool,
    by_list: bool,
    nulls: Option<NullOrdering>,
}

impl OrderShape {
    fn of(order: &OrderExpr) -> Self {
        let scan = OrderScan::default();
        let mut recorder = Recorder::default();
        scan.prepare_order_expr(order, &mut recorder);
        let descending = recorder.last == Some(Word::Descending);
        let nulls = if scan.column.get() {
            // sea-query's own backends alone can read the place of NULL; with a column that costs nearly nothing.
            let mut recorder = Recorder::default();
            PostgresQueryBuilder.prepare_order_expr(order, &mut recorder);
            match recorder.last {
                Some(Word::NullsFirst) => Some(NullOrdering::First),
                Some(Word::NullsLast) => Some(NullOrdering::Last),
                _ => None,
            }
        } else if debug_ends_with(order, "nulls: None }") {
            // They panic on some expressions, so all others are asked by their debug text.
            None
        } else if debug_ends_with(order, "nulls: Some(First) }") {
            Some(NullOrdering::First)
        } else {
            Some(NullOrdering::Last)
        };
        Self { descending, by_list: scan.by_list.get(), nulls }
    }
}

#[derive(Default)]
struct OrderScan {
    identifiers: Cell<usize>,
    column: Cell<bool>,
    by_list: Cell<bool>,
}

scan!(OrderScan {
    ignore! {
        prepare_select_into(sea_query::SelectInto)
    }

    fn prepare_expr(&self, expr: &Expr, _: &mut impl SqlWriter) {
        self.column.set(matches!(expr, Expr::Column(_)));
    }

    fn prepare_field_order(&self, _: &OrderExpr, _: &Values, _: &mut impl SqlWriter) {
        self.by_list.set(true);
    }
});

/// Writes the expression and its direction.
struct OrderWalk<'a> {
    builder: &'a Builder,
}

walk!(OrderWalk {
    fn prepare_field_order(&self, order: &OrderExpr, values: &Values, sql: &mut impl SqlWriter) {
        if values.0.is_empty() {
            self.builder.refuse("an order by an empty list of values");
        }
        FieldWalk { builder: self.builder }.prepare_field_order(order, values, sql);
    }
});

/// Writes the `CASE` of an order by a list of values.
struct FieldWalk<'a> {
    builder: &'a Builder,
}

walk!(FieldWalk {
    fn write_value(&self, sql: &mut impl Write, value: &Value) -> std::fmt::Result {
        self.builder.literal(value, sql);
        Ok(())
    }
});

/// Writes `… IS NULL` of the ordered expression.
struct NullKey<'a> {
    builder: &'a Builder,
}

impl sea_query::QuotedBuilder for NullKey<'_> {
    fn quote(&self) -> sea_query::Quote {
        sea_query::QuotedBuilder::quote(self.builder)
    }
}

deciders!(NullKey<'_>);

impl QueryBuilder for NullKey<'_> {
    forward! {
        prepare_query_statement(sea_query::SubQueryStatement)
        prepare_explain_statement(sea_query::ExplainStatement)
        prepare_select_into(sea_query::SelectInto)
    }

    fn prepare_value(&self, value: Value, sql: &mut impl SqlWriter) {
        self.builder.parameter(value, sql);
    }

    fn prepare_expr(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        self.builder.operand(expr, sea_query::BinOper::Is, sql);
        put(sql, " IS NULL ");
    }

    fn prepare_order(&self, _: &OrderExpr, _: &mut impl SqlWriter) {}
}

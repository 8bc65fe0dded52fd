use sea_query::{Expr, ExprTrait, Frame, FrameType, Func, Order, Query, SelectStatement, WindowStatement};

use super::{Answer, Construct, Statement};
use crate::Dialect::SqlServer;

fn windowed(expr: impl Into<Expr>, window: WindowStatement) -> Statement {
    Statement::Select(orders(expr, window))
}

fn orders(expr: impl Into<Expr>, window: WindowStatement) -> SelectStatement {
    Query::select().expr_window_as(expr.into(), window, "answer").from("orders").order_by("id", Order::Asc).take()
}

fn by_amount() -> WindowStatement {
    WindowStatement::new().order_by("amount", Order::Asc).take()
}

fn sum() -> Expr {
    Expr::col("amount").max()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("ranking function", &[], Answer::Ordered(&[2, 3, 1, 4]), || {
        windowed(Func::cust("ROW_NUMBER"), by_amount())
    }),
    Construct::new("ranking function without ORDER BY", &[SqlServer], Answer::Rows(4), || {
        windowed(Func::cust("ROW_NUMBER"), WindowStatement::new())
    }),
    Construct::new("aggregate OVER ()", &[], Answer::Ordered(&[4, 4, 4, 4]), || {
        windowed(Expr::col("id").count(), WindowStatement::new())
    }),
    Construct::new("PARTITION BY", &[], Answer::Ordered(&[250, 250, 75, 300]), || {
        windowed(sum(), WindowStatement::partition_by("person_id"))
    }),
    Construct::new("PARTITION BY, ORDER BY", &[], Answer::Ordered(&[1, 2, 1, 1]), || {
        windowed(Func::cust("RANK"), WindowStatement::partition_by("person_id").order_by("amount", Order::Asc).take())
    }),
    Construct::new("ROWS frame with offsets", &[], Answer::Ordered(&[250, 300, 100, 300]), || {
        windowed(sum(), by_amount().frame_between(FrameType::Rows, Frame::Preceding(1), Frame::Following(1)).take())
    }),
    Construct::new("ROWS frame without bounds", &[], Answer::Ordered(&[100, 250, 75, 300]), || {
        windowed(sum(), by_amount().frame_between(FrameType::Rows, Frame::UnboundedPreceding, Frame::CurrentRow).take())
    }),
    Construct::new("RANGE frame with an offset", &[SqlServer], Answer::Ordered(&[100, 250, 75, 300]), || {
        windowed(sum(), by_amount().frame_between(FrameType::Range, Frame::Preceding(50), Frame::CurrentRow).take())
    }),
    Construct::new("frame without ORDER BY", &[SqlServer], Answer::Rows(4), || {
        windowed(sum(), WindowStatement::new().frame_start(FrameType::Rows, Frame::UnboundedPreceding).take())
    }),
    Construct::new("named WINDOW", &[SqlServer], Answer::Unordered(&[1, 2, 3, 4]), || {
        let mut select = Query::select();
        select.expr_window_name_as(Func::cust("ROW_NUMBER"), "w", "answer").from("orders").window("w", by_amount());
        Statement::Select(select)
    }),
];

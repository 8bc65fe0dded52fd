use sea_query::{
    Asterisk, Expr, ExprTrait, LockType, NullOrdering, Order, Query, SelectInto, SelectStatement, Value, Values,
};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

fn people() -> SelectStatement {
    Query::select().column("id").from("people").take()
}

fn by_id(select: &mut SelectStatement) -> Statement {
    Statement::Select(select.order_by("id", Order::Asc).take())
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("columns", &[], Answer::Unordered(&[1, 2, 3, 4, 5]), || {
        Statement::Select(Query::select().columns(["id", "name"]).from("people").take())
    }),
    Construct::new("all columns", &[], Answer::Unordered(&[1, 2, 3, 4]), || {
        Statement::Select(Query::select().column(Asterisk).from("orders").take())
    }),
    Construct::new("column aliases", &[], Answer::Unordered(&[36, 25, 25, 41, 19]), || {
        Statement::Select(Query::select().expr_as(Expr::col("age"), "years").from("people").take())
    }),
    Construct::new("values without FROM", &[], Answer::Ordered(&[42]), || {
        Statement::Select(Query::select().expr_as(Expr::val(42_i64), "answer").take())
    }),
    Construct::new("NULL as a value", &[], Answer::Ordered(&[1]), || {
        let select = Query::select().expr_as(Expr::val(1_i64), "one").expr_as(Expr::val(None::<String>), "none").take();
        Statement::Select(select)
    }),
    Construct::new("DISTINCT", &[], Answer::Unordered(&[36, 25, 41, 19]), || {
        Statement::Select(Query::select().distinct().column("age").from("people").take())
    }),
    Construct::new("GROUP BY, HAVING", &[], Answer::Unordered(&[25]), || {
        let mut select = Query::select();
        select.column("age").from("people").group_by_col("age").and_having(Expr::col(Asterisk).count().gt(1_i64));
        Statement::Select(select)
    }),
    Construct::new("ORDER BY", &[], Answer::Ordered(&[4, 1, 3, 2, 5]), || {
        Statement::Select(people().order_by("age", Order::Desc).order_by("id", Order::Desc).take())
    }),
    Construct::new("ORDER BY an expression", &[], Answer::Ordered(&[5, 4, 3, 2, 1]), || {
        Statement::Select(people().order_by_expr(Expr::val(0_i64).sub(Expr::col("id")), Order::Asc).take())
    }),
    Construct::new("ORDER BY a list of values", &[], Answer::Ordered(&[3, 1, 2, 4, 5]), || {
        let list = Order::Field(Values(vec![Value::BigInt(Some(3)), Value::BigInt(Some(1))]));
        by_id(people().order_by("id", list))
    }),
    Construct::new("NULLS FIRST", &[], Answer::Ordered(&[2, 5, 3, 4, 1]), || {
        by_id(people().order_by_with_nulls("city", Order::Desc, NullOrdering::First))
    }),
    Construct::new("NULLS LAST", &[], Answer::Ordered(&[1, 3, 4, 2, 5]), || {
        by_id(people().order_by_with_nulls("city", Order::Asc, NullOrdering::Last))
    }),
    Construct::new("NULLS LAST of an expression", &[], Answer::Ordered(&[5, 4, 3, 2, 1]), || {
        let key = Expr::val(0_i64).sub(Expr::col("boss_id"));
        let mut select = people();
        select.order_by_expr_with_nulls(key, Order::Asc, NullOrdering::Last).order_by("id", Order::Desc);
        Statement::Select(select)
    }),
    Construct::new("NULLS LAST with DISTINCT", &[SqlServer], Answer::Rows(3), || {
        let mut select = Query::select();
        select.distinct().column("city").from("people").order_by_with_nulls("city", Order::Asc, NullOrdering::Last);
        Statement::Select(select)
    }),
    Construct::new("LIMIT", &[], Answer::Ordered(&[1, 2]), || by_id(people().limit(2))),
    Construct::new("LIMIT and OFFSET", &[], Answer::Ordered(&[3, 4]), || by_id(people().limit(2).offset(2))),
    Construct::new("OFFSET without LIMIT", &[], Answer::Ordered(&[4, 5]), || by_id(people().offset(3))),
    Construct::new("LIMIT 0", &[], Answer::Ordered(&[]), || by_id(people().limit(0))),
    Construct::new("LIMIT without ORDER BY", &[SqlServer], Answer::Rows(2), || {
        Statement::Select(people().limit(2).take())
    }),
    Construct::new("FOR UPDATE", &[Sqlite, SqlServer], Answer::Ordered(&[1, 2, 3, 4, 5]), || {
        by_id(people().lock_exclusive())
    }),
    Construct::new("FOR SHARE", &[Sqlite, SqlServer], Answer::Ordered(&[1, 2, 3, 4, 5]), || {
        by_id(people().lock_shared())
    }),
    Construct::new("FOR UPDATE NOWAIT", &[Sqlite, SqlServer], Answer::Ordered(&[1, 2, 3, 4, 5]), || {
        by_id(people().lock_with_behavior(LockType::Update, sea_query::LockBehavior::Nowait))
    }),
    Construct::new("FOR UPDATE SKIP LOCKED", &[Sqlite, SqlServer], Answer::Ordered(&[1, 2, 3, 4, 5]), || {
        by_id(people().lock_with_behavior(LockType::Update, sea_query::LockBehavior::SkipLocked))
    }),
    Construct::new("FOR UPDATE OF", &[MySql, Sqlite, SqlServer], Answer::Ordered(&[1, 2, 3, 4, 5]), || {
        by_id(people().lock_with_tables(LockType::Update, ["people"]))
    }),
    Construct::new("SELECT INTO", &[MySql, Sqlite], Answer::Changed(5), || {
        Statement::Select(people().into_table(SelectInto::table("copies")).take())
    }),
];

use sea_query::extension::postgres::PgExpr;
use sea_query::{CaseStatement, Expr, ExprTrait, Query};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

fn of_person(id: i64, expr: impl Into<Expr>) -> Statement {
    let mut select = Query::select();
    select.expr_as(expr.into(), "answer").from("people").and_where(Expr::col("id").eq(id));
    Statement::Select(select)
}

/// 1 if the condition holds for the person, 0 if it does not, 2 if that is unknown.
fn truth(id: i64, condition: Expr) -> Statement {
    let known = CaseStatement::new().case(condition.clone(), 1_i64).case(condition.not(), 0_i64).finally(2_i64);
    of_person(id, known)
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("addition, subtraction, multiplication", &[], Answer::Ordered(&[66]), || {
        of_person(1, Expr::col("age").sub(3_i64).mul(Expr::val(4_i64).sub(2_i64)))
    }),
    Construct::new("subtraction of a subtraction", &[], Answer::Ordered(&[35]), || {
        of_person(1, Expr::col("age").sub(Expr::val(3_i64).sub(2_i64)))
    }),
    Construct::new("remainder", &[], Answer::Ordered(&[6]), || of_person(1, Expr::col("age").modulo(10_i64))),
    Construct::new("AND and OR of bits", &[], Answer::Ordered(&[5]), || {
        of_person(1, Expr::col("age").bit_and(4_i64).bit_or(1_i64))
    }),
    Construct::new("bit shifts", &[SqlServer], Answer::Ordered(&[18]), || {
        of_person(1, Expr::col("age").left_shift(1_i32).right_shift(2_i32))
    }),
    Construct::new("concatenation", &[], Answer::Ordered(&[1]), || {
        truth(1, Expr::col("name").concat(" of ").concat(Expr::col("city")).eq("Ada of London"))
    }),
    Construct::new("concatenation with NULL", &[], Answer::Ordered(&[2]), || {
        truth(2, Expr::col("name").concat(Expr::col("city")).eq("Bob"))
    }),
    Construct::new("concatenation with a number", &[], Answer::Ordered(&[1]), || {
        truth(1, Expr::col("name").concat(Expr::col("age")).eq("Ada36"))
    }),
    Construct::new("CASE", &[], Answer::Ordered(&[20]), || {
        of_person(
            1,
            CaseStatement::new()
                .case(Expr::col("age").lt(30_i64), 10_i64)
                .case(Expr::col("city").eq("London"), 20_i64)
                .finally(30_i64),
        )
    }),
    Construct::new("CASE as a condition", &[], Answer::Unordered(&[3, 5]), || {
        let young = CaseStatement::new().case(Expr::col("age").lt(30_i64), true).finally(false);
        let mut select = Query::select();
        select.column("id").from("people").and_where(young.into()).and_where(Expr::col("active").not());
        Statement::Select(select)
    }),
    Construct::new("comparison as a column", &[], Answer::Ordered(&[1]), || {
        let mut select = Query::select();
        select.column("id").expr_as(Expr::col("age").gt(30_i64), "old").from("people");
        Statement::Select(select.and_where(Expr::col("id").eq(1_i64)).take())
    }),
    Construct::new("EXISTS as a column", &[], Answer::Ordered(&[1]), || {
        let orders = Query::select().column("id").from("orders").take();
        let mut select = Query::select();
        select.column("id").expr_as(Expr::exists(orders), "any").from("people");
        Statement::Select(select.and_where(Expr::col("id").eq(1_i64)).take())
    }),
    Construct::new("literals", &[], Answer::Ordered(&[1]), || {
        let text = Expr::Constant("it's a \\ \"quote\"".into());
        let same = Expr::val("it's a \\ \"quote\"").eq(text).and(Expr::col("active").eq(Expr::Constant(true.into())));
        truth(1, same.and(Expr::col("age").eq(Expr::Constant(36_i64.into()))))
    }),
    Construct::new("CAST to text", &[], Answer::Ordered(&[1]), || truth(1, Expr::col("age").cast_as("text").eq("36"))),
    Construct::new("CAST to bigint", &[], Answer::Ordered(&[17]), || of_person(1, Expr::val("17").cast_as("bigint"))),
    Construct::new("CAST to double precision", &[], Answer::Ordered(&[1]), || {
        truth(1, Expr::val("0.5").cast_as("double precision").eq(0.5))
    }),
    Construct::new("CAST to decimal(p, s)", &[Sqlite], Answer::Ordered(&[1]), || {
        truth(1, Expr::val("12.3456").cast_as("decimal(10, 2)").gt(12_i64))
    }),
    Construct::new("CAST to date", &[Sqlite], Answer::Ordered(&[1]), || {
        truth(1, Expr::val("2020-02-29").cast_as("date").lt(Expr::val("2020-03-01").cast_as("date")))
    }),
    Construct::new("CAST to boolean", &[MySql, Sqlite], Answer::Ordered(&[1]), || {
        truth(1, Expr::col("active").eq(Expr::val("true").cast_as("boolean")))
    }),
    Construct::new("CAST to uuid", &[MySql, Sqlite], Answer::Ordered(&[1]), || {
        let id = "0191d8a6-0000-7000-8000-000000000001";
        truth(1, Expr::val(id).cast_as("uuid").eq(Expr::val(id).cast_as("uuid")))
    }),
    Construct::new("custom expression with values", &[], Answer::Ordered(&[37]), || {
        of_person(1, Expr::cust_with_exprs("$2 + ($1)", [Expr::val(1_i64), Expr::col("age")]))
    }),
    Construct::new("current date and time", &[], Answer::Ordered(&[1]), || {
        let mut select = Query::select();
        select
            .expr_as(Expr::val(1_i64), "one")
            .expr_as(Expr::current_timestamp(), "now")
            .expr_as(Expr::current_date(), "today")
            .expr_as(Expr::current_time(), "clock");
        Statement::Select(select)
    }),
];

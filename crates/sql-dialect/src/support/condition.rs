use sea_query::extension::postgres::PgExpr;
use sea_query::{Cond, Expr, ExprTrait, LikeExpr, LogicalChainOper, Query, SelectStatement};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, Postgres, SqlServer, Sqlite};

fn people(condition: impl Into<Expr>) -> Statement {
    Statement::Select(Query::select().column("id").from("people").and_where(condition.into()).take())
}

fn orders(condition: impl Into<Expr>) -> Statement {
    Statement::Select(Query::select().column("id").from("orders").and_where(condition.into()).take())
}

fn buyers() -> SelectStatement {
    Query::select().column("person_id").from("orders").take()
}

fn row() -> Expr {
    Expr::tuple([Expr::col("age"), Expr::col("id")])
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("comparisons", &[], Answer::Unordered(&[2]), || {
        let condition = Expr::col("age")
            .gte(20_i64)
            .and(Expr::col("age").lt(36_i64))
            .and(Expr::col("id").lte(3_i64))
            .and(Expr::col("id").gt(1_i64))
            .and(Expr::col("name").ne("Cleo"));
        people(condition)
    }),
    Construct::new("AND, OR, NOT", &[], Answer::Unordered(&[1, 4]), || {
        let condition = Cond::any()
            .add(Cond::all().add(Expr::col("age").gt(30_i64)).add(Expr::col("city").is_not_null()))
            .add(Cond::all().add(Expr::col("id").eq(9_i64)).not());
        let both = Cond::all().add(condition).add(Expr::col("age").lt(30_i64).not());
        people(both)
    }),
    Construct::new("chain of AND and OR", &[], Answer::Unordered(&[1, 2, 3]), || {
        let mut select = Query::select();
        select
            .column("id")
            .from("people")
            .and_or_where(LogicalChainOper::And(Expr::col("city").eq("London")))
            .and_or_where(LogicalChainOper::Or(Expr::col("age").eq(25_i64)));
        Statement::Select(select)
    }),
    Construct::new("empty condition", &[], Answer::Rows(5), || {
        Statement::Select(Query::select().column("id").from("people").cond_where(Cond::all()).take())
    }),
    Construct::new("empty alternative", &[], Answer::Rows(0), || {
        Statement::Select(Query::select().column("id").from("people").cond_where(Cond::any()).take())
    }),
    Construct::new("truth value of a column", &[], Answer::Unordered(&[1, 2, 4]), || people(Expr::col("active"))),
    Construct::new("NOT of a column", &[], Answer::Unordered(&[3, 5]), || people(Expr::col("active").not())),
    Construct::new("comparison with TRUE", &[], Answer::Unordered(&[3, 5]), || people(Expr::col("active").eq(false))),
    Construct::new("TRUE and FALSE as conditions", &[], Answer::Rows(5), || {
        people(Expr::value(true).or(Expr::value(false)))
    }),
    Construct::new("comparison as a truth value", &[], Answer::Unordered(&[1, 4, 3, 5]), || {
        people(Expr::col("active").eq(Expr::col("age").gt(30_i64)))
    }),
    Construct::new("IS NULL", &[], Answer::Unordered(&[2, 5]), || people(Expr::col("city").is_null())),
    Construct::new("IS NOT NULL", &[], Answer::Unordered(&[1, 3, 4]), || people(Expr::col("city").is_not_null())),
    Construct::new("IS TRUE", &[], Answer::Unordered(&[1, 2, 4]), || people(Expr::col("active").is(true))),
    Construct::new("IS NOT TRUE", &[], Answer::Unordered(&[1, 2, 5]), || {
        people(Expr::col("city").eq("Paris").is_not(true))
    }),
    Construct::new("IS with another value", &[MySql, Postgres, SqlServer], Answer::Unordered(&[1]), || {
        people(Expr::col("city").is("London"))
    }),
    Construct::new("BETWEEN", &[], Answer::Unordered(&[1, 2, 3]), || {
        people(Expr::col("age").between(Expr::val(19_i64).add(1_i64), 36_i64).and(Expr::col("id").gt(0_i64)))
    }),
    Construct::new("NOT BETWEEN", &[], Answer::Unordered(&[4, 5]), || {
        people(Expr::col("age").not_between(20_i64, 40_i64))
    }),
    Construct::new("IN", &[], Answer::Unordered(&[1, 3]), || people(Expr::col("id").is_in([1_i64, 3, 9]))),
    Construct::new("NOT IN", &[], Answer::Unordered(&[2, 4, 5]), || people(Expr::col("id").is_not_in([1_i64, 3]))),
    Construct::new("IN an empty list", &[], Answer::Rows(0), || people(Expr::col("id").is_in(Vec::<i64>::new()))),
    Construct::new("NOT IN an empty list", &[], Answer::Rows(5), || {
        people(Expr::col("id").is_not_in(Vec::<i64>::new()))
    }),
    Construct::new("IN a subquery", &[], Answer::Unordered(&[1, 2, 4]), || {
        people(Expr::col("id").in_subquery(buyers()))
    }),
    Construct::new("NOT IN a subquery", &[], Answer::Unordered(&[3, 5]), || {
        people(Expr::col("id").not_in_subquery(buyers()))
    }),
    Construct::new("IN a limited subquery", &[MySql], Answer::Unordered(&[4]), || {
        let top = buyers().order_by("amount", sea_query::Order::Desc).limit(1).take();
        people(Expr::col("id").in_subquery(top))
    }),
    Construct::new("EXISTS", &[], Answer::Unordered(&[1, 2, 4]), || {
        people(Expr::exists(buyers().and_where(Expr::col("person_id").equals(("people", "id"))).take()))
    }),
    Construct::new("NOT EXISTS", &[], Answer::Unordered(&[3, 5]), || {
        people(Expr::exists(buyers().and_where(Expr::col("person_id").equals(("people", "id"))).take()).not())
    }),
    Construct::new("ANY of a subquery", &[Sqlite], Answer::Unordered(&[1, 2, 4]), || {
        people(Expr::col("id").eq(Expr::any(buyers())))
    }),
    Construct::new("ALL of a subquery", &[Sqlite], Answer::Unordered(&[4, 5]), || {
        people(Expr::col("id").gte(Expr::all(buyers())))
    }),
    Construct::new("LIKE", &[], Answer::Unordered(&[2]), || people(Expr::col("name").like("B_b%"))),
    Construct::new("NOT LIKE", &[], Answer::Unordered(&[1, 3, 4, 5]), || people(Expr::col("name").not_like("B%"))),
    Construct::new("LIKE with ESCAPE", &[], Answer::Unordered(&[3]), || {
        orders(Expr::col("note").like(LikeExpr::new("%!%%").escape('!')))
    }),
    Construct::new("LIKE with a backslash to ESCAPE", &[], Answer::Unordered(&[4]), || {
        orders(Expr::col("note").like(LikeExpr::new("a\\_b").escape('\\')))
    }),
    Construct::new("LIKE with a bracket", &[], Answer::Unordered(&[4]), || people(Expr::col("name").like("%[x]"))),
    Construct::new("LIKE with a bracket and ESCAPE", &[], Answer::Unordered(&[4]), || {
        people(Expr::col("name").like(LikeExpr::new("Dan [_]").escape('!')))
    }),
    Construct::new("LIKE a column", &[], Answer::Rows(5), || {
        people(Expr::col("name").binary(sea_query::BinOper::Like, Expr::col("name")))
    }),
    Construct::new("ILIKE", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[1]), || {
        people(Expr::col("name").ilike("aDA"))
    }),
    Construct::new("comparison of row values", &[SqlServer], Answer::Unordered(&[1, 3, 4]), || {
        people(row().gt(Expr::tuple([Expr::val(25_i64), Expr::val(2_i64)])))
    }),
    Construct::new("row values IN a list", &[SqlServer], Answer::Unordered(&[1, 3]), || {
        people(row().in_tuples([(36_i64, 1_i64), (25, 3), (25, 9)]))
    }),
];

use sea_query::extension::postgres::PgFunc;
use sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SimpleExpr};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

fn over_people(expr: impl Into<SimpleExpr>) -> Statement {
    Statement::Select(Query::select().expr_as(expr.into(), "answer").from("people").take())
}

fn people(condition: Expr) -> Statement {
    Statement::Select(Query::select().column("id").from("people").and_where(condition).take())
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("COUNT(*)", &[], Answer::Ordered(&[5]), || over_people(Expr::col(Asterisk).count())),
    Construct::new("COUNT of a column", &[], Answer::Ordered(&[3]), || over_people(Expr::col("city").count())),
    Construct::new("COUNT(DISTINCT …)", &[], Answer::Ordered(&[2]), || {
        over_people(Expr::col("city").count_distinct())
    }),
    Construct::new("MIN", &[], Answer::Ordered(&[19]), || over_people(Expr::col("age").min())),
    Construct::new("MAX", &[], Answer::Ordered(&[41]), || over_people(Expr::col("age").max())),
    Construct::new("SUM", &[], Answer::Ordered(&[146]), || over_people(Expr::col("age").sum().cast_as("bigint"))),
    Construct::new("AVG", &[], Answer::Unordered(&[1, 4]), || {
        let average = Query::select().expr(Expr::col("age").avg()).from("people").take();
        let twenty_nine = Expr::col("age").gt(Expr::from(average.clone()));
        people(twenty_nine.and(Expr::from(average).gt(29_i64)))
    }),
    Construct::new("aggregate FILTER", &[], Answer::Ordered(&[2]), || {
        over_people(Func::count(Expr::col(Asterisk)).filter(Expr::col("age").gt(30_i64)))
    }),
    Construct::new("COALESCE", &[], Answer::Unordered(&[2, 5]), || {
        people(Expr::expr(Func::coalesce([Expr::col("city"), Expr::val("none")])).eq("none"))
    }),
    Construct::new("IFNULL", &[], Answer::Unordered(&[2, 5]), || {
        people(Expr::col("city").if_null("somewhere else").eq("somewhere else"))
    }),
    Construct::new("GREATEST, LEAST", &[SqlServer], Answer::Unordered(&[1, 4]), || {
        let clamped = Func::least([Func::greatest([Expr::col("age"), Expr::val(30_i64)]).into(), Expr::val(40_i64)]);
        people(Expr::from(clamped).gt(30_i64))
    }),
    Construct::new("CHAR_LENGTH", &[], Answer::Unordered(&[3, 5]), || {
        people(Expr::from(Func::char_length(Expr::col("name"))).eq(4_i64))
    }),
    Construct::new("CHAR_LENGTH beyond U+FFFF", &[], Answer::Ordered(&[2]), || {
        let mut select = Query::select();
        select.expr_as(Expr::from(Func::char_length(Expr::val("\u{1F980} "))).cast_as("bigint"), "answer");
        Statement::Select(select)
    }),
    Construct::new("LOWER", &[], Answer::Unordered(&[2]), || {
        people(Expr::from(Func::lower(Expr::col("name"))).eq("bob"))
    }),
    Construct::new("UPPER", &[], Answer::Unordered(&[2]), || {
        people(Expr::from(Func::upper(Expr::col("name"))).eq("BOB"))
    }),
    Construct::new("ABS", &[], Answer::Unordered(&[4]), || {
        people(Expr::from(Func::abs(Expr::col("age").sub(46_i64))).eq(5_i64))
    }),
    Construct::new("ROUND", &[], Answer::Ordered(&[4]), || {
        let mut select = Query::select();
        select.expr_as(Expr::from(Func::round(Expr::val(3.7))).cast_as("bigint"), "answer");
        Statement::Select(select)
    }),
    Construct::new("random number from 0 to 1", &[], Answer::Rows(5), || {
        people(Expr::from(Func::random()).gte(0.0).and(Expr::from(Func::random()).lt(1.0)))
    }),
    Construct::new("MD5", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[1]), || {
        people(Expr::from(Func::md5(Expr::col("name"))).eq("1a382809b7c03f686e12dd15677c5497"))
    }),
    Construct::new("BIT_AND, BIT_OR", &[Sqlite, SqlServer], Answer::Ordered(&[63]), || {
        over_people(Func::bit_or(Expr::col("age")))
    }),
    Construct::new("function by name", &[], Answer::Unordered(&[3]), || {
        people(Expr::from(Func::cust("REPLACE").args([Expr::col("name"), Expr::val("eo"), Expr::val("-")])).eq("Cl-"))
    }),
    Construct::new("PostgreSQL's own functions", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[2]), || {
        people(PgFunc::starts_with(Expr::col("name"), "Bo").into())
    }),
];

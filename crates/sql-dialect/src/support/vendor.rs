use sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt};
use sea_query::extension::postgres::{PgBinOper, PgExpr, PostgresSelectStatementExt, SampleMethod};
use sea_query::extension::sqlite::SqliteExpr;
use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, Postgres, SqlServer, Sqlite};

fn people() -> SelectStatement {
    Query::select().column("id").from("people").take()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("DISTINCT ON", &[MySql, Sqlite, SqlServer], Answer::Ordered(&[5, 2, 1, 4]), || {
        let mut select = people();
        select.distinct_on(["age"]).order_by("age", Order::Asc).order_by("id", Order::Asc);
        Statement::Select(select)
    }),
    Construct::new("regular expression", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[1]), || {
        Statement::Select(people().and_where(Expr::col("name").binary(PgBinOper::Regex, "^A")).take())
    }),
    Construct::new("JSON operators of PostgreSQL", &[MySql, Sqlite, SqlServer], Answer::Rows(5), || {
        let name = PgExpr::cast_json_field(Expr::val("{\"a\": \"b\"}").cast_as("jsonb"), "a");
        Statement::Select(people().and_where(name.eq("b")).take())
    }),
    Construct::new("TABLESAMPLE", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[1, 2, 3, 4, 5]), || {
        Statement::Select(people().table_sample(SampleMethod::BERNOULLI, 100.0, None).take())
    }),
    Construct::new("GLOB", &[MySql, Postgres, SqlServer], Answer::Unordered(&[1]), || {
        Statement::Select(people().and_where(Expr::col("name").glob("A*")).take())
    }),
    Construct::new("index hints", &[Postgres, Sqlite, SqlServer], Answer::Unordered(&[1]), || {
        let mut select = people();
        select.use_index("PRIMARY", IndexHintScope::All).and_where(Expr::col("id").eq(1_i64));
        Statement::Select(select)
    }),
    Construct::new("STRAIGHT_JOIN", &[Postgres, Sqlite, SqlServer], Answer::Unordered(&[1, 1, 2, 4]), || {
        let on = Expr::col(("orders", "person_id")).equals(("people", "id"));
        let mut select = Query::select();
        select.column(("people", "id")).from("people").join(JoinType::StraightJoin, "orders", on);
        Statement::Select(select)
    }),
];

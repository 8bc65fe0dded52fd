use sea_query::{DeleteStatement, Expr, ExprTrait, Order, Query};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, Postgres, SqlServer, Sqlite};

fn orders() -> DeleteStatement {
    Query::delete().from_table("orders").and_where(Expr::col("person_id").eq(1_i64)).take()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("DELETE with a condition", &[], Answer::Changed(2), || Statement::Delete(orders())),
    Construct::new("DELETE of all rows", &[], Answer::Changed(4), || {
        Statement::Delete(Query::delete().from_table("orders").take())
    }),
    Construct::new("DELETE by a subquery", &[], Answer::Changed(3), || {
        let old = Query::select().column("id").from("people").and_where(Expr::col("age").gt(30_i64)).take();
        let mut delete = Query::delete();
        Statement::Delete(delete.from_table("orders").and_where(Expr::col("person_id").in_subquery(old)).take())
    }),
    Construct::new("DELETE … RETURNING", &[MySql], Answer::Unordered(&[100, 250]), || {
        Statement::Delete(orders().returning_col("amount").take())
    }),
    Construct::new("DELETE … RETURNING *", &[MySql], Answer::Unordered(&[1, 2]), || {
        Statement::Delete(orders().returning_all().take())
    }),
    Construct::new("DELETE with ORDER BY and LIMIT", &[Postgres, Sqlite, SqlServer], Answer::Changed(1), || {
        Statement::Delete(orders().order_by("id", Order::Desc).limit(1).take())
    }),
    Construct::new("DELETE with an alias", &[MySql, SqlServer], Answer::Changed(2), || {
        let target = sea_query::TableRef::from("orders").alias("o");
        let mut delete = Query::delete();
        Statement::Delete(delete.from_table(target).and_where(Expr::col(("o", "person_id")).eq(1_i64)).take())
    }),
];

use sea_query::{Asterisk, Cond, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

const ON: fn() -> Expr = || Expr::col(("orders", "person_id")).equals(("people", "id"));

fn people() -> SelectStatement {
    Query::select().column(("people", "id")).from("people").take()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("INNER JOIN", &[], Answer::Unordered(&[1, 1, 2, 4]), || {
        Statement::Select(people().inner_join("orders", ON()).take())
    }),
    Construct::new("LEFT JOIN", &[], Answer::Unordered(&[3, 5]), || {
        Statement::Select(people().left_join("orders", ON()).and_where(Expr::col(("orders", "id")).is_null()).take())
    }),
    Construct::new("RIGHT JOIN", &[], Answer::Unordered(&[1, 1, 2, 4]), || {
        Statement::Select(people().right_join("orders", ON()).take())
    }),
    Construct::new("FULL OUTER JOIN", &[MySql], Answer::Unordered(&[1, 1, 2, 3, 4, 5]), || {
        Statement::Select(people().full_outer_join("orders", ON()).take())
    }),
    Construct::new("CROSS JOIN", &[], Answer::Rows(20), || Statement::Select(people().cross_join("orders").take())),
    Construct::new("JOIN with an empty condition", &[], Answer::Rows(20), || {
        Statement::Select(people().join(JoinType::InnerJoin, "orders", Cond::all()).take())
    }),
    Construct::new("self join with aliases", &[], Answer::Unordered(&[2, 3, 4, 5]), || {
        let mut select = Query::select();
        select.column(("p", "id")).from_as("people", "p").join_as(
            JoinType::InnerJoin,
            "people",
            "boss",
            Expr::col(("p", "boss_id")).equals(("boss", "id")),
        );
        Statement::Select(select)
    }),
    Construct::new("several tables in FROM", &[], Answer::Unordered(&[1, 1, 2, 4]), || {
        Statement::Select(people().from("orders").and_where(ON()).take())
    }),
    Construct::new("subquery in FROM", &[], Answer::Ordered(&[4, 1]), || {
        let rich = Query::select().column("person_id").from("orders").and_where(Expr::col("amount").gt(200_i64)).take();
        let mut select = Query::select();
        select.column(("rich", "person_id")).from_subquery(rich, "rich").order_by("person_id", Order::Desc);
        Statement::Select(select)
    }),
    Construct::new("ordered subquery in FROM", &[], Answer::Unordered(&[1, 2, 3, 4]), || {
        let ordered = Query::select().column("id").from("orders").order_by("amount", Order::Asc).take();
        Statement::Select(Query::select().column("id").from_subquery(ordered, "o").take())
    }),
    Construct::new("limited subquery in FROM", &[], Answer::Unordered(&[3, 1]), || {
        let cheapest = Query::select().column("id").from("orders").order_by("amount", Order::Asc).limit(2).take();
        Statement::Select(Query::select().column("id").from_subquery(cheapest, "o").take())
    }),
    Construct::new("aggregate without a name in FROM", &[SqlServer], Answer::Rows(1), || {
        let counted = Query::select().expr(Expr::col("id").count()).from("orders").take();
        Statement::Select(Query::select().column(Asterisk).from_subquery(counted, "c").take())
    }),
    Construct::new("JOIN with a subquery", &[], Answer::Unordered(&[1, 2, 4]), || {
        let sums = Query::select().column("person_id").from("orders").group_by_col("person_id").take();
        let mut select = people();
        select.join_subquery(
            JoinType::InnerJoin,
            sums,
            "sums",
            Expr::col(("sums", "person_id")).equals(("people", "id")),
        );
        Statement::Select(select)
    }),
    Construct::new("VALUES in FROM", &[], Answer::Unordered(&[1, 3]), || {
        let rows = [(1_i64, "one"), (2, "two"), (3, "three")];
        let mut select = Query::select();
        select.column(("v", "column1")).from_values(rows, "v").and_where(Expr::col(("v", "column2")).ne("two"));
        Statement::Select(select)
    }),
    Construct::new("LATERAL", &[MySql, Sqlite, SqlServer], Answer::Unordered(&[1, 2, 4]), || {
        let largest = Query::select()
            .column("amount")
            .from("orders")
            .and_where(ON())
            .order_by("amount", Order::Desc)
            .limit(1)
            .take();
        Statement::Select(people().join_lateral(JoinType::InnerJoin, largest, "largest", Cond::all()).take())
    }),
    Construct::new("scalar subquery", &[], Answer::Unordered(&[2, 1, 0, 1, 0]), || {
        let orders = Query::select().expr(Expr::col(Asterisk).count()).from("orders").and_where(ON()).take();
        Statement::Select(Query::select().expr_as(Expr::from(orders), "orders").from("people").take())
    }),
];

use sea_query::{Expr, ExprTrait, NullOrdering, Order, Query, SelectStatement, UnionType};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

fn people(below: i64) -> SelectStatement {
    Query::select().column("id").from("people").and_where(Expr::col("id").lt(below)).take()
}

fn buyers() -> SelectStatement {
    Query::select().column("person_id").from("orders").take()
}

fn largest() -> SelectStatement {
    Query::select().column("id").from("orders").order_by("amount", Order::Desc).limit(1).take()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("UNION", &[], Answer::Unordered(&[1, 2, 4]), || {
        Statement::Select(people(3).union(UnionType::Distinct, buyers()).take())
    }),
    Construct::new("UNION ALL", &[], Answer::Unordered(&[1, 2, 1, 1, 2, 4]), || {
        Statement::Select(people(3).union(UnionType::All, buyers()).take())
    }),
    Construct::new("INTERSECT", &[], Answer::Unordered(&[1, 2]), || {
        Statement::Select(people(4).union(UnionType::Intersect, buyers()).take())
    }),
    Construct::new("EXCEPT", &[], Answer::Unordered(&[3]), || {
        Statement::Select(people(4).union(UnionType::Except, buyers()).take())
    }),
    Construct::new("set operation with ORDER BY and LIMIT", &[], Answer::Ordered(&[4, 2]), || {
        let mut select = people(3);
        select.union(UnionType::Distinct, buyers()).order_by("id", Order::Desc).limit(2);
        Statement::Select(select)
    }),
    Construct::new("set operation with LIMIT 0", &[], Answer::Rows(0), || {
        let mut select = people(3);
        select.union(UnionType::Distinct, buyers()).order_by("id", Order::Desc).limit(0);
        Statement::Select(select)
    }),
    Construct::new("set operation with NULLS LAST", &[MySql, SqlServer], Answer::Ordered(&[1, 2, 4]), || {
        let mut select = people(3);
        select.union(UnionType::Distinct, buyers()).order_by_with_nulls("id", Order::Asc, NullOrdering::Last);
        Statement::Select(select)
    }),
    Construct::new("nested set operations", &[], Answer::Unordered(&[1, 2, 3]), || {
        let others = people(5).union(UnionType::Except, buyers()).take();
        Statement::Select(people(3).union(UnionType::Distinct, others).take())
    }),
    Construct::new("INTERSECT after UNION", &[Sqlite], Answer::Unordered(&[1, 2, 4]), || {
        let mut select = people(3);
        select.union(UnionType::Distinct, buyers()).union(UnionType::Intersect, buyers());
        Statement::Select(select)
    }),
    Construct::new("limited member", &[SqlServer], Answer::Unordered(&[1, 2, 4]), || {
        Statement::Select(people(3).union(UnionType::All, largest()).take())
    }),
];

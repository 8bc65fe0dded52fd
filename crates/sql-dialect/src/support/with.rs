use sea_query::{
    Asterisk, CommonTableExpression, Expr, ExprTrait, Func, Order, Query, SelectStatement, UnionType, Value, Values,
    WithClause,
};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, SqlServer, Sqlite};

fn table(name: &'static str, select: SelectStatement) -> CommonTableExpression {
    CommonTableExpression::new().table_name(name).column("id").query(select).take_owned()
}

/// `CommonTableExpression` is built through `&mut` and has no `take`.
trait TakeOwned: Clone {
    fn take_owned(&self) -> Self {
        self.clone()
    }
}

impl TakeOwned for CommonTableExpression {}
impl TakeOwned for WithClause {}

fn old() -> CommonTableExpression {
    table("old", Query::select().column("id").from("people").and_where(Expr::col("age").gt(30_i64)).take())
}

fn from(name: &'static str) -> SelectStatement {
    Query::select().column("id").from(name).order_by("id", Order::Asc).take()
}

fn in_old() -> Expr {
    Expr::col("id").in_subquery(Query::select().column("id").from("old").take())
}

/// The people below person 1, with their distance from her.
fn chain(most: i64) -> CommonTableExpression {
    let mut first = Query::select();
    first.expr(Expr::val(1_i64).cast_as("bigint"));
    let mut next = Query::select();
    next.expr(Expr::col(("chain", "id")).add(1_i64)).from("chain").and_where(Expr::col(("chain", "id")).lt(most));
    table("chain", first.union(UnionType::All, next).take())
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("WITH … SELECT", &[], Answer::Ordered(&[1, 4]), || {
        Statement::With(WithClause::new().cte(old()).take_owned().query(from("old")))
    }),
    Construct::new("WITH inside the SELECT itself", &[], Answer::Ordered(&[1, 4]), || {
        Statement::Select(from("old").with_cte(old()).take())
    }),
    Construct::new("several common tables", &[], Answer::Ordered(&[4]), || {
        let young = table("rest", Query::select().column("id").from("old").and_where(Expr::col("id").gt(1_i64)).take());
        Statement::With(WithClause::new().cte(old()).cte(young).take_owned().query(from("rest")))
    }),
    Construct::new("WITH RECURSIVE", &[], Answer::Ordered(&[1, 2, 3, 4]), || {
        Statement::With(WithClause::new().recursive(true).cte(chain(4)).take_owned().query(from("chain")))
    }),
    Construct::new("more than 100 levels of recursion", &[], Answer::Ordered(&[500]), || {
        let count = Query::select().expr(Expr::col(Asterisk).count()).from("chain").take();
        Statement::With(WithClause::new().recursive(true).cte(chain(500)).take_owned().query(count))
    }),
    Construct::new("common table of VALUES", &[], Answer::Ordered(&[7, 8]), || {
        let rows = vec![Values(vec![Value::BigInt(Some(8))]), Values(vec![Value::BigInt(Some(7))])];
        let values = CommonTableExpression::new().table_name("given").column("id").values(rows).take_owned();
        Statement::With(WithClause::new().cte(values).take_owned().query(from("given")))
    }),
    Construct::new("MATERIALIZED", &[MySql, SqlServer], Answer::Ordered(&[1, 4]), || {
        Statement::With(WithClause::new().cte(old().materialized(true).take_owned()).take_owned().query(from("old")))
    }),
    Construct::new("WITH … INSERT", &[MySql], Answer::Changed(2), || {
        let rows =
            Query::select().column("id").expr(Func::coalesce([Expr::col("id"), Expr::val(0_i64)])).from("old").take();
        let mut insert = Query::insert();
        insert.into_table("counters").columns(["id", "hits"]);
        // The columns and the select have the same number of parts, which is all that can fail here.
        let _ = insert.select_from(rows);
        Statement::With(insert.with(WithClause::new().cte(old()).take_owned()))
    }),
    Construct::new("WITH … UPDATE", &[MySql], Answer::Changed(2), || {
        let update = Query::update().table("people").value("age", 50_i64).and_where(in_old()).take();
        Statement::With(update.with(WithClause::new().cte(old()).take_owned()))
    }),
    Construct::new("WITH … DELETE", &[MySql], Answer::Changed(2), || {
        let delete = Query::delete().from_table("people").and_where(in_old()).take();
        Statement::With(delete.with(WithClause::new().cte(old()).take_owned()))
    }),
    Construct::new("WITH in a subquery", &[SqlServer], Answer::Ordered(&[1, 4]), || {
        let inner = Query::select().column("id").from("old").with_cte(old()).take();
        Statement::Select(Query::select().column("id").from_subquery(inner, "o").order_by("id", Order::Asc).take())
    }),
    Construct::new("changes in a common table", &[MySql, Sqlite, SqlServer], Answer::Ordered(&[3]), || {
        let delete =
            Query::delete().from_table("orders").and_where(Expr::col("id").eq(3_i64)).returning_col("id").take();
        let gone = CommonTableExpression::new().table_name("gone").column("id").query(delete).take_owned();
        Statement::With(WithClause::new().cte(gone).take_owned().query(from("gone")))
    }),
];

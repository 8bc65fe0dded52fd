use sea_query::{CaseStatement, Expr, ExprTrait, Order, Query, TableRef, UpdateStatement};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, Postgres, SqlServer, Sqlite};

fn people() -> UpdateStatement {
    Query::update().table("people").value("age", Expr::col("age").add(1_i64)).take()
}

fn first() -> Expr {
    Expr::col("id").lte(2_i64)
}

fn buyers() -> UpdateStatement {
    let mut update = Query::update();
    update
        .table("people")
        .value("age", Expr::col(("orders", "amount")))
        .from("orders")
        .and_where(Expr::col(("orders", "person_id")).equals(("people", "id")))
        .and_where(Expr::col(("orders", "id")).gte(3_i64));
    update
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("UPDATE with a condition", &[], Answer::Changed(2), || {
        Statement::Update(people().and_where(first()).take())
    }),
    Construct::new("UPDATE of all rows", &[], Answer::Changed(5), || Statement::Update(people())),
    Construct::new("UPDATE to NULL", &[], Answer::Changed(1), || {
        let mut update = Query::update();
        update.table("people").value("city", None::<String>).and_where(Expr::col("id").eq(1_i64));
        Statement::Update(update)
    }),
    Construct::new("UPDATE to a comparison", &[], Answer::Changed(1), || {
        let mut update = Query::update();
        update.table("people").value("active", Expr::col("age").gt(1_i64)).and_where(Expr::col("id").eq(3_i64));
        Statement::Update(update)
    }),
    Construct::new("UPDATE to a CASE", &[], Answer::Changed(2), || {
        let case = CaseStatement::new().case(Expr::col("id").eq(1_i64), 37_i64).finally(26_i64);
        let mut update = Query::update();
        Statement::Update(update.table("people").value("age", case).and_where(first()).take())
    }),
    Construct::new("UPDATE … FROM", &[], Answer::Changed(2), || Statement::Update(buyers())),
    Construct::new("UPDATE … FROM the same table", &[], Answer::Changed(5), || {
        let boss = TableRef::from("people").alias("boss");
        let mut update = Query::update();
        update.table("people").value("age", 90_i64).from(boss).and_where(Expr::col(("boss", "id")).eq(1_i64));
        Statement::Update(update)
    }),
    Construct::new("UPDATE … FROM several tables", &[MySql], Answer::Changed(2), || {
        let boss = TableRef::from("people").alias("boss");
        let condition = Expr::col(("boss", "id")).equals(("people", "boss_id"));
        Statement::Update(buyers().from(boss).and_where(condition).take())
    }),
    Construct::new("UPDATE … RETURNING", &[MySql], Answer::Unordered(&[37, 26]), || {
        Statement::Update(people().and_where(first()).returning_col("age").take())
    }),
    Construct::new("UPDATE … RETURNING *", &[MySql], Answer::Unordered(&[1, 2]), || {
        Statement::Update(people().and_where(first()).returning_all().take())
    }),
    Construct::new("UPDATE … FROM … RETURNING", &[MySql], Answer::Unordered(&[75, 300]), || {
        Statement::Update(buyers().returning_col("age").take())
    }),
    Construct::new("UPDATE … FROM … RETURNING *", &[MySql, Sqlite, SqlServer], Answer::Rows(2), || {
        Statement::Update(buyers().returning_all().take())
    }),
    Construct::new("UPDATE with ORDER BY and LIMIT", &[Postgres, Sqlite, SqlServer], Answer::Changed(1), || {
        Statement::Update(people().order_by("id", Order::Desc).limit(1).take())
    }),
    Construct::new("UPDATE with an alias", &[SqlServer], Answer::Changed(2), || {
        let target = TableRef::from("people").alias("p");
        let mut update = Query::update();
        update.table(target).value("age", 1_i64).and_where(Expr::col(("p", "id")).lte(2_i64));
        Statement::Update(update)
    }),
];

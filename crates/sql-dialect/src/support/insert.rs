use sea_query::{Expr, ExprTrait, InsertStatement, OnConflict, Query};

use super::{Answer, Construct, Statement};
use crate::Dialect::{MySql, Postgres, SqlServer, Sqlite};

fn orders(ids: &[i64]) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table("orders").columns(["id", "person_id", "amount", "note"]);
    for id in ids {
        // Four columns and four values, which is all that can fail here.
        let _ = insert.values([(*id).into(), 1_i64.into(), 10_i64.into(), None::<String>.into()]);
    }
    insert
}

fn counters(rows: u32) -> InsertStatement {
    Query::insert().into_table("counters").or_default_values_many(rows).take()
}

pub(super) const CONSTRUCTS: &[Construct] = &[
    Construct::new("one row", &[], Answer::Changed(1), || Statement::Insert(orders(&[10]))),
    Construct::new("several rows", &[], Answer::Changed(3), || Statement::Insert(orders(&[10, 11, 12]))),
    Construct::new("more than 1000 rows", &[SqlServer], Answer::Changed(1001), || {
        let mut insert = Query::insert();
        insert.into_table("counters").columns(["id"]);
        for id in 0..1001_i64 {
            let _ = insert.values([id.into()]);
        }
        Statement::Insert(insert)
    }),
    Construct::new("expressions as values", &[], Answer::Changed(1), || {
        let largest = Query::select().expr(Expr::col("id").max()).from("people").take();
        let mut insert = Query::insert();
        insert.into_table("orders").columns(["id", "person_id", "amount"]);
        let _ = insert.values([Expr::from(largest).add(1_i64), Expr::val(1_i64), Expr::val(2_i64).mul(3_i64)]);
        Statement::Insert(insert)
    }),
    Construct::new("INSERT … SELECT", &[], Answer::Changed(5), || {
        let mut insert = Query::insert();
        insert.into_table("counters").columns(["id", "hits"]);
        let _ = insert.select_from(Query::select().columns(["id", "age"]).from("people").take());
        Statement::Insert(insert)
    }),
    Construct::new("a row of default values", &[], Answer::Changed(1), || Statement::Insert(counters(1))),
    Construct::new("several rows of default values", &[Sqlite, SqlServer], Answer::Changed(3), || {
        Statement::Insert(counters(3))
    }),
    Construct::new("DEFAULT as a value", &[Sqlite], Answer::Changed(1), || {
        let mut insert = Query::insert();
        insert.into_table("counters").columns(["id", "hits"]);
        let _ = insert.values([Expr::val(1_i64), Expr::keyword_default()]);
        Statement::Insert(insert)
    }),
    Construct::new("RETURNING *", &[MySql], Answer::Unordered(&[10, 11]), || {
        Statement::Insert(orders(&[10, 11]).returning_all().take())
    }),
    Construct::new("RETURNING columns", &[MySql], Answer::Ordered(&[10]), || {
        Statement::Insert(orders(&[10]).returning(Query::returning().columns(["id", "amount"])).take())
    }),
    Construct::new("RETURNING an expression", &[MySql], Answer::Ordered(&[11]), || {
        Statement::Insert(orders(&[10]).returning(Query::returning().expr(Expr::col("id").add(1_i64))).take())
    }),
    Construct::new("RETURNING of a row of default values", &[MySql], Answer::Ordered(&[7]), || {
        Statement::Insert(counters(1).returning_col("id").take())
    }),
    Construct::new("ON CONFLICT (…) DO NOTHING", &[MySql, SqlServer], Answer::Changed(1), || {
        Statement::Insert(orders(&[1, 10]).on_conflict(OnConflict::column("id").do_nothing().to_owned()).take())
    }),
    Construct::new("ON CONFLICT DO NOTHING on any key", &[MySql, SqlServer], Answer::Changed(1), || {
        Statement::Insert(orders(&[1, 10]).on_conflict(OnConflict::new().do_nothing().to_owned()).take())
    }),
    Construct::new("ON CONFLICT DO NOTHING that names columns to keep", &[SqlServer], Answer::Rows(0), || {
        Statement::Insert(orders(&[10]).on_conflict(OnConflict::new().do_nothing_on(["id"]).to_owned()).take())
    }),
    Construct::new("ON CONFLICT (…) DO UPDATE", &[MySql, SqlServer], Answer::Changed(1), || {
        let conflict = OnConflict::column("id").update_column("amount").value("note", "again").to_owned();
        Statement::Insert(orders(&[1]).on_conflict(conflict).take())
    }),
    Construct::new("ON CONFLICT DO UPDATE on any key", &[Postgres, SqlServer], Answer::Rows(0), || {
        let conflict = OnConflict::new().update_columns(["amount", "note"]).to_owned();
        Statement::Insert(orders(&[1]).on_conflict(conflict).take())
    }),
    Construct::new("ON CONFLICT DO UPDATE with a condition", &[MySql, SqlServer], Answer::Changed(0), || {
        let conflict = OnConflict::column("id")
            .update_column("amount")
            .action_and_where(Expr::col(("orders", "amount")).lt(50_i64))
            .to_owned();
        Statement::Insert(orders(&[1]).on_conflict(conflict).take())
    }),
    Construct::new("REPLACE", &[Postgres, SqlServer], Answer::Rows(0), || {
        Statement::Insert(orders(&[1]).replace().take())
    }),
];

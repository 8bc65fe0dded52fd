//! How long rendering takes: this crate's four dialects beside sea-query's own three backends.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sea_query::{
    Expr, ExprTrait, InsertStatement, LikeExpr, MysqlQueryBuilder, Order, PostgresQueryBuilder, Query as Q,
    SelectStatement, SqliteQueryBuilder, UpdateStatement,
};
use sql_dialect::{Dialect, Query, render};

/// One page of a list behind a position.
fn keyset() -> SelectStatement {
    let behind = Expr::col("name_key")
        .gt("m")
        .or(Expr::col("name_key").eq("m").and(Expr::col("id").gt("0191d8a6-0000-7000-8000-000000000001")));
    Q::select()
        .columns(["id", "name", "email", "status", "version", "created_at", "updated_at"])
        .from("users")
        .and_where(Expr::col("status").eq("active"))
        .and_where(Expr::col("name_key").like(LikeExpr::new("%a!_b%").escape('!')))
        .and_where(behind)
        .order_by("name_key", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(51)
        .take()
}

fn insert() -> InsertStatement {
    Q::insert()
        .into_table("users")
        .columns(["id", "name", "email", "status", "version", "created_at"])
        .values_panic(["1".into(), "Ada".into(), "ada@example.com".into(), "active".into(), 1.into(), 1_i64.into()])
        .take()
}

fn update() -> UpdateStatement {
    Q::update()
        .table("users")
        .values([("name", "Ada".into()), ("status", "active".into()), ("version", Expr::col("version").add(1))])
        .and_where(Expr::col("id").eq("1"))
        .and_where(Expr::col("version").eq(1))
        .take()
}

/// The same statement through sea-query's own backends, which check nothing.
macro_rules! beside {
    ($group:ident, $statement:expr) => {{
        let statement = $statement;
        $group.bench_function("sea-query mysql", |b| b.iter(|| black_box(statement).build(MysqlQueryBuilder)));
        $group.bench_function("sea-query postgres", |b| {
            b.iter(|| black_box(statement).build(PostgresQueryBuilder));
        });
        $group.bench_function("sea-query sqlite", |b| b.iter(|| black_box(statement).build(SqliteQueryBuilder)));
    }};
}

fn rendering(criterion: &mut Criterion) {
    let (select, insert, update) = (keyset(), insert(), update());
    let statements =
        [("select", Query::Select(&select)), ("insert", Query::Insert(&insert)), ("update", Query::Update(&update))];
    for (name, query) in statements {
        let mut group = criterion.benchmark_group(name);
        for dialect in Dialect::ALL {
            group.bench_function(dialect.as_str(), |b| b.iter(|| render(dialect, black_box(query))));
        }
        match query {
            Query::Select(statement) => beside!(group, statement),
            Query::Insert(statement) => beside!(group, statement),
            Query::Update(statement) => beside!(group, statement),
            Query::Delete(_) | Query::With(_) => {}
        }
        group.finish();
    }
}

criterion_group!(benches, rendering);
criterion_main!(benches);

//! Statements that have no text: sea-query would panic, write something else, or leave a clause out.

use sea_query::extension::postgres::{PgBinOper, PgFunc};
use sea_query::{
    Alias, Asterisk, BinOper, CaseStatement, CommonTableExpression, Cond, Cycle, Expr, ExprTrait, Func, LikeExpr,
    LockBehavior, LockType, NullOrdering, OnConflict, Order, Query as Q, ReturningClause, Search, SearchOrder,
    SelectStatement, SubQueryStatement, TableRef, UnionType, Values, WindowStatement, WithClause, WithQuery,
};
use sql_dialect::{Dialect, Query, RenderError, Rendered, render};

const ALL: [Dialect; 4] = Dialect::ALL;

fn people() -> SelectStatement {
    Q::select().column("id").from("people").take()
}

fn with(condition: impl Into<Expr>) -> SelectStatement {
    people().and_where(condition.into()).take()
}

#[track_caller]
fn check_refused(dialects: &[Dialect], query: Query<'_>, construct: &str) {
    for dialect in ALL {
        let rendered = render(dialect, query);
        if dialects.contains(&dialect) {
            match rendered {
                Err(RenderError::Unsupported { construct: told, dialect: of }) => {
                    assert_eq!((told, of), (construct, dialect));
                }
                other => panic!("{dialect}: {other:?}"),
            }
        } else {
            assert!(rendered.is_ok(), "{dialect}: {rendered:?}");
        }
    }
}

#[test]
fn a_with_without_a_statement_is_refused() {
    let mut query = WithQuery::new();
    query.cte(CommonTableExpression::new().table_name("t").column("id").query(people()).to_owned());
    check_refused(&ALL, Query::With(&query), "WITH without a statement");
}

#[test]
fn a_with_without_tables_is_refused() {
    for recursive in [true, false] {
        let query = WithClause::new().recursive(recursive).to_owned().query(people());
        check_refused(&ALL, Query::With(&query), "WITH without a common table expression");
    }
}

#[test]
fn a_common_table_without_a_name_or_rows_is_refused() {
    let nameless = WithClause::new().cte(CommonTableExpression::new().query(people()).to_owned()).to_owned();
    check_refused(&ALL, Query::With(&nameless.query(people())), "a common table expression without a name");
    let empty = WithClause::new().cte(CommonTableExpression::new().table_name("t").to_owned()).to_owned();
    check_refused(&ALL, Query::With(&empty.query(people())), "VALUES without rows of one length");
    let uneven = vec![Values(vec![1.into()]), Values(vec![])];
    let uneven = CommonTableExpression::new().table_name("t").values(uneven).to_owned();
    let uneven = WithClause::new().cte(uneven).to_owned();
    check_refused(&ALL, Query::With(&uneven.query(people())), "VALUES without rows of one length");
}

#[test]
fn search_and_cycle_are_refused_whether_complete_or_not() {
    let table = CommonTableExpression::new().table_name("t").column("id").query(people()).to_owned();
    let mut searching = WithClause::new();
    let search = Search::new_from_order_and_expr(
        SearchOrder::DEPTH,
        sea_query::SelectExpr { expr: Expr::col("id"), alias: Some(Alias::new("o").into()), window: None },
    );
    searching.recursive(true).cte(table.clone()).search(search);
    check_refused(&ALL, Query::With(&searching.query(people())), "SEARCH and CYCLE");
    let mut cycling = WithClause::new();
    cycling.recursive(true).cte(table.clone()).cycle(Cycle::new());
    check_refused(&ALL, Query::With(&cycling.query(people())), "SEARCH and CYCLE");
    let mut incomplete = WithClause::new();
    incomplete.recursive(true).cte(table).search(Search::new());
    check_refused(&ALL, Query::With(&incomplete.query(people())), "SEARCH and CYCLE");
}

#[test]
fn two_withs_in_a_row_are_refused() {
    let clause = || {
        WithClause::new()
            .cte(CommonTableExpression::new().table_name("t").column("id").query(people()).to_owned())
            .to_owned()
    };
    let query = clause().query(people().with_cte(clause()).take());
    check_refused(&ALL, Query::With(&query), "WITH after WITH");
}

#[test]
fn custom_expressions_without_their_values_are_refused() {
    let construct = "a custom expression with a mark that has no value";
    for template in ["$2", "$0", "$99999999999999999999999"] {
        check_refused(&ALL, Query::Select(&with(Expr::cust_with_values(template, [1]))), construct);
    }
    let marks = with(Expr::cust_with_values("? + ?", [1]));
    check_refused(&[Dialect::MySql, Dialect::Sqlite, Dialect::SqlServer], Query::Select(&marks), construct);
    check_refused(&[], Query::Select(&with(Expr::cust_with_values("'$9' = '?' and \"?\" = $1", [1]))), construct);
}

#[test]
fn operators_and_functions_of_another_engine_are_refused() {
    let not_postgres = [Dialect::MySql, Dialect::Sqlite, Dialect::SqlServer];
    let contains = with(Expr::col("a").binary(PgBinOper::Contains, Expr::col("b")));
    check_refused(&not_postgres, Query::Select(&contains), "PostgreSQL's own operators");
    let random = with(PgFunc::starts_with("a", "b"));
    check_refused(&not_postgres, Query::Select(&random), "PostgreSQL's own functions");
    let any = with(Expr::col("a").eq(Expr::any(people())));
    check_refused(&[Dialect::Sqlite], Query::Select(&any), "ANY, SOME and ALL");
    let joined = people().full_outer_join("orders", Expr::col("a").eq(1)).take();
    check_refused(&[Dialect::MySql], Query::Select(&joined), "FULL OUTER JOIN");
}

#[test]
fn locks_that_only_one_of_mysql_and_mariadb_has_are_refused() {
    let mut select = people();
    select.lock_with_behavior(LockType::Share, LockBehavior::Nowait);
    let refused = [Dialect::MySql];
    let lockless = "FOR UPDATE and FOR SHARE";
    for (dialect, construct) in [
        (Dialect::MySql, "FOR SHARE with NOWAIT or SKIP LOCKED"),
        (Dialect::Sqlite, lockless),
        (Dialect::SqlServer, lockless),
    ] {
        assert_eq!(render(dialect, Query::Select(&select)), Err(RenderError::Unsupported { dialect, construct }));
    }
    let key = people().lock(LockType::KeyShare).take();
    assert!(refused.iter().all(|dialect| render(*dialect, Query::Select(&key)).is_err()));
    assert!(render(Dialect::Postgres, Query::Select(&key)).is_ok_and(|text| text.sql.ends_with(" FOR KEY SHARE")));
}

#[test]
fn incomplete_statements_are_refused() {
    check_refused(&ALL, Query::Select(&SelectStatement::new()), "SELECT of no columns");
    check_refused(&ALL, Query::Insert(&Q::insert()), "INSERT without a table");
    check_refused(&ALL, Query::Insert(&Q::insert().into_table("t").take()), "INSERT without a list of columns");
    check_refused(&ALL, Query::Insert(&Q::insert().into_table("t").columns(["a"]).take()), "INSERT without values");
    check_refused(&ALL, Query::Update(&Q::update().value("a", 1).take()), "UPDATE or DELETE without a table");
    check_refused(&ALL, Query::Update(&Q::update().table("t").take()), "UPDATE without values");
    check_refused(&ALL, Query::Delete(&Q::delete()), "UPDATE or DELETE without a table");
    let subquery = TableRef::SubQuery(Box::new(people()), "p".into());
    check_refused(&ALL, Query::Delete(&Q::delete().from_table(subquery).take()), "a change of anything but a table");
    check_refused(&ALL, Query::Select(&with(CaseStatement::new().finally(1))), "CASE without WHEN");
    check_refused(&ALL, Query::Select(&with(Expr::tuple([]))), "an empty row value");
    check_refused(
        &ALL,
        Query::Select(&with(Func::coalesce(Vec::<Expr>::new()))),
        "COALESCE, GREATEST or LEAST of nothing",
    );
    check_refused(
        &ALL,
        Query::Select(&people().order_by("a", Order::Field(Values(vec![]))).take()),
        "an order by an empty list of values",
    );
}

#[test]
fn a_conflict_without_an_action_is_refused() {
    let insert = |conflict: OnConflict| {
        Q::insert().into_table("t").columns(["a"]).values_panic([1.into()]).on_conflict(conflict).take()
    };
    for (dialect, construct) in [
        (Dialect::MySql, "ON CONFLICT on a key of one's choice"),
        (Dialect::Postgres, "ON CONFLICT without an action"),
        (Dialect::Sqlite, "ON CONFLICT without an action"),
        (Dialect::SqlServer, "ON CONFLICT"),
    ] {
        let rendered = render(dialect, Query::Insert(&insert(OnConflict::column("a"))));
        assert_eq!(rendered, Err(RenderError::Unsupported { dialect, construct }));
    }
    let nothing = OnConflict::new().do_nothing().to_owned();
    let rendered = render(Dialect::MySql, Query::Insert(&insert(nothing)));
    assert!(matches!(rendered, Err(RenderError::Unsupported { .. })), "{rendered:?}");
}

#[test]
fn returning_nothing_is_refused() {
    for returning in [ReturningClause::Columns(vec![]), ReturningClause::Exprs(vec![])] {
        let delete = Q::delete().from_table("t").returning(returning).take();
        for dialect in ALL {
            assert!(render(dialect, Query::Delete(&delete)).is_err());
        }
    }
}

#[test]
fn a_subquery_or_a_foreign_column_in_output_is_refused() {
    let subquery = Q::delete().from_table("t").returning(Q::returning().expr(Expr::from(people()))).take();
    let foreign = Q::delete().from_table("t").returning(Q::returning().column(("u", "a"))).take();
    for delete in [subquery, foreign] {
        let rendered = render(Dialect::SqlServer, Query::Delete(&delete));
        assert!(matches!(rendered, Err(RenderError::Unsupported { .. })), "{rendered:?}");
    }
    let own = Q::delete().from_table("t").returning(Q::returning().columns([("t", "a"), ("t", "b")])).take();
    let text = render(Dialect::SqlServer, Query::Delete(&own)).map(|rendered| rendered.sql);
    assert_eq!(text.as_deref(), Ok("DELETE FROM [t] OUTPUT DELETED.[a], DELETED.[b]"));
}

#[test]
fn changes_inside_other_statements_are_refused() {
    let delete = Q::delete().from_table("t").returning_col("id").take();
    let select = with(Expr::col("id").eq(Expr::from(SubQueryStatement::from(delete))));
    check_refused(&ALL, Query::Select(&select), "INSERT, UPDATE or DELETE inside another statement");
}

#[test]
fn a_window_behind_an_order_is_refused() {
    let window = WindowStatement::partition_by("a");
    let select = people().window("w", window).order_by("id", Order::Asc).take();
    for dialect in ALL {
        assert!(render(dialect, Query::Select(&select)).is_err(), "{dialect}");
    }
}

#[test]
fn aggregates_without_meaning_are_refused() {
    let filtered = with(Func::lower(Expr::col("a")).filter(Expr::col("b").eq(1)));
    check_refused(&[Dialect::MySql, Dialect::SqlServer], Query::Select(&filtered), "FILTER on this function");
    let whole = Q::select().expr(Expr::col(("t", Asterisk)).count()).from("t").take();
    let refused = [Dialect::MySql, Dialect::Sqlite, Dialect::SqlServer];
    check_refused(&refused, Query::Select(&whole), "a function of a whole row");
}

#[test]
fn names_of_three_parts_are_refused_where_there_are_two() {
    let select = Q::select().column("id").from(("db", "schema", "people")).take();
    check_refused(&[Dialect::MySql, Dialect::Sqlite], Query::Select(&select), "a name of three parts");
}

#[test]
fn an_order_of_nulls_in_a_set_operation_is_refused_only_if_it_needs_an_expression() {
    let mut select = people();
    select.union(UnionType::All, people()).order_by_with_nulls("id", Order::Asc, NullOrdering::First);
    check_refused(&[], Query::Select(&select), "");
}

#[test]
fn wide_conditions_are_rendered_and_deep_ones_refused() {
    let wide = (0..50_000).fold(Cond::any(), |cond, number| cond.add(Expr::col("id").eq(number)));
    let mut select = people();
    select.cond_where(wide);
    let rendered = render(Dialect::Sqlite, Query::Select(&select));
    // The number of parameters is the limit here, not the stack.
    assert!(matches!(rendered, Err(RenderError::Unsupported { construct: "more than 32766 parameters", .. })));
    let deep = (0..1000).fold(Expr::col("id"), |expr, _| Expr::val(1).sub(expr));
    check_refused(&ALL, Query::Select(&with(deep.eq(1))), "expressions nested more than 200 levels deep");
    let truths = (0..20).fold(Expr::col("id").eq(1), |expr, _| expr.eq(true));
    check_refused(
        &[Dialect::SqlServer],
        Query::Select(&with(truths)),
        "truth values of truth values more than 6 levels deep",
    );
}

#[test]
fn a_chain_keeps_its_meaning() {
    let mut select = people();
    select
        .and_or_where(sea_query::LogicalChainOper::And(Expr::col("a").or(Expr::col("b"))))
        .and_or_where(sea_query::LogicalChainOper::And(Expr::cust("c OR d")));
    let text = render(Dialect::Postgres, Query::Select(&select)).map(|Rendered { sql, .. }| sql);
    assert_eq!(text.as_deref(), Ok("SELECT \"id\" FROM \"people\" WHERE (\"a\" OR \"b\") AND (c OR d)"));
}

#[test]
fn an_escape_that_is_no_character_is_refused() {
    let wildcard = with(Expr::col("a").like(LikeExpr::new("a").escape('%')));
    check_refused(&ALL, Query::Select(&wildcard), "a wildcard as the ESCAPE character");
    let word = Expr::val("a").binary(BinOper::Escape, Expr::val("word"));
    let word = with(Expr::col("a").binary(BinOper::Like, word));
    check_refused(&ALL, Query::Select(&word), "an ESCAPE that is not one character");
}

//! Which values are sent, as what, and which are refused.

use chrono::{DateTime, Utc};
use sea_query::{Enum, Expr, ExprTrait, LikeExpr, OptionEnum, Query as Q, SelectStatement, Value};
use sql_dialect::{Dialect, Query, RenderError, Rendered, render};

fn of(value: impl Into<Value>) -> SelectStatement {
    Q::select().expr(Expr::val(1)).expr(Expr::val(value)).take()
}

#[track_caller]
fn check_refused(select: &SelectStatement, told: &str) {
    for dialect in Dialect::ALL {
        match render(dialect, Query::Select(select)) {
            Err(RenderError::Value { dialect: of, position: 2, reason }) => assert_eq!((of, reason), (dialect, told)),
            other => panic!("{dialect}: {other:?}"),
        }
    }
}

#[test]
fn text_with_a_nul_is_refused_everywhere() {
    let told = "text contains U+0000";
    check_refused(&of("a\0b"), told);
    check_refused(&of('\0'), told);
    check_refused(&of(serde_json::json!({"a": [{"b\0": 1}]})), told);
    check_refused(&of(serde_json::json!(["a", "\0"])), told);
    check_refused(&Q::select().expr(Expr::val(1)).expr(Expr::Constant("\0".into())).take(), told);
}

#[test]
fn numbers_that_are_not_finite_are_refused_everywhere() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        check_refused(&of(number), "number is not finite");
    }
    check_refused(&of(f32::NAN), "number is not finite");
}

#[test]
fn refusals_do_not_tell_the_value() {
    let error = render(Dialect::Postgres, Query::Select(&of("secret\0"))).expect_err("a nul");
    assert!(!format!("{error} {error:?}").contains("secret"));
    assert_eq!(error.to_string(), "parameter 2 cannot be sent to postgres: text contains U+0000");
}

#[test]
fn unsigned_numbers_beyond_a_bigint_are_for_mysql_alone() {
    for dialect in Dialect::ALL {
        let rendered = render(dialect, Query::Select(&of(u64::MAX)));
        assert_eq!(rendered.is_ok(), dialect == Dialect::MySql, "{rendered:?}");
        let Ok(Rendered { values, .. }) = render(dialect, Query::Select(&of(7_u64))) else { panic!("seven") };
        let expected = if dialect == Dialect::MySql { Value::from(7_u64) } else { Value::from(7_i64) };
        assert_eq!(values.0[1], expected);
    }
}

#[test]
fn limits_beyond_a_bigint_are_the_largest_bigint() {
    let select = Q::select().column("id").from("t").order_by("id", sea_query::Order::Asc).limit(u64::MAX).take();
    for dialect in Dialect::ALL {
        let rendered = render(dialect, Query::Select(&select)).expect("a limit");
        assert_eq!(rendered.values.0, [Value::from(i64::MAX)]);
    }
}

#[test]
fn enumerations_travel_as_text_with_a_quoted_type_for_postgres() {
    let value = OptionEnum::Some(Box::new(Enum { type_name: "mo\"od".into(), value: "glad".into() }));
    let select = of(Value::Enum(value));
    for dialect in Dialect::ALL {
        let rendered = render(dialect, Query::Select(&select)).expect("an enumeration");
        assert_eq!(rendered.values.0[1], Value::from("glad"));
        assert_eq!(rendered.sql.contains("$2::\"mo\"\"od\""), dialect == Dialect::Postgres, "{}", rendered.sql);
    }
}

#[test]
fn literals_that_engines_write_differently_are_sent_as_parameters() {
    let instant = DateTime::<Utc>::UNIX_EPOCH;
    let select = Q::select().expr(Expr::Constant(instant.into())).take();
    for dialect in Dialect::ALL {
        let rendered = render(dialect, Query::Select(&select)).expect("an instant");
        assert_eq!(rendered.values.0, [Value::from(instant)]);
    }
}

#[test]
fn a_pattern_that_engines_read_differently_is_refused() {
    let like = |pattern: LikeExpr| Q::select().expr(Expr::val(1)).expr(Expr::col("a").like(pattern)).take();
    check_refused(&like("a\\%".into()), "a LIKE pattern with a backslash needs an ESCAPE character");
    check_refused(&like(LikeExpr::new("a!").escape('!')), "a LIKE pattern ends with its ESCAPE character");
    check_refused(&like(LikeExpr::new("a!!!").escape('!')), "a LIKE pattern ends with its ESCAPE character");
}

#[test]
fn what_stands_for_itself_is_in_brackets_for_sql_server() {
    for (pattern, escape, expected) in [
        ("50%[a-z]", None, "50%[[]a-z]"),
        ("[a", Some('!'), "[[]a"),
        ("![a", Some('!'), "[[]a"),
        ("!![a", Some('!'), "![[]a"),
        ("[[a", Some('['), "[[]a"),
        ("%!%!_!!", Some('!'), "%[%][_]!"),
    ] {
        let like = match escape {
            Some(escape) => LikeExpr::new(pattern).escape(escape),
            None => LikeExpr::new(pattern),
        };
        let select = Q::select().column("a").from("t").and_where(Expr::col("a").like(like)).take();
        let rendered = render(Dialect::SqlServer, Query::Select(&select)).expect("a pattern");
        assert_eq!(rendered.values.0, [Value::from(expected)], "{pattern}");
    }
}

#[test]
fn too_many_parameters_are_refused() {
    for (dialect, most) in
        [(Dialect::MySql, 65_535), (Dialect::Postgres, 65_535), (Dialect::Sqlite, 32_766), (Dialect::SqlServer, 2_098)]
    {
        let of =
            |count: usize| Q::select().column("a").from("t").and_where(Expr::col("a").is_in(vec![1; count])).take();
        assert!(render(dialect, Query::Select(&of(most))).is_ok(), "{dialect}");
        assert!(render(dialect, Query::Select(&of(most + 1))).is_err(), "{dialect}");
    }
}

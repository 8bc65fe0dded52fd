use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, SubsecRound, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use sea_query::{Order, Query, Value, ValueType};
use serde_json::{Value as Json, json};
use shared_kernel::database::{Dialect, SqlConnection, TransactionMode, uuid_key};
use uuid::Uuid;

use super::Target;
use super::target::context;

/// How many values of each type [`any_value_of_every_type_survives`] tries in one run.
const SAMPLES: usize = 40;

/// The edges of each type that the project stores come back as they went in.
pub async fn edges_of_every_type_survive(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    create(sql).await;

    survive(sql, "flag", &[true, false]).await;
    survive(sql, "whole", &[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::from(i32::MAX) + 1, i64::MAX]).await;
    let numbers = [f64::MIN, -0.1, 0.0, f64::MIN_POSITIVE, f64::EPSILON, 0.1, 1.0 / 3.0, 1e-300, 1e300, f64::MAX];
    survive(sql, "number", &numbers).await;
    let amounts = ["-999999999999999999.9999999999", "0", "0.0000000001", "1.10", "999999999999999999.9999999999"];
    let amounts = amounts.map(|text| Decimal::from_str_exact(text).unwrap());
    survive(sql, "amount", &amounts).await;
    survive(sql, "words", &texts()).await;
    survive(sql, "bytes", &[vec![], vec![0], b"a\0b'\"\\".to_vec(), (0..=255).collect(), vec![0xff; 70_000]]).await;
    let ids = [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91)];
    survive(sql, "uid", &ids).await;
    survive_as(sql, "uid_key", &ids, |id| uuid_key(sql.dialect(), *id), |id: &Uuid| *id).await;
    let days = [(1000, 1, 1), (1582, 10, 15), (1899, 12, 31), (1969, 12, 31), (2000, 2, 29), (9999, 12, 31)];
    survive(sql, "day", &days.map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap())).await;
    survive_as(sql, "moment", &moments(), |moment| Value::from(*moment), to_utc_microseconds).await;
    survive(sql, "document", &documents()).await;
}

/// So does any other value: a sample of each type, made from `PROPTEST_RNG_SEED` where it is set
/// (`cargo xtask test --seed`), another one in each run where it is not.
pub async fn any_value_of_every_type_survives(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    create(sql).await;
    let mut runner = TestRunner::default();

    survive(sql, "whole", &sample(&mut runner, any::<i64>())).await;
    survive(sql, "number", &sample(&mut runner, proptest::num::f64::NORMAL)).await;
    let digits = -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999_i128;
    let amount = (digits, 0_u32..=10).prop_map(|(digits, scale)| {
        // Eighteen digits before the point is all that DECIMAL(28, 10) has.
        Decimal::from_i128_with_scale(digits / 10_i128.pow(10 - scale), scale)
    });
    survive(sql, "amount", &sample(&mut runner, amount)).await;
    survive(sql, "words", &sample(&mut runner, text())).await;
    survive(sql, "bytes", &sample(&mut runner, vec(any::<u8>(), 0..300))).await;
    let ids = sample(&mut runner, any::<u128>().prop_map(Uuid::from_u128));
    survive(sql, "uid", &ids).await;
    survive_as(sql, "uid_key", &ids, |id| uuid_key(sql.dialect(), *id), |id: &Uuid| *id).await;
    let first = NaiveDate::from_ymd_opt(1000, 1, 1).unwrap();
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    let days = (0..=(last - first).num_days()).prop_map(move |days| first + TimeDelta::days(days));
    survive(sql, "day", &sample(&mut runner, days)).await;
    let seconds = -30_000_000_000_i64..250_000_000_000;
    let moment = (seconds, 0_u32..1_000_000_000, -14 * 60..=14 * 60).prop_map(|(seconds, nanoseconds, minutes)| {
        let offset = FixedOffset::east_opt(minutes * 60).expect("less than a day");
        DateTime::from_timestamp(seconds, nanoseconds).expect("within chrono's years").with_timezone(&offset)
    });
    let moments = sample(&mut runner, moment);
    survive_as(sql, "moment", &moments, |moment| Value::from(*moment), to_utc_microseconds).await;
    survive(sql, "document", &sample(&mut runner, document())).await;
}

/// An empty text, no bytes and a JSON `null` are not NULL, and NULL of every type is.
pub async fn null_is_apart_from_empty(target: Target) {
    let connection = target.open().await;
    let sql = connection.sql().unwrap();
    create(sql).await;
    let columns = ["words", "bytes", "document"];
    let insert = |id: i32, values: [Value; 3]| {
        let mut row = vec![id.into()];
        row.extend(values.map(sea_query::SimpleExpr::from));
        let columns = ["id"].into_iter().chain(columns);
        Query::insert().into_table("edges").columns(columns).values_panic(row).to_owned().into()
    };
    let empty = [String::new().into(), Vec::<u8>::new().into(), Json::Null.into()];
    let null = [Option::<String>::None.into(), Option::<Vec<u8>>::None.into(), Value::Json(None)];
    sql.execute(&insert(1, empty), &context()).await.unwrap();
    sql.execute(&insert(2, null), &context()).await.unwrap();
    let select = Query::select().columns(columns).from("edges").order_by("id", Order::Asc).to_owned().into();
    let rows = sql.query(&select, &context()).await.unwrap();
    let read = |row: usize| {
        let row = &rows[row];
        let words = row.get::<Option<String>>("words").unwrap();
        (words, row.get::<Option<Vec<u8>>>("bytes").unwrap(), row.get::<Option<Json>>("document").unwrap())
    };
    assert_eq!(read(0), (Some(String::new()), Some(Vec::new()), Some(Json::Null)));
    assert_eq!(read(1), (None, None, None));

    let typed_nulls: [(&str, Value); 10] = [
        ("flag", Value::Bool(None)),
        ("whole", Value::BigInt(None)),
        ("number", Value::Double(None)),
        ("amount", Value::Decimal(None)),
        ("words", Value::String(None)),
        ("bytes", Value::Bytes(None)),
        ("uid", Value::Uuid(None)),
        ("day", Value::ChronoDate(None)),
        ("moment", Value::ChronoDateTimeUtc(None)),
        ("document", Value::Json(None)),
    ];
    for (id, (column, null)) in (3..).zip(typed_nulls) {
        let insert = Query::insert()
            .into_table("edges")
            .columns(["id", column])
            .values_panic([id.into(), null.into()])
            .to_owned();
        sql.execute(&insert.into(), &context()).await.unwrap_or_else(|error| panic!("{column}: {error:?}"));
    }
}

async fn create(sql: &dyn SqlConnection) {
    let columns = match sql.dialect() {
        Dialect::MySql => {
            "flag BOOLEAN, whole BIGINT, number DOUBLE, amount DECIMAL(28, 10), words LONGTEXT, bytes LONGBLOB, \
             uid BINARY(16), uid_key BINARY(16), day DATE, moment DATETIME(6), document JSON"
        }
        Dialect::Postgres => {
            "flag BOOLEAN, whole BIGINT, number DOUBLE PRECISION, amount NUMERIC(28, 10), words TEXT, bytes BYTEA, \
             uid UUID, uid_key UUID, day DATE, moment TIMESTAMPTZ, document JSONB"
        }
        Dialect::Sqlite => {
            "flag INTEGER, whole INTEGER, number REAL, amount TEXT, words TEXT, bytes BLOB, uid BLOB, uid_key BLOB, \
             day TEXT, moment TEXT, document TEXT"
        }
        Dialect::SqlServer => {
            "flag BIT, whole BIGINT, number FLOAT(53), amount DECIMAL(28, 10), words NVARCHAR(MAX), \
             bytes VARBINARY(MAX), uid UNIQUEIDENTIFIER, uid_key BINARY(16), day DATE, \
             moment DATETIMEOFFSET(6), document NVARCHAR(MAX)"
        }
    };
    let script =
        format!("CREATE TABLE edges (id INT NOT NULL PRIMARY KEY, {})", columns.replace(',', " NULL,") + " NULL");
    // The commas inside of a type's brackets are no ends of columns.
    let script = script.replace("(28 NULL, 10)", "(28, 10)");
    sql.run_script(&script, &context()).await.unwrap();
}

/// Writes the values, each into a row of its own, and reads them back as the same type.
async fn survive<T>(sql: &dyn SqlConnection, column: &'static str, values: &[T])
where
    T: ValueType + Into<Value> + Clone + PartialEq + fmt::Debug + Sync,
{
    survive_as(sql, column, values, |value| value.clone().into(), T::clone).await;
}

/// Writes the values as `write` makes them, reads them as the type that `expected` yields, and compares.
async fn survive_as<T, R>(
    sql: &dyn SqlConnection,
    column: &'static str,
    values: &[T],
    write: impl Fn(&T) -> Value,
    expected: impl Fn(&T) -> R,
) where
    T: fmt::Debug,
    R: ValueType + PartialEq + fmt::Debug,
{
    let context = context();
    let transaction = sql.begin(TransactionMode::ReadWrite, &context).await.unwrap();
    transaction.execute(&Query::delete().from_table("edges").to_owned().into(), &context).await.unwrap();
    for (id, value) in (1_i32..).zip(values) {
        let insert = Query::insert()
            .into_table("edges")
            .columns(["id", column])
            .values_panic([id.into(), write(value).into()])
            .to_owned();
        if let Err(error) = transaction.execute(&insert.into(), &context).await {
            panic!("{column}: {} cannot be stored: {error:?}", shown(value));
        }
    }
    transaction.commit(&context).await.unwrap();
    let select = Query::select().column(column).from("edges").order_by("id", Order::Asc).to_owned();
    let rows = sql.query(&select.into(), &context).await.unwrap();
    assert_eq!(rows.len(), values.len(), "{column}");
    for (row, value) in rows.iter().zip(values) {
        match row.get::<R>(column) {
            Ok(read) => assert!(read == expected(value), "{column}: {} became {}", shown(value), shown(&read)),
            Err(error) => panic!("{column}: {} cannot be read back: {error:?}", shown(value)),
        }
    }
}

fn shown(value: &impl fmt::Debug) -> String {
    format!("{value:?}").chars().take(500).collect()
}

fn sample<S: Strategy>(runner: &mut TestRunner, strategy: S) -> Vec<S::Value> {
    (0..SAMPLES).map(|_| strategy.new_tree(runner).expect("the strategy rejects nothing").current()).collect()
}

fn to_utc_microseconds(moment: &DateTime<FixedOffset>) -> DateTime<Utc> {
    moment.to_utc().trunc_subsecs(6)
}

fn texts() -> Vec<String> {
    let texts = [
        "",
        " ",
        "trailing blanks  ",
        "\ttab and\r\nline ends\n",
        "😀 𝄞 \u{10ffff} \u{fffd}",
        "cafe\u{301} 日本語 עברית",
        "'; DROP TABLE edges; --",
        r#"\' \" ` [ ] {} $1 ?1 @P1 %_"#,
        "\u{1}\u{7f}\u{85}\u{2028}\u{feff}",
    ];
    let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    texts.push("long 😀 ".repeat(20_000));
    texts
}

fn moments() -> Vec<DateTime<FixedOffset>> {
    [
        "1000-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2024-02-29T00:30:00.123456+14:00",
        "2024-12-31T23:59:59.999999999-12:00",
        "2025-03-30T02:30:00.5+05:30",
        "9999-12-31T23:59:59.999999Z",
    ]
    .into_iter()
    .map(|text| DateTime::parse_from_rfc3339(text).expect("an instant of RFC 3339"))
    .collect()
}

fn documents() -> Vec<Json> {
    vec![
        Json::Null,
        json!(true),
        json!(0),
        json!(""),
        json!([]),
        json!({}),
        json!({"": {"": []}, "a b": [null, false, -1.5, "😀 \u{10ffff}", "\\ \" ' \n \u{1}"]}),
        json!([i64::MAX, i64::MIN, 9_007_199_254_740_993_i64]),
    ]
}

/// Any text without U+0000, which PostgreSQL cannot store.
fn text() -> impl Strategy<Value = String> + Clone {
    vec(any::<char>().prop_filter("U+0000", |character| *character != '\0'), 0..60).prop_map(String::from_iter)
}

fn document() -> impl Strategy<Value = Json> {
    let leaf = proptest::prop_oneof![
        proptest::strategy::Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        proptest::prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Json::from),
            vec((text(), inner), 0..6).prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
        ]
    })
}

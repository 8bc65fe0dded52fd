use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use tiberius::{ColumnData, ToSql};
use uuid::Uuid;

use super::*;

async fn fetch(kind: TdsType, values: &[TdsValue]) -> Vec<ColumnData<'static>> {
    let mut rows = ResultSet::new([Column::new("n", TdsType::Int), Column::new("v", kind)]);
    for value in values {
        rows = rows.row([7.into(), value.clone()]);
    }
    let server = server().on("SELECT v", Reply::rows(rows)).start().await.unwrap();
    let mut client = connect(&server).await;
    let rows = client.query("SELECT v", &[]).await.unwrap().into_first_result().await.unwrap();
    rows.into_iter().map(|row| row.into_iter().nth(1).unwrap()).collect()
}

/// Whether tiberius reads what the script says, with a NULL before and behind it.
#[track_caller]
fn check<T: ToSql>(kind: TdsType, value: impl Into<TdsValue>, expected: T) -> impl Future<Output = ()> {
    let values = [TdsValue::Null, value.into(), TdsValue::Null];
    async move {
        let read = fetch(kind, &values).await;
        assert_eq!(read[1], expected.to_sql(), "{kind:?}");
        for null in [&read[0], &read[2]] {
            assert!(format!("{null:?}").ends_with("(None)"), "{kind:?}: {null:?}");
        }
    }
}

#[tokio::test]
async fn numbers_arrive_as_they_are() {
    check(TdsType::Bit, true, true).await;
    check(TdsType::TinyInt, 255_u8, 255_u8).await;
    check(TdsType::SmallInt, i16::MIN, i16::MIN).await;
    check(TdsType::Int, i32::MAX, i32::MAX).await;
    check(TdsType::BigInt, i64::MIN, i64::MIN).await;
    check(TdsType::Real, 1.5_f32, 1.5_f32).await;
    check(TdsType::Float, f64::MIN_POSITIVE, f64::MIN_POSITIVE).await;
    for digits in ["-0.0000000001", "123456789012345678.0123456789", "0"] {
        let decimal = Decimal::from_str(digits).unwrap();
        check(TdsType::Decimal { precision: 38, scale: 10 }, decimal, decimal).await;
    }
}

#[tokio::test]
async fn texts_and_bytes_arrive_as_they_are() {
    let long = "🦉 ".repeat(6000);
    for length in [Length::Of(100), Length::Max] {
        check(TdsType::NVarChar(length), "", "").await;
        check(TdsType::NVarChar(length), "ä🦉  ", "ä🦉  ").await;
        check(TdsType::VarChar(length), "Äß", "Äß").await;
        check(TdsType::VarBinary(length), &[0_u8, 255][..], &[0_u8, 255][..]).await;
    }
    check(TdsType::NVarChar(Length::Max), long.as_str(), long.as_str()).await;
    check(TdsType::Binary(2), &[1_u8, 2][..], &[1_u8, 2][..]).await;
    let uuid = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
    check(TdsType::UniqueIdentifier, uuid, uuid).await;
}

#[tokio::test]
async fn dates_and_times_arrive_as_they_are() {
    let date = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    let time = NaiveTime::from_hms_nano_opt(23, 59, 59, 999_999_900).unwrap();
    let moment = date.and_time(time);
    let offset = DateTime::<FixedOffset>::parse_from_rfc3339("2026-11-20T23:30:00.123456-05:30").unwrap();
    check(TdsType::Date, date, date).await;
    check(TdsType::Date, NaiveDate::from_ymd_opt(1, 1, 1).unwrap(), NaiveDate::from_ymd_opt(1, 1, 1).unwrap()).await;
    check(TdsType::Time(7), time, time).await;
    check(TdsType::Time(0), NaiveTime::from_hms_opt(1, 2, 3).unwrap(), NaiveTime::from_hms_opt(1, 2, 3).unwrap()).await;
    check(TdsType::DateTime2(7), moment, moment).await;
    check(TdsType::DateTimeOffset(7), offset, offset).await;
}

#[tokio::test]
async fn parameters_are_recorded_with_their_types() {
    let server = server().on(Matcher::any(), Reply::changed(1)).start().await.unwrap();
    let mut client = connect(&server).await;
    let decimal = Decimal::from_str("-12.50").unwrap();
    let uuid = Uuid::from_u128(7);
    let moment: NaiveDateTime = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap().and_hms_micro_opt(4, 5, 6, 7).unwrap();
    let offset = DateTime::<FixedOffset>::parse_from_rfc3339("2026-11-20T23:30:00.123456+02:00").unwrap();
    let long = "x".repeat(9000);
    let bytes = vec![7_u8; 9000];
    let sent: [(&dyn ToSql, TdsValue, TdsType); 17] = [
        (&true, true.into(), TdsType::Bit),
        (&200_u8, 200_u8.into(), TdsType::TinyInt),
        (&-3_i16, (-3_i16).into(), TdsType::SmallInt),
        (&-3_i32, (-3).into(), TdsType::Int),
        (&i64::MIN, i64::MIN.into(), TdsType::BigInt),
        (&1.5_f32, 1.5_f32.into(), TdsType::Real),
        (&2.5_f64, 2.5_f64.into(), TdsType::Float),
        (&decimal, decimal.into(), TdsType::Decimal { precision: 4, scale: 2 }),
        (&"ä🦉", "ä🦉".into(), TdsType::NVarChar(Length::Of(4000))),
        (&long, long.clone().into(), TdsType::NVarChar(Length::Max)),
        (&bytes, bytes.clone().into(), TdsType::VarBinary(Length::Max)),
        (&uuid, uuid.into(), TdsType::UniqueIdentifier),
        (&moment, moment.into(), TdsType::DateTime2(7)),
        (&moment.date(), moment.date().into(), TdsType::Date),
        (&moment.time(), moment.time().into(), TdsType::Time(7)),
        (&offset, offset.into(), TdsType::DateTimeOffset(7)),
        (&None::<&str>, TdsValue::Null, TdsType::Null),
    ];
    let parameters: Vec<&dyn ToSql> = sent.iter().map(|(parameter, ..)| *parameter).collect();
    let changed = client.execute("INSERT INTO t VALUES (…)", &parameters).await.unwrap().total();
    assert_eq!(changed, 1);

    let received = server.received().remove(0).statement;
    assert_eq!(received.via, Via::Procedure("sp_executesql".to_owned()));
    assert_eq!(received.text, "INSERT INTO t VALUES (…)");
    assert!(received.declarations.starts_with("@P1 bit,@P2 tinyint,"), "{}", received.declarations);
    for (parameter, (_, value, kind)) in received.parameters.iter().zip(&sent) {
        assert_eq!((&parameter.value, parameter.kind), (value, *kind), "{}", parameter.name);
    }
    assert_eq!(received.parameters.len(), sent.len());
}

#[tokio::test]
async fn a_script_that_does_not_fit_its_columns_says_so() {
    let rows = ResultSet::new([Column::new("n", TdsType::TinyInt)]).row([256.into()]);
    let short = ResultSet::new([Column::new("n", TdsType::Int)]).row([]);
    let server =
        server().on("SELECT wide", Reply::rows(rows)).on("SELECT short", Reply::rows(short)).start().await.unwrap();
    let mut client = connect(&server).await;
    for text in ["SELECT wide", "SELECT short"] {
        let error = client.simple_query(text).await.unwrap_err();
        assert_eq!(error.code(), Some(50_001), "{error}");
    }
}

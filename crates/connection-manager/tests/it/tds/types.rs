use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use shared_kernel::database::{Dialect, ValueType, uuid_key};
use testkit::tds::{Length, TdsValue};
use uuid::Uuid;

use super::*;

const ID: Uuid = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);

fn instant(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).expect("an instant of RFC 3339")
}

/// What the server receives for a value.
async fn sent(value: impl Into<Value>) -> (TdsType, TdsValue) {
    let server = server().on("UPDATE t SET a = @P1", Reply::changed(1)).start().await.expect("a server");
    let connection = connect(&server).await;
    let update = statement("UPDATE t SET a = @P1", [value.into()]);
    let changed = connection.sql().expect("SQL").execute(&update, &context()).await;
    assert_eq!(changed.ok(), Some(1));
    let mut parameters = server.received().remove(0).statement.parameters;
    assert_eq!(parameters.len(), 1);
    let parameter = parameters.remove(0);
    assert_eq!(parameter.name, "@P1");
    (parameter.kind, parameter.value)
}

#[tokio::test]
async fn values_are_sent_in_the_type_that_keeps_all_of_them() {
    assert_eq!(sent(true).await, (TdsType::Bit, true.into()));
    assert_eq!(sent(-5_i8).await, (TdsType::SmallInt, TdsValue::Int(-5)));
    assert_eq!(sent(i16::MIN).await, (TdsType::SmallInt, i16::MIN.into()));
    assert_eq!(sent(i32::MAX).await, (TdsType::Int, i32::MAX.into()));
    assert_eq!(sent(i64::MIN).await, (TdsType::BigInt, i64::MIN.into()));
    assert_eq!(sent(f64::MIN_POSITIVE).await, (TdsType::Float, f64::MIN_POSITIVE.into()));
    assert_eq!(sent("astral 🦉, blanks  ").await, (TdsType::NVarChar(Length::Of(4000)), "astral 🦉, blanks  ".into()));
    let long = "é".repeat(5000);
    assert_eq!(sent(long.as_str()).await, (TdsType::NVarChar(Length::Max), long.into()));
    assert_eq!(sent(vec![0_u8, 255]).await, (TdsType::VarBinary(Length::Of(8000)), vec![0_u8, 255].into()));
    assert_eq!(sent(ID).await, (TdsType::UniqueIdentifier, ID.into()));
    let key = TdsValue::Bytes(ID.as_bytes().to_vec());
    assert_eq!(sent(uuid_key(Dialect::SqlServer, ID)).await, (TdsType::VarBinary(Length::Of(8000)), key));
    let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    assert_eq!(sent(date).await, (TdsType::Date, date.into()));
    let time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    assert_eq!(sent(time).await, (TdsType::Time(7), time.into()));
    assert_eq!(sent(date.and_time(time)).await, (TdsType::DateTime2(7), date.and_time(time).into()));
    let document = json!({"name": "Ada \"🦉\"", "numbers": [1, 2.5, null]});
    let (kind, TdsValue::Text(text)) = sent(document.clone()).await else { panic!("JSON is text") };
    assert_eq!((kind, text.parse::<serde_json::Value>().unwrap()), (TdsType::NVarChar(Length::Of(4000)), document));
}

#[tokio::test]
async fn decimals_are_sent_without_losing_a_digit() {
    for text in ["123456789012345678.0123456789", "-0.0000000001", "79228162514264337593543950335", "1.50"] {
        let decimal: Decimal = text.parse().unwrap();
        assert_eq!(sent(decimal).await.1, decimal.into(), "{text}");
    }
}

#[tokio::test]
async fn instants_are_sent_in_utc_cut_to_microseconds() {
    let expected = TdsValue::DateTimeOffset(instant("2024-02-28T23:00:00.001234Z"));
    for text in ["2024-02-29T04:30:00.001234999+05:30", "2024-02-28T23:00:00.001234Z"] {
        let (kind, value) = sent(instant(text)).await;
        assert_eq!((kind, &value), (TdsType::DateTimeOffset(7), &expected));
        let TdsValue::DateTimeOffset(value) = value else { panic!("{value:?}") };
        assert_eq!(value.offset().local_minus_utc(), 0);
    }
}

#[tokio::test]
async fn typed_nulls_arrive_as_null() {
    let nulls: [Value; 9] = [
        None::<bool>.into(),
        None::<i64>.into(),
        None::<f64>.into(),
        None::<String>.into(),
        None::<Vec<u8>>.into(),
        None::<Uuid>.into(),
        None::<Decimal>.into(),
        None::<NaiveDate>.into(),
        None::<DateTime<Utc>>.into(),
    ];
    for null in nulls {
        let name = format!("{null:?}");
        assert_eq!(sent(null).await.1, TdsValue::Null, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_before_anything_is_sent() {
    let server = server().start().await.unwrap();
    let connection = connect(&server).await;
    for value in [Value::from(f64::NAN), NaiveDate::from_ymd_opt(0, 1, 1).unwrap().into(), u64::MAX.into()] {
        let update = statement("UPDATE t SET a = @P1", [value]);
        let outcome = connection.sql().unwrap().execute(&update, &context()).await;
        refused(outcome, &DatabaseErrorKind::Unsupported);
    }
    assert_eq!(server.texts(), [""; 0]);
    assert_serves(&connection).await;
    assert_eq!(server.connections().accepted, 1, "it costs no connection");
}

/// What is read as `T` from a column of a type, and that NULL is read as none.
async fn read<T: ValueType + sea_query::Nullable>(
    kind: TdsType,
    value: impl Into<TdsValue>,
) -> Result<T, DatabaseError> {
    let rows = ResultSet::new([Column::new("other", TdsType::Int), Column::new("value", kind)])
        .row([TdsValue::Null, value.into()])
        .row([1.into(), TdsValue::Null]);
    let server = server().on("SELECT value", Reply::rows(rows)).start().await.expect("a server");
    let rows = query(&connect(&server).await, "SELECT value").await.expect("rows");
    assert_eq!(rows.len(), 2);
    assert!(rows[1].get::<Option<T>>("value").is_ok_and(|value| value.is_none()), "{kind:?}");
    rows[0].get("value")
}

#[tokio::test]
async fn integers_are_read_from_any_width_and_from_whole_numerics() {
    assert_eq!(read::<i64>(TdsType::TinyInt, 255_u8).await.unwrap(), 255);
    assert_eq!(read::<i64>(TdsType::SmallInt, -1_i16).await.unwrap(), -1);
    assert_eq!(read::<i64>(TdsType::Int, i32::MIN).await.unwrap(), i64::from(i32::MIN));
    assert_eq!(read::<i32>(TdsType::BigInt, 7_i64).await.unwrap(), 7);
    refused(read::<i32>(TdsType::BigInt, i64::MAX).await, &DatabaseErrorKind::Decode);
    let numeric = TdsType::Decimal { precision: 38, scale: 2 };
    assert_eq!(read::<i64>(numeric, Decimal::new(1200, 2)).await.unwrap(), 12);
    refused(read::<i64>(numeric, Decimal::new(1250, 2)).await, &DatabaseErrorKind::Decode);
    assert!(read::<bool>(TdsType::Bit, true).await.unwrap());
}

#[tokio::test]
async fn decimals_are_read_without_losing_a_digit() {
    let kind = TdsType::Decimal { precision: 28, scale: 10 };
    for text in ["123456789012345678.0123456789", "-0.0000000001", "0.0000000000"] {
        let decimal: Decimal = text.parse().unwrap();
        assert_eq!(read::<Decimal>(kind, decimal).await.unwrap().to_string(), text);
    }
    let wide = TdsType::Decimal { precision: 38, scale: 0 };
    let digits = 10_i128.pow(38) - 1;
    refused(read::<Decimal>(wide, TdsValue::Decimal { unscaled: digits, scale: 0 }).await, &DatabaseErrorKind::Decode);
    let text = read::<String>(wide, TdsValue::Decimal { unscaled: digits, scale: 0 }).await.unwrap();
    assert_eq!(text, digits.to_string());
}

#[tokio::test]
async fn texts_bytes_and_documents_are_read_as_they_were_written() {
    for length in [Length::Of(4000), Length::Max] {
        assert_eq!(read::<String>(TdsType::NVarChar(length), "🦉  ").await.unwrap(), "🦉  ");
        assert_eq!(read::<String>(TdsType::NVarChar(length), "").await.unwrap(), "");
        assert_eq!(read::<Vec<u8>>(TdsType::VarBinary(length), vec![0_u8, 255]).await.unwrap(), [0, 255]);
    }
    let document = r#"{"a": [1, "🦉"]}"#;
    let read_back = read::<serde_json::Value>(TdsType::NVarChar(Length::Max), document).await.unwrap();
    assert_eq!(read_back, json!({"a": [1, "🦉"]}));
    let long = "x".repeat(100_000);
    assert_eq!(read::<String>(TdsType::NVarChar(Length::Max), long.as_str()).await.unwrap(), long);
}

#[tokio::test]
async fn uuids_are_read_from_their_type_from_bytes_and_from_text() {
    assert_eq!(read::<Uuid>(TdsType::UniqueIdentifier, ID).await.unwrap(), ID);
    assert_eq!(read::<Uuid>(TdsType::Binary(16), ID.as_bytes().to_vec()).await.unwrap(), ID);
    assert_eq!(read::<Uuid>(TdsType::NVarChar(Length::Of(36)), ID.to_string()).await.unwrap(), ID);
    refused(read::<Uuid>(TdsType::Binary(3), vec![1, 2, 3]).await, &DatabaseErrorKind::Decode);
}

#[tokio::test]
async fn dates_and_instants_are_read_from_all_their_types() {
    let date = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
    assert_eq!(read::<NaiveDate>(TdsType::Date, date).await.unwrap(), date);
    let time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    assert_eq!(read::<NaiveTime>(TdsType::Time(6), time).await.unwrap(), time);
    let written = instant("2026-11-20T23:30:00.123456-05:30");
    let offset = TdsType::DateTimeOffset(6);
    assert_eq!(read::<DateTime<Utc>>(offset, written).await.unwrap(), written.to_utc());
    let naive = written.naive_utc();
    assert_eq!(read::<DateTime<Utc>>(TdsType::DateTime2(6), naive).await.unwrap(), written.to_utc(), "taken as UTC");
    assert_eq!(read::<chrono::NaiveDateTime>(TdsType::DateTime2(7), naive).await.unwrap(), naive);
    assert_eq!(read::<f64>(TdsType::Float, 1.5).await.unwrap().to_bits(), 1.5_f64.to_bits());
}

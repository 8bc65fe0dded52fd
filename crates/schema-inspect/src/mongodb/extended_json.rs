//! Documents as text: MongoDB Extended JSON 2.0, relaxed, the fields in their order. Dates are milliseconds in any year.

use std::fmt::Write as _;

use serde_json::{Number, Value};
use shared_kernel::database::{Decimal128, Document, DocumentValue};

/// The largest whole number that every reader of JSON keeps (RFC 8259, section 6).
const LARGEST: i64 = (1 << 53) - 1;

/// A value as a fact of the model: what JSON has in the same words, and everything else as text.
pub(super) fn fact(value: &DocumentValue) -> Value {
    let whole = |number: i64| (-LARGEST..=LARGEST).contains(&number).then(|| Value::from(number));
    let known = match value {
        DocumentValue::Boolean(value) => Some(Value::from(*value)),
        DocumentValue::Int32(number) => whole(i64::from(*number)),
        DocumentValue::Int64(number) => whole(*number),
        DocumentValue::Double(number) => whole_number(*number).and_then(whole),
        DocumentValue::String(text) => Some(Value::from(text.as_str())),
        _ => None,
    };
    known.unwrap_or_else(|| Value::from(text(value)))
}

/// The whole number that a floating-point number is.
pub(super) fn whole_number(number: f64) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is exact")]
    let is_exact = number.fract() == 0.0 && number.abs() <= LARGEST as f64;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    is_exact.then_some(number as i64)
}

/// A document as text.
pub(super) fn document(document: &Document) -> String {
    let mut text = String::new();
    write_document(document, &mut text);
    text
}

/// A value as text.
pub(super) fn text(value: &DocumentValue) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write_document(document: &Document, text: &mut String) {
    text.push('{');
    for (place, (name, value)) in document.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { "," });
        string(name, text);
        text.push(':');
        write(value, text);
    }
    text.push('}');
}

fn write(value: &DocumentValue, text: &mut String) {
    match value {
        DocumentValue::Null => text.push_str("null"),
        DocumentValue::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        DocumentValue::Int32(number) => text.push_str(&number.to_string()),
        DocumentValue::Int64(number) => text.push_str(&number.to_string()),
        DocumentValue::Double(number) => double(*number, text),
        DocumentValue::Decimal128(number) => wrapped("$numberDecimal", &decimal(*number), text),
        DocumentValue::String(value) => string(value, text),
        DocumentValue::Binary { subtype, bytes } => {
            let _ = write!(text, r#"{{"$binary":{{"base64":"{}","subType":"{subtype:02x}"}}}}"#, base64(bytes));
        }
        DocumentValue::ObjectId(id) => wrapped("$oid", &id.to_string(), text),
        DocumentValue::DateTime(millis) => {
            let _ = write!(text, r#"{{"$date":{{"$numberLong":"{millis}"}}}}"#);
        }
        DocumentValue::Timestamp { seconds, increment } => {
            let _ = write!(text, r#"{{"$timestamp":{{"t":{seconds},"i":{increment}}}}}"#);
        }
        DocumentValue::Regex { pattern, options } => {
            text.push_str(r#"{"$regularExpression":{"pattern":"#);
            string(pattern, text);
            text.push_str(r#","options":"#);
            string(options, text);
            text.push_str("}}");
        }
        DocumentValue::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                write(item, text);
            }
            text.push(']');
        }
        DocumentValue::Document(document) => write_document(document, text),
        DocumentValue::JavaScript(code) => wrapped("$code", code, text),
        DocumentValue::JavaScriptWithScope { code, scope } => {
            text.push_str(r#"{"$code":"#);
            string(code, text);
            text.push_str(r#","$scope":"#);
            write_document(scope, text);
            text.push('}');
        }
        DocumentValue::Symbol(word) => wrapped("$symbol", word, text),
        DocumentValue::DbPointer { namespace, id } => {
            text.push_str(r#"{"$dbPointer":{"$ref":"#);
            string(namespace, text);
            text.push_str(r#","$id":"#);
            wrapped("$oid", &id.to_string(), text);
            text.push_str("}}");
        }
        DocumentValue::Undefined => text.push_str(r#"{"$undefined":true}"#),
        DocumentValue::MinKey => text.push_str(r#"{"$minKey":1}"#),
        DocumentValue::MaxKey => text.push_str(r#"{"$maxKey":1}"#),
    }
}

fn string(value: &str, text: &mut String) {
    text.push_str(&Value::from(value).to_string());
}

fn wrapped(key: &str, value: &str, text: &mut String) {
    let _ = write!(text, r#"{{"{key}":{}}}"#, Value::from(value));
}

fn double(number: f64, text: &mut String) {
    match Number::from_f64(number) {
        Some(number) => text.push_str(&number.to_string()),
        None if number.is_nan() => wrapped("$numberDouble", "NaN", text),
        None if number > 0.0 => wrapped("$numberDouble", "Infinity", text),
        None => wrapped("$numberDouble", "-Infinity", text),
    }
}

/// As IEEE 754-2008 has it in its binary integer encoding, written as the General Decimal Arithmetic Specification does
/// (*to-scientific-string*).
fn decimal(Decimal128(bytes): Decimal128) -> String {
    const BIAS: i32 = 6_176;
    const MOST: u128 = 10_u128.pow(34) - 1;
    let bits = u128::from_le_bytes(bytes);
    let sign = if bits >> 127 == 1 { "-" } else { "" };
    match (bits >> 122) & 0b1_1111 {
        0b1_1111 => return "NaN".to_owned(),
        0b1_1110 => return format!("{sign}Infinity"),
        _ => {}
    }
    // With both bits set, the coefficient would be larger than 34 digits have room for, and counts as zero.
    let is_large = (bits >> 125) & 0b11 == 0b11;
    let exponent = (bits >> if is_large { 111 } else { 113 }) & 0x3fff;
    let coefficient = if is_large { 0 } else { bits & ((1 << 113) - 1) };
    let coefficient = if coefficient > MOST { 0 } else { coefficient };
    let exponent = i32::try_from(exponent).unwrap_or_default() - BIAS;
    let digits = coefficient.to_string();
    let length = i32::try_from(digits.len()).unwrap_or_default();
    let adjusted = exponent + length - 1;
    if exponent > 0 || adjusted < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{adjusted:+}");
    }
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    let places = exponent.unsigned_abs() as usize;
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or_default());
        let group = (at(0) << 16) | (at(1) << 8) | at(2);
        for place in 0..4_usize {
            let digit = (group >> (18 - 6 * place)) & 0x3f;
            text.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[digit as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::ObjectId;

    use super::*;

    #[test]
    fn every_type_has_its_text() {
        let id = ObjectId([0xab; 12]);
        let all = Document::new()
            .with("b\"", DocumentValue::Null)
            .with("a", 1)
            .with("long", i64::MAX)
            .with("double", 1.0)
            .with("nan", f64::NAN)
            .with("bytes", DocumentValue::Binary { subtype: 4, bytes: vec![1, 2, 3, 4] })
            .with("id", id)
            .with("date", DocumentValue::DateTime(-1))
            .with("time", DocumentValue::Timestamp { seconds: 1, increment: 2 })
            .with("regex", DocumentValue::Regex { pattern: "^\"".to_owned(), options: "i".to_owned() })
            .with("array", vec![true.into(), Document::new().into()])
            .with("code", DocumentValue::JavaScript("x".to_owned()))
            .with("scope", DocumentValue::JavaScriptWithScope { code: "x".to_owned(), scope: Document::new() })
            .with("symbol", DocumentValue::Symbol("s".to_owned()))
            .with("pointer", DocumentValue::DbPointer { namespace: "a.b".to_owned(), id })
            .with("undefined", DocumentValue::Undefined)
            .with("least", DocumentValue::MinKey)
            .with("most", DocumentValue::MaxKey);
        let oid = r#"{"$oid":"abababababababababababab"}"#;
        let expected = format!(
            r#"{{"b\"":null,"a":1,"long":9223372036854775807,"double":1.0,"nan":{{"$numberDouble":"NaN"}},"bytes":{{"$binary":{{"base64":"AQIDBA==","subType":"04"}}}},"id":{oid},"date":{{"$date":{{"$numberLong":"-1"}}}},"time":{{"$timestamp":{{"t":1,"i":2}}}},"regex":{{"$regularExpression":{{"pattern":"^\"","options":"i"}}}},"array":[true,{{}}],"code":{{"$code":"x"}},"scope":{{"$code":"x","$scope":{{}}}},"symbol":{{"$symbol":"s"}},"pointer":{{"$dbPointer":{{"$ref":"a.b","$id":{oid}}}}},"undefined":{{"$undefined":true}},"least":{{"$minKey":1}},"most":{{"$maxKey":1}}}}"#
        );
        assert_eq!(document(&all), expected);
        assert!(serde_json::from_str::<Value>(&expected).is_ok());
    }

    #[test]
    fn bytes_are_told_in_fours() {
        for (bytes, text) in [("", ""), ("M", "TQ=="), ("Ma", "TWE="), ("Man", "TWFu"), ("Many", "TWFueQ==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    /// Examples of the BSON specification's own tests.
    #[test]
    fn decimal_numbers_are_told_as_they_were_written() {
        let number = |high: u128, low: u128| decimal(Decimal128(((high << 64) | low).to_le_bytes()));
        for (high, low, text) in [
            (0x3040_0000_0000_0000, 0, "0"),
            (0x3040_0000_0000_0000, 1, "1"),
            (0xb040_0000_0000_0000, 1, "-1"),
            (0x303e_0000_0000_0000, 1, "0.1"),
            (0x3036_0000_0000_0000, 12_345, "0.12345"),
            (0x303c_0000_0000_0000, 12_345, "123.45"),
            (0x3046_0000_0000_0000, 1, "1E+3"),
            (0x3030_0000_0000_0000, 12, "1.2E-7"),
            (0x7c00_0000_0000_0000, 0, "NaN"),
            (0x7800_0000_0000_0000, 0, "Infinity"),
            (0xf800_0000_0000_0000, 0, "-Infinity"),
            (0x6c10_0000_0000_0000, 0, "0"),
        ] {
            assert_eq!(number(high, low), text, "{high:x} {low:x}");
        }
    }

    #[test]
    fn a_fact_is_what_json_keeps() {
        assert_eq!(fact(&3600.0.into()), Value::from(3600));
        assert_eq!(fact(&true.into()), Value::from(true));
        assert_eq!(fact(&1.5.into()), Value::from("1.5"));
        assert_eq!(fact(&i64::MAX.into()), Value::from("9223372036854775807"));
        assert_eq!(fact(&Document::new().with("é", 1).into()), Value::from("{\"é\":1}"));
    }
}

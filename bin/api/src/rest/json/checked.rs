use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::MAX_DEPTH;
use crate::rest::problem::{Problem, ProblemKind};

/// Parses JSON as RFC 8259 asks of a careful receiver: one value, each key once, whole characters, bounded depth.
///
/// # Errors
/// `malformed-json` with the line and column, both from 1, of the first fault.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed(1, 1, "there is no JSON"));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.len() - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) + 1;
        return Err(malformed(line, column, "the text is not UTF-8"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Checked { depth: 0 }.deserialize(&mut deserializer).map_err(|error| from_serde(&error))?;
    deserializer.end().map_err(|error| from_serde(&error))?;
    Ok(value)
}

fn from_serde(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    malformed(error.line().max(1), error.column().max(1), reason)
}

fn malformed(line: usize, column: usize, reason: &str) -> Problem {
    Problem::new(ProblemKind::MalformedJson, format!("line {line}, column {column}: {reason}"))
}

#[derive(Clone, Copy)]
struct Checked {
    depth: usize,
}

impl Checked {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(E::custom(format_args!("values are nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let shown: String = key.chars().take(80).collect();
                return Err(de::Error::custom(format_args!("the key {shown:?} occurs twice")));
            }
            object.insert(key, entries.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: impl AsRef<[u8]>, detail: &str) {
        let problem = parse(text.as_ref()).expect_err("malformed");
        assert_eq!(problem.kind(), ProblemKind::MalformedJson);
        assert_eq!(problem.detail(), detail);
    }

    #[test]
    fn the_first_fault_is_named_with_its_place() {
        check("", "line 1, column 1: there is no JSON");
        check("{\n  \"name\": }", "line 2, column 11: expected value");
        check("{\"a\": 1} x", "line 1, column 10: trailing characters");
        check("[1, 2", "line 1, column 5: EOF while parsing a list");
        check(b"\"\xff\"", "line 1, column 2: the text is not UTF-8");
        check("[1,\n\"\u{1}\"]", "line 2, column 2: control character (\\u0000-\\u001F) found while parsing a string");
    }

    #[test]
    fn a_key_that_occurs_twice_is_refused_at_every_level() {
        check(r#"{"a": 1, "a": 2}"#, "line 1, column 12: the key \"a\" occurs twice");
        check(r#"{"x": [{"a": 1, "\u0061": 2}]}"#, "line 1, column 24: the key \"a\" occurs twice");
    }

    #[test]
    fn half_a_character_is_refused() {
        check(r#""\ud83d""#, "line 1, column 8: unexpected end of hex escape");
        check(r#""\ude00""#, "line 1, column 7: lone leading surrogate in hex escape");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        check(nested(MAX_DEPTH + 1), "line 1, column 66: values are nested deeper than 64 levels");
        let problem = parse("[".repeat(1_000_000).as_bytes()).expect_err("too deep");
        assert!(problem.detail().ends_with("values are nested deeper than 64 levels"));
    }

    #[test]
    fn numbers_that_no_float_holds_are_refused() {
        check("1e999", "line 1, column 5: number out of range");
    }

    #[test]
    fn what_is_well_formed_is_kept_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"\ud83d\ude00",null,true],"b":{}}"#;
        let value = parse(text.as_bytes()).expect("well formed");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("well formed"));
    }
}

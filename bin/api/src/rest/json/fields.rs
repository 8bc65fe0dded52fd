use std::borrow::Cow;

use serde_json::{Map, Value};
use shared_kernel::validation::Violations;

use crate::rest::problem::{Fault, MAX_FAULTS, Problem};

/// A JSON Pointer one step below `base` (RFC 6901, sections 3 and 4).
pub(crate) fn pointer(base: &str, token: &str) -> String {
    format!("{base}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// The faults of one body, collected until all are known: the first [`MAX_FAULTS`] as they are, the others as a number.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// Notes a fault.
    pub(crate) fn push(
        &mut self,
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) {
        self.note(|| Fault::at(pointer, code, message));
    }

    /// Takes the value, or notes the fault.
    pub(crate) fn keep<T, E>(&mut self, outcome: Result<T, E>, fault: impl FnOnce(E) -> Fault) -> Option<T> {
        outcome.map_err(|error| self.note(|| fault(error))).ok()
    }

    fn note(&mut self, fault: impl FnOnce() -> Fault) {
        if self.kept.len() < MAX_FAULTS {
            self.kept.push(fault());
        } else {
            self.more += 1;
        }
    }

    /// The faults, where each is one of those: what else is wrong can be told together with them. An error with every fault, where
    /// one is not.
    pub(crate) fn only(self, those: impl Fn(&Fault) -> bool) -> Result<Violations, Problem> {
        let mut violations = Violations::new();
        for fault in &self.kept {
            match (&fault.pointer, &fault.code) {
                (Some(pointer), Cow::Borrowed(code)) if self.more == 0 && those(fault) => {
                    violations.add(pointer.clone(), code, fault.message.clone());
                }
                _ => return self.check().map(|()| violations),
            }
        }
        Ok(violations)
    }

    /// An error with every fault, when there is one.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.kept.is_empty() { Ok(()) } else { Err(Problem::validation(self.kept).and_more(self.more)) }
    }
}

/// Reads an object's fields one by one and, at the end, refuses those that nobody asked for.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    fields: Option<&'a Map<String, Value>>,
    pointer: String,
    known: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// Reads `value`; anything but an object is a fault, and then every field reads as absent without further faults.
    pub(crate) fn new(value: &'a Value, pointer: impl Into<String>, faults: &mut Faults) -> Self {
        let pointer = pointer.into();
        let fields = value.as_object();
        if fields.is_none() {
            faults.push(pointer.clone(), "wrong_type", "an object is expected here");
        }
        Self { fields, pointer, known: Vec::new() }
    }

    /// Where `key` is.
    pub(crate) fn pointer_to(&self, key: &str) -> String {
        pointer(&self.pointer, key)
    }

    /// The value of `key` as it stands, null included.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.fields?.get(key)
    }

    /// The value of `key`; null counts as absent.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'a Value> {
        self.raw(key).filter(|value| !value.is_null())
    }

    /// The value of `key`, which has to be there.
    pub(crate) fn required(&mut self, key: &'static str, faults: &mut Faults) -> Option<&'a Value> {
        let value = self.raw(key);
        if self.fields.is_some() && value.is_none() {
            faults.push(self.pointer_to(key), "required", format!("`{key}` is required"));
        }
        value
    }

    /// A text that has to be there.
    pub(crate) fn required_text(&mut self, key: &'static str, faults: &mut Faults) -> Option<&'a str> {
        let value = self.required(key, faults)?;
        text(value, &self.pointer_to(key), faults)
    }

    /// Refuses every field that was not read.
    pub(crate) fn finish(self, faults: &mut Faults) {
        for key in self.fields.into_iter().flat_map(Map::keys) {
            if !self.known.contains(&key.as_str()) {
                let shown: String = key.chars().take(80).collect();
                faults.push(self.pointer_to(key), "unknown_field", format!("there is no field {shown:?} here"));
            }
        }
    }
}

/// The text behind `value`, or a fault.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str, faults: &mut Faults) -> Option<&'a str> {
    let text = value.as_str();
    if text.is_none() {
        faults.push(pointer, "wrong_type", "a string is expected here");
    }
    text
}

/// The whole number behind `value`, or a fault. `2.0` is one, as JSON Schema sees it.
pub(crate) fn whole_number(value: &Value, pointer: &str, faults: &mut Faults) -> Option<i64> {
    let from_float = || {
        let float = value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
        format!("{float:.0}").parse().ok()
    };
    let number = value.as_i64().or_else(from_float);
    if number.is_none() {
        let (code, message) = match value {
            Value::Number(number) if !number.is_f64() => ("out_of_range", "the number is too large"),
            Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() == 0.0) => {
                ("out_of_range", "the number is too large")
            }
            _ => ("wrong_type", "a whole number is expected here"),
        };
        faults.push(pointer, code, message);
    }
    number
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(faults: Faults) -> Vec<String> {
        faults.kept.into_iter().map(|fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code)).collect()
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let value = json!({"name": 1, "a/b~c": true});
        let mut faults = Faults::default();
        let mut object = Object::new(&value, "", &mut faults);
        assert_eq!(object.required_text("name", &mut faults), None);
        assert_eq!(object.required_text("email", &mut faults), None);
        object.finish(&mut faults);
        assert_eq!(codes(faults), ["/name wrong_type", "/email required", "/a~1b~0c unknown_field"]);
    }

    #[test]
    fn many_faults_are_counted_and_not_all_told() {
        let fields = (0..MAX_FAULTS + 23).map(|index| (format!("field{index}"), json!(1)));
        let value = Value::Object(fields.collect());
        let mut faults = Faults::default();
        Object::new(&value, "", &mut faults).finish(&mut faults);
        let problem = faults.check().expect_err("unknown fields");
        assert_eq!(problem.faults().len(), MAX_FAULTS);
        assert_eq!(problem.detail(), "100 values break rules … and 23 more");
    }

    #[test]
    fn what_is_no_object_has_one_fault() {
        let value = json!([]);
        let mut faults = Faults::default();
        let mut object = Object::new(&value, "", &mut faults);
        assert_eq!(object.required_text("name", &mut faults), None);
        object.finish(&mut faults);
        assert_eq!(codes(faults), [" wrong_type"]);
    }

    #[test]
    fn null_is_absent_for_what_is_optional_and_wrong_for_what_is_required() {
        let value = json!({"a": null, "b": null});
        let mut faults = Faults::default();
        let mut object = Object::new(&value, "/price", &mut faults);
        assert_eq!(object.optional("a"), None);
        assert_eq!(object.required_text("b", &mut faults), None);
        object.finish(&mut faults);
        assert_eq!(codes(faults), ["/price/b wrong_type"]);
    }
}

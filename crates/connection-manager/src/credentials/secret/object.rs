use std::fmt;

use serde_json::Value;
use serde_json::error::Category;

/// A JSON object whose fields keep their order and are each there once.
pub(super) struct Object(Vec<(String, Value)>);

/// Why a text is none. Holds nothing of the text: serde's own messages quote values.
pub(super) enum Trouble {
    Syntax { line: usize, column: usize },
    Duplicate(usize),
    Type(&'static str),
}

impl Object {
    pub(super) fn parse(text: &str) -> Result<Self, Trouble> {
        let syntax = |error: &serde_json::Error| Trouble::Syntax { line: error.line(), column: error.column() };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let fields = match serde::Deserializer::deserialize_map(&mut deserializer, Fields) {
            Ok(fields) => fields,
            Err(error) if error.classify() == Category::Data => {
                let value: Value = serde_json::from_str(text).map_err(|error| syntax(&error))?;
                return Err(Trouble::Type(type_name(&value)));
            }
            Err(error) => return Err(syntax(&error)),
        };
        deserializer.end().map_err(|error| syntax(&error))?;
        let twice = (1..fields.len()).find(|&index| fields[..index].iter().any(|(name, _)| *name == fields[index].0));
        twice.map_or(Ok(Self(fields)), |index| Err(Trouble::Duplicate(index + 1)))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct Fields;

impl<'de> serde::de::Visitor<'de> for Fields {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

//! Fields that only the service sets. A caller may send them back as they were read, and may not change them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::json::Object;
use super::problem::{Fault, Problem};

/// The read-only fields that came along in a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOnly(Vec<(&'static str, Value)>);

impl ReadOnly {
    /// Takes `fields` out of a body, where they are there.
    pub(crate) fn take(object: &mut Object<'_>, fields: &[&'static str]) -> Self {
        Self(fields.iter().filter_map(|field| Some((*field, object.raw(field)?.clone()))).collect())
    }

    /// Whether there is nothing to compare.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares with the resource as it is.
    ///
    /// # Errors
    /// `validation`, naming each field that differs.
    pub(crate) fn check(&self, present: &impl Serialize) -> Result<(), Problem> {
        let present = serde_json::to_value(present).map_err(|_| Problem::internal())?;
        let changed = self.0.iter().filter(|(field, value)| !same(value, present.get(field).unwrap_or(&Value::Null)));
        let faults: Vec<Fault> = changed
            .map(|(field, _)| {
                let message = format!("`{field}` is set by the service and can only be sent back as it was read");
                Fault::at(format!("/{field}"), "read_only", message)
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Problem::validation(faults)) }
    }
}

/// Instants are the same when they are the same moment, however they are written.
fn same(one: &Value, other: &Value) -> bool {
    if one == other {
        return true;
    }
    let instant = |value: &Value| {
        let moment = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
        Some(moment.with_timezone(&Utc))
    };
    instant(one).is_some_and(|moment| instant(other) == Some(moment))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::json::Faults;

    fn check(body: &Value) -> Vec<String> {
        let mut object = Object::new(body, "", &mut Faults::default());
        let fields = ReadOnly::take(&mut object, &["id", "version", "created_at"]);
        let present = json!({"id": "a", "version": 3, "created_at": "2026-01-31T12:00:00.000000Z"});
        let faults = fields.check(&present).err().map(|problem| problem.faults().to_vec()).unwrap_or_default();
        faults.into_iter().filter_map(|fault| fault.pointer).collect()
    }

    #[test]
    fn what_was_read_can_be_sent_back() {
        assert!(check(&json!({"id": "a", "version": 3, "created_at": "2026-01-31T13:00:00+01:00"})).is_empty());
        assert!(check(&json!({})).is_empty());
    }

    #[test]
    fn what_differs_is_named() {
        assert_eq!(check(&json!({"id": "b", "version": null, "created_at": "x"})), ["/id", "/version", "/created_at"]);
    }
}

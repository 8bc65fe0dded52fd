use serde_json::{Map, Value};

/// Applies a merge patch (RFC 7396, section 2).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// A body as it is told apart from others: with a mark in the place of each secret. A hash of a body that holds a password
/// would let whoever reads the store try passwords.
pub(crate) fn without_secrets(body: &Value) -> Value {
    let mut body = body.clone();
    let mark = |value: Option<&mut Value>| {
        if let Some(value) = value.filter(|value| value.is_string()) {
            *value = Value::Bool(true);
        }
    };
    mark(body.get_mut("password"));
    mark(body.get_mut("tls").and_then(|tls| tls.get_mut("client_key")));
    if let Some(Value::String(url)) = body.get_mut("url") {
        *url = super::url::without_password(url);
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_is_merged_as_the_standard_says() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, expected, "{target} {patch}");
        }
    }

    #[test]
    fn nothing_of_a_secret_is_left() {
        let body = json!({"name": "A", "password": "canary", "tls": {"client_key": "canary", "ca": "x"},
            "url": "mysql://ann:canary@db/x?tls=required"});
        let told = without_secrets(&body);
        assert!(!told.to_string().contains("canary"), "{told}");
        assert_eq!(told["name"], "A");
        assert_ne!(told, without_secrets(&json!({"name": "A"})));
        assert_eq!(without_secrets(&json!({"url": "canary"})), json!({"url": ""}), "what is no URL may be a password");
        assert_eq!(without_secrets(&json!({"password": null})), json!({"password": null}));
    }
}

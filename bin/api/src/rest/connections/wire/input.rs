use std::collections::BTreeMap;

use registry_context::domain::{
    Certificates, DatabaseName, Definition, DisplayName, FilePath, Given, GivenSecrets, Host, LabelKey, LabelValue,
    Labels, Notes, OptionValue, Options, Port, SecretName, StoredConnection, Tls, TlsMode, Username,
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_kernel::database::Engine;
use shared_kernel::validation::{self, Violations};

use super::merge::merge;
use super::url::{UrlParts, parts};
use super::{ConnectionBody, OF_LISTS, SERVICE_FIELDS};
use crate::rest::json::{Faults, Object, pointer, text, whole_number};
use crate::rest::problem::{Fault, Problem};
use crate::rest::read_only::ReadOnly;

/// The longest connection string that is looked at.
const LONGEST_URL: usize = 4_096;
/// What a connection string takes the place of.
const IN_URL: [&str; 8] = ["engine", "host", "port", "database", "path", "username", "password", "options"];

/// What a caller says about a connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionInput {
    pub(crate) definition: Definition,
    pub(crate) secrets: GivenSecrets,
    pub(crate) read_only: ReadOnly,
    /// What is wrong beside that, and says nothing about whether the rest fits together.
    pub(crate) found: Violations,
}

impl ConnectionInput {
    /// Reads the body of a creation. Null is as good as nothing.
    pub(crate) fn create(body: &Value) -> Result<Self, Problem> {
        Self::read(body, &[], true, Faults::default())
    }

    /// Reads the body of a replacement. Null takes a secret away.
    pub(crate) fn replace(body: &Value) -> Result<Self, Problem> {
        Self::read(body, SERVICE_FIELDS, true, Faults::default())
    }

    /// Reads a merge patch, as the connection is to be after it.
    pub(crate) fn patch(present: &StoredConnection, patch: &Value) -> Result<Self, Problem> {
        let mut body = serde_json::to_value(ConnectionBody::from(present)).map_err(|_| Problem::internal())?;
        if let Value::Object(fields) = &mut body {
            // What they say was compared before; a patch that is no object leaves none of this.
            fields.retain(|field, _| !SERVICE_FIELDS.contains(&field.as_str()));
            let given = |key| patch.get(key).is_some_and(|value| !value.is_null());
            if given("password") && patch.get("secret").is_none() {
                fields.remove("secret");
            }
        }
        merge(&mut body, patch);
        keep_nulls(&mut body, patch);
        let mut faults = Faults::default();
        check_taken_labels(patch, &mut faults);
        if let Value::Object(fields) = &mut body {
            fields.retain(|field, _| !SERVICE_FIELDS.contains(&field.as_str()) && field != OF_LISTS);
        }
        Self::read(&body, &[], false, faults)
    }

    fn read(body: &Value, read_only: &[&'static str], with_url: bool, mut faults: Faults) -> Result<Self, Problem> {
        let from_url = if with_url { taken_apart(body, &mut faults) } else { None };
        let is_torn = with_url && from_url.is_none() && body.get("url").is_some_and(|url| !url.is_null());
        let (source, at_url) = match &from_url {
            Some(body) => (body, true),
            None => (body, false),
        };
        let mut reader = Reader { object: Object::new(source, "", &mut faults), faults, at_url, is_torn };
        if with_url {
            // It is looked at above, and gone from what was made of it.
            reader.object.raw("url");
        }
        let name = reader.required("name", DisplayName::parse);
        let engine = reader.engine();
        let host = reader.parsed("host", Host::parse);
        let port = reader.port();
        let database = reader.parsed("database", DatabaseName::parse);
        let path = reader.parsed("path", FilePath::parse);
        let username = reader.parsed("username", Username::parse);
        let secret = reader.parsed("secret", SecretName::parse);
        let password = reader.secret();
        let (tls, client_key) = reader.tls();
        let options = reader.options();
        let labels = reader.labels();
        let notes = reader.parsed("notes", Notes::parse);
        let Reader { mut object, mut faults, .. } = reader;
        if !read_only.is_empty() {
            object.raw(OF_LISTS);
        }
        let read_only = ReadOnly::take(&mut object, read_only);
        object.finish(&mut faults);
        let found = faults.only(is_beside)?;
        // Without any other fault every required value is there.
        let (Some(name), Some(engine)) = (name, engine) else { return Err(Problem::internal()) };
        let definition =
            Definition { name, engine, host, port, database, path, username, secret, tls, options, labels, notes };
        Ok(Self { definition, secrets: GivenSecrets { password, client_key }, read_only, found })
    }
}

/// Whether a fault is in what has no say in where a connection leads.
fn is_beside(fault: &Fault) -> bool {
    let pointer = fault.pointer.as_deref().unwrap_or_default();
    fault.code == "unknown_field" || pointer == "/notes" || pointer == "/labels" || pointer.starts_with("/labels/")
}

/// Merging takes away what is null, and with it the wish that a secret be taken away, and the names of fields that there are not.
fn keep_nulls(body: &mut Value, patch: &Value) {
    keep_nulls_of(Some(&mut *body), Some(patch));
    keep_nulls_of(body.get_mut("tls"), patch.get("tls"));
}

fn keep_nulls_of(target: Option<&mut Value>, patch: Option<&Value>) {
    let (Some(Value::Object(target)), Some(Value::Object(patch))) = (target, patch) else { return };
    for key in patch.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key) {
        target.insert(key.clone(), Value::Null);
    }
}

/// A label that is taken away is gone from what is read, and with it what is wrong with its key.
fn check_taken_labels(patch: &Value, faults: &mut Faults) {
    let labels = patch.get("labels").and_then(Value::as_object);
    for key in labels.into_iter().flatten().filter(|(_, value)| value.is_null()).map(|(key, _)| key) {
        faults.keep(LabelKey::parse(key), |error| Fault::of(&pointer("/labels", key), &error));
    }
}

/// The body with the parts of its connection string in the string's place; `None` when it has none, or one with a fault.
fn taken_apart(body: &Value, faults: &mut Faults) -> Option<Value> {
    let url = body.get("url").filter(|url| !url.is_null())?;
    let url = text(url, "/url", faults)?;
    if url.len() > LONGEST_URL {
        faults.push("/url", "too_long", format!("the connection string has at most {LONGEST_URL} characters"));
        return None;
    }
    let named = IN_URL.iter().filter(|key| body.get(**key).is_some_and(|value| !value.is_null()));
    for key in named {
        faults.push(format!("/{key}"), "conflict", format!("`{key}` is given in `url` or on its own, not both"));
    }
    let parts = match parts(url) {
        Ok(parts) => parts,
        Err((code, message)) => {
            faults.push("/url", code, message);
            return None;
        }
    };
    let mut fields = body.as_object()?.clone();
    fields.remove("url");
    if parts.names_tls && fields.get("tls").is_some_and(|tls| tls.get("mode").is_some()) {
        faults.push("/tls/mode", "conflict", "`tls` is given in `url` or on its own, not both");
    }
    lay_out(parts, &mut fields);
    Some(Value::Object(fields))
}

fn lay_out(parts: UrlParts, fields: &mut Map<String, Value>) {
    let UrlParts { engine, host, port, database, path, username, password, tls_mode, names_tls: _, options } = parts;
    let has_host = host.is_some();
    fields.insert("engine".to_owned(), engine.into());
    let password = password.map(|password| password.expose_secret().to_owned());
    let texts =
        [("host", host), ("database", database), ("path", path), ("username", username), ("password", password)];
    for (key, value) in texts {
        fields.insert(key.to_owned(), value.into());
    }
    fields.insert("port".to_owned(), port.into());
    fields.insert(
        "options".to_owned(),
        Value::Object(options.into_iter().map(|(key, value)| (key, value.into())).collect()),
    );
    if has_host {
        let tls = fields.entry("tls").or_insert(Value::Null);
        if tls.is_null() {
            *tls = json!({});
        }
        if let Value::Object(tls) = tls {
            tls.entry("mode").or_insert_with(|| tls_mode.into());
        }
    }
}

/// Reads the fields of a body one by one.
struct Reader<'a> {
    object: Object<'a>,
    faults: Faults,
    /// Whether parts of a connection string stand in its place.
    at_url: bool,
    /// Whether there is a connection string that cannot be taken apart, so that nobody knows what it would have named.
    is_torn: bool,
}

impl<'a> Reader<'a> {
    /// Where the value of `key` came from.
    fn place(&self, key: &str) -> String {
        if self.at_url && IN_URL.contains(&key) { "/url".to_owned() } else { format!("/{key}") }
    }

    fn required<T, E: validation::Fault>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.object.required(key, &mut self.faults)?;
        self.parse(value, &self.place(key), parse)
    }

    fn parsed<T, E: validation::Fault>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.object.optional(key)?;
        self.parse(value, &self.place(key), parse)
    }

    fn parse<T, E: validation::Fault>(
        &mut self,
        value: &Value,
        pointer: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text(value, pointer, &mut self.faults)?;
        self.faults.keep(parse(text), |error| Fault::of(pointer, &error))
    }

    /// Whether there is such an engine is asked when the connection is checked as a whole.
    fn engine(&mut self) -> Option<Engine> {
        let value = if self.is_torn {
            self.object.optional("engine")?
        } else {
            self.object.required("engine", &mut self.faults)?
        };
        let text = text(value, &self.place("engine"), &mut self.faults)?;
        Some(Engine::from(text.to_owned()))
    }

    fn port(&mut self) -> Option<Port> {
        let value = self.object.optional("port")?;
        let pointer = self.place("port");
        let number = whole_number(value, &pointer, &mut self.faults)?;
        self.faults.keep(Port::try_new(number), |error| Fault::of(&pointer, &error))
    }

    fn secret(&mut self) -> Given {
        match self.object.raw("password") {
            None => Given::Nothing,
            // A connection string without a password says nothing of one.
            Some(Value::Null) if self.at_url => Given::Nothing,
            Some(Value::Null) => Given::Removed,
            Some(value) => self.parse(value, &self.place("password"), Given::password).unwrap_or_default(),
        }
    }

    fn tls(&mut self) -> (Option<Tls>, Given) {
        let Some(value) = self.object.optional("tls") else { return (None, Given::Nothing) };
        let mut object = Object::new(value, "/tls", &mut self.faults);
        let mode = object.optional("mode").and_then(|value| self.parse(value, "/tls/mode", str::parse::<TlsMode>));
        let ca = object.optional("ca").and_then(|value| self.parse(value, "/tls/ca", Certificates::parse));
        let client_certificate = object
            .optional("client_certificate")
            .and_then(|value| self.parse(value, "/tls/client_certificate", Certificates::parse));
        let client_key = match object.raw("client_key") {
            None => Given::Nothing,
            Some(Value::Null) => Given::Removed,
            Some(value) => self.parse(value, "/tls/client_key", Given::client_key).unwrap_or_default(),
        };
        object.finish(&mut self.faults);
        (Some(Tls { mode: mode.unwrap_or_default(), ca, client_certificate }), client_key)
    }

    fn options(&mut self) -> Options {
        let base = self.place("options");
        let mut options = BTreeMap::new();
        for (key, value) in self.texts("options") {
            let pointer = if self.at_url { base.clone() } else { pointer(&base, key) };
            if let Some(value) = self.parse(value, &pointer, OptionValue::parse) {
                options.insert(key.to_owned(), value);
            }
        }
        Options::new(options)
    }

    fn labels(&mut self) -> Labels {
        let fields = self.texts("labels");
        let mut labels = BTreeMap::new();
        for (key, value) in fields {
            let pointer = pointer("/labels", key);
            let key = self.faults.keep(LabelKey::parse(key), |error| Fault::of(&pointer, &error));
            let value = self.parse(value, &pointer, LabelValue::parse);
            labels.extend(key.zip(value));
        }
        self.faults.keep(Labels::try_new(labels), |error| Fault::of("/labels", &error)).unwrap_or_default()
    }

    /// The members of an object whose keys callers invent.
    fn texts(&mut self, key: &'static str) -> Vec<(&'a str, &'a Value)> {
        let Some(value) = self.object.optional(key) else { return Vec::new() };
        let Some(fields) = value.as_object() else {
            self.faults.push(self.place(key), "wrong_type", "an object is expected here");
            return Vec::new();
        };
        fields.iter().map(|(key, value)| (key.as_str(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(outcome: Result<ConnectionInput, Problem>) -> Vec<String> {
        let faults = outcome.err().map(|problem| problem.faults().to_vec()).unwrap_or_default();
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code)).collect()
    }

    #[test]
    fn every_fault_of_a_new_connection_is_named() {
        let body = json!({"name": " ", "host": "a b", "port": 0, "path": "../x", "username": "", "password": "",
            "secret": "arn:aws:x", "tls": {"mode": "off", "ca": "/etc/ca.pem", "cert": 1, "client_key": 2},
            "options": {"a": 1}, "labels": {"Team": "x", "ok": "\u{7}"}, "notes": "\u{0}", "sslmode": "x", "id": "x"});
        assert_eq!(
            faults(ConnectionInput::create(&body)),
            [
                "/name empty",
                "/engine required",
                "/host foreign_character",
                "/port out_of_range",
                "/path foreign_character",
                "/username empty",
                "/secret foreign_character",
                "/password empty",
                "/tls/mode unknown_value",
                "/tls/ca malformed_pem",
                "/tls/client_key wrong_type",
                "/tls/cert unknown_field",
                "/options/a wrong_type",
                "/labels/Team foreign_character",
                "/labels/ok control_character",
                "/notes control_character",
                "/id unknown_field",
                "/sslmode unknown_field",
            ]
        );
        assert_eq!(faults(ConnectionInput::create(&json!([]))), [" wrong_type"]);
    }

    #[test]
    fn a_connection_string_stands_for_its_parts() {
        let url = "mysql://ann:can%23ary@db.example/sales?option.cancel=false";
        let input = ConnectionInput::create(&json!({"name": "A", "url": url, "labels": {"a": "b"}})).expect("taken");
        let Given::Secret(password) = input.secrets.password else { panic!("it has one") };
        assert_eq!(password.expose_secret(), "can#ary");
        assert_eq!(input.definition.host.expect("a host").as_str(), "db.example");
        assert_eq!(input.definition.options.iter().next().map(|(key, _)| key), Some("cancel"));
        assert_eq!(input.definition.tls.expect("TLS").mode, TlsMode::VerifyFull);
        let body = json!({"name": "A", "url": url, "host": "x", "password": "y", "tls": {"mode": "required"}});
        assert_eq!(faults(ConnectionInput::create(&body)), ["/host conflict", "/password conflict"]);
        let tls = json!({"name": "A", "url": format!("{url}&tls=disabled"), "tls": {"mode": "required"}});
        assert_eq!(faults(ConnectionInput::create(&tls)), ["/tls/mode conflict"]);
        for (url, expected) in [
            (json!("mysql://ann:canary@db/x?min=1"), "/url unknown_parameter"),
            (json!("sqlite:/etc/passwd"), "/url absolute_path"),
            (json!("mysql://a,b/x"), "/url foreign_character"),
            (json!("x".repeat(5_000)), "/url too_long"),
            (json!(5), "/url wrong_type"),
        ] {
            let found = faults(ConnectionInput::create(&json!({"name": "A", "url": url, "notes": 5})));
            assert_eq!(found, [expected, "/notes wrong_type"], "{url}");
        }
    }
}

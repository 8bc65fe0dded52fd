//! The JSON form that RDS, and AWS's rotation functions, give a database's secret.

mod object;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use shared_kernel::database::Engine;

use self::object::{Object, Trouble};
use super::SecretEndpoint;

/// The fields that are read.
const FIELDS: [&str; 6] = ["dbname", "engine", "host", "password", "port", "username"];
/// The fields that AWS's rotation schemes add and that say nothing about the way in.
const OTHER_FIELDS: [&str; 7] = [
    "dbClusterIdentifier",
    "dbInstanceIdentifier",
    "dbInstanceResourceId",
    "masterarn",
    "masterUserSecret",
    "ssl",
    "user_arn",
];

/// A database's secret. `Debug` prints no password.
#[derive(Debug, Clone)]
pub struct DatabaseSecret {
    /// The user; a secret may leave it to the settings.
    pub username: Option<String>,
    /// The password.
    pub password: SecretString,
    /// The product, as AWS names it.
    pub engine: Option<String>,
    /// Where the database is.
    pub endpoint: SecretEndpoint,
}

/// What is wrong with a secret's content, without any of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Not JSON.
    #[error(
        "it is not JSON (line {line}, column {column}); expected an object such as {{\"username\": …, \"password\": …}}"
    )]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON, but no object.
    #[error("it is {0}, expected an object such as {{\"username\": …, \"password\": …}}")]
    NoObject(&'static str),
    /// A field that must be there.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field that is there twice, so that two readers may see two values.
    #[error("field number {0} has the name of another field")]
    Duplicate(usize),
    /// A field that no scheme of AWS has. Its name may be what somebody pasted in the wrong place, so it is not repeated.
    #[error("field number {position} is unknown{}", did_you_mean(*.suggestion))]
    Unknown {
        /// Which one, from 1.
        position: usize,
        /// The field that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// A field of the wrong type, or empty.
    #[error("the field `{field}` is {found}, expected {expected}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(
        || format!(", expected {} or what AWS's rotation adds", FIELDS.join(", ")),
        |field| format!(", did you mean `{field}`?"),
    )
}

impl DatabaseSecret {
    /// Reads a secret's content strictly.
    ///
    /// # Errors
    /// [`InvalidSecret`], which names what is wrong and repeats nothing of the content.
    pub fn parse(content: &SecretString) -> Result<Self, InvalidSecret> {
        let object = Object::parse(content.expose_secret()).map_err(|trouble| match trouble {
            Trouble::Syntax { line, column } => InvalidSecret::Syntax { line, column },
            Trouble::Duplicate(position) => InvalidSecret::Duplicate(position),
            Trouble::Type(found) => InvalidSecret::NoObject(found),
        })?;
        for (index, name) in object.names().enumerate() {
            let known = || FIELDS.iter().chain(&OTHER_FIELDS).copied();
            if !known().any(|field| field == name) {
                let suggestion = crate::config::suggest::nearest(name, FIELDS);
                return Err(InvalidSecret::Unknown { position: index + 1, suggestion });
            }
        }
        Ok(Self {
            username: text(&object, "username")?,
            password: text(&object, "password")?.map(SecretString::from).ok_or(InvalidSecret::Missing("password"))?,
            engine: text(&object, "engine")?,
            endpoint: SecretEndpoint {
                host: text(&object, "host")?,
                port: port(&object)?,
                database: text(&object, "dbname")?,
            },
        })
    }

    /// Whether the secret is for a server that `engine` reaches. A secret that names no product is for any.
    pub fn is_for(&self, engine: &Engine) -> bool {
        self.engine.as_deref().is_none_or(|product| family(product) == family(engine.as_str()))
    }
}

/// One word for all that speak the same protocol.
fn family(product: &str) -> String {
    match product.to_ascii_lowercase().as_str() {
        "mysql" | "mariadb" | "aurora" | "aurora-mysql" => "mysql".to_owned(),
        "postgres" | "postgresql" | "aurora-postgresql" => "postgres".to_owned(),
        other if other.starts_with("sqlserver") || other == "mssql" => "sqlserver".to_owned(),
        other => other.to_owned(),
    }
}

fn text(object: &Object, field: &'static str) -> Result<Option<String>, InvalidSecret> {
    let wrong = |found| InvalidSecret::Field { field, found, expected: "a string that is not empty" };
    match object.get(field) {
        // AWS's console writes null for what it does not know.
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Err(wrong("empty")),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(object::type_name(other))),
    }
}

fn port(object: &Object) -> Result<Option<u16>, InvalidSecret> {
    let wrong = |found| InvalidSecret::Field { field: "port", found, expected: "1 to 65535" };
    let number = match object.get("port") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        // What is typed into the console's key/value form is a string.
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => return Err(wrong(object::type_name(other))),
    };
    let port = number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0);
    port.map(Some).ok_or_else(|| wrong("something else"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseSecret, InvalidSecret> {
        DatabaseSecret::parse(&SecretString::from(text))
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = parse(text).expect_err("not a secret");
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }

    #[test]
    fn the_whole_form_of_rds_is_read() {
        let secret = parse(
            r#"{"engine":"mysql","host":"db.example","username":"svc","password":"canary","dbname":"users","port":3307,
                "masterarn":"arn:aws:x","dbInstanceIdentifier":"one","dbClusterIdentifier":"two"}"#,
        )
        .unwrap();
        assert_eq!(secret.username.as_deref(), Some("svc"));
        assert_eq!(secret.password.expose_secret(), "canary");
        assert_eq!(secret.endpoint.host.as_deref(), Some("db.example"));
        assert_eq!(secret.endpoint.port, Some(3307));
        assert_eq!(secret.endpoint.database.as_deref(), Some("users"));
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn the_form_of_managed_passwords_has_no_endpoint() {
        let secret = parse(r#"{"username":"admin","password":"canary"}"#).unwrap();
        assert_eq!(secret.endpoint, SecretEndpoint::default());
        assert_eq!(secret.engine, None);
    }

    #[test]
    fn a_port_may_be_written_as_text() {
        assert_eq!(parse(r#"{"password":"p","port":"5432"}"#).unwrap().endpoint.port, Some(5432));
        for port in ["0", "65536", "-1", "1.5", "\"canary\"", "\"\""] {
            let text = format!(r#"{{"password":"p","port":{port}}}"#);
            refused(&text, "the field `port` is something else, expected 1 to 65535");
        }
    }

    #[test]
    fn what_is_wrong_is_named_without_the_content() {
        refused(
            "canary",
            "it is not JSON (line 1, column 1); expected an object such as {\"username\": …, \"password\": …}",
        );
        refused("\"canary\"", "it is a string, expected an object such as {\"username\": …, \"password\": …}");
        refused("[\"canary\"]", "it is an array, expected an object such as {\"username\": …, \"password\": …}");
        refused(r#"{"username":"canary"}"#, "the field `password` is missing");
        refused(r#"{"password":""}"#, "the field `password` is empty, expected a string that is not empty");
        refused(r#"{"password":["canary"]}"#, "the field `password` is an array, expected a string that is not empty");
        refused(r#"{"password":"canary","usrname":"u"}"#, "field number 2 is unknown, did you mean `username`?");
        refused(
            r#"{"canary":""}"#,
            "field number 1 is unknown, expected dbname, engine, host, password, port, username or what AWS's rotation \
             adds",
        );
        refused(r#"{"password":"canary","password":"p"}"#, "field number 2 has the name of another field");
        refused(
            "{\"password\":\"canary\"",
            "it is not JSON (line 1, column 20); expected an object such as {\"username\": …, \"password\": …}",
        );
    }

    #[test]
    fn a_secret_fits_the_engines_of_its_protocol() {
        let secret = |engine: &str| parse(&format!(r#"{{"password":"p","engine":"{engine}"}}"#)).unwrap();
        assert!(secret("mysql").is_for(&Engine::MARIADB));
        assert!(secret("aurora-postgresql").is_for(&Engine::POSTGRES));
        assert!(secret("sqlserver-se").is_for(&Engine::SQLSERVER));
        assert!(!secret("postgres").is_for(&Engine::MYSQL));
        assert!(parse(r#"{"password":"p"}"#).unwrap().is_for(&Engine::MYSQL));
    }
}

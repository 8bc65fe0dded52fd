//! A connection string, taken apart by the one parser that the service has, and held to what may be registered.

use connection_manager::settings::InvalidUrl;
use connection_manager::{ConnectionSettings, PasswordSource, TlsMode};
use secrecy::SecretString;

use crate::rest::query::percent_decode;

/// What a connection string names. Where it leads is parsed further by who asked.
#[derive(Debug, Default)]
pub(super) struct UrlParts {
    pub(super) engine: String,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) path: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) tls_mode: &'static str,
    /// Whether the string itself says what of TLS applies.
    pub(super) names_tls: bool,
    pub(super) options: Vec<(String, String)>,
}

/// How drivers call what `tls` says.
const SSL: [&str; 6] = ["encrypt", "ssl", "ssl-mode", "sslmode", "useSSL", "sslMode"];

/// Why a text is not taken: a code and a sentence. Neither repeats what was sent but a parameter's name.
pub(super) type UrlFault = (&'static str, String);

/// Takes a connection string apart.
pub(super) fn parts(text: &str) -> Result<UrlParts, UrlFault> {
    let malformed = |message: &str| ("malformed_url", message.to_owned());
    if text.contains('#') {
        return Err(malformed("a `#` is written as `%23`"));
    }
    let names_tls = parameters(text)?.iter().any(|name| name == "tls");
    let settings = ConnectionSettings::from_url(text).map_err(|error| malformed(&fault(&error)))?;
    let password = match settings.password {
        PasswordSource::Literal(password) => Some(password),
        _ => None,
    };
    Ok(UrlParts {
        engine: settings.engine.to_string(),
        host: settings.host,
        port: settings.port,
        database: settings.database,
        path: settings.path.map(|path| path.to_string_lossy().into_owned()),
        username: settings.username,
        password,
        // Without a word it is what it is without a string, for a server on this machine as well: where a connection leads may change.
        tls_mode: if names_tls { settings.tls.mode } else { TlsMode::VerifyFull }.as_str(),
        names_tls,
        options: settings.options.into_iter().collect(),
    })
}

/// What is wrong. Values, such as that of `tls`, may hold anything and are not repeated.
fn fault(error: &InvalidUrl) -> String {
    const EXPECTED: &str = "expected `engine://user:password@host:port/database?tls=verify-full`, with special characters \
                            percent-encoded";
    match error {
        InvalidUrl::Syntax(cause) => format!("{cause}; {EXPECTED}"),
        InvalidUrl::Parameter { parameter, .. } if parameter == "tls" => {
            "`tls` is one of `disabled`, `required` and `verify-full`".to_owned()
        }
        _ => EXPECTED.to_owned(),
    }
}

/// The names of the parameters, when each is one that may be registered and stands there once.
fn parameters(text: &str) -> Result<Vec<String>, UrlFault> {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let mut names: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let raw = pair.split_once('=').map_or(pair, |(name, _)| name);
        let name = percent_decode(raw, true);
        let name = name.ok_or_else(|| ("malformed_url", "a parameter's percent-encoding is not whole".to_owned()))?;
        let shown: String = name.chars().take(40).collect();
        if name != "tls" && name.strip_prefix("option.").is_none_or(str::is_empty) {
            let instead = if SSL.contains(&name.as_str()) {
                ": say `tls=disabled`, `tls=required` or `tls=verify-full`"
            } else {
                ""
            };
            let message =
                format!("the parameter {shown:?} cannot be registered, only `tls` and `option.<name>`{instead}");
            return Err(("unknown_parameter", message));
        }
        if names.contains(&name) {
            return Err(("repeated_parameter", format!("the parameter {shown:?} stands there twice")));
        }
        names.push(name);
    }
    Ok(names)
}

/// The string without its password; empty where it cannot be told which part that would be.
pub(super) fn without_password(text: &str) -> String {
    let Ok(parts) = parts(text) else { return String::new() };
    let UrlParts { engine, host, port, database, path, username, password, tls_mode, names_tls, options } = parts;
    let has_password = password.is_some();
    format!(
        "{engine} {host:?} {port:?} {database:?} {path:?} {username:?} {has_password} {tls_mode} {names_tls} {options:?}"
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_string_is_taken_apart_with_its_awkward_password() {
        let encoded = "p%40ss%2Fw%3Ard%25%3F%23%22%27%5C%F0%9F%98%80";
        let text =
            format!("postgresql://ann:{encoded}@DB.example:5433/sales?tls=required&option.application_name=a%20b");
        let parts = parts(&text).expect("it is one");
        assert_eq!(parts.password.expect("a password").expose_secret(), "p@ss/w:rd%?#\"'\\😀");
        assert_eq!((parts.engine.as_str(), parts.port, parts.tls_mode), ("postgres", Some(5433), "required"));
        assert_eq!((parts.username.as_deref(), parts.database.as_deref()), (Some("ann"), Some("sales")));
        assert_eq!(parts.options, [("application_name".to_owned(), "a b".to_owned())]);
        assert!(!without_password(&text).contains("ss/w"));
        for text in ["postgres://ann@localhost/x", "redis://127.0.0.1", "mysql://db.example/x", "rediss://db.example"] {
            assert_eq!(super::parts(text).expect("it is one").tls_mode, "verify-full", "{text}");
        }
        let file = super::parts("sqlite:team/a.db").expect("a file");
        assert_eq!((file.engine.as_str(), file.path.as_deref(), file.host), ("sqlite", Some("team/a.db"), None));
    }

    #[test]
    fn what_may_not_be_registered_is_refused_by_name_and_nothing_else_is_told() {
        for (text, code, named) in [
            ("mysql://ann:canary@db/x?ca_file=/etc/passwd", "unknown_parameter", "ca_file"),
            ("mysql://ann:canary@db/x?max=1000", "unknown_parameter", "max"),
            ("mysql://ann:canary@db/x?option.=1", "unknown_parameter", "option."),
            ("mysql://ann:canary@db/x?tls=required&tls=disabled", "repeated_parameter", "tls"),
            ("mysql://ann:canary@db/x?tls=canary", "malformed_url", "`verify-full`"),
            ("mysql://ann:canary@db:99999/x", "malformed_url", "invalid port"),
            ("mysql://ann:canary@[::zz]/x", "malformed_url", "IPv6"),
            ("postgres://ann:canary@db/x?sslmode=require", "unknown_parameter", "tls=required"),
            ("mysql://ann:can#ary@db/x", "malformed_url", "%23"),
            ("canary", "malformed_url", "engine://"),
            ("mysql://db/x?%zz=1", "malformed_url", "percent-encoding"),
        ] {
            let (found, message) = parts(text).expect_err("it is refused");
            assert_eq!(found, code, "{text}: {message}");
            assert!(message.contains(named) && !message.contains("canary"), "{message}");
        }
    }
}

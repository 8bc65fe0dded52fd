use std::path::PathBuf;

use secrecy::SecretString;
use shared_kernel::database::Engine;
use url::Url;

use super::{ConnectionSettings, PoolSettings, TlsMode, TlsSettings};
use crate::config::duration;
use crate::credentials::PasswordSource;

/// A text that is no connection URL. The text itself is not repeated, because it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Not a URL at all.
    #[error("the connection URL cannot be parsed: {0}")]
    Syntax(#[from] url::ParseError),
    /// A part that is not UTF-8 once its percent-encoding is undone.
    #[error("the connection URL's {0} is not UTF-8")]
    Encoding(&'static str),
    /// A query parameter that no connection knows.
    #[error(
        "the connection URL has an unknown parameter `{0}`, expected tls, ca_file, min, max, acquire_timeout, \
         connect_timeout, idle_timeout, max_lifetime, statement_timeout, validate_after, leak_after, keepalive or option.<name>"
    )]
    UnknownParameter(String),
    /// A query parameter whose value cannot be read.
    #[error("the connection URL's parameter `{parameter}` is invalid: {reason}")]
    Parameter {
        /// The parameter.
        parameter: String,
        /// What is wrong with its value.
        reason: String,
    },
}

impl ConnectionSettings {
    /// Reads `engine://user:password@host:port/database?tls=…`; for SQLite `sqlite:path/to/file` or `sqlite::memory:`.
    ///
    /// `mongodb+srv` is `mongodb` with its option `srv`. `mariadb`, `mongodb`, `mysql`, `postgres` (or `postgresql`), `redis` (or `rediss`), `sqlserver` (or `mssql`) and `sqlite` are engines of this
    /// crate; any other scheme is an engine by that name, for connectors registered from outside. Without `tls=`, a loopback
    /// host is reached without TLS and any other host, as well as `rediss` and `mongodb+srv`, with full verification.
    ///
    /// # Errors
    /// [`InvalidUrl`], which never repeats the URL.
    pub fn from_url(text: &str) -> Result<Self, InvalidUrl> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return sqlite(rest);
        }
        let url = Url::parse(text)?;
        let engine = match url.scheme() {
            "postgresql" => Engine::POSTGRES,
            "mssql" => Engine::SQLSERVER,
            "rediss" => Engine::REDIS,
            "mongodb+srv" => Engine::MONGODB,
            other => Engine::from(other.to_owned()),
        };
        let mut settings = Self::new(engine);
        if url.scheme() == "mongodb+srv" {
            settings.options.insert("srv".to_owned(), "true".to_owned());
        }
        settings.host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
        settings.port = url.port();
        let username = decoded(url.username(), "user")?;
        settings.username = (!username.is_empty()).then_some(username);
        if let Some(password) = url.password() {
            settings.password = PasswordSource::Literal(SecretString::from(decoded(password, "password")?));
        }
        let database = decoded(url.path().trim_start_matches('/'), "database")?;
        settings.database = (!database.is_empty()).then_some(database);
        let loopback = settings
            .host
            .as_deref()
            .is_none_or(|host| host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()));
        settings.tls.mode = if loopback && !["mongodb+srv", "rediss"].contains(&url.scheme()) {
            TlsMode::Disabled
        } else {
            TlsMode::VerifyFull
        };
        parameters(&mut settings, url.query_pairs())?;
        Ok(settings)
    }
}

fn sqlite(rest: &str) -> Result<ConnectionSettings, InvalidUrl> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut settings = ConnectionSettings::sqlite(PathBuf::from(decoded(path, "path")?));
    parameters(&mut settings, url::form_urlencoded::parse(query.as_bytes()))?;
    Ok(settings)
}

fn parameters(settings: &mut ConnectionSettings, query: url::form_urlencoded::Parse<'_>) -> Result<(), InvalidUrl> {
    let mut min_is_given = false;
    for (key, value) in query {
        min_is_given |= key == "min";
        parameter(settings, &key, &value)?;
    }
    if !min_is_given {
        settings.pool.min = settings.pool.min.min(settings.pool.max);
    }
    Ok(())
}

fn parameter(settings: &mut ConnectionSettings, key: &str, value: &str) -> Result<(), InvalidUrl> {
    let invalid = |reason: String| InvalidUrl::Parameter { parameter: key.to_owned(), reason };
    let time = || duration::parse(value).map_err(|error| invalid(error.to_string()));
    let count = || value.parse::<u32>().map_err(|error| invalid(error.to_string()));
    let TlsSettings { mode, ca_file, .. } = &mut settings.tls;
    let PoolSettings {
        min,
        max,
        acquire_timeout,
        connect_timeout,
        idle_timeout,
        max_lifetime,
        statement_timeout,
        validate_after,
        leak_after,
        keepalive,
    } = &mut settings.pool;
    match key {
        "tls" => *mode = value.parse().map_err(|error: super::tls::UnknownTlsMode| invalid(error.to_string()))?,
        "ca_file" => *ca_file = Some(PathBuf::from(value)),
        "min" => *min = count()?,
        "max" => *max = count()?,
        "acquire_timeout" => *acquire_timeout = time()?,
        "connect_timeout" => *connect_timeout = time()?,
        "validate_after" => *validate_after = time()?,
        "idle_timeout" => *idle_timeout = Some(time()?).filter(|time| !time.is_zero()),
        "max_lifetime" => *max_lifetime = Some(time()?).filter(|time| !time.is_zero()),
        "statement_timeout" => *statement_timeout = Some(time()?).filter(|time| !time.is_zero()),
        "leak_after" => *leak_after = Some(time()?).filter(|time| !time.is_zero()),
        "keepalive" => *keepalive = Some(time()?).filter(|time| !time.is_zero()),
        other => match other.strip_prefix("option.") {
            Some(option) => {
                settings.options.insert(option.to_owned(), value.to_owned());
            }
            None => return Err(InvalidUrl::UnknownParameter(other.to_owned())),
        },
    }
    Ok(())
}

fn decoded(text: &str, part: &'static str) -> Result<String, InvalidUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        let digits = rest.as_slice();
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (byte, digits) {
            (b'%', [high, low, ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest.nth(1);
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| InvalidUrl::Encoding(part))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::TlsMode;

    #[test]
    fn a_url_names_everything() {
        let url = "mysql://svc:p%40ss@db.example:3307/users?tls=required&max=4&acquire_timeout=250ms&option.charset=x";
        let settings = ConnectionSettings::from_url(url).unwrap();
        assert_eq!(settings.engine, Engine::MYSQL);
        assert_eq!(settings.host.as_deref(), Some("db.example"));
        assert_eq!(settings.port, Some(3307));
        assert_eq!(settings.database.as_deref(), Some("users"));
        assert_eq!(settings.username.as_deref(), Some("svc"));
        assert_eq!(settings.tls.mode, TlsMode::Required);
        assert_eq!(settings.pool.max, 4);
        assert_eq!(settings.pool.acquire_timeout, Duration::from_millis(250));
        assert_eq!(settings.options["charset"], "x");
        let PasswordSource::Literal(password) = &settings.password else { panic!("{:?}", settings.password) };
        assert_eq!(secrecy::ExposeSecret::expose_secret(password), "p@ss");
    }

    #[test]
    fn a_password_is_not_printed() {
        let settings = ConnectionSettings::from_url("postgres://u:hunter2@localhost/db").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let error = ConnectionSettings::from_url("postgres://u:hunter2@localhost:99999/db").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }

    #[test]
    fn a_remote_host_is_verified_unless_told_otherwise() {
        let settings = ConnectionSettings::from_url("postgres://u@db.example/db").unwrap();
        assert_eq!(settings.tls.mode, TlsMode::VerifyFull);
        let settings = ConnectionSettings::from_url("postgres://u@127.0.0.1/db").unwrap();
        assert_eq!(settings.tls.mode, TlsMode::Disabled);
    }

    #[test]
    fn the_scheme_of_redis_tells_whether_there_is_tls() {
        let settings = ConnectionSettings::from_url("redis://:secret@127.0.0.1:6390/2").unwrap();
        assert_eq!((settings.engine, settings.tls.mode), (Engine::REDIS, TlsMode::Disabled));
        assert_eq!((settings.database.as_deref(), settings.username), (Some("2"), None));
        let settings = ConnectionSettings::from_url("rediss://svc:secret@127.0.0.1").unwrap();
        assert_eq!((settings.engine, settings.tls.mode), (Engine::REDIS, TlsMode::VerifyFull));
    }

    #[test]
    fn the_scheme_of_mongodb_tells_whether_dns_names_the_servers() {
        let settings = ConnectionSettings::from_url("mongodb://ann:p%40ss@localhost:27018/library").unwrap();
        assert_eq!(
            (settings.engine, settings.tls.mode, settings.options.len()),
            (Engine::MONGODB, TlsMode::Disabled, 0)
        );
        let settings = ConnectionSettings::from_url("mongodb+srv://ann:secret@cluster.example/library").unwrap();
        assert_eq!((settings.engine, settings.tls.mode, settings.port), (Engine::MONGODB, TlsMode::VerifyFull, None));
        assert_eq!(settings.options["srv"], "true");
    }

    #[test]
    fn sqlite_urls_name_files() {
        for (url, path) in [
            ("sqlite:data/users.db", "data/users.db"),
            ("sqlite:///var/lib/users.db", "/var/lib/users.db"),
            ("sqlite::memory:", ":memory:"),
            ("sqlite:a%20b.db?max=3", "a b.db"),
        ] {
            assert_eq!(ConnectionSettings::from_url(url).unwrap().path.as_deref(), Some(path.as_ref()), "{url}");
        }
    }

    #[test]
    fn unknown_parameters_are_refused() {
        let error = ConnectionSettings::from_url("mysql://h/db?sslmode=off").unwrap_err();
        assert_eq!(error, InvalidUrl::UnknownParameter("sslmode".to_owned()));
    }
}

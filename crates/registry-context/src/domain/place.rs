use std::fmt;
use std::net::Ipv6Addr;

use shared_kernel::text::TextError;
use shared_kernel::validation::Fault;

use super::verbatim::{text_value, verbatim};

text_value!(
    /// Host name or address of a server, in lower case: 1 to 253 of `a-z`, `0-9`, `.`, `-` and `_`, or an address of IPv6.
    ///
    /// One host: lists, ports, users, paths of sockets and zones are no part of it. Whether anybody may be sent there is
    /// another question, asked when it is dialled.
    Host,
    HostError,
    "the host",
    host,
    ": it is one name or address, and a port stands in `port`"
);

text_value!(
    /// The database on a server: 1 to 255 characters, kept as they are, none of them a control character.
    DatabaseName,
    DatabaseNameError,
    "the database",
    |text| verbatim(text, DatabaseName::MAX)
);

/// What paths are made of.
const PLAIN: &str = ": it is plain names with `/` between them, none of which begins with `.`";

/// A file below the folder that the service keeps for such files: a relative path of plain names with `/` between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(String);

/// Why a text is no [`FilePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilePathError {
    /// It begins at the root of the file system.
    #[error(
        "the path begins with `/`: it is relative, and begins below the folder that the service keeps for such files"
    )]
    Absolute,
    /// It is none that a file there may have.
    #[error("the path {0}{made_of}", made_of = if matches!(.0, TextError::Foreign(_)) { PLAIN } else { "" })]
    Text(#[from] TextError),
}

impl Fault for FilePathError {
    fn code(&self) -> &'static str {
        match self {
            Self::Absolute => "absolute_path",
            Self::Text(error) => error.code(),
        }
    }
}

impl Host {
    /// The most characters.
    pub const MAX: usize = 253;
}

impl DatabaseName {
    /// The most characters.
    pub const MAX: usize = 255;
}

impl FilePath {
    /// The most characters.
    pub const MAX: usize = 500;

    /// Reads it.
    ///
    /// # Errors
    /// [`FilePathError`]
    pub fn parse(text: &str) -> Result<Self, FilePathError> {
        if text.starts_with('/') {
            return Err(FilePathError::Absolute);
        }
        Ok(Self(file_path(text)?))
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn host(text: &str) -> Result<String, TextError> {
    let text = verbatim(text, Host::MAX)?.to_ascii_lowercase();
    if text.contains(':') {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        // A port behind a name has a colon too.
        return bare.parse::<Ipv6Addr>().map(|address| address.to_string()).map_err(|_| TextError::Foreign(':'));
    }
    match text.chars().find(|character| !character.is_ascii_alphanumeric() && !".-_".contains(*character)) {
        Some(character) => Err(TextError::Foreign(character)),
        None => Ok(text),
    }
}

fn file_path(text: &str) -> Result<String, TextError> {
    let text = verbatim(text, FilePath::MAX)?;
    // `?` and `#` begin parameters in SQLite's URIs, and `:` a drive, a scheme or a database in memory.
    if let Some(character) = text.chars().find(|character| "\\:?#%*\"<>|".contains(*character)) {
        return Err(TextError::Foreign(character));
    }
    for part in text.split('/') {
        if part.is_empty() {
            return Err(TextError::Foreign('/'));
        }
        if part.starts_with('.') {
            return Err(TextError::Foreign('.'));
        }
    }
    Ok(text)
}

/// A TCP port: 1 to 65,535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Port(u16);

/// A number that is no [`Port`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the port is 1 to 65535, not {0}")]
pub struct PortError(i64);

impl Fault for PortError {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl Port {
    /// A port by its number.
    ///
    /// # Errors
    /// [`PortError`] outside 1 to 65,535.
    pub fn try_new(number: i64) -> Result<Self, PortError> {
        match u16::try_from(number) {
            Ok(port @ 1..) => Ok(Self(port)),
            _ => Err(PortError(number)),
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_single_names_or_addresses() {
        for (text, expected) in [
            ("DB7.Example.COM", "db7.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("my_host-1", "my_host-1"),
        ] {
            assert_eq!(Host::parse(text).map(|host| host.to_string()).as_deref(), Ok(expected));
        }
        for text in [
            "",
            " db",
            "a,b",
            "db:5432",
            "user@db",
            "/var/run/mysqld",
            "http://db",
            "fe80::1%eth0",
            "b\u{fc}cher.example",
            "db?x",
            "db\n",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        assert!(Host::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn paths_stay_below_where_they_begin() {
        for text in ["sales.db", "team/sales 2026.sqlite3", "b\u{fc}cher/a.b"] {
            assert!(FilePath::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/",
            ".hidden",
            "a\\b",
            "C:x",
            ":memory:",
            "file:x",
            "a?mode=rw",
            "a#b",
            "a\u{0}b",
            "%2e%2e/x",
            "a/.b",
        ] {
            assert!(FilePath::parse(text).is_err(), "{text}");
        }
        for text in ["/etc/passwd", "/", "//a"] {
            let error = FilePath::parse(text).expect_err("it is absolute");
            assert_eq!((error, error.code()), (FilePathError::Absolute, "absolute_path"), "{text}");
            assert!(error.to_string().contains("relative"), "{error}");
        }
    }

    #[test]
    fn ports_are_of_sixteen_bits_and_not_zero() {
        assert_eq!(Port::try_new(65_535).map(Port::get), Ok(65_535));
        for number in [0, -1, 65_536, i64::MAX] {
            let error = Port::try_new(number).expect_err("no port");
            assert_eq!(
                (error.code(), error.to_string()),
                ("out_of_range", format!("the port is 1 to 65535, not {number}"))
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_taken_reads_back_as_itself(text in any::<String>()) {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host));
            }
            if let Ok(path) = FilePath::parse(&text) {
                let joined = std::path::Path::new("/root").join(path.as_str());
                prop_assert!(joined.components().all(|part| part != std::path::Component::ParentDir));
                prop_assert!(joined.starts_with("/root"));
            }
        }
    }
}

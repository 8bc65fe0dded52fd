use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name a connection is asked for by: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `/`, beginning with a letter.
///
/// Cloning copies no text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionName(Arc<str>);

/// A text that is no [`ConnectionName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("connection name {0:?} is not 1 to 64 of a-z, 0-9, `-`, `_` and `/`, beginning with a letter")]
pub struct InvalidConnectionName(String);

impl ConnectionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionName {
    type Err = InvalidConnectionName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        let rest = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'/'));
        if first && rest && text.len() <= 64 {
            Ok(Self(text.into()))
        } else {
            Err(InvalidConnectionName(text.chars().take(80).collect()))
        }
    }
}

impl Borrow<str> for ConnectionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_they_come_in() {
        for name in ["users", "registry/0190163d-8694-739b-aea5-966c26f8ad91", "a_b-1"] {
            assert_eq!(name.parse::<ConnectionName>().expect("valid").as_str(), name);
        }
        for name in ["", "Users", "1users", "us ers", "b\u{e4}nde", &"x".repeat(65)] {
            assert!(name.parse::<ConnectionName>().is_err(), "{name}");
        }
    }
}

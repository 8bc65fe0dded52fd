//! Who reads what they wrote, where reads may be served by replicas.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::database::ConnectionName;

/// How far a primary had come when it was asked: a position in its history, in its engine's own notation. Only what made it
/// can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position(Arc<str>);

/// A text that is no [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position has 1 to 512 letters, digits and `.`, `,`, `:`, `-`")]
pub struct InvalidPosition;

impl Position {
    const LONGEST: usize = 512;

    /// The position as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b',' | b':' | b'-');
        let fits = (1..=Self::LONGEST).contains(&text.len());
        if fits && text.bytes().all(plain) { Ok(Self(text.into())) } else { Err(InvalidPosition) }
    }
}

/// What a read has to see of one connection's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Everything up to this position.
    Position(Position),
    /// Something that was written, and nobody knows where in the history: the primary alone is sure to have it.
    Unknown,
}

/// How recent the data must be that a later request reads: for each connection that was written to, how far its primary
/// had come afterwards.
///
/// As text it has one `name=position` for each connection, with `;` between them, and nothing behind the `=` where the position
/// is not known. A token that somebody made up has no effect but that reads go to primaries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshnessToken(BTreeMap<ConnectionName, Seen>);

/// A text that is no [`FreshnessToken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a freshness token")]
pub struct InvalidFreshnessToken;

impl FreshnessToken {
    /// The longest text of a token, in bytes.
    pub const LONGEST: usize = 4096;

    /// The connections that it names.
    pub fn connections(&self) -> impl Iterator<Item = &ConnectionName> {
        self.0.keys()
    }
}

impl fmt::Display for FreshnessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, seen)) in self.0.iter().enumerate() {
            let position = match seen {
                Seen::Position(position) => position.as_str(),
                Seen::Unknown => "",
            };
            write!(f, "{}{name}={position}", if index > 0 { ";" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for FreshnessToken {
    type Err = InvalidFreshnessToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > Self::LONGEST {
            return Err(InvalidFreshnessToken);
        }
        let mut token = Self::default();
        for part in text.split(';') {
            let (name, position) = part.split_once('=').ok_or(InvalidFreshnessToken)?;
            let name: ConnectionName = name.parse().map_err(|_| InvalidFreshnessToken)?;
            let seen = match position {
                "" => Seen::Unknown,
                position => Seen::Position(position.parse().map_err(|_| InvalidFreshnessToken)?),
            };
            if token.0.insert(name, seen).is_some() {
                return Err(InvalidFreshnessToken);
            }
        }
        Ok(token)
    }
}

/// What the reads of one request, or of whoever else keeps a [`crate::RequestContext`], have to see. Clones share it: what is
/// written through one of them, the reads of the others see.
#[derive(Clone, Default)]
pub struct Freshness {
    at_the_primary: bool,
    known: Arc<Mutex<BTreeMap<ConnectionName, Known>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Seen(Seen),
    /// Written to since its primary was last asked for its position.
    Written,
}

/// Where one connection may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Anywhere.
    Nothing,
    /// Where this position has been reached.
    Reached(Position),
    /// At the primary alone.
    Primary,
}

impl Freshness {
    /// Reads have to see what the token stands for.
    pub fn at_least(token: FreshnessToken) -> Self {
        let known = token.0.into_iter().map(|(name, seen)| (name, Known::Seen(seen))).collect();
        Self { at_the_primary: false, known: Arc::new(Mutex::new(known)) }
    }

    /// The same, with every read at the primary: for whoever decides by what it reads what to write.
    #[must_use]
    pub fn at_the_primary(mut self) -> Self {
        self.at_the_primary = true;
        self
    }

    /// Where the connection may be read. `is_replicated` says of which names the program knows what became of their
    /// positions: whoever shows a token with another one reads at primaries.
    pub fn need(&self, connection: &ConnectionName, is_replicated: impl Fn(&ConnectionName) -> bool) -> Need {
        if self.at_the_primary {
            return Need::Primary;
        }
        let known = self.known();
        if !known.keys().all(is_replicated) {
            return Need::Primary;
        }
        match known.get(connection) {
            None => Need::Nothing,
            Some(Known::Seen(Seen::Position(position))) => Need::Reached(position.clone()),
            Some(Known::Seen(Seen::Unknown) | Known::Written) => Need::Primary,
        }
    }

    /// Notes that something may have been written over the connection.
    pub fn wrote(&self, connection: &ConnectionName) {
        let mut known = self.known();
        match known.get_mut(connection) {
            Some(seen) => *seen = Known::Written,
            None => drop(known.insert(connection.clone(), Known::Written)),
        }
    }

    /// The connections that were written to since their primaries were last asked for their position.
    pub fn written(&self) -> Vec<ConnectionName> {
        let known = self.known();
        known.iter().filter(|(_, known)| **known == Known::Written).map(|(name, _)| name.clone()).collect()
    }

    /// Notes how far the connection's primary has come after all that was written, where it could be asked.
    pub fn settle(&self, connection: &ConnectionName, position: Option<Position>) {
        let seen = position.map_or(Seen::Unknown, Seen::Position);
        self.known().insert(connection.clone(), Known::Seen(seen));
    }

    /// The token for later requests, of the connections that `is_replicated` says yes to; `None` when there is nothing that
    /// they have to see.
    pub fn token(&self, is_replicated: impl Fn(&ConnectionName) -> bool) -> Option<FreshnessToken> {
        let seen = |known: &Known| match known {
            Known::Seen(seen) => seen.clone(),
            Known::Written => Seen::Unknown,
        };
        let known = self.known();
        let kept = known.iter().filter(|(name, _)| is_replicated(name));
        let mut token = FreshnessToken(kept.map(|(name, known)| (name.clone(), seen(known))).collect());
        drop(known);
        if token.to_string().len() > FreshnessToken::LONGEST {
            token.0.values_mut().for_each(|seen| *seen = Seen::Unknown);
        }
        (!token.0.is_empty()).then_some(token)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ConnectionName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Freshness")
            .field("at_the_primary", &self.at_the_primary)
            .field("known", &*self.known())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ConnectionName {
        name.parse().expect("a name")
    }

    fn position(text: &str) -> Position {
        text.parse().expect("a position")
    }

    #[test]
    fn a_token_survives_a_round_trip() {
        for text in ["users=pg:7:900", "books=;users=mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,9"] {
            let token: FreshnessToken = text.parse().expect("a token");
            assert_eq!(token.to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_no_tokens_are_refused() {
        let long = format!("users={}", "1".repeat(513));
        let longer = vec!["a=1"; 2000].join(";");
        for text in
            ["", "users", "=1", "Users=1", "users=a b", "users=1;", "users=1;users=2", "users=1=2", &long, &longer]
        {
            assert_eq!(text.parse::<FreshnessToken>(), Err(InvalidFreshnessToken), "{text}");
        }
    }

    #[test]
    fn whoever_wrote_reads_at_the_primary_until_it_is_known_how_far_that_is() {
        let freshness = Freshness::default();
        let (users, books) = (name("users"), name("books"));
        assert_eq!(freshness.need(&users, |_| true), Need::Nothing);
        freshness.clone().wrote(&users);
        assert_eq!(freshness.need(&users, |_| true), Need::Primary);
        assert_eq!(freshness.need(&books, |_| true), Need::Nothing);
        assert_eq!(freshness.written(), std::slice::from_ref(&users));
        assert_eq!(freshness.token(|_| true).expect("a token").to_string(), "users=");

        freshness.settle(&users, Some(position("pg:1:5")));
        assert_eq!(freshness.need(&users, |_| true), Need::Reached(position("pg:1:5")));
        assert!(freshness.written().is_empty());
        let token = freshness.token(|_| true).expect("a token");
        assert_eq!(Freshness::at_least(token).need(&users, |_| true), Need::Reached(position("pg:1:5")));

        freshness.settle(&users, None);
        assert_eq!(freshness.need(&users, |_| true), Need::Primary);
    }

    #[test]
    fn whoever_is_to_read_at_the_primary_does_whatever_a_token_says() {
        let token: FreshnessToken = "users=pg:1:5".parse().expect("a token");
        let freshness = Freshness::at_least(token).at_the_primary();
        assert_eq!(freshness.need(&name("users"), |_| true), Need::Primary);
        assert_eq!(freshness.need(&name("books"), |_| true), Need::Primary);
    }

    #[test]
    fn a_token_with_a_name_that_nobody_knows_leads_to_primaries() {
        let freshness = Freshness::at_least("users=pg:1:5;elsewhere=pg:1:1".parse().expect("a token"));
        let known = |name: &ConnectionName| name.as_str() != "elsewhere";
        assert_eq!(freshness.need(&name("users"), known), Need::Primary);
        assert_eq!(freshness.need(&name("books"), known), Need::Primary);
        assert_eq!(freshness.token(known).expect("the rest").to_string(), "users=pg:1:5");
        assert_eq!(freshness.token(|_| false), None);
    }

    #[test]
    fn a_token_that_would_be_too_long_says_less() {
        let freshness = Freshness::default();
        for number in 0..10 {
            freshness.settle(&name(&format!("c{number}")), Some(position(&"1".repeat(512))));
        }
        let token = freshness.token(|_| true).expect("a token");
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert_eq!(Freshness::at_least(token).need(&name("c3"), |_| true), Need::Primary);
    }
}

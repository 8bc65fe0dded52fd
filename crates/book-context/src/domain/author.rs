use std::fmt;

use shared_kernel::text::{Controls, TextError, bounded};
use shared_kernel::validation::Fault;

/// The name of one author: 1 to 200 characters in NFC, trimmed, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorName(String);

/// Why a text is no [`AuthorName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the author's name {0}")]
pub struct AuthorNameError(TextError);

impl Fault for AuthorNameError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl AuthorName {
    /// The most characters it may have.
    pub const MAX: usize = 200;

    /// Reads a author's name.
    ///
    /// # Errors
    /// [`AuthorNameError`] when it is empty after trimming, too long, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, AuthorNameError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(AuthorNameError)
    }

    /// The author's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As [`AuthorName::parse`], without a copy where the text is kept as it is.
impl TryFrom<String> for AuthorName {
    type Error = AuthorNameError;

    fn try_from(text: String) -> Result<Self, AuthorNameError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(AuthorNameError)
    }
}

impl fmt::Display for AuthorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The authors of a book in the order of the title page: 1 to 20.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authors(Vec<AuthorName>);

/// A number of authors that no book here can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorsError {
    /// None.
    #[error("the list of authors is empty")]
    Empty,
    /// More than [`Authors::MAX`].
    #[error("the list of authors has {0} names, at most {max} are allowed", max = Authors::MAX)]
    TooMany(usize),
}

impl Fault for AuthorsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooMany(_) => "too_long",
        }
    }
}

impl Authors {
    /// The most authors a book may have.
    pub const MAX: usize = 20;

    /// A list of authors.
    ///
    /// # Errors
    /// [`AuthorsError`] when it is empty or too long.
    pub fn try_new(names: Vec<AuthorName>) -> Result<Self, AuthorsError> {
        match names.len() {
            0 => Err(AuthorsError::Empty),
            1..=Self::MAX => Ok(Self(names)),
            many => Err(AuthorsError::TooMany(many)),
        }
    }

    /// The names in order.
    pub fn as_slice(&self) -> &[AuthorName] {
        &self.0
    }

    /// The names in order.
    pub fn iter(&self) -> std::slice::Iter<'_, AuthorName> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Authors {
    type Item = &'a AuthorName;
    type IntoIter = std::slice::Iter<'a, AuthorName>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<AuthorName> {
        (0..count).map(|number| AuthorName::parse(&format!("Author {number}")).expect("a name")).collect()
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(AuthorName::parse(" Ursula K. Le Guin").expect("a name").to_string(), "Ursula K. Le Guin");
        for (text, code) in [("", "empty"), (&"x".repeat(201), "too_long"), ("a\tb", "control_character")] {
            let error = AuthorName::parse(text).expect_err("no name");
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with("the author's name "), "{error}");
        }
    }

    #[test]
    fn a_book_has_one_to_twenty_authors() {
        let authors = Authors::try_new(names(20)).expect("twenty are allowed");
        assert_eq!((authors.as_slice().len(), (&authors).into_iter().count()), (20, 20));
        let none = Authors::try_new(names(0)).expect_err("nobody");
        assert_eq!((none.code(), none.to_string().as_str()), ("empty", "the list of authors is empty"));
        let many = Authors::try_new(names(21)).expect_err("a crowd");
        let words = "the list of authors has 21 names, at most 20 are allowed";
        assert_eq!((many.code(), many.to_string().as_str()), ("too_long", words));
    }
}

use std::fmt;

use shared_kernel::text::{Controls, TextError, bounded};
use shared_kernel::validation::Fault;

/// What a book is about: at most 10,000 characters in NFC, trimmed, of as many lines as it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Description(String);

/// Why a text is no [`Description`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the description {0}")]
pub struct DescriptionError(TextError);

impl Fault for DescriptionError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl Description {
    /// The most characters it may have.
    pub const MAX: usize = 10_000;

    /// Reads a description.
    ///
    /// # Errors
    /// [`DescriptionError`] when it is too long, or holds control characters other than tabs and line ends.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        bounded(text, 0..=Self::MAX, Controls::LineBreaks).map(Self).map_err(DescriptionError)
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As [`Description::parse`], without a copy where the text is kept as it is.
impl TryFrom<String> for Description {
    type Error = DescriptionError;

    fn try_from(text: String) -> Result<Self, DescriptionError> {
        bounded(text, 0..=Self::MAX, Controls::LineBreaks).map(Self).map_err(DescriptionError)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_may_have_lines_and_may_be_empty() {
        assert_eq!(Description::parse(" one\n\ttwo\r\n ").expect("a description").to_string(), "one\n\ttwo");
        assert_eq!(Description::parse("").expect("a description").as_str(), "");
        assert!(Description::parse(&"😀".repeat(10_000)).is_ok());
    }

    #[test]
    fn endless_and_controlling_descriptions_are_refused() {
        let error = Description::parse(&"x".repeat(10_001)).expect_err("too long");
        assert_eq!(error.to_string(), "the description has 10001 characters, at most 10000 are allowed");
        assert_eq!(Description::parse("a\u{1b}b").expect_err("an escape").code(), "control_character");
    }
}

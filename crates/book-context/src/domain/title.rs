use std::fmt;

use shared_kernel::text::{Controls, TextError, bounded};
use shared_kernel::validation::Fault;

/// What a book is called: 1 to 500 characters in NFC, trimmed, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Title(String);

/// Why a text is no [`Title`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the title {0}")]
pub struct TitleError(TextError);

impl Fault for TitleError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl Title {
    /// The most characters it may have.
    pub const MAX: usize = 500;

    /// Reads a title.
    ///
    /// # Errors
    /// [`TitleError`] when it is empty after trimming, too long, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, TitleError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(TitleError)
    }

    /// The title as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As [`Title::parse`], without a copy where the text is kept as it is.
impl TryFrom<String> for Title {
    type Error = TitleError;

    fn try_from(text: String) -> Result<Self, TitleError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(TitleError)
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_are_trimmed_and_composed() {
        assert_eq!(Title::parse(" La Be\u{302}te ").expect("a title").to_string(), "La B\u{ea}te");
        assert_eq!(Title::parse(&"x".repeat(500)).expect("a title").as_str().len(), 500);
    }

    #[test]
    fn empty_long_and_broken_titles_are_refused() {
        for (text, code) in [(" ", "empty"), (&"x".repeat(501), "too_long"), ("a\nb", "control_character")] {
            let error = Title::parse(text).expect_err("no title");
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with("the title "), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_title_reads_back_as_itself(text in any::<String>()) {
            if let Ok(title) = Title::parse(&text) {
                prop_assert_eq!(Title::parse(title.as_str()), Ok(title));
            }
        }
    }
}

use std::fmt;

use shared_kernel::text::{Controls, TextError, bounded};
use shared_kernel::validation::Fault;

/// What a user is called: 1 to 200 characters in NFC, trimmed, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(String);

/// Why a text is no [`UserName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name {0}")]
pub struct UserNameError(TextError);

impl Fault for UserNameError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl UserName {
    /// The most characters a name may have.
    pub const MAX: usize = 200;

    /// Reads a name.
    ///
    /// # Errors
    /// [`UserNameError`] when it is empty after trimming, too long, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(UserNameError)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As [`UserName::parse`], without a copy where the text is kept as it is.
impl TryFrom<String> for UserName {
    type Error = UserNameError;

    fn try_from(text: String) -> Result<Self, UserNameError> {
        bounded(text, 1..=Self::MAX, Controls::Refused).map(Self).map_err(UserNameError)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, message: &str) {
        let error = UserName::parse(text).expect_err("the name is not valid");
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
    }

    #[test]
    fn names_are_trimmed_and_composed() {
        assert_eq!(UserName::parse("  Zoe\u{308} ").expect("a name").to_string(), "Zo\u{eb}");
        assert_eq!(UserName::parse(&"x".repeat(200)).expect("a name").as_str().len(), 200);
    }

    #[test]
    fn empty_long_and_controlling_names_are_refused() {
        check(" \t ", "empty", "the name is empty");
        check(&"é".repeat(201), "too_long", "the name has 201 characters, at most 200 are allowed");
        check("a\u{7}b", "control_character", "the name holds the control character U+0007");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_name_reads_back_as_itself(text in any::<String>()) {
            if let Ok(name) = UserName::parse(&text) {
                prop_assert_eq!(UserName::parse(name.as_str()), Ok(name));
            }
        }
    }
}

use std::fmt;

use oxilangtag::LanguageTag;
use shared_kernel::validation::Fault;

/// The language a book is written in: a well-formed tag of BCP 47 (RFC 5646) of at most 35 characters, in the letter
/// case of its section 2.1.1, such as `en`, `pt-BR` or `zh-Hant-TW`.
///
/// Whether the subtags are registered is not checked: the registry grows, and a new language is no mistake.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(String);

/// Why a text is no [`Language`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    /// Longer than RFC 5646, section 4.4.1 asks everybody to take.
    #[error("the language tag has more than {max} characters", max = Language::MAX)]
    TooLong,
    /// Not of the syntax of RFC 5646, section 2.1.
    #[error("the language is no well-formed BCP 47 tag, such as `en` or `pt-BR`")]
    Malformed,
}

impl Fault for LanguageError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed_language",
        }
    }
}

impl Language {
    /// The most characters a tag may have.
    pub const MAX: usize = 35;

    /// Reads a tag in any letter case.
    ///
    /// # Errors
    /// [`LanguageError`]
    pub fn parse(text: &str) -> Result<Self, LanguageError> {
        let text = text.trim();
        if text.chars().count() > Self::MAX {
            return Err(LanguageError::TooLong);
        }
        LanguageTag::parse_and_normalize(text).map(|tag| Self(tag.into_inner())).map_err(|_| LanguageError::Malformed)
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_get_their_usual_letter_case() {
        for (text, tag) in
            [("EN", "en"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), (" de-CH-1901 ", "de-CH-1901")]
        {
            assert_eq!(Language::parse(text).expect("a tag").to_string(), tag);
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["", "e", "english language", "en_GB", "-en", "en-", "日本語"] {
            assert_eq!(Language::parse(text).map_err(|error| error.code()), Err("malformed_language"), "{text}");
        }
        assert_eq!(
            Language::parse(&format!("en-{}", "x-abcdefg-".repeat(9))).map_err(|error| error.code()),
            Err("too_long")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_tag_reads_back_as_itself(text in "[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-[a-zA-Z]{2})?(-[0-9][a-z0-9]{3})?") {
            if let Ok(language) = Language::parse(&text) {
                prop_assert_eq!(language.as_str().to_lowercase(), text.to_lowercase());
                prop_assert_eq!(Language::parse(language.as_str()), Ok(language));
            }
        }
    }
}

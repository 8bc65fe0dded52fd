//! Text that means the same on every engine: one normal form for what is stored, one folded key for what is compared.
//!
//! Engines disagree about case, accents, trailing blanks and the order of letters. Nothing here leaves those questions
//! to them: what is searched, sorted or unique is compared by [`fold_key`] under a code-point collation.

mod search_term;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use search_term::{SearchTerm, SearchTermError};

use crate::validation::Fault;

/// Which control characters (Unicode category Cc) a text may hold. U+0000 is refused in any case, because PostgreSQL
/// cannot store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// None: names, titles, everything on one line.
    Refused,
    /// Tabs and line ends, for text of several lines.
    LineBreaks,
}

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming.
    #[error("is empty")]
    Empty,
    /// Fewer characters than allowed.
    #[error("has {actual} characters, at least {min} are needed")]
    TooShort {
        /// The fewest characters allowed.
        min: usize,
        /// How many there are.
        actual: usize,
    },
    /// More characters than allowed.
    #[error("has {actual} characters, at most {max} are allowed")]
    TooLong {
        /// The most characters allowed.
        max: usize,
        /// How many there are.
        actual: usize,
    },
    /// A control character that is not allowed here.
    #[error(transparent)]
    Control(#[from] ControlCharacter),
    /// A character of which values of this kind have none.
    #[error("holds the character {0:?}, which cannot be part of it")]
    Foreign(char),
}

/// A control character that is not allowed where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds the control character U+{:04X}", *.0 as u32)]
pub struct ControlCharacter(pub char);

impl Fault for TextError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::Control(_) => "control_character",
            Self::Foreign(_) => "foreign_character",
        }
    }
}

/// Brings a text to Unicode Normalization Form C (Unicode Standard Annex #15) and cuts white space at both ends. A
/// `String` that needs neither comes back as it is.
///
/// # Errors
/// [`ControlCharacter`] for U+0000 and for control characters that `controls` does not allow, counted after trimming.
pub fn normalize<'a>(text: impl Into<Cow<'a, str>>, controls: Controls) -> Result<String, ControlCharacter> {
    // Trimming comes second: two spaces that NFC replaces (U+2000, U+2001) are white space before and after.
    let composed = composed(text.into());
    let trimmed = composed.trim();
    match refused(trimmed, controls) {
        Some(character) => Err(ControlCharacter(character)),
        None if trimmed.len() == composed.len() => Ok(composed.into_owned()),
        None => Ok(trimmed.to_owned()),
    }
}

/// The text in NFC. Most text is, which costs one look at it and no copy.
fn composed(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The first control character that is not allowed.
fn refused(text: &str, controls: Controls) -> Option<char> {
    // The control characters outside ASCII (U+0080 to U+009F) are two bytes, the first of which is this one.
    const LEAD: u8 = 0xC2;
    let allowed = |character: char| match controls {
        Controls::Refused => false,
        Controls::LineBreaks => matches!(character, '\t' | '\n' | '\r'),
    };
    // One quick look at the bytes, because most text has none of either.
    let suspect = text.bytes().any(|byte| byte.is_ascii_control() || byte == LEAD);
    if !suspect {
        return None;
    }
    text.chars().find(|character| character.is_control() && !allowed(*character))
}

/// As [`normalize`], and checks the length in characters (Unicode code points) after it.
///
/// # Errors
/// [`TextError`]
pub fn bounded<'a>(
    text: impl Into<Cow<'a, str>>,
    length: RangeInclusive<usize>,
    controls: Controls,
) -> Result<String, TextError> {
    let normal = normalize(text, controls)?;
    let (min, max) = (*length.start(), *length.end());
    let actual = normal.chars().count();
    if actual > max {
        Err(TextError::TooLong { max, actual })
    } else if actual >= min {
        Ok(normal)
    } else if actual == 0 {
        Err(TextError::Empty)
    } else {
        Err(TextError::TooShort { min, actual })
    }
}

/// The key by which a text is compared: two texts have the same key exactly when they are a canonical caseless match
/// (Unicode Standard, section 3.13, definition D145).
///
/// Full case folding makes `STRASSE` and `Straße` the same; no language's own rules take part, so that the key does
/// not depend on anybody's locale. The result is in NFC and can have up to three times the code points of `text`.
pub fn fold_key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

/// The first `count` code points of `text`; for sort keys that must fit an index.
pub fn first_code_points(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_trimmed_and_composed() {
        assert_eq!(normalize(" \t\u{2003}Zoe\u{308}\n", Controls::Refused), Ok("Zo\u{eb}".to_owned()));
    }

    #[test]
    fn control_characters_are_refused_and_named() {
        let error = normalize("a\u{0}b", Controls::LineBreaks).expect_err("U+0000 is never allowed");
        assert_eq!(error, ControlCharacter('\0'));
        assert_eq!(error.to_string(), "holds the control character U+0000");
        assert_eq!(normalize("a\tb", Controls::Refused), Err(ControlCharacter('\t')));
        assert_eq!(normalize("a\r\n\tb", Controls::LineBreaks), Ok("a\r\n\tb".to_owned()));
        assert_eq!(normalize("a\u{85}b", Controls::LineBreaks), Err(ControlCharacter('\u{85}')));
    }

    #[test]
    fn lengths_count_code_points_after_trimming() {
        assert_eq!(bounded(" 😀😀 ", 1..=2, Controls::Refused), Ok("😀😀".to_owned()));
        assert_eq!(bounded("   ", 1..=2, Controls::Refused), Err(TextError::Empty));
        assert_eq!(bounded("a", 2..=3, Controls::Refused), Err(TextError::TooShort { min: 2, actual: 1 }));
        assert_eq!(bounded("abcd", 2..=3, Controls::Refused), Err(TextError::TooLong { max: 3, actual: 4 }));
        assert_eq!(bounded("", 0..=3, Controls::Refused), Ok(String::new()));
    }

    #[test]
    fn every_fault_has_a_code_of_its_own() {
        let faults = [
            TextError::Empty,
            TextError::TooShort { min: 2, actual: 1 },
            TextError::TooLong { max: 1, actual: 2 },
            TextError::Control(ControlCharacter('\0')),
        ];
        let codes: std::collections::BTreeSet<_> = faults.iter().map(Fault::code).collect();
        assert_eq!(codes.len(), faults.len());
    }

    #[test]
    fn keys_ignore_case_and_composition() {
        assert_eq!(fold_key("STRASSE"), fold_key("Straße"));
        assert_eq!(fold_key("ΣΊΣΥΦΟΣ"), fold_key("σίσυφος"));
        assert_eq!(fold_key("E\u{301}a"), fold_key("éA"));
        // The iota subscript must be folded after decomposition, whatever the order of the marks.
        assert_eq!(fold_key("\u{1fc3}\u{323}"), fold_key("\u{3b7}\u{323}\u{345}"));
        assert_ne!(fold_key("resume"), fold_key("résumé"));
    }

    #[test]
    fn cutting_keeps_whole_code_points() {
        assert_eq!(first_code_points("a😀b", 2), "a😀");
        assert_eq!(first_code_points("ab", 5), "ab");
        assert_eq!(first_code_points("ab", 0), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn normalizing_twice_changes_nothing(text in "\\PC{0,40}") {
            if let Ok(once) = normalize(text, Controls::Refused) {
                prop_assert_eq!(normalize(once.as_str(), Controls::Refused), Ok(once));
            }
        }

        #[test]
        fn a_control_character_is_found_wherever_it_stands(text in "[a-zé\u{a0}\t\u{7f}\u{85}\u{9f}]{0,12}") {
            let found = |allowed: &[char]| text.chars().find(|one| one.is_control() && !allowed.contains(one));
            prop_assert_eq!(refused(&text, Controls::Refused), found(&[]));
            prop_assert_eq!(refused(&text, Controls::LineBreaks), found(&['\t']));
        }

        #[test]
        fn a_text_of_ones_own_is_read_as_one_that_is_lent(text in "[ a-zé\u{301}\n]{0,8}") {
            prop_assert_eq!(normalize(text.as_str(), Controls::Refused), normalize(text, Controls::Refused));
        }

        #[test]
        fn the_quick_ways_lead_to_the_same(text in "[ -~éÉßΣς\u{301}\u{2001}]{0,12}") {
            let whole: String = text.nfc().collect();
            prop_assert_eq!(normalize(text.as_str(), Controls::Refused), Ok(whole.trim().to_owned()));
            prop_assert_eq!(fold_key(&text), text.nfd().default_case_fold().nfc().collect::<String>());
        }

        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let once = fold_key(&text);
            prop_assert_eq!(fold_key(&once), once);
        }

        #[test]
        fn keys_do_not_depend_on_the_form_they_arrive_in(text in any::<String>()) {
            prop_assert_eq!(fold_key(&text.nfd().collect::<String>()), fold_key(&text.nfc().collect::<String>()));
        }

        #[test]
        fn keys_grow_at_most_threefold(text in any::<String>()) {
            prop_assert!(fold_key(&text).chars().count() <= 3 * text.chars().count());
        }
    }
}

use super::{Controls, TextError, bounded, fold_key};
use crate::validation::Fault;

/// The most characters a search term may have.
const MAX: usize = 200;

/// What a person searches for: a piece of text, 1 to 200 characters, found wherever it stands and whatever its case.
///
/// No character has a special meaning; `%` and `_` stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchTerm(String);

/// Why a text is no [`SearchTerm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the search term {0}")]
pub struct SearchTermError(TextError);

impl Fault for SearchTermError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl SearchTerm {
    /// Reads a search term.
    ///
    /// # Errors
    /// [`SearchTermError`] when it is empty after trimming, longer than 200 characters, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, SearchTermError> {
        bounded(text, 1..=MAX, Controls::Refused).map(|text| Self(fold_key(&text))).map_err(SearchTermError)
    }

    /// The folded text, to be compared with folded text.
    pub fn folded(&self) -> &str {
        &self.0
    }

    /// The pattern that finds the term anywhere with `LIKE … ESCAPE '!'`.
    ///
    /// `[` opens a set of characters in T-SQL alone; the dialect takes care of that.
    pub fn like_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 2);
        pattern.push('%');
        for character in self.0.chars() {
            if matches!(character, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(character);
        }
        pattern.push('%');
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_literal() {
        let term = SearchTerm::parse(" 100%_[Off]! ").expect("a term");
        assert_eq!(term.folded(), "100%_[off]!");
        assert_eq!(term.like_pattern(), "%100!%!_[off]!!%");
    }

    #[test]
    fn empty_and_endless_terms_are_refused() {
        assert_eq!(SearchTerm::parse("  ").expect_err("empty").code(), "empty");
        let error = SearchTerm::parse(&"x".repeat(201)).expect_err("too long");
        assert_eq!(error.to_string(), "the search term has 201 characters, at most 200 are allowed");
    }
}

//! How faults of an input are told: all at once, each with the place it was found at.

use std::fmt;

/// An error that says what is wrong with one value, with a code that programs can rely on.
///
/// `Display` is a sentence of its own, with the value as its subject, and fit to be shown to the caller: it holds nothing
/// internal.
pub trait Fault: std::error::Error {
    /// A stable word in lower case, such as `too_long`.
    fn code(&self) -> &'static str;
}

/// One fault of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the input, such as `/price/amount`; empty for the whole of it.
    pub pointer: String,
    /// What, for programs.
    pub code: &'static str,
    /// What, for people.
    pub message: String,
}

/// All faults of an input, in the order in which they were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// No faults yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Notes a fault.
    pub fn add(&mut self, pointer: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.0.push(Violation { pointer: pointer.into(), code, message: message.into() });
    }

    /// Notes what a parse function found wrong with the value at `pointer`.
    pub fn add_fault(&mut self, pointer: impl Into<String>, fault: &impl Fault) {
        self.add(pointer, fault.code(), fault.to_string());
    }

    /// Passes on what was parsed, or notes why it could not be.
    pub fn check<T>(&mut self, pointer: impl Into<String>, parsed: Result<T, impl Fault>) -> Option<T> {
        parsed.map_err(|fault| self.add_fault(pointer, &fault)).ok()
    }

    /// Takes over the faults of a part of the input; `prefix` points to the part.
    pub fn absorb(&mut self, prefix: &str, part: Self) {
        self.0.extend(
            part.0
                .into_iter()
                .map(|violation| Violation { pointer: format!("{prefix}{}", violation.pointer), ..violation }),
        );
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// `Ok` with the value when nothing was found. `None` without a violation cannot be told from a fault that was
    /// forgotten, so it is reported as one.
    ///
    /// # Errors
    /// The violations.
    pub fn into_result<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            Some(_) => Err(self),
            None => {
                if self.is_empty() {
                    self.add("", "incomplete", "the input is incomplete");
                }
                Err(self)
            }
        }
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}`{}`: {}", violation.pointer, violation.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Controls, TextError, bounded};

    #[test]
    fn all_faults_are_kept_with_their_places() {
        let mut violations = Violations::new();
        let name = violations.check("/name", bounded("", 1..=9, Controls::Refused));
        let city = violations.check("/city", bounded("Oslo", 1..=9, Controls::Refused));
        violations.add_fault("/zip", &TextError::TooLong { max: 5, actual: 6 });
        assert_eq!((name, city.as_deref()), (None, Some("Oslo")));
        assert_eq!(violations.to_string(), "`/name`: is empty; `/zip`: has 6 characters, at most 5 are allowed");
        let codes: Vec<_> = (&violations).into_iter().map(|violation| violation.code).collect();
        assert_eq!(codes, ["empty", "too_long"]);
        assert_eq!(violations.into_iter().count(), 2);
    }

    #[test]
    fn a_part_keeps_its_place_in_the_whole() {
        let mut part = Violations::new();
        part.add("/amount", "negative", "is negative");
        let mut whole = Violations::new();
        whole.absorb("/price", part);
        assert_eq!(whole.iter().next().map(|violation| violation.pointer.as_str()), Some("/price/amount"));
    }

    #[test]
    fn a_value_is_only_good_without_faults() {
        assert_eq!(Violations::new().into_result(Some(1)), Ok(1));
        let forgotten = Violations::new().into_result::<u8>(None).expect_err("nothing was parsed");
        assert_eq!(forgotten.iter().next().map(|violation| violation.code), Some("incomplete"));
        let mut violations = Violations::new();
        violations.add("", "bad", "is bad");
        assert!(violations.clone().into_result(Some(1)).is_err());
        assert!(violations.into_result::<u8>(None).is_err());
    }
}

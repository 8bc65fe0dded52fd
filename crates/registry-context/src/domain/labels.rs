use std::collections::BTreeMap;

use shared_kernel::text::{Controls, TextError, bounded};
use shared_kernel::validation::Fault;

use super::verbatim::{text_value, verbatim};

text_value!(
    /// What a label is about: 1 to 63 of `a-z`, `0-9`, `.`, `-`, `_` and `/`, beginning with a letter or a digit.
    LabelKey,
    LabelKeyError,
    "the label's key",
    label_key,
    ": it is made of `a-z`, `0-9`, `.`, `-`, `_` and `/`, and begins with a letter or a digit"
);

text_value!(
    /// What a label says: at most 200 characters in NFC, trimmed, without control characters. It may be empty.
    LabelValue,
    LabelValueError,
    "the label's value",
    |text| bounded(text, 0..=LabelValue::MAX, Controls::Refused)
);

impl LabelKey {
    /// The most characters.
    pub const MAX: usize = 63;
}

impl LabelValue {
    /// The most characters.
    pub const MAX: usize = 200;
}

fn label_key(text: &str) -> Result<String, TextError> {
    let text = verbatim(text, LabelKey::MAX)?;
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let mut characters = text.char_indices();
    match characters.find(|(at, character)| !plain(*character) && (*at == 0 || !".-_/".contains(*character))) {
        Some((_, character)) => Err(TextError::Foreign(character)),
        None => Ok(text),
    }
}

/// The labels of a connection: at most 32, each key once, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(BTreeMap<LabelKey, LabelValue>);

/// More labels than a connection may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a connection has at most {max} labels, not {0}", max = Labels::MAX)]
pub struct TooManyLabels(pub usize);

impl Fault for TooManyLabels {
    fn code(&self) -> &'static str {
        "too_many"
    }
}

impl Labels {
    /// The most labels.
    pub const MAX: usize = 32;

    /// These labels.
    ///
    /// # Errors
    /// [`TooManyLabels`] beyond 32.
    pub fn try_new(labels: BTreeMap<LabelKey, LabelValue>) -> Result<Self, TooManyLabels> {
        if labels.len() > Self::MAX { Err(TooManyLabels(labels.len())) } else { Ok(Self(labels)) }
    }

    /// Each label.
    pub fn iter(&self) -> impl Iterator<Item = (&LabelKey, &LabelValue)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which label a connection must have: a key with any value, or with this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelFilter {
    /// The key.
    pub key: LabelKey,
    /// The value; `None` is any.
    pub value: Option<LabelValue>,
}

impl LabelFilter {
    /// Reads `key` or `key=value`.
    ///
    /// # Errors
    /// What is wrong with the key, or with the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (text, None),
        };
        Ok(Self {
            key: LabelKey::parse(key).map_err(|error| error.to_string())?,
            value: value.map(LabelValue::parse).transpose().map_err(|error| error.to_string())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_and_values_are_text() {
        for key in ["team", "a.b/c-d_e", "1"] {
            assert!(LabelKey::parse(key).is_ok(), "{key}");
        }
        for key in ["", "Team", "-a", "a b", "a=b", &"x".repeat(64)] {
            assert!(LabelKey::parse(key).is_err(), "{key}");
        }
        assert_eq!(LabelValue::parse(" Zoë 😀 ").expect("a value").as_str(), "Zoë 😀");
        assert!(LabelValue::parse("").is_ok() && LabelValue::parse(&"x".repeat(201)).is_err());
    }

    #[test]
    fn a_filter_names_a_key_and_perhaps_a_value() {
        let any = LabelFilter::parse("team").expect("a filter");
        assert_eq!((any.key.as_str(), any.value), ("team", None));
        let one = LabelFilter::parse("team=a=b").expect("a filter");
        assert_eq!(one.value.expect("a value").as_str(), "a=b");
        assert_eq!(LabelFilter::parse("team=").expect("a filter").value.expect("a value").as_str(), "");
        assert!(LabelFilter::parse("Team").is_err() && LabelFilter::parse("team=\u{7}").is_err());
    }

    #[test]
    fn there_are_not_more_labels_than_a_person_can_read() {
        let labels = |number: usize| {
            let label =
                |index| (LabelKey::parse(&format!("k{index}")).expect("a key"), LabelValue::parse("v").expect("v"));
            Labels::try_new((0..number).map(label).collect())
        };
        assert_eq!(labels(32).map(|labels| labels.iter().count()), Ok(32));
        assert_eq!(labels(33).expect_err("too many").to_string(), "a connection has at most 32 labels, not 33");
        assert!(Labels::default().is_empty());
    }
}

use shared_kernel::text::{Controls, bounded, fold_key};

use super::verbatim::text_value;

text_value!(
    /// What a connection is called: 1 to 100 characters in NFC, trimmed, without control characters.
    ///
    /// Two names are the same when they differ in letter case alone, as [`fold_key`] compares them; accents count.
    DisplayName,
    DisplayNameError,
    "the name",
    |text| bounded(text, 1..=DisplayName::MAX, Controls::Refused)
);

impl DisplayName {
    /// The most characters a name may have.
    pub const MAX: usize = 100;

    /// What it is compared by.
    pub fn key(&self) -> String {
        fold_key(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::validation::Fault as _;

    use super::*;

    #[test]
    fn names_are_trimmed_composed_and_compared_without_case() {
        let name = DisplayName::parse("  Bu\u{308}cher ").expect("a name");
        assert_eq!((name.as_str(), name.to_string().as_str()), ("B\u{fc}cher", "B\u{fc}cher"));
        assert_eq!(name.key(), DisplayName::parse("B\u{dc}CHER").expect("a name").key());
        assert_ne!(name.key(), DisplayName::parse("Bucher").expect("a name").key());
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        for (text, code) in [(" ", "empty"), (&*"x".repeat(101), "too_long"), ("a\u{7}", "control_character")] {
            assert_eq!(DisplayName::parse(text).expect_err("no name").code(), code);
        }
        assert!(DisplayName::parse(&"😀".repeat(100)).is_ok());
    }
}

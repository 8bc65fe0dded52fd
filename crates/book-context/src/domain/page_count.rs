use std::fmt;

use shared_kernel::validation::Fault;

/// How many pages a book has: 1 to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageCount(i32);

/// A number that is no [`PageCount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number of pages is {0}, which is not in 1 to {max}", max = PageCount::MAX)]
pub struct PageCountError(i64);

impl Fault for PageCountError {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl PageCount {
    /// The most pages a book may have.
    pub const MAX: i32 = 100_000;

    /// A number of pages.
    ///
    /// # Errors
    /// [`PageCountError`] outside 1 to 100,000.
    pub fn try_new(number: i64) -> Result<Self, PageCountError> {
        match i32::try_from(number) {
            Ok(pages @ 1..=Self::MAX) => Ok(Self(pages)),
            _ => Err(PageCountError(number)),
        }
    }

    /// The number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for PageCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_have_pages_but_not_too_many() {
        assert_eq!(PageCount::try_new(100_000).expect("allowed").get(), 100_000);
        assert_eq!(PageCount::try_new(1).expect("allowed").to_string(), "1");
        for number in [i64::MIN, -1, 0, 100_001, i64::MAX] {
            let error = PageCount::try_new(number).expect_err("out of range");
            assert_eq!(error.to_string(), format!("the number of pages is {number}, which is not in 1 to 100000"));
            assert_eq!(error.code(), "out_of_range");
        }
    }
}

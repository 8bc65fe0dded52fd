use std::fmt;

/// How often a row was written: 1 when it is new, one more with each change. The base of optimistic locking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(i64);

/// A number below 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is at least 1, not {0}")]
pub struct InvalidVersion(i64);

impl Version {
    /// The version of what was just created.
    pub const FIRST: Self = Self(1);

    /// A version by its number.
    ///
    /// # Errors
    /// [`InvalidVersion`] below 1.
    pub const fn try_new(number: i64) -> Result<Self, InvalidVersion> {
        if number >= 1 { Ok(Self(number)) } else { Err(InvalidVersion(number)) }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The version after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one() {
        assert_eq!(Version::try_new(1), Ok(Version::FIRST));
        assert_eq!(Version::FIRST.next().get(), 2);
        assert_eq!(Version::FIRST.to_string(), "1");
        assert_eq!(Version::try_new(0).expect_err("too low").to_string(), "a version is at least 1, not 0");
    }
}

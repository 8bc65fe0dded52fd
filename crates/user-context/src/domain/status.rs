use std::fmt;
use std::str::FromStr;

use shared_kernel::validation::Fault;

/// Whether a user takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserStatus {
    /// The user takes part.
    #[default]
    Active,
    /// The user is shut out for the time being.
    Suspended,
}

/// A word that names no [`UserStatus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the status is neither `active` nor `suspended`")]
pub struct UnknownUserStatus;

impl Fault for UnknownUserStatus {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The status as a word: `active` or `suspended`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for UserStatus {
    type Err = UnknownUserStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownUserStatus)
    }
}

impl fmt::Display for UserStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_stand_for_each_other() {
        for status in UserStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        let error = "Active".parse::<UserStatus>().expect_err("letter case counts");
        assert_eq!(error.code(), "unknown_value");
    }
}

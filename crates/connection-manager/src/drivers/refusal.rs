use std::time::Duration;

use shared_kernel::database::DatabaseError;

/// Why a server turns a login away when it is not the password that is wrong. The error of such a refusal says when to try
/// again, by which [`Keyring::login`](crate::Keyring::login) knows it: the version of the secret stays in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Something about the account, which a person or a server's own clock puts right.
    Account(&'static str),
    /// Something about how the login came: from where, by which method, without TLS.
    Rules(&'static str),
}

impl Refusal {
    /// What is said of the attempt.
    pub(super) fn remark(self) -> &'static str {
        match self {
            Self::Account(remark) | Self::Rules(remark) => remark,
        }
    }

    /// The error with the time after which the server may be asked again.
    pub(super) fn mark(self, error: DatabaseError) -> DatabaseError {
        error.with_retry_after(match self {
            // Some servers count what is tried meanwhile.
            Self::Account(_) => Duration::from_mins(1),
            Self::Rules(_) => Duration::from_secs(5),
        })
    }
}

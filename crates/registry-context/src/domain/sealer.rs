use std::fmt;

use super::{ConnectionId, SealedSecrets, Secrets};

/// Closes secrets before they are kept, and opens them again. What was sealed for one record, or as one secret of it, opens for
/// no other.
pub trait Sealer: Send + Sync + fmt::Debug {
    /// The name of the key that seals now.
    fn key_name(&self) -> &str;

    /// Seals the secrets of a record under a data key made for it. `None` where there are none.
    ///
    /// # Errors
    /// [`SealerError::NotSealed`]
    fn seal(&self, record: ConnectionId, secrets: &Secrets) -> Result<Option<SealedSecrets>, SealerError>;

    /// Opens the secrets of a record.
    ///
    /// # Errors
    /// [`SealerError::Unreadable`]
    fn open(&self, record: ConnectionId, sealed: &SealedSecrets) -> Result<Secrets, SealerError>;
}

/// Why secrets are not sealed or not opened. Holds nothing of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealerError {
    /// They cannot be sealed.
    #[error("the secrets of connection {record} cannot be sealed: {reason}")]
    NotSealed {
        /// Whose they are.
        record: ConnectionId,
        /// Why.
        reason: String,
    },
    /// They cannot be opened: another key, or changed since.
    #[error("the secrets of connection {record}, sealed with the key `{key_name}`, cannot be opened: {reason}")]
    Unreadable {
        /// Whose they are.
        record: ConnectionId,
        /// The key that they name.
        key_name: String,
        /// Why.
        reason: String,
    },
}

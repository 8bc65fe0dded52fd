//! Where secrets are kept for good, as a cache in front of it sees it.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use super::SecretStage;

/// A secrets manager. Slow, limited and paid by the call; see [`super::cache::SecretCache`].
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// One version of a secret. `None` when the secret has none at this stage; a secret without a current version does not
    /// exist, which is [`StoreErrorKind::NotFound`].
    ///
    /// Answers or fails within a limit of its own. Dropping the future gives up the question.
    ///
    /// # Errors
    /// [`StoreError`], typed by whether an older copy may take the answer's place.
    async fn fetch(&self, id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError>;
}

/// One version of a secret as the store has it. `Debug` prints no content.
#[derive(Debug, Clone)]
pub struct SecretVersion {
    /// The version's name, which reveals nothing of its content.
    pub version: String,
    /// The content.
    pub content: SecretString,
}

/// Why a store does not answer, by what may be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The store has no such secret, or it is marked for deletion.
    NotFound,
    /// The store knows the caller and refuses it, or cannot tell who it is.
    Denied,
    /// The store answers something that no other try will change, such as to an identifier that is none.
    Refused,
    /// The store is away: an error of its own (5xx), throttling, a time-out, no connection. An older copy may do meanwhile.
    Unavailable,
}

/// A store's failure. Holds no content of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

impl StoreError {
    /// An error of `kind`; `message` says what was asked and what came of it.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What may be done about it.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether an older copy may be handed out in the answer's place.
    pub fn allows_stale(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }
}

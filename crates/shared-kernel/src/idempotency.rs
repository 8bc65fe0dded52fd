//! Creating something once, however often it is asked for.
//!
//! The receipt of a creation (who asked for what under which key, and the answer as it was first given) is the first
//! statement of the transaction that writes the row. Either both exist or neither, so a refused creation leaves no
//! receipt, and of twins that arrive together the database lets exactly one pass. Receipts live in the context's own
//! database, in a [`ReceiptTable`]; [`store`] writes them and [`ReceiptSweeper`] takes them away.

mod key;
mod receipts;
mod store;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

pub use key::{IdempotencyKey, InvalidIdempotencyKey};
pub use receipts::{ReceiptSweeper, ReceiptTable};
pub use store::{StoreError, Stored, earlier, store};

use crate::RequestContext;

/// How long a twin waits for the request that came first.
pub const TWIN_WAIT: Duration = Duration::from_secs(2);

/// How long a receipt is kept.
pub const RECEIPT_LIFE: Duration = Duration::from_hours(24);

/// The caller's wish that a creation happen once.
pub struct Idempotent<'a, T: ?Sized> {
    /// The key the caller chose.
    pub key: IdempotencyKey,
    /// SHA-256 of the request in a canonical form: the same key with another request is a mistake.
    pub digest: [u8; 32],
    /// Makes the answer of what was created; a replay returns these bytes as they are.
    pub render: &'a (dyn Fn(&T) -> Vec<u8> + Send + Sync),
}

impl<T: ?Sized> Idempotent<'_, T> {
    /// What an earlier request with the same key is looked for by, when there is nothing created yet.
    pub fn claim(&self, operation: &str, context: &RequestContext) -> Claim {
        Claim { scope: scope(operation, context), key: self.key.clone(), digest: self.digest }
    }

    /// The receipt of `created`, to be written with it. `operation` names the use case, such as `users.create`.
    pub fn receipt(&self, operation: &str, created: &T, now: DateTime<Utc>, context: &RequestContext) -> Receipt {
        Receipt {
            scope: scope(operation, context),
            key: self.key.clone(),
            digest: self.digest,
            answer: (self.render)(created),
            created_at: now,
        }
    }
}

impl<T: ?Sized> fmt::Debug for Idempotent<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotent").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Who asks for what under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Caller and operation, as in a [`Receipt`].
    pub scope: [u8; 32],
    /// The key within the scope.
    pub key: IdempotencyKey,
    /// SHA-256 of the request in a canonical form.
    pub digest: [u8; 32],
}

/// What is stored of a creation.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Caller and operation, as a SHA-256: of bounded length whatever the caller is called, and nobody's name at rest.
    pub scope: [u8; 32],
    /// The key within the scope.
    pub key: IdempotencyKey,
    /// SHA-256 of the request in a canonical form.
    pub digest: [u8; 32],
    /// The answer as first given.
    pub answer: Vec<u8>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("key", &self.key)
            .field("created_at", &self.created_at)
            .field("answer", &format_args!("{} bytes", self.answer.len()))
            .finish_non_exhaustive()
    }
}

/// What became of the wish to create something once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation<T> {
    /// It was created by this call.
    Created(T),
    /// An earlier call with the same key created it; this is what it answered.
    Replayed(Vec<u8>),
}

impl<T> Creation<T> {
    /// What this call created.
    pub fn created(self) -> Option<T> {
        match self {
            Self::Created(created) => Some(created),
            Self::Replayed(_) => None,
        }
    }
}

/// Why a key cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdempotencyError {
    /// The key stands for another request.
    #[error("the idempotency key was used for another request")]
    Mismatch,
    /// The request that came first has not ended.
    #[error("a request with the same idempotency key is under way")]
    InProgress {
        /// When to ask again.
        retry_after: Duration,
    },
}

fn scope(operation: &str, context: &RequestContext) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(operation.as_bytes());
    // No operation's name holds this byte, so that no two pairs read the same.
    hash.update([0]);
    hash.update(context.actor.as_scope().as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Actor;

    #[test]
    fn receipts_are_scoped_by_caller_and_operation() {
        let wish = Idempotent::<str> {
            key: "k".parse().expect("a key"),
            digest: [1; 32],
            render: &|text| text.as_bytes().to_vec(),
        };
        let ann = RequestContext { actor: Actor::Principal("ann".into()), ..RequestContext::default() };
        let bob = RequestContext { actor: Actor::Principal("bob".into()), ..RequestContext::default() };
        let now = DateTime::UNIX_EPOCH;
        let receipt = wish.receipt("users.create", "the answer", now, &ann);
        assert_eq!(receipt.answer, b"the answer");
        assert_eq!(receipt.scope, wish.receipt("users.create", "another", now, &ann).scope);
        assert_ne!(receipt.scope, wish.receipt("users.create", "the answer", now, &bob).scope);
        assert_ne!(receipt.scope, wish.receipt("books.create", "the answer", now, &ann).scope);
        let claim = wish.claim("users.create", &ann);
        assert_eq!((claim.scope, claim.key, claim.digest), (receipt.scope, receipt.key, receipt.digest));
    }

    #[test]
    fn debug_output_holds_no_answer() {
        let wish =
            Idempotent::<str> { key: "k".parse().expect("a key"), digest: [1; 32], render: &|_| b"secret".to_vec() };
        let receipt = wish.receipt("users.create", "x", DateTime::UNIX_EPOCH, &RequestContext::default());
        assert!(format!("{receipt:?}").contains("6 bytes"));
        assert!(!format!("{receipt:?} {wish:?}").contains("secret"));
    }

    #[test]
    fn only_what_was_created_now_comes_back_as_a_value() {
        assert_eq!(Creation::Created(1).created(), Some(1));
        assert_eq!(Creation::<u8>::Replayed(vec![]).created(), None);
    }
}

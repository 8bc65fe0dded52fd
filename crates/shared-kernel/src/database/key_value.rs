use std::time::Duration;

use async_trait::async_trait;

use super::DatabaseError;
use crate::RequestContext;

/// How long a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// Until somebody deletes it.
    Never,
    /// For this long from now, in whole milliseconds; anything shorter counts as one.
    After(Duration),
}

/// The key-value capability of a connection: bytes under a key, each operation atomic for itself.
///
/// Cancellation: dropping a future that was returned here is safe. The physical connection it used is thrown away
/// unless the operation had finished, and whether an interrupted write took effect is unknown. The same holds for the
/// error `Timeout`.
///
/// # Errors
/// Every operation can fail with every [`super::DatabaseErrorKind`] that names the way to the server; `Timeout` when the
/// context's deadline passes first; `ReadOnlyTarget` for a write that reached a replica; `Decode` when what is kept under
/// the key is no value of this capability, but a structure of the engine's own.
#[async_trait]
pub trait KeyValue: Send + Sync {
    /// The value under a key.
    async fn get(&self, key: &[u8], context: &RequestContext) -> Result<Option<Vec<u8>>, DatabaseError>;

    /// Puts a value under a key, in place of whatever is there, its expiry included.
    async fn set(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<(), DatabaseError>;

    /// Puts a value under a key that has none; says whether it did.
    async fn set_if_absent(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;

    /// Puts a value in the place of `expected`, and does nothing when something else, or nothing, is there; says whether
    /// it did. For whoever holds a lease under a token to renew it or to hand it on.
    async fn compare_and_set(
        &self,
        key: &[u8],
        expected: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;

    /// Deletes a key whose value is `expected`, and does nothing when something else, or nothing, is there; says whether
    /// it did. For whoever holds a lease under a token to give it up, but never another's.
    async fn compare_and_delete(
        &self,
        key: &[u8],
        expected: &[u8],
        context: &RequestContext,
    ) -> Result<bool, DatabaseError>;

    /// Deletes a key; says whether it was there.
    async fn delete(&self, key: &[u8], context: &RequestContext) -> Result<bool, DatabaseError>;

    /// How long the value under a key will still be kept; `None` when there is none.
    async fn time_to_live(&self, key: &[u8], context: &RequestContext) -> Result<Option<Expiry>, DatabaseError>;

    /// Adds to the counter under a key, which begins at zero, and returns its new value. The expiry is set when the counter
    /// begins; later calls do not move it.
    ///
    /// A value that was not put there by this operation counts when it is a decimal number; any other is refused with
    /// `Decode`, as is a sum beyond 64 bits.
    async fn increment(
        &self,
        key: &[u8],
        by: i64,
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<i64, DatabaseError>;
}

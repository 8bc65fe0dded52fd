use async_trait::async_trait;

use super::DatabaseError;
use crate::RequestContext;

/// The capability to tell what a server holds: names alone, no data.
///
/// Cancellation: dropping a future that was returned here is safe; nothing is changed.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The databases that the user of the connection may use, in the order of their names as the server sorts them; the server's
    /// own are among them. At most `limit`, which counts up to [`MOST_NAMES`].
    ///
    /// # Errors
    /// Every [`super::DatabaseErrorKind`] that names the way to the server; `Timeout` when the context's deadline passes first;
    /// `Query` where the user may not ask.
    async fn databases(&self, limit: usize, context: &RequestContext) -> Result<Vec<String>, DatabaseError>;
}

/// The most names that a [`Catalog`] tells at once.
pub const MOST_NAMES: usize = 1_001;

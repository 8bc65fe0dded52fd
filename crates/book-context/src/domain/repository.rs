use async_trait::async_trait;
use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{IdempotencyError, Receipt, Stored};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};

use super::{Book, BookId, BookList, BookStatistics};

/// Where books are kept.
///
/// Cancelling a call: reads have no effect; a write either took effect as a whole or not at all.
#[async_trait]
pub trait BookRepository: Send + Sync {
    /// The book of this id, perhaps as a replica knows it.
    async fn find(&self, id: BookId, context: &RequestContext) -> Result<Option<Book>, DatabaseError>;

    /// The book of this id in its present state, to be changed.
    async fn load(&self, id: BookId, context: &RequestContext) -> Result<Option<Book>, DatabaseError>;

    /// A page of a list. The list's position fits its order, and a list by price has a currency.
    async fn list(&self, list: &BookList, context: &RequestContext) -> Result<Page<Book>, DatabaseError>;

    /// How many books there are of each kind, and what they cost.
    async fn statistics(&self, context: &RequestContext) -> Result<BookStatistics, DatabaseError>;

    /// Keeps a new book, together with the receipt of the request that asked for it.
    async fn add(
        &self,
        book: &Book,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddBookError>;

    /// Keeps a changed book, if it is still at version `expected`. `false`: it is not, and nothing was written.
    async fn update(&self, book: &Book, expected: Version, context: &RequestContext) -> Result<bool, UpdateBookError>;

    /// Forgets a book, if it is still at version `expected`. `false`: it is not, and nothing was deleted.
    async fn remove(&self, id: BookId, expected: Version, context: &RequestContext) -> Result<bool, DatabaseError>;
}

/// Why a new book is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AddBookError {
    /// Another book has the ISBN.
    #[error("the ISBN is taken")]
    IsbnTaken,
    /// The receipt's key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the book could not be written")]
    Database(#[from] DatabaseError),
}

/// Why a changed book is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpdateBookError {
    /// Another book has the ISBN.
    #[error("the ISBN is taken")]
    IsbnTaken,
    /// The database failed.
    #[error("the book could not be written")]
    Database(#[from] DatabaseError),
}

use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent, Stored};
use shared_kernel::{Clock, IdGenerator, RequestContext};

use crate::domain::{AddBookError, Book, BookDetails, BookId, BookRepository};

/// Enters a book.
#[derive(Clone)]
pub struct CreateBook {
    books: Arc<dyn BookRepository>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// Why a book was not entered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateBookError {
    /// Another book has the ISBN.
    #[error("the ISBN is taken")]
    IsbnTaken,
    /// The idempotency key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the book could not be written")]
    Database(#[from] DatabaseError),
}

impl CreateBook {
    /// The name of the operation, which idempotency keys are scoped by.
    pub const OPERATION: &str = "books.create";

    /// The use case over its ports.
    pub fn new(books: Arc<dyn BookRepository>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { books, clock, ids }
    }

    /// Enters the book; with `idempotent`, once for each caller and key.
    ///
    /// # Errors
    /// [`CreateBookError`]. A refused entry leaves no receipt: its key can be used again.
    pub async fn execute(
        &self,
        details: BookDetails,
        idempotent: Option<&Idempotent<'_, Book>>,
        context: &RequestContext,
    ) -> Result<Creation<Book>, CreateBookError> {
        let now = self.clock.now();
        let book = Book::enter(BookId::new(self.ids.next()), details, now);
        let receipt = idempotent.map(|wish| wish.receipt(Self::OPERATION, &book, now, context));
        match self.books.add(&book, receipt.as_ref(), context).await? {
            Stored::Written => Ok(Creation::Created(book)),
            Stored::Replayed(answer) => Ok(Creation::Replayed(answer)),
        }
    }
}

impl From<AddBookError> for CreateBookError {
    fn from(error: AddBookError) -> Self {
        match error {
            AddBookError::IsbnTaken => Self::IsbnTaken,
            AddBookError::Idempotency(error) => Self::Idempotency(error),
            AddBookError::Database(error) => Self::Database(error),
        }
    }
}

impl fmt::Debug for CreateBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateBook").finish_non_exhaustive()
    }
}

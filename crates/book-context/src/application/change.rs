use shared_kernel::database::DatabaseError;
use shared_kernel::validation::Violations;
use shared_kernel::{RequestContext, Version};

use crate::domain::{Book, BookId, BookRepository, UpdateBookError};

/// Why a book was not changed; the same for replacing and patching.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeBookError {
    /// There is no book of this id.
    #[error("there is no book {0}")]
    NotFound(BookId),
    /// The book was written since the caller read it.
    #[error("book {id} is no longer at version {expected}")]
    Stale {
        /// Which book.
        id: BookId,
        /// The version that the caller knew.
        expected: Version,
    },
    /// The book would break a rule, which only shows together with its present details.
    #[error("the change does not fit the book: {0}")]
    Invalid(Violations),
    /// Another book has the ISBN.
    #[error("the ISBN is taken")]
    IsbnTaken,
    /// The database failed.
    #[error("the book could not be changed")]
    Database(#[from] DatabaseError),
}

impl From<UpdateBookError> for ChangeBookError {
    fn from(error: UpdateBookError) -> Self {
        match error {
            UpdateBookError::IsbnTaken => Self::IsbnTaken,
            UpdateBookError::Database(error) => Self::Database(error),
        }
    }
}

/// Loads the book at the version the caller knows, lets `change` change it, and writes it when it did.
pub(super) async fn change_book(
    books: &dyn BookRepository,
    id: BookId,
    expected: Version,
    change: impl FnOnce(&mut Book) -> Result<bool, Violations> + Send,
    context: &RequestContext,
) -> Result<Book, ChangeBookError> {
    let mut book = books.load(id, context).await?.ok_or(ChangeBookError::NotFound(id))?;
    if book.version() != expected {
        return Err(ChangeBookError::Stale { id, expected });
    }
    let changed = change(&mut book).map_err(ChangeBookError::Invalid)?;
    if !changed || books.update(&book, expected, context).await? {
        return Ok(book);
    }
    // Somebody wrote between the two statements: it matters to the caller whether there is still a book to read.
    match books.load(id, context).await? {
        Some(_) => Err(ChangeBookError::Stale { id, expected }),
        None => Err(ChangeBookError::NotFound(id)),
    }
}

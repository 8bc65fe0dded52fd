use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{BookId, BookRepository};

/// Deletes a book for good.
#[derive(Clone)]
pub struct DeleteBook {
    books: Arc<dyn BookRepository>,
}

/// Which book, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteBookCommand {
    /// Which book.
    pub id: BookId,
    /// The version that the caller read.
    pub expected: Version,
}

/// Why a book was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeleteBookError {
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
    /// The database failed.
    #[error("the book could not be deleted")]
    Database(#[from] DatabaseError),
}

impl DeleteBook {
    /// The use case over its port.
    pub fn new(books: Arc<dyn BookRepository>) -> Self {
        Self { books }
    }

    /// Deletes the book.
    ///
    /// # Errors
    /// [`DeleteBookError`]
    pub async fn execute(&self, command: DeleteBookCommand, context: &RequestContext) -> Result<(), DeleteBookError> {
        let DeleteBookCommand { id, expected } = command;
        if self.books.remove(id, expected, context).await? {
            return Ok(());
        }
        match self.books.load(id, context).await? {
            Some(_) => Err(DeleteBookError::Stale { id, expected }),
            None => Err(DeleteBookError::NotFound(id)),
        }
    }
}

impl fmt::Debug for DeleteBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteBook").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, Fault};

    #[tokio::test]
    async fn a_deleted_book_is_gone() {
        let bench = Bench::default();
        let first = bench.first().await;
        let delete = DeleteBook::new(bench.books.clone());
        let command = DeleteBookCommand { id: first.id(), expected: first.version() };
        delete.execute(command, &bench.context).await.expect("deleted");
        let again = delete.execute(command, &bench.context).await;
        assert!(matches!(again, Err(DeleteBookError::NotFound(id)) if id == first.id()), "{again:?}");
        assert_eq!(format!("{delete:?}"), "DeleteBook { .. }");
    }

    #[tokio::test]
    async fn a_book_that_was_written_meanwhile_stays() {
        let bench = Bench::default();
        let first = bench.first().await;
        bench.books.fail_with(Fault::Overtaken);
        let command = DeleteBookCommand { id: first.id(), expected: first.version() };
        let stale = DeleteBook::new(bench.books.clone()).execute(command, &bench.context).await;
        assert!(matches!(stale, Err(DeleteBookError::Stale { expected, .. }) if expected == first.version()));
        bench.books.fail_with(Fault::Away);
        let away = DeleteBook::new(bench.books.clone()).execute(command, &bench.context).await;
        assert!(matches!(&away, Err(DeleteBookError::Database(error)) if error.is_unavailable()), "{away:?}");
    }
}

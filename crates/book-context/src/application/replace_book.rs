use std::fmt;
use std::sync::Arc;

use shared_kernel::{Clock, RequestContext, Version};

use super::ChangeBookError;
use super::change::change_book;
use crate::domain::{Book, BookDetails, BookId, BookRepository};

/// Puts new values in the place of all that a caller may set of a book.
#[derive(Clone)]
pub struct ReplaceBook {
    books: Arc<dyn BookRepository>,
    clock: Arc<dyn Clock>,
}

/// Which book, as last read, and what it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceBookCommand {
    /// Which book.
    pub id: BookId,
    /// The version that the caller read.
    pub expected: Version,
    /// What shall be said about the book.
    pub details: BookDetails,
}

impl ReplaceBook {
    /// The use case over its ports.
    pub fn new(books: Arc<dyn BookRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { books, clock }
    }

    /// Replaces the book and returns it as it is now. When it is already so, its version stays.
    ///
    /// # Errors
    /// [`ChangeBookError`]; of two callers with the same version exactly one succeeds in changing it.
    pub async fn execute(
        &self,
        command: ReplaceBookCommand,
        context: &RequestContext,
    ) -> Result<Book, ChangeBookError> {
        let ReplaceBookCommand { id, expected, details } = command;
        let now = self.clock.now();
        let change = |book: &mut Book| Ok(book.replace(details, now));
        change_book(self.books.as_ref(), id, expected, change, context).await
    }
}

impl fmt::Debug for ReplaceBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplaceBook").finish_non_exhaustive()
    }
}

use std::fmt;
use std::sync::Arc;

use shared_kernel::{Clock, RequestContext, Version};

use super::ChangeBookError;
use super::change::change_book;
use crate::domain::{Book, BookChanges, BookId, BookRepository};

/// Changes what is named of a book and leaves the rest.
#[derive(Clone)]
pub struct PatchBook {
    books: Arc<dyn BookRepository>,
    clock: Arc<dyn Clock>,
}

/// Which book, as last read, and what shall be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchBookCommand {
    /// Which book.
    pub id: BookId,
    /// The version that the caller read.
    pub expected: Version,
    /// What shall be different.
    pub changes: BookChanges,
}

impl PatchBook {
    /// The use case over its ports.
    pub fn new(books: Arc<dyn BookRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { books, clock }
    }

    /// Changes the book and returns it as it is now. When it is already so, its version stays.
    ///
    /// # Errors
    /// [`ChangeBookError`]; of two callers with the same version exactly one succeeds in changing it.
    pub async fn execute(&self, command: PatchBookCommand, context: &RequestContext) -> Result<Book, ChangeBookError> {
        let PatchBookCommand { id, expected, changes } = command;
        let now = self.clock.now();
        let change = |book: &mut Book| book.amend(changes, now);
        change_book(self.books.as_ref(), id, expected, change, context).await
    }
}

impl fmt::Debug for PatchBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatchBook").finish_non_exhaustive()
    }
}

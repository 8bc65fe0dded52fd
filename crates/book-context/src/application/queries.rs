use std::fmt;
use std::sync::Arc;

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Page;

use crate::domain::{Book, BookId, BookList, BookRepository, BookSort, BookStatistics};

/// Reads one book.
#[derive(Clone)]
pub struct ReadBook {
    books: Arc<dyn BookRepository>,
}

/// Why a book was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadBookError {
    /// There is no book of this id.
    #[error("there is no book {0}")]
    NotFound(BookId),
    /// The database failed.
    #[error("the book could not be read")]
    Database(#[from] DatabaseError),
}

impl ReadBook {
    /// The use case over its port.
    pub fn new(books: Arc<dyn BookRepository>) -> Self {
        Self { books }
    }

    /// Reads the book.
    ///
    /// # Errors
    /// [`ReadBookError`]
    pub async fn execute(&self, id: BookId, context: &RequestContext) -> Result<Book, ReadBookError> {
        self.books.find(id, context).await?.ok_or(ReadBookError::NotFound(id))
    }
}

impl fmt::Debug for ReadBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBook").finish_non_exhaustive()
    }
}

/// Lists books, a page at a time.
#[derive(Clone)]
pub struct ListBooks {
    books: Arc<dyn BookRepository>,
}

/// Why books were not listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListBooksError {
    /// The position belongs to a list in another order.
    #[error("the position does not belong to this list")]
    ForeignPosition,
    /// Prices are only compared within one currency, and the list names none.
    #[error("a list by price needs a currency")]
    SortNeedsCurrency,
    /// The database failed.
    #[error("the books could not be listed")]
    Database(#[from] DatabaseError),
}

impl ListBooks {
    /// The use case over its port.
    pub fn new(books: Arc<dyn BookRepository>) -> Self {
        Self { books }
    }

    /// Reads a page. Books that are not written meanwhile come exactly once over all pages, whatever becomes of others.
    ///
    /// # Errors
    /// [`ListBooksError`]
    pub async fn execute(&self, list: &BookList, context: &RequestContext) -> Result<Page<Book>, ListBooksError> {
        if list.sort == BookSort::Price && list.filter.price.is_none() {
            return Err(ListBooksError::SortNeedsCurrency);
        }
        if list.after.as_ref().is_some_and(|position| !list.sort.accepts(position)) {
            return Err(ListBooksError::ForeignPosition);
        }
        Ok(self.books.list(list, context).await?)
    }
}

impl fmt::Debug for ListBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListBooks").finish_non_exhaustive()
    }
}

/// Counts the books and averages their prices.
#[derive(Clone)]
pub struct ReadStatistics {
    books: Arc<dyn BookRepository>,
}

/// Why there are no statistics.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadStatisticsError {
    /// The database failed.
    #[error("the books could not be counted")]
    Database(#[from] DatabaseError),
}

impl ReadStatistics {
    /// The use case over its port.
    pub fn new(books: Arc<dyn BookRepository>) -> Self {
        Self { books }
    }

    /// Counts and averages by language, decade and currency.
    ///
    /// # Errors
    /// [`ReadStatisticsError`]
    pub async fn execute(&self, context: &RequestContext) -> Result<BookStatistics, ReadStatisticsError> {
        Ok(self.books.statistics(context).await?)
    }
}

impl fmt::Debug for ReadStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadStatistics").finish_non_exhaustive()
    }
}

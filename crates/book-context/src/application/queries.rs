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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use shared_kernel::paging::{Position, SortKey};
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, Fault};
    use crate::domain::{BookFilter, Currency, PriceRange};

    #[tokio::test]
    async fn a_book_is_read_or_said_to_be_absent() {
        let bench = Bench::default();
        let first = bench.first().await;
        let read = ReadBook::new(bench.books.clone());
        assert_eq!(read.execute(first.id(), &bench.context).await.expect("it is there"), first);
        let absent = read.execute(BookId::new(Uuid::nil()), &bench.context).await;
        assert_eq!(absent.expect_err("absent").to_string(), "there is no book 00000000-0000-0000-0000-000000000000");
        assert_eq!(format!("{read:?}"), "ReadBook { .. }");
    }

    #[tokio::test]
    async fn a_position_of_another_list_is_refused() {
        let bench = Bench::default();
        let first = bench.first().await;
        let list_books = ListBooks::new(bench.books.clone());
        let page = list_books.execute(&BookList::default(), &bench.context).await.expect("a page");
        assert_eq!(page.items, [first]);
        let after = Some(Position { key: Some(SortKey::Instant(DateTime::UNIX_EPOCH)), id: Uuid::nil() });
        let list = BookList { sort: BookSort::Title, after, ..BookList::default() };
        let refused = list_books.execute(&list, &bench.context).await;
        assert!(matches!(refused, Err(ListBooksError::ForeignPosition)), "{refused:?}");
        let list = BookList { sort: BookSort::CreatedAt, ..list };
        assert!(list_books.execute(&list, &bench.context).await.is_ok());
        assert_eq!(format!("{list_books:?}"), "ListBooks { .. }");
    }

    #[tokio::test]
    async fn prices_are_only_sorted_within_a_currency() {
        let bench = Bench::default();
        let list_books = ListBooks::new(bench.books.clone());
        let list = BookList { sort: BookSort::Price, ..BookList::default() };
        let refused = list_books.execute(&list, &bench.context).await;
        assert!(matches!(refused, Err(ListBooksError::SortNeedsCurrency)), "{refused:?}");
        let price = PriceRange::try_new(Currency::parse("EUR").expect("a currency"), None, None).ok();
        let filter = BookFilter { price, ..BookFilter::default() };
        assert!(list_books.execute(&BookList { filter, ..list }, &bench.context).await.is_ok());
    }

    #[tokio::test]
    async fn statistics_are_read() {
        let bench = Bench::default();
        let read = ReadStatistics::new(bench.books.clone());
        assert_eq!(read.execute(&bench.context).await.expect("statistics"), BookStatistics::default());
        bench.books.fail_with(Fault::Away);
        let away = read.execute(&bench.context).await;
        assert!(matches!(&away, Err(ReadStatisticsError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{read:?}"), "ReadStatistics { .. }");
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_said_to_be() {
        let bench = Bench::default();
        bench.books.fail_with(Fault::Away);
        let list = ListBooks::new(bench.books.clone()).execute(&BookList::default(), &bench.context).await;
        assert!(matches!(&list, Err(ListBooksError::Database(error)) if error.is_unavailable()), "{list:?}");
        let read = ReadBook::new(bench.books.clone()).execute(BookId::new(Uuid::nil()), &bench.context).await;
        assert!(matches!(&read, Err(ReadBookError::Database(error)) if error.is_unavailable()), "{read:?}");
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, Fault, ISBN, OTHER_ISBN, details};

    fn wish() -> Idempotent<'static, Book> {
        Idempotent {
            key: "key".parse().expect("a key"),
            digest: [7; 32],
            render: &|book| book.id().to_string().into_bytes(),
        }
    }

    #[tokio::test]
    async fn a_new_book_gets_an_id_and_the_time() {
        let bench = Bench::default();
        let first = bench.first().await;
        assert_eq!((first.details(), first.version().get()), (&details(ISBN, "First"), 1));
        assert_eq!((first.created_at(), first.updated_at()), (bench.clock.now(), bench.clock.now()));
        assert_eq!(first.id().uuid().get_version_num(), 7);
        assert_eq!(bench.books.find(first.id(), &bench.context).await.expect("a book"), Some(first));
        assert!(bench.books.receipts().is_empty());
    }

    #[tokio::test]
    async fn the_receipt_holds_the_answer_of_the_book_it_comes_with() {
        let bench = Bench::default();
        let create = bench.create_book();
        let created = create.execute(details(ISBN, "First"), Some(&wish()), &bench.context).await;
        let first = created.expect("created").created().expect("by this call");
        let receipts = bench.books.receipts();
        assert_eq!(receipts.len(), 1);
        assert_eq!((&receipts[0].answer, receipts[0].digest), (&first.id().to_string().into_bytes(), [7; 32]));
    }

    #[tokio::test]
    async fn a_replay_is_told_from_a_creation() {
        let bench = Bench::default();
        bench.books.fail_with(Fault::Replay);
        let replayed = bench.create_book().execute(details(ISBN, "A"), Some(&wish()), &bench.context).await;
        assert!(matches!(replayed, Ok(Creation::Replayed(_))), "{replayed:?}");
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        bench.first().await;
        let create = bench.create_book();
        let taken = create.execute(details("3-16-148410-X", "Same number"), None, &bench.context).await;
        assert!(matches!(taken, Err(CreateBookError::IsbnTaken)), "{taken:?}");
        bench.books.fail_with(Fault::Mismatch);
        let mismatch = create.execute(details(OTHER_ISBN, "Other"), Some(&wish()), &bench.context).await;
        assert!(matches!(mismatch, Err(CreateBookError::Idempotency(IdempotencyError::Mismatch))), "{mismatch:?}");
        bench.books.fail_with(Fault::Away);
        let away = create.execute(details(OTHER_ISBN, "Other"), None, &bench.context).await;
        assert!(matches!(&away, Err(CreateBookError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{create:?}"), "CreateBook { .. }");
    }
}

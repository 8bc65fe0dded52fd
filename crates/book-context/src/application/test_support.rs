use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use shared_kernel::idempotency::{IdempotencyError, Receipt, Stored};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};
use testkit::{FakeClock, SequentialIds};

use crate::application::CreateBook;
use crate::domain::{
    AddBookError, AuthorName, Authors, Book, BookDetails, BookId, BookList, BookRepository, BookStatistics, Isbn,
    Title, UpdateBookError,
};

/// What goes wrong in the next calls of [`FakeBooks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The database is away.
    Away,
    /// Somebody writes the book right before this caller does.
    Overtaken,
    /// Somebody deletes the book right before this caller writes.
    Deleted,
    /// The receipt's key stands for another request.
    Mismatch,
    /// The receipt is known already.
    Replay,
}

/// Books in memory, for what a real database shows only by luck: races and failures at a given moment.
#[derive(Debug, Default)]
pub(super) struct FakeBooks {
    books: Mutex<Vec<Book>>,
    fault: Mutex<Option<Fault>>,
    receipts: Mutex<Vec<Receipt>>,
}

impl FakeBooks {
    pub(super) fn fail_with(&self, fault: Fault) {
        *self.fault.lock().expect("no test panics with the lock") = Some(fault);
    }

    pub(super) fn receipts(&self) -> Vec<Receipt> {
        self.receipts.lock().expect("no test panics with the lock").clone()
    }

    fn books(&self) -> MutexGuard<'_, Vec<Book>> {
        self.books.lock().expect("no test panics with the lock")
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().expect("no test panics with the lock")
    }

    fn reach(&self) -> Result<(), DatabaseError> {
        match self.fault() {
            Some(Fault::Away) => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "the database is away")),
            _ => Ok(()),
        }
    }

    /// Does to the book what the fault says that somebody else does.
    fn interfere(&self, id: BookId) {
        let mut books = self.books();
        match self.fault() {
            Some(Fault::Deleted) => books.retain(|book| book.id() != id),
            Some(Fault::Overtaken) => {
                for book in books.iter_mut().filter(|book| book.id() == id) {
                    let now = book.updated_at();
                    let title = Title::parse("Somebody else was here").expect("a title");
                    book.replace(BookDetails { title, ..book.details().clone() }, now);
                }
            }
            _ => {}
        }
    }

    fn taken(&self, book: &Book) -> bool {
        self.books().iter().any(|other| other.id() != book.id() && other.details().isbn == book.details().isbn)
    }
}

#[async_trait]
impl BookRepository for FakeBooks {
    async fn find(&self, id: BookId, context: &RequestContext) -> Result<Option<Book>, DatabaseError> {
        self.load(id, context).await
    }

    async fn load(&self, id: BookId, _: &RequestContext) -> Result<Option<Book>, DatabaseError> {
        self.reach()?;
        Ok(self.books().iter().find(|book| book.id() == id).cloned())
    }

    async fn list(&self, list: &BookList, _: &RequestContext) -> Result<Page<Book>, DatabaseError> {
        self.reach()?;
        let items = self.books().iter().take(list.limit.get().into()).cloned().collect();
        Ok(Page { items, next: None })
    }

    async fn statistics(&self, _: &RequestContext) -> Result<BookStatistics, DatabaseError> {
        self.reach()?;
        Ok(BookStatistics::default())
    }

    async fn add(&self, book: &Book, receipt: Option<&Receipt>, _: &RequestContext) -> Result<Stored, AddBookError> {
        self.reach()?;
        match (self.fault(), receipt) {
            (Some(Fault::Mismatch), _) => return Err(IdempotencyError::Mismatch.into()),
            (Some(Fault::Replay), Some(receipt)) => return Ok(Stored::Replayed(receipt.answer.clone())),
            _ => {}
        }
        if self.taken(book) {
            return Err(AddBookError::IsbnTaken);
        }
        self.books().push(book.clone());
        self.receipts.lock().expect("no test panics with the lock").extend(receipt.cloned());
        Ok(Stored::Written)
    }

    async fn update(&self, book: &Book, expected: Version, _: &RequestContext) -> Result<bool, UpdateBookError> {
        self.reach()?;
        self.interfere(book.id());
        if self.taken(book) {
            return Err(UpdateBookError::IsbnTaken);
        }
        let mut books = self.books();
        let stored = books.iter_mut().find(|stored| stored.id() == book.id() && stored.version() == expected);
        Ok(stored.map(|stored| *stored = book.clone()).is_some())
    }

    async fn remove(&self, id: BookId, expected: Version, _: &RequestContext) -> Result<bool, DatabaseError> {
        self.reach()?;
        self.interfere(id);
        let mut books = self.books();
        let before = books.len();
        books.retain(|book| book.id() != id || book.version() != expected);
        Ok(books.len() < before)
    }
}

/// Use cases over books in memory, with a clock that stands still.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) books: Arc<FakeBooks>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) context: RequestContext,
    ids: Arc<SequentialIds>,
}

impl Bench {
    pub(super) fn create_book(&self) -> CreateBook {
        CreateBook::new(self.books.clone(), self.clock.clone(), self.ids.clone())
    }

    /// A book at its first version.
    pub(super) async fn first(&self) -> Book {
        let creation = self.create_book().execute(details(ISBN, "First"), None, &self.context).await;
        creation.expect("the ISBN is free").created().expect("nothing is replayed without a key")
    }
}

/// The ISBN of [`Bench::first`].
pub(super) const ISBN: &str = "978-3-16-148410-0";
/// Another ISBN.
pub(super) const OTHER_ISBN: &str = "0-306-40615-2";

/// A book with nothing but what it must have.
pub(super) fn details(isbn: &str, title: &str) -> BookDetails {
    let author = AuthorName::parse("Somebody").expect("a name");
    BookDetails {
        title: Title::parse(title).expect("a title"),
        authors: Authors::try_new(vec![author]).expect("one author"),
        isbn: Isbn::parse(isbn).expect("an ISBN"),
        published_on: None,
        pages: None,
        language: None,
        price: None,
        description: None,
    }
}

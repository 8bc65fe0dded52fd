use std::sync::Arc;

use book_context::application::{
    CreateBook, CreateBookError, ListBooks, PatchBook, PatchBookCommand, ReplaceBook, ReplaceBookCommand,
};
use book_context::domain::{
    Amount, AuthorName, Authors, Book, BookChanges, BookDetails, BookList, BookRepository, Currency, Isbn, Language,
    PageCount, Price, PublicationDate, Title,
};
use book_context::infrastructure::SqlBookRepository;
use shared_kernel::database::{Access, Connections};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::{FakeClock, Server, TestDatabase, Transcript};

/// A migrated database of the test's own, and the use cases over it.
pub(crate) struct Fixture {
    // Let go of before the database is dropped.
    pub(crate) connections: Arc<dyn Connections>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) books: Arc<dyn BookRepository>,
    pub(crate) context: RequestContext,
    pub(crate) _database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn new(server: Server) -> Self {
        let database = TestDatabase::migrated(server, "books").await;
        let connections: Arc<dyn Connections> = Arc::new(Transcript::of(database.manager("books")));
        let books = SqlBookRepository::new(connections.clone(), "books");
        Self {
            connections,
            clock: Arc::new(FakeClock::default()),
            books: Arc::new(books),
            context: RequestContext::system(),
            _database: database,
        }
    }

    pub(crate) fn create_book(&self) -> CreateBook {
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIdGenerator);
        CreateBook::new(self.books.clone(), self.clock.clone(), ids)
    }

    pub(crate) fn replace_book(&self) -> ReplaceBook {
        ReplaceBook::new(self.books.clone(), self.clock.clone())
    }

    pub(crate) async fn try_create(&self, details: BookDetails) -> Result<Book, CreateBookError> {
        let creation = self.create_book().execute(details, None, &self.context).await?;
        Ok(creation.created().expect("without a key nothing is replayed"))
    }

    pub(crate) async fn create(&self, details: BookDetails) -> Book {
        self.try_create(details).await.expect("the book is created")
    }

    pub(crate) async fn patch(&self, book: &Book, changes: BookChanges) -> Book {
        let command = PatchBookCommand { id: book.id(), expected: book.version(), changes };
        let patch = PatchBook::new(self.books.clone(), self.clock.clone());
        patch.execute(command, &self.context).await.expect("the book is patched")
    }

    pub(crate) async fn stored(&self, book: &Book) -> Option<Book> {
        self.books.find(book.id(), &self.context).await.expect("the database answers")
    }

    /// The titles of all pages of a list, one after the other.
    pub(crate) async fn titles(&self, mut list: BookList) -> Vec<String> {
        let use_case = ListBooks::new(self.books.clone());
        let mut titles = Vec::new();
        loop {
            let page = use_case.execute(&list, &self.context).await.expect("the list is read");
            assert!(page.items.len() <= usize::from(list.limit.get()));
            titles.extend(page.items.iter().map(|book| book.details().title.to_string()));
            match page.next {
                Some(position) => list.after = Some(position),
                None => return titles,
            }
        }
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        use sea_query::{Asterisk, Expr, Func, Query};
        let connection = self.connections.get("books", Access::Write, &self.context).await.expect("the database");
        let count = Query::select().expr_as(Func::count(Expr::col(Asterisk)), "rows_found").from(table).to_owned();
        let row = connection.sql().expect("SQL").query_one(&count.into(), &self.context).await.expect("the count");
        row.expect("a row").get("rows_found").expect("a number")
    }
}

pub(crate) fn replacement(book: &Book, details: BookDetails) -> ReplaceBookCommand {
    ReplaceBookCommand { id: book.id(), expected: book.version(), details }
}

/// A book with nothing but what it must have. The number makes its ISBN its own.
pub(crate) fn book(number: u32, title: &str) -> BookDetails {
    BookDetails {
        title: Title::parse(title).expect("a title"),
        authors: authors(&["Somebody"]),
        isbn: isbn(number),
        published_on: None,
        pages: None,
        language: None,
        price: None,
        description: None,
    }
}

pub(crate) fn authors(names: &[&str]) -> Authors {
    Authors::try_new(names.iter().map(|name| AuthorName::parse(name).expect("a name")).collect()).expect("authors")
}

pub(crate) fn isbn(number: u32) -> Isbn {
    let twelve = format!("978{number:09}");
    let valid = (0..10).find_map(|check| Isbn::parse(&format!("{twelve}{check}")).ok());
    valid.expect("one of ten digits is the check digit")
}

pub(crate) fn date(text: &str) -> PublicationDate {
    PublicationDate::parse(text).expect("a day")
}

pub(crate) fn pages(number: i64) -> PageCount {
    PageCount::try_new(number).expect("a number of pages")
}

pub(crate) fn language(tag: &str) -> Language {
    Language::parse(tag).expect("a tag")
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a currency")
}

pub(crate) fn price(amount: &str, code: &str) -> Price {
    Price::try_new(Amount::parse(amount).expect("an amount"), currency(code)).expect("a price")
}

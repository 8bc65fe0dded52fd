use book_context::application::{
    ChangeBookError, CreateBookError, DeleteBook, DeleteBookCommand, PatchBook, PatchBookCommand, ReadBook,
    ReadBookError,
};
use book_context::domain::{Amount, BookChanges, BookDetails, BookId, Change, Description, Isbn, PriceChange, Title};
use testkit::Server;

use crate::fixture::{Fixture, authors, book, currency, date, isbn, language, pages, price, replacement};

fn full(number: u32) -> BookDetails {
    BookDetails {
        title: Title::parse("L'Être 😀 \\ \"et\" le % Néant").expect("a title"),
        authors: authors(&["Jean-Paul \"Sartre\"", "Ζωή \\ Κ.", "😀"]),
        published_on: Some(date("1943-02-28")),
        pages: Some(pages(722)),
        language: Some(language("fr-FR")),
        price: Some(price("24.90", "EUR")),
        description: Some(Description::parse("One line\n\tand 'another'; DROP TABLE books; --").expect("a text")),
        ..book(number, "x")
    }
}

async fn a_book_reads_back_as_it_was_created(server: Server) {
    let fixture = Fixture::new(server).await;
    let read = ReadBook::new(fixture.books.clone());
    for details in [full(1), book(2, "Nothing but what must be")] {
        let book = fixture.create(details.clone()).await;
        assert_eq!(book.details(), &details);
        assert_eq!(read.execute(book.id(), &fixture.context).await.expect("it is there").record(), book.record());
    }
    let absent = BookId::new(uuid::Uuid::from_u128(7));
    assert!(matches!(read.execute(absent, &fixture.context).await, Err(ReadBookError::NotFound(id)) if id == absent));
}

async fn the_extremes_fit(server: Server) {
    let fixture = Fixture::new(server).await;
    for (number, character) in (1..).zip(["x", "😀", "\u{390}", "\u{1fb7}", "\"", "\\"]) {
        let name = character.repeat(200);
        let details = BookDetails {
            title: Title::parse(&character.repeat(500)).expect("a title"),
            authors: authors(&[name.as_str(); 20]),
            published_on: Some(date(if number % 2 == 0 { "1000-01-01" } else { "9999-12-31" })),
            pages: Some(pages(100_000)),
            language: Some(language("de-Latn-DE-1996-x-abcdefgh-ijklmno")),
            price: Some(price("99999999999.9999", "CLF")),
            description: Some(Description::parse(&character.repeat(10_000)).expect("a text")),
            ..book(number, "x")
        };
        let created = fixture.create(details).await;
        assert_eq!(fixture.stored(&created).await, Some(created));
    }
    let empty = BookDetails { description: Some(Description::parse("").expect("a text")), ..book(99, "Empty") };
    let created = fixture.create(empty).await;
    let stored = fixture.stored(&created).await.expect("it is there");
    assert!(stored.details().description.is_some(), "empty is not absent");
}

async fn an_isbn_is_taken_however_it_is_written(server: Server) {
    let fixture = Fixture::new(server).await;
    let details = BookDetails { isbn: Isbn::parse("3-16-148410-X").expect("an ISBN"), ..book(1, "First") };
    fixture.create(details.clone()).await;
    let same = Isbn::parse("978-3-16-148410-0").expect("an ISBN");
    let refused = fixture.try_create(BookDetails { isbn: same, ..book(2, "Second") }).await;
    assert!(matches!(refused, Err(CreateBookError::IsbnTaken)), "{refused:?}");
    let other = fixture.create(book(3, "Third")).await;
    let command = replacement(&other, BookDetails { isbn: same, ..other.details().clone() });
    let refused = fixture.replace_book().execute(command, &fixture.context).await;
    assert!(matches!(refused, Err(ChangeBookError::IsbnTaken)), "{refused:?}");
    assert_eq!(fixture.stored(&other).await, Some(other));
    assert_eq!((fixture.count("books").await, fixture.count("book_authors").await), (2, 2));
}

async fn a_replacement_replaces_everything(server: Server) {
    let fixture = Fixture::new(server).await;
    let created = fixture.create(full(1)).await;
    fixture.clock.advance(std::time::Duration::from_secs(1));
    let bare = replacement(&created, book(2, "Bare"));
    let replaced = fixture.replace_book().execute(bare, &fixture.context).await.expect("replaced");
    assert_eq!(fixture.stored(&created).await.expect("it is there").record(), replaced.record());
    assert_eq!((replaced.version().get(), replaced.details()), (2, &book(2, "Bare")));
    assert_eq!(fixture.count("book_authors").await, 1);
    let back = replacement(&replaced, full(1));
    fixture.replace_book().execute(back, &fixture.context).await.expect("replaced");
    assert_eq!(
        (fixture.stored(&created).await.expect("it is there").details(), fixture.count("book_authors").await),
        (&full(1), 3)
    );
}

async fn a_patch_changes_what_it_names(server: Server) {
    let fixture = Fixture::new(server).await;
    let created = fixture.create(full(1)).await;
    let changes = BookChanges {
        authors: Some(authors(&["Simone de Beauvoir"])),
        pages: Change::Clear,
        language: Change::Set(language("fr")),
        price: Change::Set(PriceChange { amount: Amount::parse("19.90").ok(), currency: None }),
        ..BookChanges::default()
    };
    let patched = fixture.patch(&created, changes).await;
    let expected = BookDetails {
        authors: authors(&["Simone de Beauvoir"]),
        pages: None,
        language: Some(language("fr")),
        price: Some(price("19.90", "EUR")),
        ..full(1)
    };
    assert_eq!(fixture.stored(&created).await.expect("it is there").details(), &expected);
    // Yen have no decimals, so the amount that stays does not fit.
    let yen = PriceChange { amount: None, currency: Some(currency("JPY")) };
    let changes = BookChanges { price: Change::Set(yen), ..BookChanges::default() };
    let command = PatchBookCommand { id: patched.id(), expected: patched.version(), changes };
    let patch = PatchBook::new(fixture.books.clone(), fixture.clock.clone());
    let refused = patch.execute(command, &fixture.context).await;
    assert!(matches!(&refused, Err(ChangeBookError::Invalid(_))), "{refused:?}");
    assert_eq!(fixture.stored(&created).await, Some(patched));
}

async fn a_deleted_book_leaves_nothing(server: Server) {
    let fixture = Fixture::new(server).await;
    let created = fixture.create(full(1)).await;
    let command = DeleteBookCommand { id: created.id(), expected: created.version() };
    DeleteBook::new(fixture.books.clone()).execute(command, &fixture.context).await.expect("deleted");
    assert_eq!((fixture.count("books").await, fixture.count("book_authors").await), (0, 0));
    assert_eq!(fixture.create(BookDetails { isbn: isbn(1), ..book(1, "Again") }).await.version().get(), 1);
}

testkit::on_every_engine!(
    a_book_reads_back_as_it_was_created,
    the_extremes_fit,
    an_isbn_is_taken_however_it_is_written,
    a_replacement_replaces_everything,
    a_patch_changes_what_it_names,
    a_deleted_book_leaves_nothing,
);

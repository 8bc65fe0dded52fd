use book_context::domain::{AuthorName, BookChanges, BookDetails, BookFilter, BookList, BookSort};
use shared_kernel::paging::{Direction, Limit};
use shared_kernel::text::SearchTerm;
use testkit::Server;

use crate::fixture::{Fixture, authors, book, date, language};

async fn check(fixture: &Fixture, filter: BookFilter, expected: &[&str]) {
    let limit = Limit::try_new(2).expect("a limit");
    let list = BookList { filter, sort: BookSort::Title, limit, ..BookList::default() };
    assert_eq!(fixture.titles(list.clone()).await, expected, "{list:?}");
    let mut reversed = expected.to_vec();
    reversed.reverse();
    let list = BookList { direction: Direction::Descending, ..list };
    assert_eq!(fixture.titles(list.clone()).await, reversed, "{list:?}");
}

fn q(term: &str) -> BookFilter {
    BookFilter { q: Some(SearchTerm::parse(term).expect("a term")), ..BookFilter::default() }
}

fn by_author(name: &str) -> BookFilter {
    BookFilter { author: Some(AuthorName::parse(name).expect("a name")), ..BookFilter::default() }
}

async fn search_finds_pieces_of_title_authors_and_isbn(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture.create(BookDetails { authors: authors(&["Franz Kafka"]), ..book(316_148_410, "Der Prozeß") }).await;
    fixture.create(BookDetails { authors: authors(&["Ann", "Žižek"]), ..book(2, "100%_[a-z]!") }).await;
    for (term, expected) in [
        ("PROZESS", vec!["Der Prozeß"]),
        ("kafka", vec!["Der Prozeß"]),
        ("9783161484100", vec!["Der Prozeß"]),
        ("žižEK", vec!["100%_[a-z]!"]),
        ("%_[A", vec!["100%_[a-z]!"]),
        ("z]!", vec!["100%_[a-z]!"]),
        ("1_0", vec![]),
        ("der%prozess", vec![]),
        ("prozessfranz", vec![]),
        ("978", vec!["100%_[a-z]!", "Der Prozeß"]),
    ] {
        check(&fixture, q(term), &expected).await;
    }
}

async fn an_author_is_found_by_the_whole_name(server: Server) {
    let fixture = Fixture::new(server).await;
    fixture
        .create(BookDetails { authors: authors(&["Terry Pratchett", "Neil Gaiman"]), ..book(1, "Good Omens") })
        .await;
    fixture.create(BookDetails { authors: authors(&["Neil Gaiman", "neil gaiman"]), ..book(2, "Stardust") }).await;
    fixture.create(BookDetails { authors: authors(&["Neil Gaimann"]), ..book(3, "Nobody's") }).await;
    let accented = fixture.create(BookDetails { authors: authors(&["José Saramago"]), ..book(4, "Cain") }).await;
    check(&fixture, by_author("NEIL GAIMAN"), &["Good Omens", "Stardust"]).await;
    check(&fixture, by_author("terry pratchett"), &["Good Omens"]).await;
    check(&fixture, by_author("Neil"), &[]).await;
    check(&fixture, by_author("Neil%"), &[]).await;
    check(&fixture, by_author("JOSE\u{301} SARAMAGO"), &["Cain"]).await;
    check(&fixture, by_author("Jose Saramago"), &[]).await;
    let changes = BookChanges { authors: Some(authors(&["Somebody else"])), ..BookChanges::default() };
    fixture.patch(&accented, changes).await;
    check(&fixture, by_author("José Saramago"), &[]).await;
    check(&fixture, by_author("somebody ELSE"), &["Cain"]).await;
}

async fn languages_and_days_narrow_the_list(server: Server) {
    let fixture = Fixture::new(server).await;
    for (number, (title, tag, day)) in (1..).zip([
        ("a", Some("en"), Some("1999-12-31")),
        ("b", Some("en-GB"), Some("2000-01-01")),
        ("c", None, Some("2000-01-02")),
        ("d", Some("en"), None),
    ]) {
        let details = BookDetails { language: tag.map(language), published_on: day.map(date), ..book(number, title) };
        fixture.create(details).await;
    }
    let days = |from: Option<&str>, to: Option<&str>| BookFilter {
        published_from: from.map(date),
        published_to: to.map(date),
        ..BookFilter::default()
    };
    check(&fixture, BookFilter { language: Some(language("EN")), ..BookFilter::default() }, &["a", "d"]).await;
    check(&fixture, BookFilter { language: Some(language("en-gb")), ..BookFilter::default() }, &["b"]).await;
    check(&fixture, days(Some("2000-01-01"), None), &["b", "c"]).await;
    check(&fixture, days(None, Some("2000-01-01")), &["a", "b"]).await;
    check(&fixture, days(Some("2000-01-01"), Some("2000-01-01")), &["b"]).await;
    let both = BookFilter { language: Some(language("en")), ..days(Some("1000-01-01"), Some("9999-12-31")) };
    check(&fixture, both, &["a"]).await;
}

testkit::on_every_engine!(
    search_finds_pieces_of_title_authors_and_isbn,
    an_author_is_found_by_the_whole_name,
    languages_and_days_narrow_the_list,
);

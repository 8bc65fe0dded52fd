use std::time::Duration;

use book_context::application::{DeleteBook, DeleteBookCommand, ListBooks};
use book_context::domain::{BookDetails, BookFilter, BookList, BookSort, PriceRange};
use shared_kernel::paging::{Direction, Limit};
use testkit::Server;

use crate::fixture::{Fixture, book, currency, date, pages, price};

fn by(sort: BookSort, direction: Direction, limit: u64) -> BookList {
    BookList { sort, direction, limit: Limit::try_new(limit).expect("a limit"), ..BookList::default() }
}

async fn check(fixture: &Fixture, list: &BookList, expected: &[&str]) {
    for limit in [1, 2, 3, 50] {
        let list = BookList { limit: Limit::try_new(limit).expect("a limit"), ..list.clone() };
        assert_eq!(fixture.titles(list.clone()).await, expected, "{list:?}");
    }
}

async fn what_has_no_value_comes_last_in_both_directions(server: Server) {
    let fixture = Fixture::new(server).await;
    let numbers = [(None, None), (Some(300), Some("2001-01-01")), (Some(20), None), (None, Some("1850-12-31"))];
    for (number, (pages_, day)) in (0..).zip(numbers) {
        let (pages, published_on) = (pages_.map(pages), day.map(date));
        fixture.create(BookDetails { pages, published_on, ..book(number, &number.to_string()) }).await;
    }
    check(&fixture, &by(BookSort::Pages, Direction::Ascending, 1), &["2", "1", "0", "3"]).await;
    check(&fixture, &by(BookSort::Pages, Direction::Descending, 1), &["1", "2", "3", "0"]).await;
    check(&fixture, &by(BookSort::PublishedOn, Direction::Ascending, 1), &["3", "1", "0", "2"]).await;
    check(&fixture, &by(BookSort::PublishedOn, Direction::Descending, 1), &["1", "3", "2", "0"]).await;
}

async fn titles_follow_code_points(server: Server) {
    let fixture = Fixture::new(server).await;
    let in_order = ["1984", "a", "A b", "Zen", "zén", "Émile", "\u{fffd}", "😀"];
    for number in [3, 7, 0, 5, 1, 6, 2, 4] {
        fixture.create(book(number, in_order[number as usize])).await;
    }
    check(&fixture, &by(BookSort::Title, Direction::Ascending, 1), &in_order).await;
    let reversed: Vec<&str> = in_order.iter().rev().copied().collect();
    check(&fixture, &by(BookSort::Title, Direction::Descending, 1), &reversed).await;
}

async fn prices_are_compared_as_numbers_of_one_currency(server: Server) {
    let fixture = Fixture::new(server).await;
    let prices = [
        ("nine", Some(price("9.99", "EUR"))),
        ("yen", Some(price("1", "JPY"))),
        ("a hundred", Some(price("100.00", "EUR"))),
        ("nothing", None),
        ("ten", Some(price("10.00", "EUR"))),
        ("free", Some(price("0.00", "EUR"))),
    ];
    for (number, (title, price)) in (0..).zip(prices) {
        fixture.create(BookDetails { price, ..book(number, title) }).await;
    }
    let in_range = |min: Option<&str>, max: Option<&str>, direction| {
        let bound = |amount| price(amount, "EUR");
        let range = PriceRange::try_new(currency("EUR"), min.map(bound), max.map(bound)).expect("a range");
        let filter = BookFilter { price: Some(range), ..BookFilter::default() };
        BookList { filter, ..by(BookSort::Price, direction, 1) }
    };
    check(&fixture, &in_range(None, None, Direction::Ascending), &["free", "nine", "ten", "a hundred"]).await;
    check(&fixture, &in_range(Some("9.99"), None, Direction::Descending), &["a hundred", "ten", "nine"]).await;
    check(&fixture, &in_range(Some("0.01"), Some("10.00"), Direction::Ascending), &["nine", "ten"]).await;
    check(&fixture, &in_range(Some("500.00"), Some("1.00"), Direction::Ascending), &[]).await;
}

async fn instants_are_told_apart_by_the_microsecond(server: Server) {
    let fixture = Fixture::new(server).await;
    for number in 0..4 {
        fixture.clock.advance(Duration::from_micros(u64::from(10_u32.pow(number * 2))));
        fixture.create(book(number, &number.to_string())).await;
    }
    check(&fixture, &by(BookSort::CreatedAt, Direction::Ascending, 1), &["0", "1", "2", "3"]).await;
    check(&fixture, &by(BookSort::UpdatedAt, Direction::Descending, 1), &["3", "2", "1", "0"]).await;
}

async fn the_list_goes_on_where_it_was_whatever_happens_to_others(server: Server) {
    let fixture = Fixture::new(server).await;
    let mut books = Vec::new();
    for (number, pages_) in (0..).zip([Some(10), Some(20), Some(30), None, None]) {
        let details = BookDetails { pages: pages_.map(pages), ..book(number, &number.to_string()) };
        books.push(fixture.create(details).await);
    }
    let use_case = ListBooks::new(fixture.books.clone());
    let mut list = by(BookSort::Pages, Direction::Ascending, 2);
    list.after = use_case.execute(&list, &fixture.context).await.expect("the first page").next;
    let command = DeleteBookCommand { id: books[1].id(), expected: books[1].version() };
    DeleteBook::new(fixture.books.clone()).execute(command, &fixture.context).await.expect("it is deleted");
    fixture.create(BookDetails { pages: Some(pages(5)), ..book(10, "before") }).await;
    fixture.create(BookDetails { pages: Some(pages(25)), ..book(11, "behind") }).await;
    assert_eq!(fixture.titles(list.clone()).await, ["behind", "2", "3", "4"]);
    // The same from a position among the books without a number of pages.
    let page = use_case.execute(&list, &fixture.context).await.expect("the second page");
    list.after = page.next;
    list.limit = Limit::try_new(1).expect("a limit");
    list.after = use_case.execute(&list, &fixture.context).await.expect("the third page").next;
    fixture.create(book(12, "last")).await;
    assert_eq!(fixture.titles(list).await, ["4", "last"]);
}

testkit::on_every_engine!(
    what_has_no_value_comes_last_in_both_directions,
    titles_follow_code_points,
    prices_are_compared_as_numbers_of_one_currency,
    instants_are_told_apart_by_the_microsecond,
    the_list_goes_on_where_it_was_whatever_happens_to_others,
);

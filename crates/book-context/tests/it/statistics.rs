use book_context::application::ReadStatistics;
use book_context::domain::{BookDetails, BookStatistics};
use testkit::Server;

use crate::fixture::{Fixture, book, date, language, price};

async fn read(fixture: &Fixture) -> BookStatistics {
    ReadStatistics::new(fixture.books.clone()).execute(&fixture.context).await.expect("the statistics")
}

/// A group as one line: language, decade, currency, number, average.
fn lines(statistics: &BookStatistics) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    statistics
        .groups
        .iter()
        .map(|group| {
            format!(
                "{} {} {} {} {}",
                or_dash(group.language.as_ref().map(ToString::to_string)),
                or_dash(group.decade.map(|decade| decade.to_string())),
                or_dash(group.currency.map(|currency| currency.to_string())),
                group.books,
                or_dash(group.average_price.map(|price| price.amount().to_string())),
            )
        })
        .collect()
}

async fn books_are_counted_and_averaged_by_group(server: Server) {
    let fixture = Fixture::new(server).await;
    assert_eq!(read(&fixture).await, BookStatistics::default());
    let books = [
        (Some("en"), Some("1999-12-31"), Some(("0.01", "EUR"))),
        (Some("en"), Some("1990-01-01"), Some(("0.02", "EUR"))),
        (Some("en"), Some("2000-01-01"), Some(("0.02", "EUR"))),
        (Some("en"), Some("2009-12-31"), Some(("0.03", "EUR"))),
        (Some("en"), Some("2000-01-01"), Some(("10", "JPY"))),
        (Some("en"), Some("2000-01-01"), None),
        (Some("en"), None, Some(("1.000", "KWD"))),
        (Some("de"), Some("1000-01-01"), None),
        (None, Some("9999-12-31"), Some(("5.00", "USD"))),
        (None, None, None),
        (None, None, None),
    ];
    for (number, (tag, day, amount)) in (1..).zip(books) {
        let details = BookDetails {
            language: tag.map(language),
            published_on: day.map(date),
            price: amount.map(|(amount, code)| price(amount, code)),
            ..book(number, "A book")
        };
        fixture.create(details).await;
    }
    let statistics = read(&fixture).await;
    assert_eq!(statistics.books, 11);
    // One and a half cents and two and a half cents both round to two: half goes to the even neighbour.
    let expected = [
        "de 1000 - 1 -",
        "en 1990 EUR 2 0.02",
        "en 2000 EUR 2 0.02",
        "en 2000 JPY 1 10",
        "en 2000 - 1 -",
        "en - KWD 1 1.000",
        "- 9990 USD 1 5.00",
        "- - - 2 -",
    ];
    assert_eq!(lines(&statistics), expected);
}

async fn the_highest_prices_are_averaged_exactly(server: Server) {
    let fixture = Fixture::new(server).await;
    // A float would lose the last digit of the sum.
    for number in 0..5 {
        let details = BookDetails { price: Some(price("999999999999999", "JPY")), ..book(number, "Dear") };
        fixture.create(details).await;
    }
    fixture.create(BookDetails { price: Some(price("999999999999998", "JPY")), ..book(9, "Nearly as dear") }).await;
    let statistics = read(&fixture).await;
    // 999999999999998.8333…
    assert_eq!(lines(&statistics), ["- - JPY 6 999999999999999"]);
}

testkit::on_every_engine!(books_are_counted_and_averaged_by_group, the_highest_prices_are_averaged_exactly);

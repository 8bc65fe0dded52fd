//! People and books that could exist, made from a number: the same number is always the same person or book.

use anyhow::Context as _;
use book_context::domain::{
    AuthorName, Authors, BookDetails, Currency, Description, Isbn, Language, PageCount, Price, PublicationDate, Title,
};
use chrono::{Days, NaiveDate};
use user_context::domain::{Email, UserName};

const FIRST: [&str; 24] = [
    "Ada", "Noor", "Mateus", "Ingrid", "Kofi", "Yuki", "Leyla", "Piotr", "Amara", "Søren", "Lucía", "Tomasz", "Farah",
    "Niamh", "Viktor", "Mei", "Élodie", "Jamal", "Anneke", "Ravi", "Sofia", "Emre", "Chiara", "Olu",
];
const LAST: [&str; 23] = [
    "Lovelace",
    "Okafor",
    "Nilsson",
    "García",
    "Tanaka",
    "Müller",
    "Rossi",
    "Kowalska",
    "Haddad",
    "O'Brien",
    "Silva",
    "Novák",
    "Mensah",
    "Dubois",
    "Yılmaz",
    "Iyer",
    "Petrov",
    "Jansen",
    "Moreau",
    "Lindqvist",
    "Costa",
    "Ahmed",
    "Weiss",
];
const ADJECTIVES: [&str; 19] = [
    "Silent",
    "Burning",
    "Forgotten",
    "Second",
    "Distant",
    "Invisible",
    "Broken",
    "Paper",
    "Northern",
    "Patient",
    "Hollow",
    "Glass",
    "Borrowed",
    "Restless",
    "Salted",
    "Unfinished",
    "Crooked",
    "Early",
    "Golden",
];
const NOUNS: [&str; 17] = [
    "Harbour",
    "Library",
    "Winter",
    "Orchard",
    "Lighthouse",
    "Cartographer",
    "River",
    "Machine",
    "Garden",
    "Letter",
    "Mountain",
    "Archive",
    "Clockmaker",
    "Island",
    "Season",
    "Theorem",
    "Bridge",
];
const LANGUAGES: [&str; 7] = ["en", "de", "fr", "es", "pt-BR", "ja", "pl"];
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "JPY"];

/// Scatters neighbouring numbers, so that lists by different fields come in different orders (Knuth's constant).
fn scatter(number: u32, salt: u32) -> usize {
    let mixed = (number ^ salt.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x9E37_79B1);
    (mixed >> 8) as usize
}

fn person(number: u32, salt: u32) -> (&'static str, &'static str) {
    (FIRST[scatter(number, salt) % FIRST.len()], LAST[scatter(number, salt + 1) % LAST.len()])
}

/// A user; the number keeps the address unique.
pub(super) fn user(number: u32) -> anyhow::Result<(UserName, Email)> {
    let (first, last) = person(number, 1);
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let name = UserName::parse(&format!("{first} {last}")).context("a name of the list")?;
    let email = Email::parse(&format!("{}.{}.{number}@example.org", plain(first), plain(last)));
    Ok((name, email.context("an address of the list")?))
}

/// A book; its ISBN is the number behind a prefix that no publisher has.
pub(super) fn book(number: u32) -> anyhow::Result<BookDetails> {
    let pick = |salt: u32, length: usize| scatter(number, salt) % length;
    let (adjective, noun) = (ADJECTIVES[pick(10, ADJECTIVES.len())], NOUNS[pick(11, NOUNS.len())]);
    let title = match pick(12, 4) {
        0 => format!("The {adjective} {noun}"),
        1 => format!("A {noun} of One's Own"),
        2 => format!("The {noun} and the {}", NOUNS[pick(13, NOUNS.len())]),
        _ => format!("{adjective} {noun}s, Volume {}", 1 + pick(14, 9)),
    };
    let authors = (0..=pick(15, 6) / 4).map(|author| {
        let salt = 20 + 2 * u32::try_from(author).unwrap_or_default();
        let (first, last) = person(number, salt);
        AuthorName::parse(&format!("{first} {last}"))
    });
    let authors = Authors::try_new(authors.collect::<Result<_, _>>()?)?;
    let first_day = NaiveDate::from_ymd_opt(1900, 1, 1).context("a day")?;
    let day = first_day.checked_add_days(Days::new(pick(16, 45_000) as u64)).context("a day")?;
    let pages = i64::try_from(40 + pick(17, 900))?;
    let currency = Currency::parse(CURRENCIES[pick(18, CURRENCIES.len())])?;
    let smallest = if currency.decimals() == 0 { 800 + pick(19, 4_000) } else { 499 + 50 * pick(19, 90) };
    let description = format!("A {} story about a {}.", adjective.to_lowercase(), noun.to_lowercase());
    // One book in five lacks a detail here and there, as in any real catalogue.
    let known = |salt: u32| pick(salt, 5) != 0;
    Ok(BookDetails {
        title: Title::parse(&title)?,
        authors,
        isbn: Isbn::parse(&isbn(number))?,
        published_on: known(31).then(|| PublicationDate::try_new(day)).transpose()?,
        pages: known(32).then(|| PageCount::try_new(pages)).transpose()?,
        language: known(33).then(|| Language::parse(LANGUAGES[pick(34, LANGUAGES.len())])).transpose()?,
        price: known(35)
            .then(|| Price::of_minor_units(i64::try_from(smallest)?, currency).map_err(anyhow::Error::from))
            .transpose()?,
        description: known(36).then(|| Description::parse(&description)).transpose()?,
    })
}

/// Thirteen digits with the right check digit (ISO 2108, annex A).
fn isbn(number: u32) -> String {
    let body = format!("979{:09}", 100_000_000 + u64::from(number) % 900_000_000);
    let sum: u32 =
        (0..).zip(body.bytes()).map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 1 } else { 3 }).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_is_a_valid_user_and_book_of_its_own() {
        let emails: HashSet<String> =
            (0..2_000).map(|number| user(number).expect("valid").1.key().to_owned()).collect();
        let isbns: HashSet<Isbn> = (0..2_000).map(|number| book(number).expect("valid").isbn).collect();
        assert_eq!((emails.len(), isbns.len()), (2_000, 2_000));
    }

    #[test]
    fn the_same_number_is_the_same_book() {
        assert_eq!(book(7).expect("valid"), book(7).expect("valid"));
        assert_ne!(book(7).expect("valid").title, book(8).expect("valid").title);
    }
}

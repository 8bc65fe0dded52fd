use chrono::NaiveDate;
use shared_kernel::Version;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, position_of};
use shared_kernel::paging::{Position, SortKey};
use uuid::Uuid;

use crate::domain::{
    AuthorName, Authors, Book, BookDetails, BookId, BookRecord, BookSort, Currency, Description, Isbn, Language,
    PageCount, Price, PublicationDate, Title,
};

/// Where the columns stand in what is selected.
mod at {
    use super::super::statements::columns::{self, BOOK, KEYS};
    use super::position_of;

    pub(super) const ID: usize = position_of(&BOOK, columns::ID);
    pub(super) const TITLE: usize = position_of(&BOOK, columns::TITLE);
    pub(super) const AUTHORS: usize = position_of(&BOOK, columns::AUTHORS);
    pub(super) const ISBN: usize = position_of(&BOOK, columns::ISBN);
    pub(super) const PUBLISHED_ON: usize = position_of(&BOOK, columns::PUBLISHED_ON);
    pub(super) const PAGES: usize = position_of(&BOOK, columns::PAGES);
    pub(super) const LANGUAGE: usize = position_of(&BOOK, columns::LANGUAGE);
    pub(super) const PRICE_MINOR: usize = position_of(&BOOK, columns::PRICE_MINOR);
    pub(super) const CURRENCY: usize = position_of(&BOOK, columns::CURRENCY);
    pub(super) const DESCRIPTION: usize = position_of(&BOOK, columns::DESCRIPTION);
    pub(super) const VERSION: usize = position_of(&BOOK, columns::VERSION);
    pub(super) const CREATED_AT: usize = position_of(&BOOK, columns::CREATED_AT);
    pub(super) const UPDATED_AT: usize = position_of(&BOOK, columns::UPDATED_AT);
    /// In a list's rows alone.
    pub(super) const TITLE_SORT: usize = BOOK.len() + position_of(&KEYS, columns::TITLE_SORT);
}

/// Reads a row of `books`. The rules of the domain hold for what comes out of the database as well.
pub(super) fn book(row: &Row) -> Result<Book, DatabaseError> {
    let id: Uuid = row.get(at::ID)?;
    let text = |column| row.get::<Option<String>>(column);
    let details = BookDetails {
        title: parsed(id, Title::try_from(row.get::<String>(at::TITLE)?))?,
        authors: authors(id, &row.get::<String>(at::AUTHORS)?)?,
        isbn: parsed(id, Isbn::parse(&row.get::<String>(at::ISBN)?))?,
        published_on: optional(id, row.get::<Option<NaiveDate>>(at::PUBLISHED_ON)?, PublicationDate::try_new)?,
        pages: optional(id, row.get::<Option<i32>>(at::PAGES)?, |pages| PageCount::try_new(pages.into()))?,
        language: optional(id, text(at::LANGUAGE)?, |tag| Language::parse(&tag))?,
        price: price(id, row.get(at::PRICE_MINOR)?, text(at::CURRENCY)?)?,
        description: optional(id, text(at::DESCRIPTION)?, Description::try_from)?,
    };
    Ok(Book::restore(BookRecord {
        id: BookId::new(id),
        details,
        version: parsed(id, Version::try_new(row.get(at::VERSION)?))?,
        created_at: row.get(at::CREATED_AT)?,
        updated_at: row.get(at::UPDATED_AT)?,
    }))
}

/// Where a row stands in a list. Keys are taken as they are stored: they may have been folded by an older Unicode.
pub(super) fn position(row: &Row, sort: BookSort, dialect: Dialect) -> Result<Position, DatabaseError> {
    let key = match sort {
        BookSort::Title => Some(SortKey::Text(row.get_text_key(dialect, at::TITLE_SORT)?)),
        BookSort::PublishedOn => row.get::<Option<NaiveDate>>(at::PUBLISHED_ON)?.map(SortKey::Date),
        BookSort::Pages => row.get::<Option<i32>>(at::PAGES)?.map(|pages| SortKey::Integer(pages.into())),
        BookSort::Price => row.get::<Option<i64>>(at::PRICE_MINOR)?.map(SortKey::Integer),
        BookSort::CreatedAt => Some(SortKey::Instant(row.get(at::CREATED_AT)?)),
        BookSort::UpdatedAt => Some(SortKey::Instant(row.get(at::UPDATED_AT)?)),
    };
    Ok(Position { key, id: row.get(at::ID)? })
}

fn authors(id: Uuid, json: &str) -> Result<Authors, DatabaseError> {
    let names: Vec<String> = parsed(id, serde_json::from_str(json))?;
    let names = names.into_iter().map(|name| parsed(id, AuthorName::try_from(name))).collect::<Result<_, _>>()?;
    parsed(id, Authors::try_new(names))
}

fn price(id: Uuid, minor_units: Option<i64>, currency: Option<String>) -> Result<Option<Price>, DatabaseError> {
    optional(id, minor_units.zip(currency), |(minor_units, code)| -> Result<Price, PriceFault> {
        Ok(Price::of_minor_units(minor_units, Currency::parse(&code)?)?)
    })
}

#[derive(Debug, thiserror::Error)]
enum PriceFault {
    #[error(transparent)]
    Currency(#[from] crate::domain::CurrencyError),
    #[error(transparent)]
    Price(#[from] crate::domain::PriceError),
}

fn optional<S, T, E: std::error::Error + Send + Sync + 'static>(
    id: Uuid,
    stored: Option<S>,
    parse: impl FnOnce(S) -> Result<T, E>,
) -> Result<Option<T>, DatabaseError> {
    stored.map(|stored| parsed(id, parse(stored))).transpose()
}

fn parsed<T, E: std::error::Error + Send + Sync + 'static>(id: Uuid, result: Result<T, E>) -> Result<T, DatabaseError> {
    result.map_err(|error| {
        DatabaseError::new(DatabaseErrorKind::Decode, format!("the stored book {id} breaks a rule")).with_source(error)
    })
}

use chrono::NaiveDate;
use shared_kernel::Version;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row};
use shared_kernel::paging::{Position, SortKey};
use uuid::Uuid;

use super::statements::columns::{
    AUTHORS, CREATED_AT, CURRENCY, DESCRIPTION, ID, ISBN, LANGUAGE, PAGES, PRICE_MINOR, PUBLISHED_ON, TITLE,
    TITLE_SORT, UPDATED_AT, VERSION,
};
use crate::domain::{
    AuthorName, Authors, Book, BookDetails, BookId, BookRecord, BookSort, Currency, Description, Isbn, Language,
    PageCount, Price, PublicationDate, Title,
};

/// Reads a row of `books`. The rules of the domain hold for what comes out of the database as well.
pub(super) fn book(row: &Row) -> Result<Book, DatabaseError> {
    let id: Uuid = row.get(ID)?;
    let text = |column| row.get::<Option<String>>(column);
    let details = BookDetails {
        title: parsed(id, Title::parse(&row.get::<String>(TITLE)?))?,
        authors: authors(id, &row.get::<String>(AUTHORS)?)?,
        isbn: parsed(id, Isbn::parse(&row.get::<String>(ISBN)?))?,
        published_on: optional(id, row.get::<Option<NaiveDate>>(PUBLISHED_ON)?, PublicationDate::try_new)?,
        pages: optional(id, row.get::<Option<i32>>(PAGES)?, |pages| PageCount::try_new(pages.into()))?,
        language: optional(id, text(LANGUAGE)?, |tag| Language::parse(&tag))?,
        price: price(id, row.get(PRICE_MINOR)?, text(CURRENCY)?)?,
        description: optional(id, text(DESCRIPTION)?, |text| Description::parse(&text))?,
    };
    Ok(Book::restore(BookRecord {
        id: BookId::new(id),
        details,
        version: parsed(id, Version::try_new(row.get(VERSION)?))?,
        created_at: row.get(CREATED_AT)?,
        updated_at: row.get(UPDATED_AT)?,
    }))
}

/// Where a row stands in a list. Keys are taken as they are stored: they may have been folded by an older Unicode.
pub(super) fn position(row: &Row, sort: BookSort, dialect: Dialect) -> Result<Position, DatabaseError> {
    let key = match sort {
        BookSort::Title => Some(SortKey::Text(row.get_text_key(dialect, TITLE_SORT)?)),
        BookSort::PublishedOn => row.get::<Option<NaiveDate>>(PUBLISHED_ON)?.map(SortKey::Date),
        BookSort::Pages => row.get::<Option<i32>>(PAGES)?.map(|pages| SortKey::Integer(pages.into())),
        BookSort::Price => row.get::<Option<i64>>(PRICE_MINOR)?.map(SortKey::Integer),
        BookSort::CreatedAt => Some(SortKey::Instant(row.get(CREATED_AT)?)),
        BookSort::UpdatedAt => Some(SortKey::Instant(row.get(UPDATED_AT)?)),
    };
    Ok(Position { key, id: row.get(ID)? })
}

fn authors(id: Uuid, json: &str) -> Result<Authors, DatabaseError> {
    let names: Vec<String> = parsed(id, serde_json::from_str(json))?;
    let names = names.iter().map(|name| parsed(id, AuthorName::parse(name))).collect::<Result<_, _>>()?;
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

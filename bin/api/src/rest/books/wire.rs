//! Books as they go over the wire.

mod input;

use book_context::domain::{AuthorName, Book, Description, Language, Price};
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use input::{BookChange, BookInput};

use crate::rest::instant::instant;
use crate::rest::versions::Versioned;

/// A book of the library.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Book)]
pub(crate) struct BookBody<'a> {
    /// Which book it is: a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    id: Uuid,
    /// What it is called.
    #[schema(min_length = 1, max_length = 500, example = "War and Peace")]
    title: &'a str,
    /// Who wrote it, in the order of the title page.
    #[schema(min_items = 1, max_items = 20, example = json!(["Leo Tolstoy"]))]
    authors: Vec<&'a str>,
    /// Its ISBN as thirteen digits.
    #[schema(pattern = "^97[89][0-9]{10}$", example = "9780140447934")]
    isbn: String,
    /// The day it came out; null when nobody said.
    #[schema(required, format = "date", example = "1869-05-01")]
    published_on: Option<String>,
    /// How many pages it has; null when nobody said.
    #[schema(required, minimum = 1, maximum = 100_000, example = 1392)]
    pages: Option<i32>,
    /// The language it is written in (BCP 47); null when nobody said.
    #[schema(required, max_length = 35, example = "en")]
    language: Option<&'a str>,
    /// What it costs; null when nobody said.
    #[schema(required)]
    price: Option<PriceBody>,
    /// What it is about; null when nobody said.
    #[schema(required, max_length = 10_000, example = "Five families in the years of Napoleon.")]
    description: Option<&'a str>,
    /// How often the book was written; the `ETag` follows it.
    #[schema(minimum = 1, example = 1)]
    version: i64,
    /// When the book was added: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    created_at: String,
    /// When the book was last changed: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    updated_at: String,
}

/// What something costs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Price, example = json!({"amount": "12.50", "currency": "EUR"}))]
pub(crate) struct PriceBody {
    /// A decimal number with exactly as many decimals as its currency has; never a float.
    #[schema(pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$", example = "12.50")]
    amount: String,
    /// The currency (ISO 4217).
    #[schema(format = "currency", example = "EUR")]
    currency: &'static str,
}

/// A page of books.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookPage<'a> {
    /// The books, in the order that was asked for.
    #[schema(max_items = 200)]
    pub(crate) items: Vec<BookBody<'a>>,
    /// Where the list goes on; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A new book.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBook)]
pub(crate) struct NewBookBody {
    /// 1 to 500 characters after trimming, none of them a control character.
    #[schema(format = "display-name", min_length = 1, max_length = 500, example = "War and Peace")]
    title: String,
    /// 1 to 20 names of 1 to 200 characters.
    #[schema(schema_with = authors)]
    authors: Vec<String>,
    /// An ISBN-10 or ISBN-13 with a right check digit, hyphens allowed, that no other book has.
    #[schema(format = "isbn", example = "978-0-14-044793-4")]
    isbn: String,
    /// The day it came out, in the years 1000 to 9999.
    #[schema(format = "publication-date", example = "1869-05-01")]
    published_on: Option<String>,
    /// How many pages it has.
    #[schema(minimum = 1, maximum = 100_000, example = 1392)]
    pages: Option<i32>,
    /// The language it is written in (BCP 47).
    #[schema(format = "language-tag", max_length = 35, example = "en")]
    language: Option<String>,
    /// What it costs.
    price: Option<PriceBody>,
    /// What it is about: at most 10,000 characters.
    #[schema(format = "description", max_length = 10_000, example = "Five families in the years of Napoleon.")]
    description: Option<String>,
}

/// All of a book that a caller may set. The fields that only the service sets may come along unchanged.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookReplacement)]
pub(crate) struct BookReplacementBody {
    /// 1 to 500 characters after trimming, none of them a control character.
    #[schema(format = "display-name", min_length = 1, max_length = 500, example = "War and Peace")]
    title: String,
    /// 1 to 20 names of 1 to 200 characters.
    #[schema(schema_with = authors)]
    authors: Vec<String>,
    /// An ISBN-10 or ISBN-13 with a right check digit, hyphens allowed, that no other book has.
    #[schema(format = "isbn", example = "978-0-14-044793-4")]
    isbn: String,
    /// The day it came out, in the years 1000 to 9999.
    #[schema(format = "publication-date", example = "1869-05-01")]
    published_on: Option<String>,
    /// How many pages it has.
    #[schema(minimum = 1, maximum = 100_000, example = 1392)]
    pages: Option<i32>,
    /// The language it is written in (BCP 47).
    #[schema(format = "language-tag", max_length = 35, example = "en")]
    language: Option<String>,
    /// What it costs.
    price: Option<PriceBody>,
    /// What it is about: at most 10,000 characters.
    #[schema(format = "description", max_length = 10_000, example = "Five families in the years of Napoleon.")]
    description: Option<String>,
    /// As it was read.
    #[schema(read_only)]
    id: Option<Uuid>,
    /// As it was read.
    #[schema(read_only)]
    version: Option<i64>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    created_at: Option<String>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    updated_at: Option<String>,
}

/// What shall be different about a book (RFC 7396). A field that is left out stays as it is; null takes away what a book
/// need not have.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookPatch)]
pub(crate) struct BookPatchBody {
    /// 1 to 500 characters after trimming, none of them a control character.
    #[schema(nullable = false, format = "display-name", min_length = 1, max_length = 500, example = "War and Peace")]
    title: Option<String>,
    /// 1 to 20 names of 1 to 200 characters.
    #[schema(schema_with = authors, required = false)]
    authors: Option<Vec<String>>,
    /// An ISBN-10 or ISBN-13 with a right check digit, hyphens allowed, that no other book has.
    #[schema(nullable = false, format = "isbn", example = "978-0-14-044793-4")]
    isbn: Option<String>,
    /// The day it came out, in the years 1000 to 9999.
    #[schema(format = "publication-date", example = "1869-05-01")]
    published_on: Option<String>,
    /// How many pages it has.
    #[schema(minimum = 1, maximum = 100_000, example = 1392)]
    pages: Option<i32>,
    /// The language it is written in (BCP 47).
    #[schema(format = "language-tag", max_length = 35, example = "en")]
    language: Option<String>,
    /// What it costs. A part that is left out stays as it is.
    price: Option<PricePatchBody>,
    /// What it is about: at most 10,000 characters.
    #[schema(format = "description", max_length = 10_000, example = "Five families in the years of Napoleon.")]
    description: Option<String>,
    /// As it was read.
    #[schema(read_only)]
    id: Option<Uuid>,
    /// As it was read.
    #[schema(read_only)]
    version: Option<i64>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    created_at: Option<String>,
    /// As it was read.
    #[schema(read_only, format = "date-time")]
    updated_at: Option<String>,
}

/// What shall be different about a price: the amount, the currency, or both.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PricePatch, example = json!({"amount": "9.50"}))]
pub(crate) struct PricePatchBody {
    /// A decimal number with exactly as many decimals as the price's currency has; never a float.
    #[schema(nullable = false, pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$", example = "9.50")]
    amount: Option<String>,
    /// The currency (ISO 4217).
    #[schema(nullable = false, format = "currency", example = "EUR")]
    currency: Option<String>,
}

fn authors() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, Type};
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("display-name".to_owned())))
        .min_length(Some(1))
        .max_length(Some(200))
        .build();
    ArrayBuilder::new()
        .items(name)
        .min_items(Some(1))
        .max_items(Some(20))
        .description(Some("1 to 20 names of 1 to 200 characters, in the order of the title page."))
        .examples([serde_json::json!(["Leo Tolstoy"])])
        .build()
}

impl<'a> From<&'a Book> for BookBody<'a> {
    fn from(book: &'a Book) -> Self {
        let details = book.details();
        Self {
            id: book.id().uuid(),
            title: details.title.as_str(),
            authors: details.authors.iter().map(AuthorName::as_str).collect(),
            isbn: details.isbn.to_string(),
            published_on: details.published_on.map(|day| day.to_string()),
            pages: details.pages.map(book_context::domain::PageCount::get),
            language: details.language.as_ref().map(Language::as_str),
            price: details.price.map(Into::into),
            description: details.description.as_ref().map(Description::as_str),
            version: book.version().get(),
            created_at: instant(book.created_at()),
            updated_at: instant(book.updated_at()),
        }
    }
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        Self { amount: price.amount().to_string(), currency: price.currency().code() }
    }
}

impl Versioned for Book {
    type Body<'a> = BookBody<'a>;

    fn version(&self) -> Version {
        self.version()
    }

    fn body(&self) -> BookBody<'_> {
        self.into()
    }
}

use sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement, Value};
use shared_kernel::Version;
use shared_kernel::database::keyset::Keyset;
use shared_kernel::database::{Dialect, Statement, StatementTemplate, text_key, uuid_key};
use shared_kernel::text::{first_code_points, fold_key};
use uuid::Uuid;

use super::filter;
use crate::domain::{
    AuthorName, Book, BookDetails, BookFilter, BookId, BookList, BookSort, PageCount, Price, PublicationDate,
};

const TABLE: &str = "books";

/// The columns of `books`.
pub(super) mod columns {
    pub(in super::super) const ID: &str = "id";
    pub(in super::super) const TITLE: &str = "title";
    /// The title folded and cut, for ORDER BY.
    pub(in super::super) const TITLE_SORT: &str = "title_sort";
    /// The authors' names as a JSON array: what a book shows of them.
    pub(in super::super) const AUTHORS: &str = "authors";
    /// Title, authors and ISBN folded, for `q`.
    pub(in super::super) const SEARCH_KEY: &str = "search_key";
    pub(in super::super) const ISBN: &str = "isbn";
    pub(in super::super) const PUBLISHED_ON: &str = "published_on";
    pub(in super::super) const PAGES: &str = "pages";
    pub(in super::super) const LANGUAGE: &str = "language";
    pub(in super::super) const PRICE_MINOR: &str = "price_minor";
    pub(in super::super) const CURRENCY: &str = "currency";
    pub(in super::super) const DESCRIPTION: &str = "description";
    pub(in super::super) const VERSION: &str = "version";
    pub(in super::super) const CREATED_AT: &str = "created_at";
    pub(in super::super) const UPDATED_AT: &str = "updated_at";

    /// What is selected of a book, in this order: rows are read by position.
    pub(in super::super) const BOOK: [&str; 13] = [
        ID,
        TITLE,
        AUTHORS,
        ISBN,
        PUBLISHED_ON,
        PAGES,
        LANGUAGE,
        PRICE_MINOR,
        CURRENCY,
        DESCRIPTION,
        VERSION,
        CREATED_AT,
        UPDATED_AT,
    ];

    /// What a list selects after that, for the order.
    pub(in super::super) const KEYS: [&str; 1] = [TITLE_SORT];
}
use columns::{
    AUTHORS, BOOK, CREATED_AT, CURRENCY, DESCRIPTION, ID, ISBN, KEYS, LANGUAGE, PAGES, PRICE_MINOR, PUBLISHED_ON,
    SEARCH_KEY, TITLE, TITLE_SORT, UPDATED_AT, VERSION,
};

/// How much of a folded title takes part in the order, so that the key fits every engine's index.
const SORT_LENGTH: usize = 200;

pub(super) fn insert(book: &Book, dialect: Dialect) -> Statement {
    let mut names = vec![ID, CREATED_AT];
    let mut values: Vec<Expr> = vec![uuid_key(dialect, book.id().uuid()).into(), book.created_at().into()];
    for (name, value) in changing(book, dialect) {
        names.push(name);
        values.push(value);
    }
    Query::insert().into_table(TABLE).columns(names).values_panic(values).to_owned().into()
}

pub(super) fn update(book: &Book, expected: Version, dialect: Dialect) -> Statement {
    Query::update()
        .table(TABLE)
        .values(changing(book, dialect))
        .cond_where(at_version(book.id(), expected, dialect))
        .to_owned()
        .into()
}

/// Deletes the book; its rows in `book_authors` go with it by their foreign key.
pub(super) fn delete(id: BookId, expected: Version, dialect: Dialect) -> Statement {
    Query::delete().from_table(TABLE).cond_where(at_version(id, expected, dialect)).to_owned().into()
}

pub(super) fn select_by_id(id: BookId, dialect: Dialect) -> Statement {
    static BY_ID: StatementTemplate = StatementTemplate::new(|dialect| {
        select().and_where(Expr::col(ID).eq(uuid_key(dialect, Uuid::nil()))).to_owned().into()
    });
    BY_ID.with([uuid_key(dialect, id.uuid())])
}

/// The books of a list, without order and limit.
pub(super) fn select_list(books: &BookFilter, dialect: Dialect) -> SelectStatement {
    select().columns(KEYS).cond_where(filter::condition(books, dialect)).to_owned()
}

pub(super) fn keyset(list: &BookList) -> Keyset {
    let (column, nullable) = match list.sort {
        BookSort::Title => (TITLE_SORT, false),
        BookSort::PublishedOn => (PUBLISHED_ON, true),
        BookSort::Pages => (PAGES, true),
        // The currency that this order needs leaves only rows with a price.
        BookSort::Price => (PRICE_MINOR, false),
        BookSort::CreatedAt => (CREATED_AT, false),
        BookSort::UpdatedAt => (UPDATED_AT, false),
    };
    Keyset::over(column, ID, list.direction).nullable(nullable)
}

fn select() -> SelectStatement {
    Query::select().columns(BOOK).from(TABLE).to_owned()
}

/// Every column that can change, with the book's value: the keys are made here and nowhere else.
fn changing(book: &Book, dialect: Dialect) -> [(&'static str, Expr); 13] {
    let BookDetails { title, authors, isbn, published_on, pages, language, price, description } = book.details();
    let title_key = fold_key(title.as_str());
    let names: Vec<&str> = authors.iter().map(AuthorName::as_str).collect();
    let isbn = isbn.to_string();
    let value = |value: Value| Expr::from(value);
    [
        (TITLE, title.as_str().into()),
        (TITLE_SORT, value(text_key(dialect, first_code_points(&title_key, SORT_LENGTH)))),
        (AUTHORS, serde_json::Value::from(names).to_string().into()),
        (SEARCH_KEY, search_key(&title_key, authors.iter(), &isbn).into()),
        (ISBN, isbn.into()),
        (PUBLISHED_ON, value(published_on.map(PublicationDate::date).into())),
        (PAGES, value(pages.map(PageCount::get).into())),
        (LANGUAGE, value(language.as_ref().map(|language| language.as_str().to_owned()).into())),
        (PRICE_MINOR, value(price.map(Price::minor_units).into())),
        (CURRENCY, value(price.map(|price| price.currency().code().to_owned()).into())),
        (DESCRIPTION, value(description.as_ref().map(|text| text.as_str().to_owned()).into())),
        (VERSION, book.version().get().into()),
        (UPDATED_AT, book.updated_at().into()),
    ]
}

/// No title and no name holds a line end, so that no search term matches across two of them.
fn search_key<'a>(title_key: &str, authors: impl Iterator<Item = &'a AuthorName>, isbn: &str) -> String {
    let mut key = title_key.to_owned();
    for name in authors {
        key.push('\n');
        key.push_str(&fold_key(name.as_str()));
    }
    key.push('\n');
    key.push_str(isbn);
    key
}

fn at_version(id: BookId, expected: Version, dialect: Dialect) -> Condition {
    Condition::all().add(Expr::col(ID).eq(uuid_key(dialect, id.uuid()))).add(Expr::col(VERSION).eq(expected.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &Statement, expected: &[&str]) {
        let sql = statement.render(Dialect::Sqlite).expect("a plain select").sql;
        let (columns, _) = sql.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM ")).expect("a select");
        let columns: Vec<&str> = columns.split(", ").map(|column| column.trim_matches('"')).collect();
        assert_eq!(columns, expected);
    }

    #[test]
    fn rows_hold_their_columns_where_they_are_read() {
        check(&select_by_id(BookId::new(Uuid::nil()), Dialect::Sqlite), &BOOK);
        let list = select_list(&BookFilter::default(), Dialect::Sqlite);
        check(&list.into(), &[BOOK.as_slice(), KEYS.as_slice()].concat());
    }
}

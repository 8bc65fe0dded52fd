//! The read that is written as SQL, once for each dialect: grouping over an expression, with exact sums.

use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, RawStatement, Row, Statement};

use crate::domain::{Currency, Language, Price, StatisticsGroup};

/// Prices are summed up in two parts of nine and six digits, because a sum of whole prices can pass the end of a
/// 64-bit integer, and engines have no wider type in common.
const PART: i128 = 1_000_000;

/// The statement for every dialect. They differ in how a year comes out of a date, in integer division (`/` divides
/// integers to an integer everywhere but in MySQL), and in the type of a sum.
pub(super) fn statement() -> Statement {
    RawStatement::per_dialect("SELECT")
        .text(
            Dialect::MySql,
            "SELECT language, decade, currency, COUNT(*) AS books, \
             CAST(SUM(price_minor DIV 1000000) AS SIGNED) AS price_high, \
             CAST(SUM(price_minor % 1000000) AS SIGNED) AS price_low \
             FROM (SELECT language, CAST(YEAR(published_on) DIV 10 * 10 AS SIGNED) AS decade, currency, price_minor \
             FROM books) AS grouped GROUP BY language, decade, currency",
        )
        .text(
            Dialect::Postgres,
            "SELECT language, decade, currency, COUNT(*) AS books, \
             CAST(SUM(price_minor / 1000000) AS BIGINT) AS price_high, \
             CAST(SUM(price_minor % 1000000) AS BIGINT) AS price_low \
             FROM (SELECT language, CAST(EXTRACT(YEAR FROM published_on) AS BIGINT) / 10 * 10 AS decade, currency, \
             price_minor FROM books) AS grouped GROUP BY language, decade, currency",
        )
        .text(
            Dialect::Sqlite,
            "SELECT language, decade, currency, COUNT(*) AS books, \
             SUM(price_minor / 1000000) AS price_high, \
             SUM(price_minor % 1000000) AS price_low \
             FROM (SELECT language, CAST(strftime('%Y', published_on) AS INTEGER) / 10 * 10 AS decade, currency, \
             price_minor FROM books) AS grouped GROUP BY language, decade, currency",
        )
        .text(
            Dialect::SqlServer,
            "SELECT language, decade, currency, COUNT_BIG(*) AS books, \
             SUM(price_minor / 1000000) AS price_high, \
             SUM(price_minor % 1000000) AS price_low \
             FROM (SELECT language, CAST(YEAR(published_on) AS BIGINT) / 10 * 10 AS decade, currency, price_minor \
             FROM books) AS grouped GROUP BY language, decade, currency",
        )
        .into()
}

/// Reads one row of the answer and does the division, which is the same whatever the engine.
pub(super) fn group(row: &Row) -> Result<StatisticsGroup, DatabaseError> {
    let text = |column| row.get::<Option<String>>(column);
    let books: i64 = row.get("books")?;
    let high: Option<i64> = row.get("price_high")?;
    let low: Option<i64> = row.get("price_low")?;
    let currency = text("currency")?.map(|code| Currency::parse(&code)).transpose().map_err(invalid)?;
    let average_price = match (currency, high, low) {
        (Some(currency), Some(high), Some(low)) => {
            let sum = i128::from(high) * PART + i128::from(low);
            Some(Price::average(sum, books, currency).map_err(invalid)?)
        }
        _ => None,
    };
    Ok(StatisticsGroup {
        language: text("language")?.map(|tag| Language::parse(&tag)).transpose().map_err(invalid)?,
        decade: row.get::<Option<i64>>("decade")?.map(i32::try_from).transpose().map_err(invalid)?,
        currency,
        books: u64::try_from(books).map_err(invalid)?,
        average_price,
    })
}

fn invalid(cause: impl std::error::Error + Send + Sync + 'static) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Decode, "a group of the book statistics breaks a rule").with_source(cause)
}

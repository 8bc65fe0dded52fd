use sea_query::{Condition, Expr, ExprTrait, LikeExpr};
use shared_kernel::database::Dialect;

use super::authors;
use super::statements::columns::{CURRENCY, ID, LANGUAGE, PRICE_MINOR, PUBLISHED_ON, SEARCH_KEY};
use crate::domain::{BookFilter, PublicationDate};

/// What a row of `books` must fulfil to be in a list.
pub(super) fn condition(filter: &BookFilter, dialect: Dialect) -> Condition {
    let BookFilter { q, author, language, published_from, published_to, price } = filter;
    let column = |name: &'static str| Expr::col(name);
    let day = |date: &PublicationDate| date.date();
    let currency = price.map(|range| range.currency());
    let min = price.and_then(|range| range.min_minor_units());
    let max = price.and_then(|range| range.max_minor_units());
    Condition::all()
        .add_option(q.as_ref().map(|term| column(SEARCH_KEY).like(LikeExpr::new(term.like_pattern()).escape('!'))))
        .add_option(author.as_ref().map(|name| column(ID).in_subquery(authors::books_by(name, dialect))))
        .add_option(language.as_ref().map(|tag| column(LANGUAGE).eq(tag.as_str())))
        .add_option(published_from.as_ref().map(|date| column(PUBLISHED_ON).gte(day(date))))
        .add_option(published_to.as_ref().map(|date| column(PUBLISHED_ON).lte(day(date))))
        .add_option(currency.map(|currency| column(CURRENCY).eq(currency.code())))
        .add_option(min.map(|bound| column(PRICE_MINOR).gte(bound)))
        .add_option(max.map(|bound| column(PRICE_MINOR).lte(bound)))
}

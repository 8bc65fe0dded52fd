use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::domain::{BookStatistics, Price, StatisticsGroup};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Books, STATISTICS};
use crate::rest::accept;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// How many books there are, and what they cost on average.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookStatistics)]
pub(crate) struct StatisticsBody {
    /// All books.
    #[schema(minimum = 0, example = 3)]
    books: u64,
    /// The books of each language, decade and currency that occur together, in that order; what has no value comes last.
    groups: Vec<GroupBody>,
}

/// The books that have language, decade and currency in common.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookStatisticsGroup)]
pub(crate) struct GroupBody {
    /// Their language; null for books without one.
    #[schema(required, example = "en")]
    language: Option<String>,
    /// The first year of the decade they came out in; null for books without a day.
    #[schema(required, example = 1990)]
    decade: Option<i32>,
    /// The currency of their prices; null for books without one.
    #[schema(required, example = "EUR")]
    currency: Option<&'static str>,
    /// How many they are.
    #[schema(minimum = 1, example = 3)]
    books: u64,
    /// What they cost on average, rounded half to even to the currency's decimals; null without prices.
    #[schema(required, pattern = r"^\d{1,15}(\.\d{1,4})?$", example = "12.50")]
    average_price: Option<String>,
}

impl From<&BookStatistics> for StatisticsBody {
    fn from(statistics: &BookStatistics) -> Self {
        Self { books: statistics.books, groups: statistics.groups.iter().map(Into::into).collect() }
    }
}

impl From<&StatisticsGroup> for GroupBody {
    fn from(group: &StatisticsGroup) -> Self {
        Self {
            language: group.language.as_ref().map(ToString::to_string),
            decade: group.decade,
            currency: group.currency.map(book_context::domain::Currency::code),
            books: group.books,
            average_price: group.average_price.map(Price::amount).map(|amount| amount.to_string()),
        }
    }
}

/// Count books and average their prices
///
/// By language, decade and currency. Prices of different currencies are never mixed.
#[utoipa::path(
    get,
    path = STATISTICS,
    operation_id = "bookStatistics",
    tag = "Books",
    responses((status = 200, description = "The statistics", body = StatisticsBody, content_type = "application/json")),
)]
pub(crate) async fn book_statistics(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    Ok(HttpResponse::Ok().json(StatisticsBody::from(&books.statistics.execute(&scope.0).await?)))
}

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::domain::{
    Amount, AuthorName, BookFilter, BookList, BookSort, Currency, Language, Price, PriceRange, PublicationDate,
};
use shared_kernel::text::SearchTerm;
use shared_kernel::validation::Fault as _;

use super::wire::BookPage;
use super::{Books, COLLECTION};
use crate::rest::accept;
use crate::rest::paging::{self, Binding};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

const PARAMETERS: &[&str] = &[
    "limit",
    "cursor",
    "sort",
    "q",
    "author",
    "language",
    "published_from",
    "published_to",
    "currency",
    "price_min",
    "price_max",
];

/// List books
///
/// In pages. A cursor belongs to the sort and the filters that it was made with. Books without the value that is sorted
/// by come last in both directions.
#[utoipa::path(
    get,
    path = COLLECTION,
    operation_id = "listBooks",
    tag = "Books",
    params(
        ("limit" = Option<u16>, Query, description = "How many at most", minimum = 1, maximum = 200, nullable = false,
            example = 50),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", format = "cursor",
            nullable = false),
        ("sort" = Option<String>, Query, description = "The field to sort by, with `-` in front for descending order; \
            `price` needs `currency`", nullable = false,
            pattern = "^-?(title|published_on|pages|price|created_at|updated_at)$", example = "title"),
        ("q" = Option<String>, Query, description = "A text that the title, an author or the ISBN holds, without case",
            nullable = false, min_length = 1, max_length = 200, format = "search-term", example = "war"),
        ("author" = Option<String>, Query, description = "Only books with an author of this whole name, without case",
            nullable = false, min_length = 1, max_length = 200, format = "display-name", example = "Leo Tolstoy"),
        ("language" = Option<String>, Query, description = "Only books with exactly this language tag (BCP 47)",
            nullable = false, max_length = 35, format = "language-tag", example = "en"),
        ("published_from" = Option<String>, Query, description = "Only books that came out on this day or later",
            nullable = false, format = "publication-date", example = "1990-01-01"),
        ("published_to" = Option<String>, Query, description = "Only books that came out on this day or earlier",
            nullable = false, format = "publication-date", example = "1999-12-31"),
        ("currency" = Option<String>, Query, description = "Only books with a price in this currency (ISO 4217)",
            nullable = false, format = "currency", example = "EUR"),
        ("price_min" = Option<String>, Query, description = "Only books that cost at least this much; needs `currency` \
            and has its number of decimals", nullable = false, format = "amount", example = "5.00"),
        ("price_max" = Option<String>, Query, description = "Only books that cost at most this much; needs `currency` \
            and has its number of decimals", nullable = false, format = "amount", example = "25.00"),
    ),
    responses((status = 200, description = "A page", body = BookPage, content_type = "application/json")),
)]
pub(crate) async fn list_books(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, PARAMETERS);
    let limit = paging::limit(&mut query);
    let names: Vec<&str> = BookSort::ALL.iter().map(|sort| sort.as_str()).collect();
    let (sort, direction) = paging::sort(&mut query, &names, BookSort::by_name).unwrap_or_default();
    let filter = BookFilter {
        q: query.with("q", "invalid_search", SearchTerm::parse),
        author: query.with("author", "invalid_author", AuthorName::parse),
        language: query.with("language", "invalid_language", Language::parse),
        published_from: query.with("published_from", "invalid_date", PublicationDate::parse),
        published_to: query.with("published_to", "invalid_date", PublicationDate::parse),
        price: prices(&mut query),
    };
    if sort == BookSort::Price && query.get("currency").is_none() {
        query.fault("sort", "needs_currency", "a list by price needs `currency`");
    }
    let binding = Binding::of("books", &scope, &query, sort.as_str(), direction);
    let after = query.finish_with_cursor(&binding)?;

    let list = BookList { filter, sort, direction, after, limit };
    let page = books.list.execute(&list, &scope.0).await?;
    Ok(HttpResponse::Ok().json(BookPage {
        items: page.items.iter().map(Into::into).collect(),
        next_cursor: page.next.map(|position| binding.cursor(&position)),
    }))
}

/// The price filter: a currency, and bounds in it.
fn prices(query: &mut Query) -> Option<PriceRange> {
    let currency = query.with("currency", "invalid_currency", Currency::parse);
    let mut bound = |name: &'static str| {
        let amount = query.with(name, "invalid_amount", Amount::parse)?;
        let Some(currency) = currency else {
            if query.get("currency").is_none() {
                query.fault(name, "needs_currency", "a price needs `currency`");
            }
            return None;
        };
        match Price::try_new(amount, currency) {
            Ok(price) => Some(price),
            Err(error) => {
                query.fault(name, error.code(), &error.to_string());
                None
            }
        }
    };
    let (min, max) = (bound("price_min"), bound("price_max"));
    // Both bounds were made in this very currency.
    PriceRange::try_new(currency?, min, max).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn faults(uri: &str) -> Vec<String> {
        let request = TestRequest::with_uri(uri).to_http_request();
        let mut query = Query::of(&request, PARAMETERS);
        let _range = prices(&mut query);
        let faults = query.finish().err().map(|problem| problem.faults().to_vec()).unwrap_or_default();
        faults.into_iter().map(|fault| format!("{} {}", fault.parameter.unwrap_or_default(), fault.code)).collect()
    }

    #[test]
    fn prices_need_their_currency_and_its_decimals() {
        assert!(faults("/?currency=EUR&price_min=1.00&price_max=2.50").is_empty());
        assert_eq!(faults("/?price_min=1.00"), ["price_min needs_currency"]);
        assert_eq!(faults("/?currency=JPY&price_max=1.00"), ["price_max wrong_decimals"]);
        assert_eq!(faults("/?currency=EURO&price_max=x"), ["currency invalid_currency", "price_max invalid_amount"]);
    }
}

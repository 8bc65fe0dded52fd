use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::application::ReplaceBookCommand;
use book_context::domain::BookId;

use super::read::present;
use super::wire::{BookBody, BookInput, BookReplacementBody};
use super::{Books, ITEM};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Replace a book
///
/// Puts new values in the place of all that a caller may set. The body of an earlier answer can be sent back: what only
/// the service sets is accepted as it was read.
#[utoipa::path(
    put,
    path = ITEM,
    operation_id = "replaceBook",
    tag = "Books",
    params(("id" = uuid::Uuid, Path, description = "Which book")),
    request_body(content = BookReplacementBody, content_type = "application/json"),
    responses((status = 200, description = "Replaced", body = BookBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn replace_book(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
    id: PathId<BookId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = BookInput::replace(&body.0)?;
    let change = async |expected| {
        let command = ReplaceBookCommand { id: id.0, expected, details: input.details.clone() };
        books.replace.execute(command, &scope.0).await
    };
    let read = async || books.read.execute(id.0, &scope.0).await;
    let book = versions::change(&if_match, &input.read_only, read, change).await?;
    metrics::changed(metrics::Resource::Book, metrics::Change::Replaced);
    Ok(present(&book))
}

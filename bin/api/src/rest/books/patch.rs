use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::application::PatchBookCommand;
use book_context::domain::BookId;

use super::read::present;
use super::wire::{BookBody, BookChange, BookPatchBody};
use super::{Books, ITEM};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::PatchBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Change parts of a book
///
/// A merge patch (RFC 7396): fields that are left out stay as they are, and null takes away what a book need not
/// have.
#[utoipa::path(
    patch,
    path = ITEM,
    operation_id = "patchBook",
    tag = "Books",
    params(("id" = uuid::Uuid, Path, description = "Which book")),
    request_body(content(
        (BookPatchBody = "application/merge-patch+json"),
        (BookPatchBody = "application/json"))),
    responses((status = 200, description = "Changed", body = BookBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn patch_book(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
    id: PathId<BookId>,
    if_match: IfMatch,
    body: PatchBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let BookChange { changes, read_only } = BookChange::read(&body.0)?;
    let change = async |expected| {
        let command = PatchBookCommand { id: id.0, expected, changes: changes.clone() };
        books.patch.execute(command, &scope.0).await
    };
    let read = async || books.read.execute(id.0, &scope.0).await;
    let book = versions::change(&if_match, &read_only, read, change).await?;
    metrics::changed(metrics::Resource::Book, metrics::Change::Patched);
    Ok(present(&book))
}

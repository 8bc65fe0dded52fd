use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::application::DeleteBookCommand;
use book_context::domain::BookId;

use super::{Books, ITEM};
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::read_only::ReadOnly;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Delete a book
///
/// For good: nothing of the book stays.
#[utoipa::path(
    delete,
    path = ITEM,
    operation_id = "deleteBook",
    tag = "Books",
    params(("id" = uuid::Uuid, Path, description = "Which book")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_book(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
    id: PathId<BookId>,
    if_match: IfMatch,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let delete = async |expected| books.delete.execute(DeleteBookCommand { id: id.0, expected }, &scope.0).await;
    let read = async || books.read.execute(id.0, &scope.0).await;
    versions::change(&if_match, &ReadOnly::default(), read, delete).await?;
    metrics::changed(metrics::Resource::Book, metrics::Change::Deleted);
    Ok(HttpResponse::NoContent().finish())
}

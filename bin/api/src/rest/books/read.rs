use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::domain::{Book, BookId};

use super::wire::BookBody;
use super::{Books, ITEM};
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, entity_tag};
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Read a book
#[utoipa::path(
    get,
    path = ITEM,
    operation_id = "readBook",
    tag = "Books",
    params(("id" = uuid::Uuid, Path, description = "Which book")),
    responses(
        (status = 200, description = "The book", body = BookBody, content_type = "application/json",
            headers(("ETag" = String, description = "The version's entity tag"))),
        (status = 304, description = "The caller has this version already"),
    ),
)]
pub(crate) async fn read_book(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
    id: PathId<BookId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let book = books.read.execute(id.0, &scope.0).await?;
    if known.has(book.version()) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, entity_tag(book.version()))).finish());
    }
    Ok(present(&book))
}

/// The answer that shows a book as it is now.
pub(super) fn present(book: &Book) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, entity_tag(book.version()))).json(BookBody::from(book))
}

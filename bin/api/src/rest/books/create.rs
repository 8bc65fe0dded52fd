use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use book_context::domain::Book;
use shared_kernel::idempotency::{Creation, Idempotent};

use super::wire::{BookBody, BookInput, NewBookBody};
use super::{Books, COLLECTION};
use crate::rest::accept;
use crate::rest::etag::entity_tag;
use crate::rest::idempotency::{self, CreatedAnswer, Key};
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::telemetry::metrics;

/// Add a book
///
/// With an `Idempotency-Key`, the same request can be sent again: it adds the book once and is answered with the same bytes.
#[utoipa::path(
    post,
    path = COLLECTION,
    operation_id = "createBook",
    tag = "Books",
    request_body(content = NewBookBody, content_type = "application/json"),
    responses((status = 201, description = "Added", body = BookBody, content_type = "application/json",
        headers(("Location" = String, description = "Where the book is"),
            ("ETag" = String, description = "The version's entity tag"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when an earlier answer was given again")),
        links(
            ("readBook" = (operation_id = "readBook", parameters(("id" = "$response.body#/id")))),
            ("replaceBook" = (operation_id = "replaceBook",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("patchBook" = (operation_id = "patchBook",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("deleteBook" = (operation_id = "deleteBook",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag"))))))),
)]
pub(crate) async fn create_book(
    request: HttpRequest,
    scope: Scope,
    books: Data<Books>,
    key: Key,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = BookInput::create(&body.0)?;
    let render = |book: &Book| answer(book).to_bytes();
    let wish = key.0.map(|key| Idempotent { key, digest: idempotency::digest(&body.0), render: &render });
    match books.create.execute(input.details, wish.as_ref(), &scope.0).await? {
        Creation::Created(book) => {
            metrics::changed(metrics::Resource::Book, metrics::Change::Created);
            Ok(answer(&book).respond())
        }
        Creation::Replayed(bytes) => CreatedAnswer::replay(&bytes),
    }
}

fn answer(book: &Book) -> CreatedAnswer {
    let location = format!("{COLLECTION}/{}", book.id());
    CreatedAnswer::new(location, &entity_tag(book.version()), &BookBody::from(book))
}

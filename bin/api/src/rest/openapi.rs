//! The OpenAPI 3.1 document, made from the code.

mod access;
mod choices;
mod errors;
mod preconditions;

use access::Access;
use choices::Choices;
use errors::Errors;
use preconditions::Preconditions;
use utoipa::{Modify as _, OpenApi};

use super::problem::{Fault, ProblemBody};
use super::{books, connections, documents, health, users};
use crate::Plugins;
use crate::registry::Exports;

/// Gathers what the endpoints say about themselves.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Bindery",
        description = "Users, books and stored connections over any of five SQL engines.\n\nEvery error is a problem (RFC 9457) whose `type` \
            leads to a page that explains it. Changes name the version they are based on in `If-Match`; creations can be \
            repeated safely with an `Idempotency-Key`; lists come in pages with opaque cursors.\n\nWhere users or books \
            are kept per tenant, each request to them names its tenant: in the host name, or in a header that a trusted \
            proxy sets (`Tenant-Id` when nothing else is configured).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "Users", description = "People who use the library"),
        (name = "Books", description = "What the library has"),
        (name = "Connections", description = "Connections to databases that a team has stored; a token is needed"),
        (name = "Operation", description = "How the service is doing"),
    ),
    paths(
        users::list::list_users,
        users::create::create_user,
        users::read::read_user,
        users::replace::replace_user,
        users::patch::patch_user,
        users::delete::delete_user,
        books::list::list_books,
        books::create::create_book,
        books::statistics::book_statistics,
        books::read::read_book,
        books::replace::replace_book,
        books::patch::patch_book,
        books::delete::delete_book,
        connections::list::list_connections,
        connections::create::create_connection,
        connections::engines::list_engines,
        connections::audit::read_audit,
        connections::test::test_connection,
        connections::test_stored::test_stored_connection,
        connections::health::read_health,
        connections::databases::list_databases,
        connections::schema::read_schema,
        connections::export::export_schema,
        connections::lint::lint_schema,
        connections::diff::compare_schemas,
        connections::snapshots::list::list_snapshots,
        connections::snapshots::take::take_snapshot,
        connections::snapshots::read::read_snapshot,
        connections::snapshots::delete::delete_snapshot,
        connections::snapshots::export::export_snapshot,
        connections::snapshots::lint::lint_snapshot,
        connections::read::read_connection,
        connections::replace::replace_connection,
        connections::patch::patch_connection,
        connections::delete::delete_connection,
        health::health,
        health::live,
        health::ready,
        health::prometheus,
        documents::explain_problem,
    ),
    components(schemas(ProblemBody, Fault)),
    modifiers(&Preconditions, &Access, &Errors),
)]
struct Document;

/// The document of a service with nothing from outside.
pub fn document() -> utoipa::openapi::OpenApi {
    document_with(&Exports::new(&Plugins::compiled()))
}

fn document_with(exports: &Exports) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    Choices(exports).modify(&mut document);
    document
}

/// The document as text: what is committed as `docs/openapi.json`, and what `/openapi.json` serves where nothing is from outside.
pub fn document_text() -> String {
    document_text_with(&Exports::new(&Plugins::compiled()))
}

/// The document as text, with the formats and the rules that the service has.
pub(crate) fn document_text_with(exports: &Exports) -> String {
    // The document is plain data, which always has a JSON form.
    let mut text = serde_json::to_string_pretty(&document_with(exports)).unwrap_or_default();
    text.push('\n');
    text
}

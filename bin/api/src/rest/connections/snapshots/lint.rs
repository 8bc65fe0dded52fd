use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{LINT, PathIds};
use crate::rest::accept;
use crate::rest::connections::StoredConnections;
use crate::rest::connections::errors::unreadable;
use crate::rest::connections::export::Source;
use crate::rest::connections::lint::{FindingsBody, Wanted, digest};
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Lint a snapshot
///
/// As `lintConnectionSchema` has it, of what was kept. No database is asked but the registry's own.
#[utoipa::path(
    get,
    path = LINT,
    operation_id = "lintSnapshot",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("snapshot" = uuid::Uuid, Path, description = "Which of its snapshots"),
        ("rule" = Option<String>, Query, description = "Only what this rule finds", nullable = false,
            pattern = "^[a-z-]+$", example = "no-primary-key"),
        ("severity" = Option<String>, Query, description = "Only what is as bad as that or worse", nullable = false,
            pattern = "^(notice|warning|error)$", example = "warning"),
    ),
    responses(
        (status = 200, description = "The findings", body = FindingsBody, content_type = "application/json",
            headers(("ETag" = String, description = "The entity tag of the schema's findings, weak"))),
        (status = 304, description = "The schema is the one that the caller has"),
        (status = 409, description = "There would be too many findings",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn lint_snapshot(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    ids: PathIds,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, &["rule", "severity"]);
    let wanted = Wanted::of(&mut query, connections.exports.lints());
    query.finish()?;
    let read = &connections.snapshots.read;
    let facts = read.facts(ids.connection, ids.snapshot, &scope.0).await?;
    let digest = digest(&facts.record().fingerprint);
    let tag = (header::ETAG, content_tag(&digest));
    if known.has_content(&digest) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    let (snapshot, document) = read.execute(ids.connection, ids.snapshot, &scope.0).await?;
    let (lints, body) = (connections.exports.lints().clone(), FindingsBody::of(&snapshot));
    let judge = move |found: schema_model::Inspection| wanted.body(&lints, &found.database, body);
    let body = connections.schemas.documents.unpacked(document, judge).await.map_err(|error| unreadable(&error))?;
    let body = body.map_err(|failure| Source::Snapshot.not_made(&failure))?;
    Ok(HttpResponse::Ok().insert_header(tag).content_type("application/json").body(body))
}

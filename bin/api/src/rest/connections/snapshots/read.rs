use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::Snapshot;
use schema_model::Inspection;

use super::wire::{SnapshotBody, SnapshotDocumentBody};
use super::{ITEM, PathIds};
use crate::rest::accept;
use crate::rest::connections::StoredConnections;
use crate::rest::connections::errors::unreadable;
use crate::rest::etag::{IfNoneMatch, entity_tag};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Read a snapshot
///
/// What the connection's schema was when the snapshot was taken, as `readConnectionSchema` shows it, and what is known of the
/// snapshot. No database is asked but the registry's own.
#[utoipa::path(
    get,
    path = ITEM,
    operation_id = "readSnapshot",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("snapshot" = uuid::Uuid, Path, description = "Which of its snapshots"),
    ),
    responses(
        (status = 200, description = "The snapshot", body = SnapshotDocumentBody, content_type = "application/json",
            headers(("ETag" = String, description = "The snapshot's entity tag"))),
        (status = 304, description = "The caller has it: a snapshot never changes"),
    ),
)]
pub(crate) async fn read_snapshot(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    ids: PathIds,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let tag = (header::ETAG, entity_tag(Snapshot::VERSION));
    let read = &connections.snapshots.read;
    if known.has(Snapshot::VERSION) {
        read.facts(ids.connection, ids.snapshot, &scope.0).await?;
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    let (snapshot, document) = read.execute(ids.connection, ids.snapshot, &scope.0).await?;
    let facts = SnapshotBody::from(&snapshot);
    let body = connections.schemas.documents.unpacked(document, move |found| {
        let Inspection { database, statistics, samples, key_samples, report, .. } = found;
        serde_json::to_vec(&SnapshotDocumentBody {
            snapshot: facts,
            database: database.canonical(),
            statistics,
            samples,
            key_samples,
            report,
        })
    });
    let body = body.await.map_err(|error| unreadable(&error))?.map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok().insert_header(tag).content_type("application/json").body(body))
}

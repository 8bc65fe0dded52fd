use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::DeleteSnapshotCommand;

use super::{ITEM, PathIds};
use crate::rest::connections::StoredConnections;
use crate::rest::etag::IfMatch;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::read_only::ReadOnly;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Delete a snapshot
///
/// For good. What the audit tells of it stays.
#[utoipa::path(
    delete,
    path = ITEM,
    operation_id = "deleteSnapshot",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("snapshot" = uuid::Uuid, Path, description = "Which of its snapshots"),
    ),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_snapshot(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    ids: PathIds,
    if_match: IfMatch,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let PathIds { connection, snapshot: id } = ids;
    let snapshots = &connections.snapshots;
    let delete =
        async |expected| snapshots.delete.execute(DeleteSnapshotCommand { connection, id, expected }, &scope.0).await;
    let read = async || snapshots.read.facts(connection, id, &scope.0).await;
    versions::change(&if_match, &ReadOnly::default(), read, delete).await?;
    metrics::changed(metrics::Resource::Snapshot, metrics::Change::Deleted);
    Ok(HttpResponse::NoContent().finish())
}

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::DeleteConnectionCommand;
use registry_context::domain::ConnectionId;

use super::{ITEM, StoredConnections};
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::read_only::ReadOnly;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Delete a connection
///
/// For good, its secrets with it. What the audit tells of it stays.
#[utoipa::path(
    delete,
    path = ITEM,
    operation_id = "deleteConnection",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    if_match: IfMatch,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let delete =
        async |expected| connections.delete.execute(DeleteConnectionCommand { id: id.0, expected }, &scope.0).await;
    let read = async || connections.read.execute(id.0, &scope.0).await;
    versions::change(&if_match, &ReadOnly::default(), read, delete).await?;
    connections.live.redefined(id.0);
    metrics::changed(metrics::Resource::Connection, metrics::Change::Deleted);
    Ok(HttpResponse::NoContent().finish())
}

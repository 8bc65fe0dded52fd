use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::ConnectionId;

use super::report::HealthBody;
use super::{HEALTH, StoredConnections};
use crate::rest::accept;
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Read a connection's health
///
/// How it did in its last test; 404 when there was none.
#[utoipa::path(
    get,
    path = HEALTH,
    operation_id = "readConnectionHealth",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    responses((status = 200, description = "The last result", body = HealthBody, content_type = "application/json")),
)]
pub(crate) async fn read_health(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let (health, is_current) = connections.health.execute(id.0, &scope.0).await?;
    Ok(HttpResponse::Ok().json(HealthBody::new(&health, is_current)))
}

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::ConnectionId;

use super::report::{HealthBody, note};
use super::{ITEM_TEST, StoredConnections};
use crate::rest::accept;
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Test a stored connection
///
/// As it is now, with its stored secrets, on a connection that is closed again. The result is kept as the connection's health.
#[utoipa::path(
    post,
    path = ITEM_TEST,
    operation_id = "testStoredConnection",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    responses(
        (status = 200, description = "What came of it", body = HealthBody, content_type = "application/json"),
        (status = 422, description = "The connection lacks what was dropped or is no longer allowed; every fault is named",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn test_stored_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let health = connections.test_stored.execute(id.0, &scope.0).await?;
    note(&request, &health.report);
    Ok(HttpResponse::Ok().json(HealthBody::new(&health, true)))
}

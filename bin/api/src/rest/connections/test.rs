use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::report::{ReportBody, note};
use super::wire::{ConnectionInput, NewConnectionBody};
use super::{StoredConnections, TEST};
use crate::rest::accept;
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Test a connection without storing it
///
/// Goes the way to the database once, stage by stage, on a connection that is closed again. The answer is 200 whatever comes
/// of it; a server that is not reached is told in one way and after one time, whatever the reason.
#[utoipa::path(
    post,
    path = TEST,
    operation_id = "testConnection",
    tag = "Connections",
    request_body(content = NewConnectionBody, content_type = "application/json"),
    responses((status = 200, description = "What came of it", body = ReportBody, content_type = "application/json")),
)]
pub(crate) async fn test_connection(
    request: HttpRequest,
    _scope: Scope,
    connections: Data<StoredConnections>,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let ConnectionInput { definition, secrets, found, .. } = ConnectionInput::create(&body.0)?;
    let report = connections.test.execute(definition, secrets, &found).await?;
    note(&request, &report);
    Ok(HttpResponse::Ok().json(ReportBody::from(&report)))
}

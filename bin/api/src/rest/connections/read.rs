use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, StoredConnection};

use super::wire::ConnectionBody;
use super::{ITEM, StoredConnections};
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, entity_tag};
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Read a connection
///
/// Of its secrets only whether there are any.
#[utoipa::path(
    get,
    path = ITEM,
    operation_id = "readConnection",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    responses(
        (status = 200, description = "The connection", body = ConnectionBody, content_type = "application/json",
            headers(("ETag" = String, description = "The version's entity tag"))),
        (status = 304, description = "The caller has this version already"),
    ),
)]
pub(crate) async fn read_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let connection = connections.read.execute(id.0, &scope.0).await?;
    if known.has(connection.version()) {
        let tag = entity_tag(connection.version());
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    Ok(present(&connection))
}

/// The answer that shows a connection as it is now.
pub(super) fn present(connection: &StoredConnection) -> HttpResponse {
    let tag = entity_tag(connection.version());
    HttpResponse::Ok().insert_header((header::ETAG, tag)).json(ConnectionBody::from(connection))
}

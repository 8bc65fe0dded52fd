use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::ReplaceConnectionCommand;
use registry_context::domain::ConnectionId;

use super::read::present;
use super::wire::{ConnectionBody, ConnectionInput, ConnectionReplacementBody};
use super::{ITEM, StoredConnections};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Replace a connection
///
/// Puts new values in the place of all that a caller may set. The body of an earlier answer can be sent back: what only the
/// service sets is accepted as it was read. A secret of which nothing is said stays, and null takes it away; one is dropped
/// when the connection leads elsewhere from now on (engine, host, port, user, path, TLS, an option that has a say in it),
/// unless a new one comes along.
#[utoipa::path(
    put,
    path = ITEM,
    operation_id = "replaceConnection",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    request_body(content = ConnectionReplacementBody, content_type = "application/json"),
    responses((status = 200, description = "Replaced", body = ConnectionBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn replace_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = ConnectionInput::replace(&body.0)?;
    let change = async |expected| {
        let ConnectionInput { definition, secrets, found, .. } = input.clone();
        let command = ReplaceConnectionCommand { id: id.0, expected, definition, secrets, found };
        connections.replace.execute(command, &scope.0).await
    };
    let read = async || connections.read.execute(id.0, &scope.0).await;
    let connection = versions::change(&if_match, &input.read_only, read, change).await?;
    connections.live.redefined(id.0);
    metrics::changed(metrics::Resource::Connection, metrics::Change::Replaced);
    Ok(present(&connection))
}

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::ReplaceConnectionCommand;
use registry_context::domain::ConnectionId;

use super::read::present;
use super::wire::{ConnectionBody, ConnectionInput, ConnectionPatchBody, SERVICE_FIELDS};
use super::{ITEM, StoredConnections};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::{Faults, Object, PatchBody};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::read_only::ReadOnly;
use crate::rest::scope::Scope;
use crate::rest::versions::{self, stale};
use crate::telemetry::metrics;

/// Change parts of a connection
///
/// A merge patch (RFC 7396): fields that are left out stay as they are, and null takes away what a connection need not have.
/// A secret is dropped when the connection leads elsewhere from now on, unless a new one comes along. Of `password` and
/// `secret`, the one that is given takes the place of the other.
#[utoipa::path(
    patch,
    path = ITEM,
    operation_id = "patchConnection",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    request_body(content(
        (ConnectionPatchBody = "application/merge-patch+json"),
        (ConnectionPatchBody = "application/json"))),
    responses((status = 200, description = "Changed", body = ConnectionBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn patch_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    if_match: IfMatch,
    body: PatchBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let mut object = Object::new(&body.0, "", &mut Faults::default());
    let read_only = ReadOnly::take(&mut object, SERVICE_FIELDS);
    let change = async |expected| {
        let present = connections.read.execute(id.0, &scope.0).await?;
        if present.version() != expected {
            return Err(stale());
        }
        let ConnectionInput { definition, secrets, found, .. } = ConnectionInput::patch(&present, &body.0)?;
        let command = ReplaceConnectionCommand { id: id.0, expected, definition, secrets, found };
        Ok(connections.replace.execute(command, &scope.0).await?)
    };
    let read = async || connections.read.execute(id.0, &scope.0).await;
    let connection = versions::change(&if_match, &read_only, read, change).await?;
    connections.live.redefined(id.0);
    metrics::changed(metrics::Resource::Connection, metrics::Change::Patched);
    Ok(present(&connection))
}

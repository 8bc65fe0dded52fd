use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::CreateConnectionCommand;
use registry_context::domain::StoredConnection;
use shared_kernel::idempotency::{Creation, Idempotent};

use super::wire::{ConnectionBody, ConnectionInput, NewConnectionBody, without_secrets};
use super::{COLLECTION, StoredConnections};
use crate::rest::accept;
use crate::rest::etag::entity_tag;
use crate::rest::idempotency::{self, CreatedAnswer, Key};
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::telemetry::metrics;

/// Store a connection
///
/// Its parts one by one, or `url` in their place. Secrets are taken and never given back. With an `Idempotency-Key`, the same
/// request can be sent again: it stores the connection once and is answered with the same bytes; what a secret is, is not
/// compared.
#[utoipa::path(
    post,
    path = COLLECTION,
    operation_id = "createConnection",
    tag = "Connections",
    request_body(content = NewConnectionBody, content_type = "application/json"),
    responses((status = 201, description = "Stored", body = ConnectionBody, content_type = "application/json",
        headers(("Location" = String, description = "Where the connection is"),
            ("ETag" = String, description = "The version's entity tag"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when an earlier answer was given again")),
        links(
            ("readConnection" = (operation_id = "readConnection", parameters(("id" = "$response.body#/id")))),
            ("replaceConnection" = (operation_id = "replaceConnection",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("patchConnection" = (operation_id = "patchConnection",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("deleteConnection" = (operation_id = "deleteConnection",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag"))))))),
)]
pub(crate) async fn create_connection(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    key: Key,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let ConnectionInput { definition, secrets, found, .. } = ConnectionInput::create(&body.0)?;
    let render = |connection: &StoredConnection| answer(connection).to_bytes();
    let digest = || idempotency::digest(&without_secrets(&body.0));
    let wish = key.0.map(|key| Idempotent { key, digest: digest(), render: &render });
    let command = CreateConnectionCommand { definition, secrets, found };
    match connections.create.execute(command, wish.as_ref(), &scope.0).await? {
        Creation::Created(connection) => {
            metrics::changed(metrics::Resource::Connection, metrics::Change::Created);
            Ok(answer(&connection).respond())
        }
        Creation::Replayed(bytes) => CreatedAnswer::replay(&bytes),
    }
}

fn answer(connection: &StoredConnection) -> CreatedAnswer {
    let location = format!("{COLLECTION}/{}", connection.id());
    CreatedAnswer::new(location, &entity_tag(connection.version()), &ConnectionBody::from(connection))
}

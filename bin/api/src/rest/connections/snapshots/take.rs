use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::application::TakeSnapshotCommand;
use registry_context::domain::{ConnectionId, Snapshot};
use shared_kernel::idempotency::{Creation, Idempotent};

use super::COLLECTION;
use super::wire::{NewSnapshotBody, SnapshotBody, SnapshotInput};
use crate::rest::accept;
use crate::rest::connections::StoredConnections;
use crate::rest::etag::entity_tag;
use crate::rest::id::PathId;
use crate::rest::idempotency::{self, CreatedAnswer, Key};
use crate::rest::json::OptionalJsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::telemetry::metrics;

/// Take a snapshot of a connection's schema
///
/// The database is looked at now, all of it, and what is found is kept until somebody deletes it or the
/// connection. With an `Idempotency-Key`, the same request can be sent again: it takes one snapshot, and no second look. A
/// connection has so many snapshots, 100 when the operator has not said otherwise, and each so much room; beyond that the answer
/// is `limit-reached`, and nothing is deleted to make room.
#[utoipa::path(
    post,
    path = COLLECTION,
    operation_id = "takeSnapshot",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    request_body(content = Option<NewSnapshotBody>, content_type = "application/json",
        description = "What to look at and what to call it; no body is all of the database, without a label"),
    responses(
        (status = 201, description = "Taken", body = SnapshotBody, content_type = "application/json",
            headers(("Location" = String, description = "Where the snapshot is"),
                ("ETag" = String, description = "The snapshot's entity tag"),
                ("Idempotency-Replayed" = Option<String>, description = "`true` when an earlier answer was given again")),
            links(
                ("readSnapshot" = (operation_id = "readSnapshot",
                    parameters(("id" = "$response.body#/connection_id"), ("snapshot" = "$response.body#/id")))),
                ("deleteSnapshot" = (operation_id = "deleteSnapshot",
                    parameters(("id" = "$response.body#/connection_id"), ("snapshot" = "$response.body#/id"),
                        ("If-Match" = "$response.header.ETag")))))),
        (status = 409, description = "The connection cannot be used as it is, its engine cannot be looked at, there is no \
                room for a snapshot, or a request with the same idempotency key is under way",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = Option<String>, description = "Seconds after which to try again"))),
    ),
)]
pub(crate) async fn take_snapshot(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    key: Key,
    body: OptionalJsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = SnapshotInput::read(body.0.as_ref())?;
    let render = |snapshot: &Snapshot| answer(snapshot).to_bytes();
    let digest = || idempotency::digest(&input.canonical(id.0));
    let wish = key.0.map(|key| Idempotent { key, digest: digest(), render: &render });
    let command = TakeSnapshotCommand { connection: id.0, part: input.part.clone(), label: input.label.clone() };
    match connections.snapshots.take.execute(command, wish.as_ref(), &scope.0).await? {
        Creation::Created(snapshot) => {
            metrics::changed(metrics::Resource::Snapshot, metrics::Change::Created);
            Ok(answer(&snapshot).respond())
        }
        Creation::Replayed(bytes) => CreatedAnswer::replay(&bytes),
    }
}

fn answer(snapshot: &Snapshot) -> CreatedAnswer {
    let collection = COLLECTION.replace("{id}", &snapshot.record().connection.to_string());
    let location = format!("{collection}/{}", snapshot.id());
    CreatedAnswer::new(location, &entity_tag(Snapshot::VERSION), &SnapshotBody::from(snapshot))
}

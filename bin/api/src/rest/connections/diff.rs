use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, Snapshot, SnapshotId};
use schema_diff::Diff;
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;
use uuid::Uuid;

use super::errors::unreadable;
use super::{DIFF, StoredConnections};
use crate::registry::{KeptSchema, Seen};
use crate::rest::accept;
use crate::rest::id::PathId;
use crate::rest::instant::instant;
use crate::rest::problem::{Fault, Problem};
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// What is different between two schemas.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaComparison)]
pub(crate) struct DiffBody {
    /// What was there before.
    from: DiffSideBody,
    /// What is there now, or was there later.
    to: DiffSideBody,
    #[serde(flatten)]
    diff: Diff,
}

/// One of the two that were compared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaComparisonSide)]
pub(crate) struct DiffSideBody {
    /// Which snapshot it is; null where it is the database as it was found for this answer.
    #[schema(required, example = "0190163d-8694-739b-aea5-966c26f8ad92")]
    snapshot_id: Option<Uuid>,
    /// Of which connection's database.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    connection_id: Uuid,
    /// Which version of the connection was followed.
    #[schema(minimum = 1, example = 1)]
    connection_version: i64,
    /// The part of the database that was looked at; null where it was all of it.
    #[schema(required, max_length = 200, example = "public")]
    schema: Option<String>,
    /// When the database was looked at: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    taken_at: String,
    /// SHA-256 of the model's canonical JSON (RFC 8785), in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$", example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    fingerprint: String,
}

/// Compare a snapshot with another or with the database
///
/// What has changed since the snapshot `from`, one line for each cause, and whether it breaks what worked before. `to` is a snapshot
/// of any connection; left out, it is the connection's database, looked at now, the same part of it that `from` is of. Renames are
/// seen where the engine numbers its objects and both are of one database.
#[utoipa::path(
    get,
    path = DIFF,
    operation_id = "compareSchemas",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("from" = uuid::Uuid, Query, description = "One of its snapshots"),
        ("to" = Option<uuid::Uuid>, Query, description = "A snapshot of any connection; the database as it is now when it is left out",
            nullable = false),
    ),
    responses(
        (status = 200, description = "What is different", body = DiffBody, content_type = "application/json"),
        (status = 409, description = "The connection cannot be used as it is, or its engine cannot be looked at",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn compare_schemas(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, &["from", "to"]);
    let from = query.with("from", "invalid_id", snapshot_id);
    let to = query.with("to", "invalid_id", snapshot_id);
    if query.get("from").is_none() {
        query.fault("from", "required", "`from` is required: the id of a snapshot of this connection");
    }
    query.finish()?;
    let from = from.ok_or_else(Problem::internal)?;
    let (before, document) = connections.snapshots.read.execute(id.0, from, &scope.0).await?;
    let (to, seen) = if let Some(to) = to {
        let (after, document) = connections.snapshots.read.of_any(to, &scope.0).await?;
        let (one, other) = (before.record(), after.record());
        if one.connection == other.connection && one.part != other.part {
            let fault = "the two snapshots are of different parts of the database: what is outside of one would be told as gone or new";
            return Err(Problem::invalid_query(vec![Fault::parameter("to", "different_parts", fault)]));
        }
        let here = one.connection == other.connection;
        (DiffSideBody::from(&after), if here { Seen::Document(document) } else { Seen::Elsewhere(document) })
    } else {
        let version = connections.read.execute(id.0, &scope.0).await?.version();
        let part = before.record().part.clone();
        let kept = connections.schemas.look_now(id.0, version, part, &scope.0).await?;
        (DiffSideBody::now(&before, version, &kept), Seen::Kept(kept))
    };
    let from = DiffSideBody::from(&before);
    let diff = connections.schemas.documents.differences(document, seen).await.map_err(|error| unreadable(&error))?;
    Ok(HttpResponse::Ok().json(DiffBody { from, to, diff }))
}

fn snapshot_id(text: &str) -> Result<SnapshotId, &'static str> {
    let id = Some(text).filter(|text| text.len() == 36).and_then(|text| text.parse().ok());
    id.ok_or("the id of a snapshot, a UUID with hyphens")
}

impl From<&Snapshot> for DiffSideBody {
    fn from(snapshot: &Snapshot) -> Self {
        let record = snapshot.record();
        Self {
            snapshot_id: Some(record.id.uuid()),
            connection_id: record.connection.uuid(),
            connection_version: record.connection_version.get(),
            schema: record.part.as_ref().map(ToString::to_string),
            taken_at: instant(record.taken_at),
            fingerprint: record.fingerprint.clone(),
        }
    }
}

impl DiffSideBody {
    /// What was found now in the same place as a snapshot.
    fn now(of: &Snapshot, version: Version, kept: &KeptSchema) -> Self {
        Self {
            snapshot_id: None,
            connection_version: version.get(),
            taken_at: instant(kept.taken_at),
            fingerprint: kept.fingerprint.to_string(),
            ..Self::from(of)
        }
    }
}

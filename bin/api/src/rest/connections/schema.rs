use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, PartName};
use schema_model::{Database, KeySample, RelationStatistics, Report, Sample};
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;

use super::{SCHEMA, StoredConnections};
use crate::registry::KeptSchema;
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::id::PathId;
use crate::rest::instant::instant;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// What is in a connection's database.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schema)]
pub(crate) struct SchemaBody<'a> {
    /// Which version of the connection was followed.
    #[schema(minimum = 1, example = 1)]
    connection_version: i64,
    /// When the database was looked at.
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.000000Z")]
    taken_at: String,
    /// SHA-256 of the model's canonical JSON (RFC 8785), in hexadecimal digits: equal schemas have equal ones.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
    /// The model.
    database: &'a Database,
    /// How much of it there is, as the engine last counted.
    statistics: &'a [RelationStatistics],
    /// What some of the documents look like, of an engine that knows no more of them: other ones each time, and no part of the
    /// fingerprint. No value is told, nor a key that is one. Left out where there are none.
    #[serde(skip_serializing_if = "<[Sample]>::is_empty")]
    #[schema(required = false)]
    samples: &'a [Sample],
    /// What some of the keys look like, of an engine that keeps values under keys: other ones each time, and no part of the
    /// fingerprint. No value is told, and of keys only patterns. Left out where there are none.
    #[serde(skip_serializing_if = "<[KeySample]>::is_empty")]
    #[schema(required = false)]
    key_samples: &'a [KeySample],
    /// How it was found, and what was not.
    report: &'a Report,
}

/// Read a connection's schema
///
/// What is in the database that the connection leads to, in words that are the same for every engine, with what only one engine
/// knows beside it. It is kept for an hour: `Age` says for how long already, in seconds, and `refresh=true` has it read anew. What cannot be read
/// because somebody holds a lock, or because the user may not, is marked so.
///
/// Of MongoDB, the database that `schema` names is looked at, or else the connection's own, or else the one with the most in it, as
/// `report.choice` says. What was declared of its collections is the model; `samples` tell what at most 20 documents of each look like.
///
/// Of Redis, the databases that have keys are looked at; `schema` names one of them, such as `db0`. `key_samples` tell which patterns about
/// 1,000 keys of each have, and of each pattern the types, how many expire and when, lengths, memory and the fields of hashes.
#[utoipa::path(
    get,
    path = SCHEMA,
    operation_id = "readConnectionSchema",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("schema" = Option<String>, Query, description = "Only the part of the database that is called so; letter case counts",
            nullable = false, min_length = 1, max_length = 200, pattern = "^[^\\u0000]+$", example = "public"),
        ("refresh" = Option<bool>, Query, description = "Whether the database is looked at now, whatever is kept", nullable = false),
    ),
    responses(
        (status = 200, description = "The schema", body = SchemaBody, content_type = "application/json",
            headers(("ETag" = String, description = "The schema's entity tag, weak"), ("Age" = u64, description = "Seconds"))),
        (status = 304, description = "The schema is the one that the caller has"),
        (status = 409, description = "The connection cannot be used as it is, or its engine cannot be looked at",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_schema(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, &["schema", "refresh"]);
    let namespace = query.with("schema", "bad_name", PartName::parse);
    let anew = query.with("refresh", "bad_switch", str::parse::<bool>).unwrap_or_default();
    query.finish()?;
    let version = connections.read.execute(id.0, &scope.0).await?.version();
    let kept = connections.schemas.read(id.0, version, namespace, anew, &scope.0).await?;
    let tag = kept.fingerprint.to_string();
    let is_known = known.has_content(&tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, content_tag(&tag)));
    response.insert_header((header::AGE, connections.schemas.age(&kept).to_string()));
    Ok(if is_known { response.finish() } else { response.json(SchemaBody::new(version, &kept)) })
}

impl<'a> SchemaBody<'a> {
    fn new(version: Version, kept: &'a KeptSchema) -> Self {
        Self {
            connection_version: version.get(),
            taken_at: instant(kept.taken_at),
            fingerprint: kept.fingerprint.to_string(),
            database: &kept.inspection.database,
            statistics: &kept.inspection.statistics,
            samples: &kept.inspection.samples,
            key_samples: &kept.inspection.key_samples,
            report: &kept.inspection.report,
        }
    }
}

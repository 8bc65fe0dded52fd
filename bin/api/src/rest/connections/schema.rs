use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::ConnectionId;
use schema_inspect::InspectError;
use schema_model::{Database, RelationStatistics, Report};
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;

use super::{SCHEMA, StoredConnections, databases};
use crate::registry::Snapshot;
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::id::PathId;
use crate::rest::instant::instant;
use crate::rest::problem::{Problem, ProblemKind};
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// How long the server may take, connecting included.
const LIMIT: Duration = Duration::from_secs(20);

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
    /// How it was found, and what was not.
    report: &'a Report,
}

/// Read a connection's schema
///
/// What is in the database that the connection leads to, in words that are the same for every engine, with what only one engine
/// knows beside it. It is kept for an hour: `Age` says for how long already, in seconds, and `refresh=true` has it read anew. What cannot be read
/// because somebody holds a lock, or because the user may not, is marked so.
#[utoipa::path(
    get,
    path = SCHEMA,
    operation_id = "readConnectionSchema",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("schema" = Option<String>, Query, description = "Only the part of the database that is called so; letter case counts",
            nullable = false, min_length = 1, max_length = 200, example = "public"),
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
    let namespace = query.with("schema", "bad_name", namespace);
    let anew = query.with("refresh", "bad_switch", str::parse::<bool>).unwrap_or_default();
    query.finish()?;
    let version = connections.read.execute(id.0, &scope.0).await?.version();
    let read = connections.schemas.read(id.0, version, namespace, anew, &scope.0.within(LIMIT)).await;
    let snapshot = read.map_err(|error| problem(&error))?;
    let tag = snapshot.fingerprint.to_string();
    let is_known = known.has_content(&tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, content_tag(&tag)));
    response.insert_header((header::AGE, connections.schemas.age(&snapshot).to_string()));
    Ok(if is_known { response.finish() } else { response.json(SchemaBody::new(version, &snapshot)) })
}

impl<'a> SchemaBody<'a> {
    fn new(version: Version, snapshot: &'a Snapshot) -> Self {
        Self {
            connection_version: version.get(),
            taken_at: instant(snapshot.taken_at),
            fingerprint: snapshot.fingerprint.to_string(),
            database: &snapshot.inspection.database,
            statistics: &snapshot.inspection.statistics,
            report: &snapshot.inspection.report,
        }
    }
}

fn namespace(text: &str) -> Result<String, &'static str> {
    let fits = (1..=200).contains(&text.chars().count()) && !text.contains('\0');
    if fits { Ok(text.to_owned()) } else { Err("a name has 1 to 200 characters, none of them U+0000") }
}

fn problem(error: &InspectError) -> Problem {
    let unusable = |detail: &str| Problem::new(ProblemKind::ConnectionUnusable, detail.to_owned());
    match error {
        InspectError::Database { source, .. } => databases::problem(source),
        InspectError::UnknownEngine(_) => unusable("databases of the connection's engine cannot be looked at"),
        InspectError::TooOld { needed, .. } => unusable(&format!("the server is too old: {needed} or later is needed")),
        _ => unusable("the database cannot be looked at"),
    }
}

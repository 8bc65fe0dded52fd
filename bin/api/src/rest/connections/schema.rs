use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::ConnectionId;
use schema_model::{Database, KeySample, RelationStatistics, Report, Sample};
use serde::Serialize;
use serde_json::value::RawValue;
use shared_kernel::Version;
use utoipa::ToSchema;

use super::schema_parts::{Included, Part};
use super::schema_query::{SchemaParams, SchemaQuery};
use super::{SCHEMA, StoredConnections};
use crate::registry::KeptSchema;
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::id::PathId;
use crate::rest::in_pieces::in_pieces;
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
    /// When the database was looked at, or last found to be as it was.
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.000000Z")]
    taken_at: String,
    /// SHA-256 of the model's canonical JSON (RFC 8785), in hexadecimal digits: equal schemas have equal ones.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
    /// The model.
    #[schema(value_type = Database)]
    database: &'a RawValue,
    /// How much of it there is, as the engine last counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = Vec<RelationStatistics>)]
    statistics: Option<&'a Vec<RelationStatistics>>,
    /// What some of the documents look like, of an engine that knows no more of them: other ones each time, and no part of the
    /// fingerprint. No value is told, nor a key that is one. Left out where there are none.
    #[serde(skip_serializing_if = "<[Sample]>::is_empty")]
    #[schema(required = false)]
    samples: &'a [Sample],
    /// What some of the keys look like, of an engine that keeps values under keys: other ones each time, and no part of the
    /// fingerprint. No value is told, and of keys only patterns, one of which is the key itself where nothing in it looks like data.
    /// Left out where there are none.
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
/// because somebody holds a lock, or because the user may not, is marked so. Where a PostgreSQL or SQLite database has not changed, one question tells
/// so, `report` tells of that one alone, and the rest is as it was.
///
/// `database` names another database on the server; of MySQL, MariaDB, MongoDB and Redis, a schema is a database, and either parameter will do.
/// SQLite's one is called `main`. What is named and is not there, or is not shown to the connection's user, is 404, `unknown-database` or `unknown-schema`.
/// Of MongoDB, the database that is named is looked at, or else the connection's own, or else the one with the most in it, as
/// `report.choice` says. What was declared of its collections is the model; `samples` tell what some documents of each look like, at most `sample` of them.
///
/// Of DynamoDB, the table that the connection or `database` names is looked at, or else all that its identity may list, in the one
/// namespace `default`. What was declared of them is the model; `samples` tell what the first `sample` items or fewer of each look like.
///
/// Of Redis, the databases that have keys are looked at; `database` and `schema` name one of them, such as `db0`. `key_samples` tell which patterns about
/// 1,000 keys of each have, and of each pattern the types, how many expire and when, lengths, memory and the fields of hashes.
#[utoipa::path(
    get,
    path = SCHEMA,
    operation_id = "readConnectionSchema",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        SchemaParams,
        ("include" = Option<String>, Query, description = "Only these parts of the answer, with commas between them: some of \
                `relations`, `collections`, `sequences`, `types`, `routines`, `events`, `extensions`, `native_objects`, `statistics`, `samples`",
            nullable = false, example = "relations,statistics",
            pattern = "^(relations|collections|sequences|types|routines|events|extensions|native_objects|statistics|samples)(,(relations|collections|sequences|types|routines|events|extensions|native_objects|statistics|samples))*$"),
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
    let mut query = Query::of(&request, &SchemaQuery::parameters(&["include"]));
    let wanted = SchemaQuery::take(&mut query);
    let included = Included::take(&mut query);
    query.finish()?;
    let connection = connections.read.execute(id.0, &scope.0).await?;
    let version = connection.version();
    let (anew, part) = (wanted.anew, wanted.part(connection.definition(), &connections)?);
    let kept = connections.schemas.read(id.0, version, part, anew, &scope.0).await?;
    let tag = format!("{}{}", kept.fingerprint, included.mark());
    let is_known = known.has_content(&tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, content_tag(&tag)));
    response.insert_header((header::AGE, connections.schemas.age(&kept).to_string()));
    if is_known {
        return Ok(response.finish());
    }
    let [before, after] = SchemaBody::new(version, &kept, &included).around().ok_or_else(Problem::internal)?;
    // A part is written for its caller alone, as an export is; the whole is one text for all.
    let model = if included.is_all() {
        kept.canonical.clone()
    } else {
        let written = move || Bytes::from(included.of(&kept.inspection.database).canonical_json());
        connections.schemas.documents.apart(written).await.ok_or_else(Problem::internal)?
    };
    Ok(response.content_type("application/json").body(in_pieces([before, model, after])))
}

impl<'a> SchemaBody<'a> {
    /// All but the model.
    fn new(version: Version, kept: &'a KeptSchema, included: &Included) -> Self {
        let inspection = &kept.inspection;
        Self {
            connection_version: version.get(),
            taken_at: instant(kept.taken_at),
            fingerprint: kept.fingerprint.to_string(),
            database: RawValue::NULL,
            statistics: included.has(Part::Statistics).then_some(&inspection.statistics),
            samples: if included.has(Part::Samples) { &inspection.samples } else { &[] },
            key_samples: if included.has(Part::Samples) { &inspection.key_samples } else { &[] },
            report: &inspection.report,
        }
    }

    /// What is written before the model and after it. The model is sent as it is kept, and not written once more for each answer.
    fn around(&self) -> Option<[Bytes; 2]> {
        const MODEL: &str = "\"database\":";
        const NONE: &str = "null";
        let text = serde_json::to_string(self).ok()?;
        // Nothing before it says anything that somebody else has written.
        let begin = text.find(&[MODEL, NONE].concat())? + MODEL.len();
        let text = Bytes::from(text);
        Some([text.slice(..begin), text.slice(begin + NONE.len()..)])
    }
}

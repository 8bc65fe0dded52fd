use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, Snapshot};
use schema_lint::{Finding, Lints, Severity};
use schema_model::Database;
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;
use uuid::Uuid;

use super::export::Source;
use super::schema_query::{SchemaParams, SchemaQuery};
use super::{LINT, StoredConnections};
use crate::registry::{ExportFailure, Exports, KeptSchema};
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, content_tag};
use crate::rest::id::PathId;
use crate::rest::instant::instant;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// What is doubtful in a schema.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaFindings)]
pub(crate) struct FindingsBody {
    /// Which snapshot was judged; null where it is the database.
    #[schema(required, example = "0190163d-8694-739b-aea5-966c26f8ad92")]
    snapshot_id: Option<Uuid>,
    /// Which version of the connection was followed.
    #[schema(minimum = 1, example = 1)]
    connection_version: i64,
    /// When the database was looked at, or last found to be as it was.
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.000000Z")]
    taken_at: String,
    /// SHA-256 of the model's canonical JSON (RFC 8785), in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
    /// How many findings there are.
    counts: CountsBody,
    /// The worst first, then by where they are.
    findings: Vec<Finding>,
}

/// How many findings there are of each severity, among those that were asked for.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = SchemaFindingCounts)]
pub(crate) struct CountsBody {
    /// What is wrong, or about to be.
    error: usize,
    /// What costs something, or will.
    warning: usize,
    /// What is worth knowing.
    notice: usize,
}

/// Lint a connection's schema
///
/// What is doubtful in the schema that `readConnectionSchema` shows, with the facts that each finding rests on: tables without a
/// primary key, indexes that are there twice, foreign keys without an index, names that need quotes, and more. A rule keeps its name.
#[utoipa::path(
    get,
    path = LINT,
    operation_id = "lintConnectionSchema",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("rule" = Option<String>, Query, description = "Only what this rule finds", nullable = false,
            pattern = "^[a-z-]+$", example = "no-primary-key"),
        ("severity" = Option<String>, Query, description = "Only what is as bad as that or worse", nullable = false,
            pattern = "^(notice|warning|error)$", example = "warning"),
        SchemaParams
    ),
    responses(
        (status = 200, description = "The findings", body = FindingsBody, content_type = "application/json",
            headers(("ETag" = String, description = "The entity tag of the schema's findings, weak"),
                ("Age" = u64, description = "Seconds"))),
        (status = 304, description = "The schema is the one that the caller has"),
        (status = 409, description = "The connection cannot be used as it is, its engine cannot be looked at, or there would be too \
                many findings",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn lint_schema(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, &SchemaQuery::parameters(&["rule", "severity"]));
    let wanted = Wanted::of(&mut query, connections.exports.lints());
    let question = SchemaQuery::take(&mut query);
    query.finish()?;
    let connection = connections.read.execute(id.0, &scope.0).await?;
    let version = connection.version();
    let (anew, part) = (question.anew, question.part(connection.definition(), &connections)?);
    let kept = connections.schemas.read(id.0, version, part, anew, &scope.0).await?;
    let digest = digest(&kept.fingerprint.to_string());
    let is_known = known.has_content(&digest);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, content_tag(&digest)));
    response.insert_header((header::AGE, connections.schemas.age(&kept).to_string()));
    if is_known {
        return Ok(response.finish());
    }
    let lints = connections.exports.lints().clone();
    let body = move || wanted.body(&lints, &kept.inspection.database, FindingsBody::now(version, &kept));
    let body = connections.schemas.documents.apart(body).await.ok_or_else(Problem::internal)?;
    Ok(response.content_type("application/json").body(body.map_err(|failure| Source::Database.not_made(&failure))?))
}

/// What a schema's findings are known by.
pub(super) fn digest(fingerprint: &str) -> String {
    format!("{fingerprint}-lint")
}

/// Which findings are asked for.
pub(super) struct Wanted {
    rule: Option<String>,
    severity: Option<Severity>,
}

impl Wanted {
    /// Reads `rule` and `severity`.
    pub(super) fn of(query: &mut Query, lints: &Lints) -> Self {
        let rule = query.with("rule", "unknown_rule", |rule| {
            let known: Vec<&str> = lints.all().map(schema_lint::Lint::id).collect();
            if known.contains(&rule) { Ok(rule.to_owned()) } else { Err(format!("the rules are {}", known.join(", "))) }
        });
        let severity = query.with("severity", "unknown_severity", |severity| {
            Severity::by_name(severity).ok_or("the severities are notice, warning, error")
        });
        Self { rule, severity }
    }

    /// The answer: `body` with what is found in the model. It is made apart, as large models take a while.
    pub(super) fn body(
        &self,
        lints: &Lints,
        database: &Database,
        mut body: FindingsBody,
    ) -> Result<Vec<u8>, ExportFailure> {
        body.findings = Exports::judge(lints, self.rule.as_deref(), database)?;
        body.findings.retain(|finding| self.severity.is_none_or(|least| finding.severity >= least));
        for finding in &body.findings {
            *match finding.severity {
                Severity::Error => &mut body.counts.error,
                Severity::Warning => &mut body.counts.warning,
                Severity::Notice => &mut body.counts.notice,
            } += 1;
        }
        Exports::to_json(&body)
    }
}

impl FindingsBody {
    fn now(version: Version, kept: &KeptSchema) -> Self {
        Self {
            snapshot_id: None,
            connection_version: version.get(),
            taken_at: instant(kept.taken_at),
            fingerprint: kept.fingerprint.to_string(),
            counts: CountsBody::default(),
            findings: Vec::new(),
        }
    }

    /// Of what was kept.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let record = snapshot.record();
        Self {
            snapshot_id: Some(record.id.uuid()),
            connection_version: record.connection_version.get(),
            taken_at: instant(record.taken_at),
            fingerprint: record.fingerprint.clone(),
            counts: CountsBody::default(),
            findings: Vec::new(),
        }
    }
}

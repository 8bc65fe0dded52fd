//! `/health`, `/health/live`, `/health/ready` and `/metrics`.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::instant::instant;
use super::problem::Problem;
use super::query::Query;
use super::resource::Resource;
use crate::readiness::{Finding, Readiness, State};
use crate::state::AppState;
use crate::telemetry::metrics;

/// The resources of this module.
pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/health").get(health),
        Resource::at("/health/live").get(live),
        Resource::at("/health/ready").get(ready),
        Resource::at("/metrics").get(prometheus),
    ]
}

/// Whether the service is well, in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `healthy` or `unhealthy`.
    #[schema(pattern = "^(healthy|unhealthy)$", example = "healthy")]
    status: &'static str,
    /// When this was found.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    timestamp: String,
    /// Whether every database that the service needs answers.
    database: bool,
}

/// Whether the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    /// Always `live`: a process that is not gives no answer.
    #[schema(pattern = "^live$", example = "live")]
    status: &'static str,
}

/// Whether the service takes requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(crate) struct ReadinessBody {
    /// `ready`, `not_ready` or `draining`.
    #[schema(pattern = "^(ready|not_ready|draining)$", example = "ready")]
    status: &'static str,
    /// What each context rests on.
    contexts: Vec<ContextBody>,
}

/// How one context's connection stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContextReadiness)]
pub(crate) struct ContextBody {
    /// The context.
    #[schema(example = "users")]
    context: &'static str,
    /// The connection it uses.
    #[schema(example = "users")]
    connection: String,
    /// The product that answers, once it has answered.
    #[schema(required, example = "sqlite")]
    engine: Option<String>,
    /// `ready`, `schema_behind`, `schema_unclear` or `away`.
    #[schema(pattern = "^(ready|schema_behind|schema_unclear|away)$", example = "ready")]
    state: &'static str,
    /// How long the last sign of life took, in milliseconds.
    #[schema(required, minimum = 0, example = 0.2)]
    latency_ms: Option<f64>,
    /// How its tenants stand, where the connection is kept per tenant; `state` says nothing of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    tenants: Option<TenantsBody>,
}

/// How the tenants of one connection stand, in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantReadiness)]
pub(crate) struct TenantsBody {
    /// How many tenants there are.
    #[schema(minimum = 0, example = 120)]
    known: usize,
    /// How many have a live pool.
    #[schema(minimum = 0, example = 17)]
    live: usize,
    /// How many were found with a schema that is not at the version needed; requests for them are answered with 503.
    #[schema(minimum = 0, example = 0)]
    unfit: usize,
}

impl From<&Finding> for ContextBody {
    fn from(finding: &Finding) -> Self {
        Self {
            context: finding.context,
            connection: finding.connection.clone(),
            engine: finding.engine.clone(),
            state: match finding.state {
                State::Ready => "ready",
                State::SchemaBehind => "schema_behind",
                State::SchemaUnclear => "schema_unclear",
                State::Away => "away",
            },
            latency_ms: finding.latency.map(|latency| (latency.as_secs_f64() * 1e6).round() / 1e3),
            tenants: finding.tenants.map(|figures| TenantsBody {
                known: figures.known,
                live: figures.live,
                unfit: figures.unfit,
            }),
        }
    }
}

/// The service's health in short
///
/// 503 when a database that the service needs does not answer.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "Operation",
    responses(
        (status = 200, description = "Healthy", body = Health, content_type = "application/json"),
        (status = 503, description = "Unhealthy", body = Health, content_type = "application/json"),
    ),
)]
pub(crate) async fn health(
    request: HttpRequest,
    state: Data<AppState>,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let database = readiness.findings().await.iter().all(|finding| finding.state != State::Away);
    let (code, status) =
        if database { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    Ok(uncached(code).json(Health { status, timestamp: instant(state.clock.now()), database }))
}

/// Whether the process lives
///
/// Looks at nothing else: a database that is away is no reason to restart the process.
#[utoipa::path(
    get, path = "/health/live", operation_id = "live", tag = "Operation",
    responses((status = 200, description = "It lives", body = Liveness, content_type = "application/json")),
)]
pub(crate) async fn live(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    Ok(uncached(StatusCode::OK).json(Liveness { status: "live" }))
}

/// Whether the service takes requests
///
/// 503 when a needed connection is away, when a schema is behind this binary, and from the signal to stop onwards.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "ready", tag = "Operation",
    responses(
        (status = 200, description = "Ready", body = ReadinessBody, content_type = "application/json"),
        (status = 503, description = "Not ready", body = ReadinessBody, content_type = "application/json"),
    ),
)]
pub(crate) async fn ready(request: HttpRequest, readiness: Data<Readiness>) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let findings = readiness.findings().await;
    let (code, status) = if readiness.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if findings.iter().all(|finding| finding.state == State::Ready) {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    Ok(uncached(code).json(ReadinessBody { status, contexts: findings.iter().map(Into::into).collect() }))
}

/// Metrics for Prometheus
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "Operation",
    responses((status = 200, description = "The text format of Prometheus, version 0.0.4", body = String,
        content_type = "text/plain")),
)]
pub(crate) async fn prometheus(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let text = metrics::recorder().render();
    Ok(uncached(StatusCode::OK).content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

fn uncached(code: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(code);
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    response
}

//! How a connection did in a test, on the wire.

use actix_web::{HttpMessage as _, HttpRequest};
use registry_context::domain::{ConnectionHealth, ProbeFault, ProbeReport, StageResult};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::audit::Outcome;
use crate::rest::instant::instant;

/// How a connection did in a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub(crate) struct ReportBody<'a> {
    /// `ok`, or why the last of the stages failed.
    #[schema(max_length = 32, example = "ok")]
    outcome: &'static str,
    /// What can be done about it; null where all went well.
    #[schema(required, example = json!(null))]
    remedy: Option<&'static str>,
    /// The stages up to the last or to the one that failed, in their order; engines leave out what they do not know.
    stages: Vec<StageBody>,
    /// The server's version, in its own words.
    #[schema(required, max_length = 200, example = "PostgreSQL 17.2")]
    server_version: Option<&'a str>,
    /// The version of TLS.
    #[schema(required, max_length = 32, example = "TLSv1.3")]
    tls_version: Option<&'a str>,
    /// Until when the server's certificate holds: UTC, microseconds.
    #[schema(required, format = "date-time", example = "2027-01-31T12:00:00.000000Z")]
    certificate_expires_at: Option<String>,
    /// What the user may do; null where it cannot be told.
    privileges: PrivilegesBody,
    /// How long it took in all, in milliseconds. Where the server was not reached, this says nothing of the reason.
    #[schema(minimum = 0, example = 42)]
    duration_ms: u64,
}

/// One stage of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionTestStage)]
pub(crate) struct StageBody {
    /// Which one.
    #[schema(pattern = "^(policy|dns|tcp|tls|login|database|privileges)$", example = "login")]
    stage: &'static str,
    /// `ok`, or why it failed, such as `unreachable`, `tls_failed`, `auth_failed`, `unknown_database`, `not_a_database`,
    /// `blocked_by_policy`, `timeout`.
    #[schema(max_length = 32, example = "ok")]
    outcome: &'static str,
    /// How long it took, in milliseconds; null where that is not told.
    #[schema(required, minimum = 0, example = 7)]
    duration_ms: Option<u64>,
}

/// What the user may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionPrivileges)]
pub(crate) struct PrivilegesBody {
    /// Whether the user can read the catalog and what is there.
    #[schema(required, example = true)]
    can_read: Option<bool>,
    /// Whether the user can write.
    #[schema(required, example = false)]
    can_write: Option<bool>,
    /// Whether the user may do everything.
    #[schema(required, example = false)]
    superuser: Option<bool>,
}

/// How a stored connection did in its last test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionHealth)]
pub(crate) struct HealthBody<'a> {
    /// Which version of the connection was tested.
    #[schema(minimum = 1, example = 1)]
    connection_version: i64,
    /// Whether the connection is still at this version.
    #[schema(example = true)]
    is_current: bool,
    /// When it was tested: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    tested_at: String,
    /// What came of it.
    result: ReportBody<'a>,
}

/// What came of a connection's last test, in short; `…/health` tells all of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionHealthSummary)]
pub(crate) struct HealthSummaryBody {
    /// `ok`, or why it failed.
    #[schema(max_length = 32, example = "ok")]
    outcome: &'static str,
    /// When it was tested: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    tested_at: String,
    /// Whether the connection is still as it was then.
    #[schema(example = true)]
    is_current: bool,
}

impl HealthSummaryBody {
    pub(super) fn new(health: &ConnectionHealth, is_current: bool) -> Self {
        let outcome = word(health.report.failure().map(|(_, fault)| fault));
        Self { outcome, tested_at: instant(health.tested_at), is_current }
    }
}

impl<'a> From<&'a ProbeReport> for ReportBody<'a> {
    fn from(report: &'a ProbeReport) -> Self {
        let failure = report.failure().map(|(_, fault)| fault);
        let facts = &report.facts;
        Self {
            outcome: word(failure),
            remedy: failure.map(ProbeFault::remedy),
            stages: report.stages.iter().map(Into::into).collect(),
            server_version: facts.server_version.as_deref(),
            tls_version: facts.tls_version.as_deref(),
            certificate_expires_at: facts.certificate_expires_at.map(instant),
            privileges: PrivilegesBody {
                can_read: facts.can_read,
                can_write: facts.can_write,
                superuser: facts.superuser,
            },
            duration_ms: report.duration_ms,
        }
    }
}

impl From<&StageResult> for StageBody {
    fn from(result: &StageResult) -> Self {
        Self { stage: result.stage.as_str(), outcome: word(result.fault), duration_ms: result.duration_ms }
    }
}

impl<'a> HealthBody<'a> {
    pub(super) fn new(health: &'a ConnectionHealth, is_current: bool) -> Self {
        Self {
            connection_version: health.version.get(),
            is_current,
            tested_at: instant(health.tested_at),
            result: (&health.report).into(),
        }
    }
}

const fn word(fault: Option<ProbeFault>) -> &'static str {
    match fault {
        None => "ok",
        Some(fault) => fault.as_str(),
    }
}

/// Has the audit tell what came of the test, and not only that there was one.
pub(super) fn note(request: &HttpRequest, report: &ProbeReport) {
    request.extensions_mut().insert(Outcome(word(report.failure().map(|(_, fault)| fault))));
}

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Datelike as _, SubsecRound as _, Timelike as _, Utc};
use registry_context::domain::{AuditAction, AuditFilter, AuditList, AuditRecord, ConnectionId};
use serde::Serialize;
use shared_kernel::paging::Direction;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AUDIT, StoredConnections};
use crate::rest::accept;
use crate::rest::instant::instant;
use crate::rest::paging::{self, Binding};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

const PARAMETERS: &[&str] =
    &["limit", "cursor", "sort", "actor", "action", "connection_id", "outcome", "occurred_from", "occurred_before"];
/// The one field to sort by.
const SORT: &str = "occurred_at";

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage<'a> {
    /// The entries, in the order that was asked for.
    #[schema(max_items = 200)]
    items: Vec<AuditEntryBody<'a>>,
    /// Where the list goes on; null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What somebody did to a connection, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryBody<'a> {
    /// Identifies the entry: a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    id: Uuid,
    /// When it was over: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    occurred_at: String,
    /// The name of the token; `command` or `service` for what nobody asked over the network; null where no token was shown
    /// that counts.
    #[schema(required, max_length = 64, example = "console")]
    actor: Option<&'a str>,
    /// What was asked for, such as `read` or `replace`.
    #[schema(max_length = 32, example = "read")]
    action: &'a str,
    /// Which connection it was about; it may be gone. Null where it was about none.
    #[schema(required, example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    connection_id: Option<Uuid>,
    /// `ok`, or the kind of problem: the end of its `type`.
    #[schema(max_length = 64, example = "ok")]
    outcome: &'a str,
    /// The status that was answered; 0 for what nobody asked over the network.
    #[schema(minimum = 0, maximum = 599, example = 200)]
    status: u16,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, example = 3)]
    duration_ms: u64,
    /// The request's trace: 32 hexadecimal digits, or nothing where several calls are told together.
    #[schema(pattern = "^([0-9a-f]{32})?$", example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: &'a str,
    /// How many calls the entry stands for: those without a token are counted together; of `prune`, how many entries went.
    #[schema(minimum = 1, example = 1)]
    calls: u64,
}

impl<'a> From<&'a AuditRecord> for AuditEntryBody<'a> {
    fn from(record: &'a AuditRecord) -> Self {
        Self {
            id: record.id,
            occurred_at: instant(record.occurred_at),
            actor: record.actor.as_deref(),
            action: &record.action,
            connection_id: record.connection.map(ConnectionId::uuid),
            outcome: &record.outcome,
            status: record.status,
            duration_ms: record.duration_ms,
            trace_id: &record.trace_id,
            calls: record.calls,
        }
    }
}

/// Read the audit log
///
/// Who did what to which connection, in pages, the latest first unless told otherwise. Reading it is written down too. A cursor
/// belongs to the sort and the filters that it was made with.
#[utoipa::path(
    get,
    path = AUDIT,
    operation_id = "readAudit",
    tag = "Connections",
    params(
        ("limit" = Option<u16>, Query, description = "How many at most", minimum = 1, maximum = 200, nullable = false,
            example = 50),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", format = "cursor",
            nullable = false),
        ("sort" = Option<String>, Query, description = "`occurred_at`, with `-` in front for the latest first, which is \
            usual", nullable = false, pattern = "^-?occurred_at$", example = "-occurred_at"),
        ("actor" = Option<String>, Query, description = "Only what was done with the token of this name", nullable = false,
            pattern = "^[!-~]{1,64}$", example = "console"),
        ("action" = Option<String>, Query, description = "Only this", nullable = false,
            pattern = "^(list|read|list_engines|read_audit|create|replace|patch|delete|test|read_health|list_databases|read_schema|export_schema|lint_schema|take_snapshot|list_snapshots|read_snapshot|export_snapshot|lint_snapshot|delete_snapshot|diff_schema|reseal|prune|other)$",
            example = "delete"),
        ("connection_id" = Option<uuid::Uuid>, Query, description = "Only what was about this connection; it may be gone",
            nullable = false),
        ("outcome" = Option<String>, Query, description = "Only what ended so: `ok`, a kind of problem, or of a test its code", nullable = false,
            pattern = "^[a-z_-]{1,64}$", example = "not-found"),
        ("occurred_from" = Option<String>, Query, description = "Only from this instant on (RFC 3339), to the microsecond",
            nullable = false, format = "audit-instant", example = "2026-01-31T12:00:00Z"),
        ("occurred_before" = Option<String>, Query, description = "Only before this instant (RFC 3339), to the microsecond",
            nullable = false, format = "audit-instant", example = "2026-02-01T00:00:00Z"),
    ),
    responses((status = 200, description = "A page", body = AuditPage, content_type = "application/json")),
)]
pub(crate) async fn read_audit(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, PARAMETERS);
    let limit = paging::limit(&mut query);
    let sort = paging::sort(&mut query, &[SORT], |name| (name == SORT).then_some(()));
    let ((), direction) = sort.unwrap_or(((), Direction::Descending));
    let filter = AuditFilter {
        actor: query.with("actor", "invalid_actor", actor),
        action: query.with("action", "unknown_action", action),
        connection: query.with("connection_id", "invalid_id", |text| match text.parse::<Uuid>() {
            Ok(id) => Ok(ConnectionId::new(id)),
            Err(_) => Err("the id of a connection, a UUID"),
        }),
        outcome: query.with("outcome", "invalid_outcome", outcome),
        from: query.with("occurred_from", "invalid_instant", point_in_time),
        before: query.with("occurred_before", "invalid_instant", point_in_time),
    };
    let binding = Binding::of("audit", &scope, &query, SORT, direction);
    let after = query.finish_with_cursor(&binding)?;
    let list = AuditList { filter, direction, after, limit };
    let page = connections.audit.execute(&list, &scope.0).await?;
    Ok(HttpResponse::Ok().json(AuditPage {
        items: page.items.iter().map(Into::into).collect(),
        next_cursor: page.next.map(|position| binding.cursor(&position)),
    }))
}

fn actor(text: &str) -> Result<String, &'static str> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("the name of a token: 1 to 64 visible ASCII characters") }
}

fn action(word: &str) -> Result<AuditAction, String> {
    AuditAction::by_name(word).ok_or_else(|| {
        let words: Vec<&str> = AuditAction::ALL.iter().map(|action| action.as_str()).collect();
        format!("one of {}", words.join(", "))
    })
}

fn outcome(text: &str) -> Result<String, &'static str> {
    let fits =
        (1..=64).contains(&text.len()) && text.bytes().all(|byte| b"-_".contains(&byte) || byte.is_ascii_lowercase());
    if fits { Ok(text.to_owned()) } else { Err("`ok`, or a kind of problem such as `not-found`") }
}

/// An instant that every engine can compare with, cut to what they keep.
fn point_in_time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let parsed = DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc().trunc_subsecs(6));
    parsed
        // Chrono writes a leap second as more than 10⁹ nanoseconds; engines have none. MySQL's years begin with 1000.
        .filter(|instant| (1000..=9999).contains(&instant.year()) && instant.nanosecond() < 1_000_000_000)
        .ok_or("an instant of the years 1000 to 9999 as in RFC 3339, such as 2026-01-31T12:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_that_engines_know() {
        let read = |text: &str| point_in_time(text).ok().map(instant);
        assert_eq!(read("2026-01-31T13:00:00.1234567+01:00").as_deref(), Some("2026-01-31T12:00:00.123456Z"));
        for text in ["", "2026-01-31", "0999-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "10000-01-01T00:00:00Z", "now"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

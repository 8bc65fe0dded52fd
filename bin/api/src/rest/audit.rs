//! Every call of the registry is written down: who, what, which, what came of it, how long it took. No secrets, no data.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};
use registry_context::domain::{AuditAction, AuditEntry, AuditLog, ConnectionId};
use shared_kernel::{Clock, IdGenerator, RequestContext};

use super::access::Caller;
use super::connections;
use super::problem::{Problem, ProblemKind};
use super::scope::Scope;
use crate::telemetry::chain;

/// How long an answer waits for its entry.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long calls that were turned away for want of a token are counted before they are written down as one.
const WINDOW: Duration = Duration::from_secs(10);

/// What came of a call that was answered as it should be, where there is more to tell than `ok`: an endpoint puts it to its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome(pub(crate) &'static str);

/// Writes entries.
#[derive(Debug)]
pub(crate) struct Recorder {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    /// Calls that were turned away: since when, and how many are not written down yet.
    turned_away: Mutex<(Option<Instant>, u64)>,
}

impl Recorder {
    pub(crate) fn new(log: Arc<dyn AuditLog>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { log, clock, ids, turned_away: Mutex::new((None, 0)) }
    }

    async fn record(&self, mut entry: AuditEntry) {
        if entry.outcome == ProblemKind::Unauthenticated.slug() {
            // Whoever knocks a thousand times shall not make the database write a thousand times.
            let Some(calls) = self.count() else { return };
            entry.calls = calls;
        }
        let context = RequestContext::system().within(PATIENCE);
        let lost = match tokio::time::timeout(PATIENCE, self.log.append(&entry, &context)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => chain(&error),
            Err(_) => "no answer in time".to_owned(),
        };
        // The log is then the only place that tells of it.
        tracing::error!(
            event = "audit.not_written",
            actor = entry.actor,
            action = entry.action.as_str(),
            connection_id = entry.connection.map(|id| id.to_string()),
            outcome = entry.outcome,
            calls = entry.calls,
            error = lost,
        );
    }

    /// How many calls an entry is to stand for; `None` while they are only counted.
    fn count(&self) -> Option<u64> {
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, calls) = &mut *turned_away;
        *calls += 1;
        if since.is_some_and(|since| since.elapsed() < WINDOW) {
            return None;
        }
        *since = Some(Instant::now());
        Some(std::mem::take(calls))
    }

    /// Writes down what was only counted until now.
    pub(crate) async fn flush(&self) {
        let calls = {
            let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
            let (since, calls) = &mut *turned_away;
            if since.is_some_and(|since| since.elapsed() < WINDOW) {
                return;
            }
            std::mem::take(calls)
        };
        if calls == 0 {
            return;
        }
        let facts =
            Facts { action: AuditAction::Other, connection: None, trace_id: String::new(), started: Instant::now() };
        let mut entry = self.entry(&facts, None, "unauthenticated", StatusCode::UNAUTHORIZED);
        entry.calls = calls;
        let context = RequestContext::system().within(PATIENCE);
        if let Err(error) = self.log.append(&entry, &context).await {
            tracing::error!(event = "audit.not_written", outcome = entry.outcome, calls, error = chain(&error));
        }
    }

    fn entry(&self, facts: &Facts, caller: Option<&Caller>, outcome: &'static str, status: StatusCode) -> AuditEntry {
        AuditEntry {
            id: self.ids.next(),
            occurred_at: self.clock.now(),
            actor: caller.map(|caller| caller.0.to_string()),
            action: facts.action,
            connection: facts.connection,
            outcome,
            status: status.as_u16(),
            duration_ms: u64::try_from(facts.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            trace_id: facts.trace_id.clone(),
            calls: 1,
        }
    }
}

/// What is known before a call is answered.
#[derive(Debug, Clone)]
struct Facts {
    action: AuditAction,
    connection: Option<ConnectionId>,
    trace_id: String,
    started: Instant,
}

/// The middleware around a resource.
pub(crate) async fn audit(
    recorder: Data<Recorder>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // What is asked before the call proper, and what no resource has, is nobody's doing.
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    ) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let trace = request.extensions().get::<Scope>().map(|scope| scope.0.trace.trace_id_hex()).unwrap_or_default();
    let facts = Facts {
        action: connections::action(request.method(), request.match_pattern().as_deref()),
        connection: request.match_info().get("id").and_then(|id| id.parse().ok()),
        trace_id: trace,
        started: Instant::now(),
    };
    let mut unfinished = Unfinished { recorder: recorder.clone(), facts: Some(facts) };
    let answered = next.call(request).await;
    let Some(mut facts) = unfinished.facts.take() else { return answered.map(ServiceResponse::map_into_boxed_body) };
    let entry = match &answered {
        Ok(response) => {
            let caller = response.request().extensions().get::<Caller>().cloned();
            let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
            let told = response.request().extensions().get::<Outcome>().map_or("ok", |outcome| outcome.0);
            let outcome = problem.map_or(told, |problem| problem.kind().slug());
            let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
            let created = location.and_then(|location| location.rsplit('/').next()?.parse().ok());
            facts.connection = facts.connection.or(created);
            recorder.entry(&facts, caller.as_ref(), outcome, response.status())
        }
        Err(error) => {
            let problem = error.as_error::<Problem>();
            let outcome = problem.map_or("internal", |problem| problem.kind().slug());
            recorder.entry(&facts, None, outcome, error.as_response_error().status_code())
        }
    };
    recorder.record(entry).await;
    answered.map(ServiceResponse::map_into_boxed_body)
}

/// A call whose answer nobody has waited for is written down all the same.
struct Unfinished {
    recorder: Data<Recorder>,
    facts: Option<Facts>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some(facts), Ok(runtime)) = (self.facts.take(), tokio::runtime::Handle::try_current()) else { return };
        let recorder = self.recorder.clone();
        let entry = recorder.entry(&facts, None, "unfinished", StatusCode::SERVICE_UNAVAILABLE);
        runtime.spawn(async move { recorder.record(entry).await });
    }
}

//! What the service knows of a request before any endpoint runs.

use std::future::{Ready, ready};
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use shared_kernel::{Actor, Freshness, RequestContext, TraceContext};
use uuid::Uuid;

use super::access;
use super::problem::Problem;
use super::tenant::Tenancy;
use crate::config::registry;
use crate::readiness::Readiness;

/// The request's context, made by the middleware and handed to the endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Scope(pub(crate) RequestContext);

impl FromRequest for Scope {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(scope_of(request))
    }
}

fn scope_of(request: &HttpRequest) -> Result<Scope, Problem> {
    let mut scope = request.extensions().get::<Scope>().cloned().ok_or_else(Problem::internal)?;
    let Some(context) = context_of(request) else { return Ok(scope) };
    if context == registry::CONTEXT {
        let caller = access::caller(request)?;
        scope.0.actor = Actor::Principal(caller.0.clone());
        request.extensions_mut().insert(caller);
    }
    if let Some(tenancy) = request.app_data::<Data<Tenancy>>() {
        scope.0.tenant = tenancy.of(request, context)?;
    }
    if let Some(tenant) = &scope.0.tenant {
        tracing::Span::current().record("tenant", tenant.as_str());
    }
    match behind(request, context) {
        Some(problem) => Err(problem),
        None => Ok(scope),
    }
}

/// The context that the path names.
fn context_of(request: &HttpRequest) -> Option<&str> {
    let resource = request.path().strip_prefix("/api/v1/")?.split('/').next()?;
    // The others are called as what they serve.
    Some(if resource == "connections" { registry::CONTEXT } else { resource })
}

/// The answer while the schema of a context that everybody shares does not fit this binary.
fn behind(request: &HttpRequest, context: &str) -> Option<Problem> {
    let readiness = request.app_data::<Data<Readiness>>()?;
    readiness.schema_is_unfit(context).then(Problem::schema_behind)
}

/// Takes over the caller's trace or begins one, with a span of our own in either case (W3C Trace Context, section 3).
pub(crate) fn trace_of(headers: &HeaderMap, fresh: Uuid) -> TraceContext {
    let mut lines = headers.get_all("traceparent");
    let taken_over = match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok().and_then(TraceContext::parse_traceparent),
        _ => None,
    };
    let random = fresh.as_u128();
    // The low 62 bits of a UUID of version 7 are random; the variant bits above them keep the span id from being zero.
    let span_id = u64::try_from(random & u128::from(u64::MAX)).unwrap_or(1);
    match taken_over {
        Some(caller) => TraceContext { span_id, ..caller },
        None => TraceContext { trace_id: random, span_id, flags: 0 },
    }
}

/// The context of a request that arrived now.
pub(crate) fn context(trace: TraceContext, timeout: Duration, freshness: Freshness) -> RequestContext {
    RequestContext { actor: Actor::Anonymous, tenant: None, trace, deadline: Some(Instant::now() + timeout), freshness }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const FRESH: Uuid = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);

    fn trace(lines: &[&'static str]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static("traceparent"), HeaderValue::from_static(line));
        }
        trace_of(&headers, FRESH)
    }

    #[test]
    fn a_callers_trace_is_taken_over_with_a_span_of_our_own() {
        assert_eq!(trace(&[CALLER]).traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-aea5966c26f8ad91-01");
    }

    #[test]
    fn a_malformed_or_repeated_header_begins_a_new_trace() {
        let begun = "00-0190163d8694739baea5966c26f8ad91-aea5966c26f8ad91-00";
        for lines in [&[][..], &["junk"], &[CALLER, CALLER]] {
            assert_eq!(trace(lines).traceparent(), begun);
        }
    }
}

//! What happens around every request: trace, deadline, limits, problems, headers, one log line, one measurement.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_util::FutureExt as _;
use shared_kernel::TraceContext;
use tracing::Instrument as _;

use super::cors::Page;
use super::freshness;
use super::problem::{Problem, ProblemKind};
use super::query::percent_decode;
use super::scope::{self, Scope};
use crate::state::AppState;
use crate::telemetry::metrics::{self, Route};

/// How much longer than its deadline a request may run, so that a statement's own timeout is the answer that is seen.
const GRACE: Duration = Duration::from_millis(500);

/// Requests for what is no resource, and those that were refused before anybody looked.
static UNMATCHED: Route = Route::new("unmatched");
/// Requests that were ended before their endpoint had answered.
static UNFINISHED: Route = Route::new("unfinished");

/// The middleware around the whole service.
pub(crate) async fn conventions(
    state: Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let trace = scope::trace_of(request.headers(), state.ids.next());
    let facts = Facts {
        method: request.method().clone(),
        path: request.path().to_owned(),
        page: state.cors.page_of(request.method(), request.headers()),
        trace,
        started,
    };
    let _active = metrics::Active::new(&facts.method);
    let span = tracing::info_span!("request", trace_id = %trace.trace_id_hex(), tenant = tracing::field::Empty);

    async {
        let admitted = admissible(&request, &state)
            .and_then(|()| freshness::of(request.method(), request.headers()))
            .map(|freshness| scope::context(trace, state.limits.request_timeout, freshness));
        let context = match admitted {
            Ok(context) => context,
            Err(problem) => {
                let response = facts.finish(problem.render(&facts.path, &trace), &UNMATCHED, &state);
                return Ok(request.into_response(response));
            }
        };
        request.extensions_mut().insert(Scope(context.clone()));
        let limit = state.limits.request_timeout + GRACE;
        let outcome = tokio::time::timeout(limit, AssertUnwindSafe(next.call(request)).catch_unwind()).await;
        let problem = match outcome {
            Ok(Ok(Ok(response))) => {
                let (request, mut response) = response.map_into_boxed_body().into_parts();
                if !facts.method.is_safe()
                    && response.status().is_success()
                    && let Some(token) = state.manager.freshness(&context).await
                {
                    response.headers_mut().insert(freshness::HEADER, freshness::header(&token));
                }
                let route = request.app_data::<Route>().unwrap_or(&UNMATCHED);
                let response = facts.finish(facts.as_problem(response), route, &state);
                return Ok(ServiceResponse::new(request, response));
            }
            Ok(Ok(Err(error))) => problem_of(&error),
            // The hook of `telemetry` has logged the panic with its place; the caller learns that there was a fault.
            Ok(Err(_panic)) => Problem::internal(),
            Err(_elapsed) => Problem::new(ProblemKind::TimedOut, "the answer was not ready in time")
                .retry_after(Duration::from_secs(1)),
        };
        // The request went down with the future that served it; the framework sends the answer of this error.
        let response = facts.finish(problem.render(&facts.path, &trace), &UNFINISHED, &state);
        Err(InternalError::from_response(problem, response).into())
    }
    .instrument(span)
    .await
}

/// What is wrong with a request whatever it asks for.
fn admissible(request: &ServiceRequest, state: &AppState) -> Result<(), Problem> {
    let limits = &state.limits;
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.iter().count() > limits.header_count || bytes > limits.header_bytes {
        let detail = format!("at most {} headers with {} bytes are read", limits.header_count, limits.header_bytes);
        return Err(Problem::new(ProblemKind::HeadersTooLarge, detail));
    }
    state.hosts.check(request)?;
    let path = request.uri().path();
    if path.contains('%') && percent_decode(path, false).is_none_or(|decoded| decoded.contains('\0')) {
        return Err(Problem::new(ProblemKind::MalformedRequest, "the path's percent-encoding is not whole UTF-8 text"));
    }
    Ok(())
}

fn problem_of(error: &Error) -> Problem {
    error.as_error::<Problem>().cloned().unwrap_or_else(|| {
        let kind = ProblemKind::for_status(error.as_response_error().status_code());
        Problem::new(kind, kind.remedy())
    })
}

/// What is remembered of a request until it is answered.
struct Facts {
    method: Method,
    path: String,
    page: Page,
    trace: TraceContext,
    started: Instant,
}

impl Facts {
    /// Every error leaves as a problem, also those that the framework made.
    fn as_problem(&self, response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return response;
        }
        match response.error() {
            Some(error) => problem_of(error).render(&self.path, &self.trace),
            None if response.headers().contains_key(header::CONTENT_TYPE) => response,
            None => {
                let kind = ProblemKind::for_status(status);
                Problem::new(kind, kind.remedy()).render(&self.path, &self.trace)
            }
        }
    }

    fn finish(&self, mut response: HttpResponse<BoxBody>, route: &Route, state: &AppState) -> HttpResponse<BoxBody> {
        let status = response.status();
        let headers = response.headers_mut();
        if let Ok(traceparent) = HeaderValue::from_str(&self.trace.traceparent()) {
            headers.insert(HeaderName::from_static("traceparent"), traceparent);
        }
        protect(status, headers);
        state.cors.apply(&self.page, headers);
        if let Some(header) = &state.vary {
            headers.append(header::VARY, header.clone());
        }
        let took = self.started.elapsed();
        route.finished(&self.method, status, took);
        let path: String = self.path.chars().take(256).collect();
        tracing::info!(
            event = "http.request",
            method = %self.method,
            route = route.template(),
            path,
            status = status.as_u16(),
            duration_ms = took.as_secs_f64() * 1e3,
        );
        response
    }
}

/// Headers that narrow what a browser may do with an answer; an endpoint that needs more room has set its own.
fn protect(status: StatusCode, headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    default(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    let cacheable = status.is_success() || status == StatusCode::NOT_MODIFIED;
    default(header::CACHE_CONTROL, if cacheable { "private, no-cache" } else { "no-store" });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body, try_call_service};
    use actix_web::{App, web};
    use connection_manager::{ConnectionFactory, ConnectionManager};
    use shared_kernel::{SystemClock, SystemIdGenerator};

    use super::*;
    use crate::config::ServerConfig;
    use crate::rest::cors::Cors;
    use crate::rest::{AllowedHosts, Limits};

    fn state(request_timeout: Duration) -> Data<AppState> {
        let limits = Limits { request_timeout, ..Limits::default() };
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIdGenerator));
        let hosts = AllowedHosts::new(&ServerConfig::default());
        let manager = ConnectionManager::builder(ConnectionFactory::compiled()).build().expect("no connections");
        Data::new(AppState { clock, ids, limits, hosts, cors: Cors::default(), vary: None, manager })
    }

    /// Sends a request to a handler that does not answer, and gives the status and the text of what is sent for it.
    async fn refused<F, Fut>(timeout: Duration, handler: F) -> (StatusCode, String)
    where
        F: Fn() -> Fut + Clone + 'static,
        Fut: Future<Output = HttpResponse> + 'static,
    {
        let app = App::new().app_data(state(timeout)).route("/x", web::get().to(handler)).wrap(from_fn(conventions));
        let app = init_service(app).await;
        let error = try_call_service(&app, TestRequest::with_uri("/x").to_request()).await.expect_err("no answer");
        let response = error.error_response();
        let status = response.status();
        let bytes = actix_web::body::to_bytes(response.into_body()).await.expect("a body");
        (status, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    #[actix_web::test]
    async fn a_panic_is_a_problem_without_its_text() {
        let (status, text) = refused(Duration::from_secs(5), || async { panic!("the secret is 42") }).await;
        assert_eq!(status, 500);
        assert!(text.contains("/problems/internal") && !text.contains("secret"), "{text}");
    }

    #[actix_web::test]
    async fn an_answer_that_never_comes_is_ended() {
        let (status, text) = refused(Duration::ZERO, std::future::pending).await;
        assert_eq!(status, 503);
        assert!(text.contains("/problems/timed-out") && text.contains("\"instance\":\"/x\""), "{text}");
    }

    #[actix_web::test]
    async fn an_error_of_the_framework_leaves_as_a_problem() {
        let handler = || async { Err::<HttpResponse, _>(actix_web::error::ErrorImATeapot("short and stout")) };
        let app = App::new().app_data(state(Duration::from_secs(5))).route("/x", web::get().to(handler));
        let app = init_service(app.wrap(from_fn(conventions))).await;
        let response = call_service(&app, TestRequest::with_uri("/x").to_request()).await;
        assert_eq!(response.status(), 400);
        let body = read_body(response).await;
        assert!(!String::from_utf8_lossy(&body).contains("stout"));
    }
}

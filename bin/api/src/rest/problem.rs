//! Errors as `application/problem+json` (RFC 9457), once for the whole service.

mod database;
mod kind;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use shared_kernel::TraceContext;
use utoipa::ToSchema;

pub use kind::ProblemKind;

/// The media type of every error's body (RFC 9457, section 4.1).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// How many faults one answer tells; beyond them it tells their number. A small body can break a great many rules, and
/// an answer many times its size would help only whoever means harm.
pub(crate) const MAX_FAULTS: usize = 100;

/// Something that was wrong with one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Where in the body the fault is: a JSON Pointer (RFC 6901). The empty pointer is the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "json-pointer", example = "/email")]
    pub pointer: Option<String>,
    /// The query parameter or header that is meant, when the fault is not in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// A stable word for programs.
    #[schema(example = "invalid_email")]
    pub code: Cow<'static, str>,
    /// A sentence for people; its wording may change.
    #[schema(example = "an e-mail address has exactly one `@` between its parts")]
    pub message: String,
}

impl Fault {
    /// A fault in the body.
    pub fn at(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), message: message.into() }
    }

    /// What a value's own rules say, about the value at `pointer`.
    pub(crate) fn of(pointer: &str, error: &impl shared_kernel::validation::Fault) -> Self {
        Self::at(pointer, error.code(), error.to_string())
    }

    /// A fault in a query parameter or a header.
    pub fn parameter(name: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), code: code.into(), message: message.into() }
    }
}

/// An error answer in the making. The middleware adds `instance` and `trace_id` when it is sent.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of `kind`; `detail` tells the caller what to do about this occurrence and nothing internal.
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), faults: Vec::new(), headers: Vec::new() }
    }

    /// The answer to a body whose values break rules: all faults at once.
    pub fn validation(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [_] => Cow::Borrowed("one value breaks a rule"),
            faults => Cow::Owned(format!("{} values break rules", faults.len())),
        };
        Self::new(ProblemKind::Validation, detail).with_faults(faults)
    }

    /// The answer to a query string whose parameters are unknown, repeated or malformed.
    pub fn invalid_query(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            MAX_FAULTS.. => Cow::Owned(format!("the query string cannot be used: {} faults are named", faults.len())),
            _ => Cow::Borrowed("the query string cannot be used"),
        };
        Self::new(ProblemKind::InvalidQuery, detail).with_faults(faults)
    }

    /// The answer where there is nothing.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no such {what}"))
    }

    /// The answer to a fault of ours. The cause goes to the log, never to the caller.
    pub fn internal() -> Self {
        Self::new(ProblemKind::Internal, "the request could not be finished because of a fault in the service")
    }

    /// The answer while a database's schema is not at the version that this binary needs.
    pub(crate) fn schema_behind() -> Self {
        let detail = "the database is not yet at the version that this service needs";
        Self::new(ProblemKind::SchemaBehind, detail).retry_after(Duration::from_secs(10))
    }

    /// Adds the single faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// Says how many faults were found beyond those that are told.
    #[must_use]
    pub(crate) fn and_more(mut self, more: usize) -> Self {
        if more > 0 {
            self.detail = Cow::Owned(format!("{} … and {more} more", self.detail));
        }
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says when to try again (RFC 9110, section 10.2.3), in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The single faults.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What is told about this occurrence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The finished answer.
    pub(crate) fn render(&self, instance: &str, trace: &TraceContext) -> HttpResponse {
        let body = ProblemBody {
            r#type: self.kind.type_uri(),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            instance: instance.to_owned(),
            trace_id: trace.trace_id_hex(),
            errors: self.faults.clone(),
        };
        let mut response = HttpResponse::build(self.kind.status());
        for header in &self.headers {
            response.append_header(header.clone());
        }
        match serde_json::to_vec(&body) {
            Ok(bytes) => response.content_type(PROBLEM_JSON).body(bytes),
            Err(_) => response.finish(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.slug(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        // The middleware finds the problem in the response's error and renders it with the request's trace.
        self.render("", &TraceContext::default())
    }
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Which kind of problem it is; stable, and a page of this service tells more.
    #[schema(format = "uri-reference", example = "/problems/validation")]
    pub r#type: String,
    /// The kind in words.
    #[schema(example = "The content breaks rules")]
    pub title: String,
    /// The status code of the answer.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// What was wrong this time.
    #[schema(example = "one value breaks a rule")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(format = "uri-reference", example = "/api/v1/users")]
    pub instance: String,
    /// The trace of the request, as 32 hexadecimal digits: name it when you ask for help.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub trace_id: String,
    /// Every fault that was found, where the problem has parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_problem_says_all_that_the_standard_names() {
        let problem = Problem::validation(vec![Fault::at("/name", "too_short", "a name has at least 1 character")]);
        let trace = TraceContext { trace_id: 0xab, span_id: 1, flags: 0 };
        let response = problem.render("/api/v1/users", &trace);
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers().get(header::CONTENT_TYPE).expect("the header"), PROBLEM_JSON);
        let body = actix_web::body::to_bytes(response.into_body()).await.expect("a complete body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/problems/validation",
                "title": "The content breaks rules",
                "status": 422,
                "detail": "one value breaks a rule",
                "instance": "/api/v1/users",
                "trace_id": "000000000000000000000000000000ab",
                "errors": [{"pointer": "/name", "code": "too_short", "message": "a name has at least 1 character"}],
            })
        );
    }

    #[test]
    fn a_delay_is_rounded_up_to_whole_seconds() {
        let header_of = |delay| {
            let problem = Problem::new(ProblemKind::Unavailable, "away").retry_after(delay);
            problem.headers[0].1.to_str().expect("digits").to_owned()
        };
        assert_eq!(header_of(Duration::ZERO), "1");
        assert_eq!(header_of(Duration::from_millis(1500)), "2");
        assert_eq!(header_of(Duration::from_secs(3)), "3");
    }
}

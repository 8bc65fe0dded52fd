//! Metrics in the names of OpenTelemetry's semantic conventions, written out for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The bounds that the conventions advise for durations of requests and of queries, in seconds.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The bounds that the conventions advise for what a database does, in seconds.
const DATABASE_SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

const DURATION: &str = "http.server.request.duration";
const ACTIVE: &str = "http.server.active_requests";
const CHANGES: &str = "bindery.resource.changes";

/// The one recorder of the process, installed by the first caller.
///
/// The facade that libraries write to is global by its nature; this is the only place that touches it.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().with_recommended_naming(true);
        let bounded = builder
            .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), SECONDS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Prefix("db.client".to_owned()), DATABASE_SECONDS)
            })
            .unwrap_or_else(|_| PrometheusBuilder::new().with_recommended_naming(true));
        let recorder = bounded.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!(
                event = "metrics.foreign_recorder",
                "another metrics recorder is installed; /metrics stays empty"
            );
        }
        describe_histogram!(DURATION, Unit::Seconds, "How long requests took, by route template, method and status.");
        describe_gauge!(ACTIVE, "Requests that are being served.");
        describe_counter!(CHANGES, "Users and books that were created, replaced, patched or deleted.");
        handle
    })
}

/// A request under way. Dropping it takes it off the gauge, also when the caller has gone.
#[derive(Debug)]
pub(crate) struct Active(&'static str);

impl Active {
    pub(crate) fn new(method: &Method) -> Self {
        let method = method_label(method);
        metrics::gauge!(ACTIVE, "http.request.method" => method).increment(1.0);
        Self(method)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!(ACTIVE, "http.request.method" => self.0).decrement(1.0);
    }
}

/// Counts a finished request. `route` is a template or `unmatched`, never a path.
pub(crate) fn finished(method: &Method, route: String, status: StatusCode, took: Duration) {
    metrics::histogram!(
        DURATION,
        "http.request.method" => method_label(method),
        "http.route" => route,
        "http.response.status_code" => status.as_u16().to_string(),
    )
    .record(took.as_secs_f64());
}

/// What the service keeps for its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    User,
    Book,
}

/// What became of it. An answer that was given again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Created,
    Replaced,
    Patched,
    Deleted,
}

/// Counts a change that was made.
pub(crate) fn changed(resource: Resource, change: Change) {
    let resource = match resource {
        Resource::User => "user",
        Resource::Book => "book",
    };
    let change = match change {
        Change::Created => "created",
        Change::Replaced => "replaced",
        Change::Patched => "patched",
        Change::Deleted => "deleted",
    };
    metrics::counter!(CHANGES, "resource" => resource, "change" => change).increment(1);
}

/// The methods that the standard names; any other is `_OTHER`, so that a caller cannot invent label values.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_methods_share_one_label() {
        let invented = Method::from_bytes(b"BREW").expect("a token");
        assert_eq!(method_label(&invented), "_OTHER");
        assert_eq!(method_label(&Method::PATCH), "PATCH");
    }
}

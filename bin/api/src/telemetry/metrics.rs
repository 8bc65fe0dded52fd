//! Metrics in the names of OpenTelemetry's semantic conventions, written out for Prometheus.

use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use connection_manager::metrics::DURATION_BOUNDS;
use metrics::{Gauge, Histogram, Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The bounds that the conventions advise for durations of requests and of queries, in seconds.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

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
                builder.set_buckets_for_metric(Matcher::Prefix("db.client".to_owned()), &DURATION_BOUNDS)
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
        describe_counter!(CHANGES, "Users, books and connections that were created, replaced, patched or deleted.");
        connection_manager::metrics::describe();
        handle
    })
}

/// A request under way. Dropping it takes it off the gauge, also when the caller has gone.
#[derive(Debug)]
pub(crate) struct Active(&'static Gauge);

impl Active {
    pub(crate) fn new(method: &Method) -> Self {
        // Found once, because finding a handle among all metrics costs more than counting.
        static GAUGES: [OnceLock<Gauge>; METHODS.len() + 1] = [const { OnceLock::new() }; METHODS.len() + 1];
        let index = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len());
        let gauge =
            GAUGES[index].get_or_init(|| metrics::gauge!(ACTIVE, "http.request.method" => method_label(method)));
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// What requests are counted under: a path's template or a word, never a path. Remembers the handles that it has used,
/// because finding one among all metrics costs more than counting.
#[derive(Debug)]
pub(crate) struct Route {
    template: &'static str,
    durations: RwLock<Vec<(&'static str, StatusCode, Histogram)>>,
}

impl Route {
    pub(crate) const fn new(template: &'static str) -> Self {
        Self { template, durations: RwLock::new(Vec::new()) }
    }

    pub(crate) fn template(&self) -> &'static str {
        self.template
    }

    /// Counts a finished request.
    pub(crate) fn finished(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = method_label(method);
        let seconds = took.as_secs_f64();
        {
            let known = self.durations.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((.., histogram)) = known.iter().find(|(m, s, _)| (*m, *s) == (method, status)) {
                return histogram.record(seconds);
            }
        }
        let histogram = metrics::histogram!(
            DURATION,
            "http.request.method" => method,
            "http.route" => self.template,
            "http.response.status_code" => status.as_u16().to_string(),
        );
        histogram.record(seconds);
        self.durations.write().unwrap_or_else(PoisonError::into_inner).push((method, status, histogram));
    }
}

/// What the service keeps for its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    User,
    Book,
    Connection,
    Snapshot,
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
        Resource::Connection => "connection",
        Resource::Snapshot => "snapshot",
    };
    let change = match change {
        Change::Created => "created",
        Change::Replaced => "replaced",
        Change::Patched => "patched",
        Change::Deleted => "deleted",
    };
    metrics::counter!(CHANGES, "resource" => resource, "change" => change).increment(1);
}

/// The methods that the standard names.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// A method of the standard; any other is `_OTHER`, so that a caller cannot invent label values.
fn method_label(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
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

//! What is seen of one call to a database: its duration, and a span with OpenTelemetry's database attributes.

#[cfg(test)]
mod allocations;
mod text;

use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{ConnectionName, DatabaseError, Statement};
use tokio::time::Instant;
use tracing::{Span, field};

use crate::endpoint::Endpoint;
use crate::metrics::OperationMetrics;

/// What subscribers choose the spans by. They are of level DEBUG and cost next to nothing where nobody wants them.
pub(crate) const TARGET: &str = "connection_manager::query";

/// The calls to one connection.
pub(crate) struct Operations {
    metrics: OperationMetrics,
    system: &'static str,
    name: ConnectionName,
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
}

/// A call under way.
pub(crate) struct Operation {
    name: &'static str,
    began: Instant,
    span: Span,
}

impl Operations {
    pub(crate) fn new(system: &'static str, name: &ConnectionName, endpoint: &Endpoint) -> Self {
        let settings = endpoint.keyring.settings();
        Self {
            metrics: OperationMetrics::new(system, endpoint.series(name)),
            system,
            name: name.clone(),
            host: settings.host.clone(),
            port: settings.port,
            database: settings.database.clone(),
        }
    }

    /// A statement that is about to be sent as `sql`.
    pub(crate) fn statement(&self, statement: &Statement, sql: &str, context: &RequestContext) -> Operation {
        let operation = self.call(statement.operation(), Some(context));
        if !operation.span.is_disabled() {
            // The values of a tree travel apart from its text. A text by hand may have been written with values in it.
            match statement {
                Statement::Raw(_) => operation.span.record("db.query.text", text::without_values(sql).as_str()),
                _ => operation.span.record("db.query.text", sql),
            };
        }
        operation
    }

    /// Any other call. Its fields are written where they are wanted and not before: without any subscriber the macro makes
    /// them all the same, for the `log` crate. A script's text is not told: it may be anything, a password in it included.
    pub(crate) fn call(&self, name: &'static str, context: Option<&RequestContext>) -> Operation {
        let trace = context.map(|context| context.trace);
        let span = tracing::debug_span!(
            target: TARGET,
            "query",
            otel.name = %SpanName(name, self.database.as_deref()),
            otel.kind = "client",
            trace_id = trace.map(|trace| field::display(Hexadecimal { value: trace.trace_id, digits: 32 })),
            parent_span_id =
                trace.map(|trace| field::display(Hexadecimal { value: trace.span_id.into(), digits: 16 })),
            db.system.name = self.system,
            db.namespace = self.database.as_deref(),
            db.operation.name = name,
            db.query.text = field::Empty,
            db.response.status_code = field::Empty,
            db.client.connection.pool.name = %self.name,
            error.type = field::Empty,
            server.address = self.host.as_deref(),
            server.port = self.port,
        );
        Operation { name, began: Instant::now(), span }
    }

    /// Notes what became of it.
    pub(crate) fn ended<T>(&self, operation: &Operation, outcome: &Result<T, DatabaseError>) {
        let time = operation.began.elapsed();
        self.metrics.record(operation.name, outcome, time);
        if !operation.span.is_disabled() {
            operation.told(outcome.as_ref().err(), time);
        }
    }
}

impl Operation {
    /// Covers the work that is done for the call.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    #[cold]
    fn told(&self, error: Option<&DatabaseError>, time: Duration) {
        if let Some(error) = error {
            self.span.record("error.type", error.kind().as_str());
            if let Some(code) = error.code() {
                self.span.record("db.response.status_code", code);
            }
        }
        let duration_ms = time.as_secs_f64() * 1000.0;
        tracing::debug!(target: TARGET, parent: &self.span, event = "db.query", duration_ms);
    }
}

/// An identifier of a trace, which is not written before somebody wants it.
struct Hexadecimal {
    value: u128,
    digits: usize,
}

impl std::fmt::Display for Hexadecimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:0digits$x}", self.value, digits = self.digits)
    }
}

/// `{operation} {namespace}`, as the conventions name a span whose table is not known.
struct SpanName<'a>(&'static str, Option<&'a str>);

impl std::fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |database| write!(f, " {database}"))
    }
}

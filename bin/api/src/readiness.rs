//! Whether the service can do its work: every connection that a context needs answers, its schema fits this binary, and
//! nobody has asked the service to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use migrations::{Migrator, Verdict};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError};
use tokio::sync::Mutex;

use crate::gate::{Figures, Gate};
use crate::telemetry::chain;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a finding is good for: probes that come faster share it, so that nobody can load a database through them.
const FRESH: Duration = Duration::from_secs(1);

/// What one context rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) context: &'static str,
    pub(crate) connection: String,
}

/// How one context's connection stands.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) context: &'static str,
    pub(crate) connection: String,
    pub(crate) engine: Option<String>,
    pub(crate) latency: Option<Duration>,
    pub(crate) state: State,
    /// How its tenants stand, where the connection is kept per tenant.
    pub(crate) tenants: Option<Figures>,
}

/// The states that a needed connection can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It answers and its schema fits.
    Ready,
    /// It answers and its schema is not the one that this binary needs.
    SchemaBehind,
    /// Its schema was changed in a way that this binary does not know.
    SchemaUnclear,
    /// It does not answer.
    Away,
}

/// Watches over what the service needs.
#[derive(Debug)]
pub(crate) struct Readiness {
    gate: Arc<Gate>,
    needs: Vec<Need>,
    draining: AtomicBool,
    /// For each need, whether its schema was found not to fit.
    unfit: Vec<AtomicBool>,
    last: Mutex<Option<(Instant, Vec<Finding>)>>,
}

impl Readiness {
    pub(crate) fn new(gate: Arc<Gate>, needs: Vec<Need>) -> Self {
        let unfit = needs.iter().map(|_| AtomicBool::new(false)).collect();
        Self { gate, needs, draining: AtomicBool::new(false), unfit, last: Mutex::new(None) }
    }

    /// From now on the service is about to stop.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether a context's schema was last found not to fit: its requests would fail in the middle.
    pub(crate) fn schema_is_unfit(&self, context: &str) -> bool {
        let mut needs = self.needs.iter().zip(&self.unfit);
        needs.any(|(need, unfit)| need.context == context && unfit.load(Ordering::Relaxed))
    }

    /// How every need stands; at most a second old.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let mut last = self.last.lock().await;
        if let Some((at, findings)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return findings.clone();
        }
        let findings = join_all(self.needs.iter().map(|need| self.find(need))).await;
        for (finding, unfit) in findings.iter().zip(&self.unfit) {
            // A database that is away says nothing about its schema.
            if finding.state != State::Away {
                unfit.store(finding.state != State::Ready, Ordering::Relaxed);
            }
        }
        *last = Some((Instant::now(), findings.clone()));
        findings
    }

    async fn find(&self, need: &Need) -> Finding {
        let context = RequestContext::system().within(PATIENCE);
        let mut finding = Finding {
            context: need.context,
            connection: need.connection.clone(),
            engine: None,
            latency: None,
            state: State::Away,
            tenants: self.gate.figures(&need.connection),
        };
        if finding.tenants.is_some() {
            // One tenant's database is no reason to turn the others away: each request meets its own.
            finding.state = State::Ready;
            return finding;
        }
        let checked = async {
            let connection = self.gate.get(&need.connection, Access::Write, &context).await?;
            finding.engine = Some(connection.engine().to_string());
            finding.latency = Some(connection.ping(&context).await?.latency);
            Ok::<_, DatabaseError>(schema(need, connection, &context).await)
        };
        match tokio::time::timeout(PATIENCE, checked).await {
            Ok(Ok(state)) => finding.state = state,
            Ok(Err(error)) => {
                tracing::warn!(event = "readiness.away", connection = need.connection, error = %chain(&error));
            }
            Err(_) => {
                tracing::warn!(event = "readiness.away", connection = need.connection, error = "no answer in time");
            }
        }
        finding
    }
}

/// Whether the schema fits, said once in the log when it does not.
async fn schema(need: &Need, connection: Arc<dyn DatabaseConnection>, context: &RequestContext) -> State {
    let Some(set) = migrations::set(need.context) else { return State::Ready };
    match Migrator::new(set, connection).verify(context).await {
        // An older binary may go on beside a newer one: schemas change in steps that both can live with.
        Ok(Verdict::UpToDate | Verdict::Ahead { .. }) => State::Ready,
        Ok(Verdict::Behind { pending }) => {
            let pending = pending.join(", ");
            tracing::warn!(
                event = "readiness.schema_behind",
                context = need.context,
                pending,
                "the schema is behind this binary; run `api migrate up`"
            );
            State::SchemaBehind
        }
        Ok(verdict @ (Verdict::Diverged { .. } | Verdict::Unfinished { .. })) => {
            tracing::warn!(event = "readiness.schema_unclear", context = need.context, verdict = ?verdict);
            State::SchemaUnclear
        }
        Err(error) => {
            tracing::warn!(event = "readiness.schema_unknown", context = need.context, error = %chain(&error));
            State::Away
        }
    }
}

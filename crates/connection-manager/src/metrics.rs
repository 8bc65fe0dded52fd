//! Measurements through the `metrics` facade, under OpenTelemetry's names.
//!
//! Handles are made when a connection is made: install the recorder before the first `get`.

mod names;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Label, counter, gauge, histogram};
use shared_kernel::database::{ConnectionName, DatabaseError, Dialect};

pub use self::names::{DURATION_BOUNDS, describe};
use crate::settings::PoolSettings;

/// `db.system.name` of a dialect's engine, as OpenTelemetry's registry spells it.
pub(crate) fn system_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MySql => "mysql",
        Dialect::Postgres => "postgresql",
        Dialect::Sqlite => "sqlite",
        Dialect::SqlServer => "microsoft.sql_server",
    }
}

fn labels(system: &'static str, name: &ConnectionName) -> Vec<Label> {
    vec![
        Label::from_static_parts("db.system.name", system),
        Label::new("db.client.connection.pool.name", name.to_string()),
    ]
}

fn with(labels: &[Label], key: &'static str, value: &'static str) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.push(Label::from_static_parts(key, value));
    labels
}

/// What one pool reports.
pub(crate) struct PoolMetrics {
    idle: Share,
    used: Share,
    waiting: Share,
    /// What the settings allow, taken back when the pool goes.
    _limits: [Share; 3],
    timeouts: Counter,
    wait_time: Histogram,
    use_time: Histogram,
    create_time: Histogram,
    renewals: Counter,
    cancels: Counter,
    leaks: Counter,
    demotions: Counter,
    retries: [Counter; 4],
}

impl PoolMetrics {
    pub(crate) fn new(system: &'static str, name: &ConnectionName, settings: &PoolSettings) -> Self {
        let labels = labels(system, name);
        let limit = |name: &'static str, value| {
            let share = Share::of(gauge!(name, labels.clone()));
            share.set(value);
            share
        };
        let count =
            |state| Share::of(gauge!("db.client.connection.count", with(&labels, "db.client.connection.state", state)));
        Self {
            _limits: [
                limit("db.client.connection.max", settings.max),
                // No idle connection is closed for their number, only for its age.
                limit("db.client.connection.idle.max", settings.max),
                limit("db.client.connection.idle.min", settings.min.min(settings.max)),
            ],
            idle: count("idle"),
            used: count("used"),
            waiting: Share::of(gauge!("db.client.connection.pending_requests", labels.clone())),
            timeouts: counter!("db.client.connection.timeouts", labels.clone()),
            wait_time: histogram!("db.client.connection.wait_time", labels.clone()),
            use_time: histogram!("db.client.connection.use_time", labels.clone()),
            create_time: histogram!("db.client.connection.create_time", labels.clone()),
            renewals: counter!("bindery.pool.renewals", labels.clone()),
            cancels: counter!("bindery.pool.cancels", labels.clone()),
            leaks: counter!("bindery.pool.leaks", labels.clone()),
            demotions: counter!("bindery.pool.demotions", labels.clone()),
            retries: Retried::ALL
                .map(|outcome| counter!("bindery.pool.retries", with(&labels, "outcome", outcome.as_str()))),
        }
    }

    pub(crate) fn observe(&self, idle: u32, used: u32, waiting: u32) {
        self.idle.set(idle);
        self.used.set(used);
        self.waiting.set(waiting);
    }

    pub(crate) fn timed_out(&self) {
        self.timeouts.increment(1);
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.wait_time.record(time);
    }

    /// A connection came back, or was thrown away, after this time in somebody's hands.
    pub(crate) fn used(&self, time: Duration) {
        self.use_time.record(time);
    }

    pub(crate) fn created(&self, time: Duration) {
        self.create_time.record(time);
    }

    /// A connection was opened to take the place of one with older credentials.
    pub(crate) fn renewed(&self) {
        self.renewals.increment(1);
    }

    /// A connection was held for so long that it may never come back.
    pub(crate) fn leaked(&self) {
        self.leaks.increment(1);
    }

    /// A call was sent again, or might have been.
    pub(crate) fn retried(&self, outcome: Retried) {
        self.retries[outcome as usize].increment(1);
    }

    /// The pool gave up its connections because their server only reads.
    pub(crate) fn demoted(&self) {
        self.demotions.increment(1);
    }

    /// The server was told to leave off a statement whose caller has left.
    pub(crate) fn cancelled(&self) {
        self.cancels.increment(1);
    }
}

/// What came of sending a call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retried {
    /// It went well.
    Recovered,
    /// It failed as well.
    Failed,
    /// It was not sent: the server had to bear enough of them.
    NoBudget,
    /// It was not sent: it would have come too late for its caller.
    NoTime,
}

impl Retried {
    /// In the order of their discriminants.
    const ALL: [Self; 4] = [Self::Recovered, Self::Failed, Self::NoBudget, Self::NoTime];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Failed => "failed",
            Self::NoBudget => "no_budget",
            Self::NoTime => "no_time",
        }
    }
}

/// What one pool adds to a gauge. The pools of a connection's tenants share the connection's name, so that the number of
/// series does not grow with the tenants; together they are the gauge's value.
struct Share {
    gauge: Gauge,
    part: AtomicU32,
}

impl Share {
    fn of(gauge: Gauge) -> Self {
        // Adding nothing makes the series known.
        gauge.increment(0.0);
        Self { gauge, part: AtomicU32::new(0) }
    }

    fn set(&self, part: u32) {
        let before = self.part.swap(part, Ordering::Relaxed);
        if part > before {
            self.gauge.increment(part - before);
        } else if part < before {
            self.gauge.decrement(before - part);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What is reported of pools of one kind: how many are live, and why the others were closed.
pub(crate) struct PoolsMetrics {
    live: Gauge,
    idled: Counter,
    displaced: Counter,
}

impl PoolsMetrics {
    /// Of the tenants' pools of one connection.
    pub(crate) fn of_tenants(name: &ConnectionName) -> Self {
        Self::new(name, "bindery.tenants.live", "bindery.tenants.evictions")
    }

    /// Of the connections that are defined elsewhere, under one prefix.
    pub(crate) fn of_definitions(prefix: &ConnectionName) -> Self {
        Self::new(prefix, "bindery.definitions.live", "bindery.definitions.evictions")
    }

    fn new(name: &ConnectionName, live: &'static str, evictions: &'static str) -> Self {
        let labels = vec![Label::new("db.client.connection.pool.name", name.to_string())];
        let evicted = |reason| counter!(evictions, with(&labels, "reason", reason));
        let (idled, displaced) = (evicted("idle"), evicted("displaced"));
        Self { live: gauge!(live, labels), idled, displaced }
    }

    pub(crate) fn live(&self, pools: usize) {
        self.live.set(u32::try_from(pools).unwrap_or(u32::MAX));
    }

    /// A pool was closed because nobody used it for a while.
    pub(crate) fn idled(&self) {
        self.idled.increment(1);
    }

    /// A pool was closed to make room for another.
    pub(crate) fn displaced(&self) {
        self.displaced.increment(1);
    }
}

/// Where the reads of a connection that has replicas went.
pub(crate) struct ReadMetrics {
    replica: Counter,
    primary: Counter,
    fallbacks: Counter,
}

impl ReadMetrics {
    pub(crate) fn new(name: &ConnectionName) -> Self {
        let labels = vec![Label::new("db.client.connection.pool.name", name.to_string())];
        let role = |role| counter!("bindery.reads", with(&labels, "role", role));
        let (replica, primary) = (role("replica"), role("primary"));
        Self { replica, primary, fallbacks: counter!("bindery.replica.fallbacks", labels) }
    }

    /// A replica has answered.
    pub(crate) fn replica(&self) {
        self.replica.increment(1);
    }

    /// The caller was sent to the primary.
    pub(crate) fn primary(&self) {
        self.primary.increment(1);
    }

    /// The same, after a replica had been chosen.
    pub(crate) fn fell_back(&self) {
        self.fallbacks.increment(1);
        self.primary();
    }
}

/// What is reported of one replica.
pub(crate) struct ReplicaMetrics {
    lag: Gauge,
    serving: Gauge,
}

impl ReplicaMetrics {
    pub(crate) fn new(name: &ConnectionName, endpoint: &str) -> Self {
        let mut labels = vec![Label::new("db.client.connection.pool.name", name.to_string())];
        labels.push(Label::new("endpoint", endpoint.to_owned()));
        let this = Self {
            lag: gauge!("bindery.replica.lag", labels.clone()),
            serving: gauge!("bindery.replica.serving", labels),
        };
        this.lag(None);
        this.serving(false);
        this
    }

    /// NaN where nobody knows.
    pub(crate) fn lag(&self, lag: Option<Duration>) {
        self.lag.set(lag.map_or(f64::NAN, |lag| lag.as_secs_f64()));
    }

    pub(crate) fn serving(&self, serving: bool) {
        self.serving.set(f64::from(u8::from(serving)));
    }
}

/// `db.client.operation.duration` of one connection.
pub(crate) struct OperationMetrics {
    labels: Vec<Label>,
    /// The verbs of syntax trees, found without a lock.
    usual: [(&'static str, Histogram); 8],
    /// Verbs of raw statements and failures, as they come up. Both are small sets fixed in the program.
    others: RwLock<HashMap<(&'static str, &'static str), Histogram>>,
}

impl OperationMetrics {
    pub(crate) fn new(system: &'static str, name: &ConnectionName) -> Self {
        let labels = labels(system, name);
        let usual = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK"]
            .map(|operation| (operation, Self::register(&labels, operation, "")));
        Self { labels, usual, others: RwLock::default() }
    }

    fn register(labels: &[Label], operation: &'static str, failure: &'static str) -> Histogram {
        let mut labels = with(labels, "db.operation.name", operation);
        if !failure.is_empty() {
            labels.push(Label::from_static_parts("error.type", failure));
        }
        histogram!("db.client.operation.duration", labels)
    }

    pub(crate) fn record<T>(&self, operation: &'static str, outcome: &Result<T, DatabaseError>, time: Duration) {
        let failure = outcome.as_ref().err().map_or("", |error| error.kind().as_str());
        if failure.is_empty()
            && let Some((_, histogram)) = self.usual.iter().find(|(usual, _)| *usual == operation)
        {
            histogram.record(time);
            return;
        }
        let known = self.others.read().unwrap_or_else(PoisonError::into_inner).get(&(operation, failure)).cloned();
        let histogram = known.unwrap_or_else(|| {
            let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
            others
                .entry((operation, failure))
                .or_insert_with(|| Self::register(&self.labels, operation, failure))
                .clone()
        });
        histogram.record(time);
    }
}

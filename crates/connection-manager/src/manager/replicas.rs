//! The replicas of a connection: watched, chosen among for reads, left out while they are of no use.

mod reading;
mod watch;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{Access, ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use shared_kernel::freshness::{Need, Position};
use tokio::time::Instant;

use self::reading::Reading;
use super::{Inner, Slot};
use crate::breaker::{Breaker, Circuit};
use crate::metrics::{ReadMetrics, ReplicaMetrics};
use crate::replication::{History, Progress, Side};
use crate::settings::ConnectionSettings;

/// How long an answer to how far a server has come may take.
const ANSWER: Duration = Duration::from_secs(1);

/// How a replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStats {
    /// Its host and port.
    pub endpoint: String,
    /// Whether reads may go to it.
    pub serving: bool,
    /// Why they may not.
    pub left_out: Option<String>,
    /// How old at most the state is that it shows, where that is known.
    pub lag: Option<Duration>,
    /// The reads that it has answered.
    pub reads: u64,
}

/// The replicas of one connection.
pub(super) struct Replicas {
    members: Box<[Arc<Replica>]>,
    /// How far the primary had come, and when.
    history: Mutex<History>,
    max_lag: Duration,
    /// Who is looked at first, so that those who are equally busy take turns.
    turn: AtomicUsize,
    watching: AtomicBool,
    metrics: Arc<ReadMetrics>,
}

/// One replica.
pub(super) struct Replica {
    settings: ConnectionSettings,
    /// Its host and port, for people and measurements.
    endpoint: String,
    /// The name that its pool has in measurements.
    series: ConnectionName,
    state: Mutex<State>,
    reads: AtomicU64,
    metrics: ReplicaMetrics,
    /// The same for all of a connection.
    of_reads: Arc<ReadMetrics>,
}

struct State {
    pool: Option<Pool>,
    /// How far it had come when it was last asked.
    progress: Option<Progress>,
    lag: Option<Duration>,
    /// Why nobody reads there; `None` while everybody may.
    left_out: Option<String>,
}

/// An open pool of connections to a replica.
struct Pool {
    connection: Arc<dyn DatabaseConnection>,
    /// What callers get who may read there.
    reading: Arc<Reading>,
    breaker: Breaker,
    /// How many connections had been opened when the replica was last asked how far it has come. One that was opened later
    /// may lead to a server that was started anew, and is behind what was answered.
    opened: u64,
}

impl Replicas {
    /// `None` where there are none.
    pub(super) fn of(name: &ConnectionName, settings: &ConnectionSettings, default_port: Option<u16>) -> Option<Self> {
        if settings.replicas.is_empty() {
            return None;
        }
        let metrics = Arc::new(ReadMetrics::new(name));
        let members: Box<[_]> = (1..)
            .zip(settings.of_replicas())
            .map(|(number, settings)| Arc::new(Replica::new(name, number, settings, default_port, &metrics)))
            .collect();
        let max_lag = settings.replicas.max_lag;
        Some(Self {
            members,
            history: Mutex::new(History::new(max_lag)),
            max_lag,
            turn: AtomicUsize::new(0),
            watching: AtomicBool::new(false),
            metrics,
        })
    }

    /// The replica that a read goes to: of those that have what the caller needs, the one with the fewest calls. `None`: the
    /// primary serves it.
    pub(super) fn choose(&self, need: &Need) -> Option<Arc<dyn DatabaseConnection>> {
        let chosen = self.least_busy(need);
        if chosen.is_none() {
            self.metrics.primary();
        }
        chosen
    }

    fn least_busy(&self, need: &Need) -> Option<Arc<dyn DatabaseConnection>> {
        let needed = Needed::of(need)?;
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn =
            (0..self.members.len()).map(|index| &self.members[(first.wrapping_add(index)) % self.members.len()]);
        let mut chosen: Option<(u32, Arc<Reading>)> = None;
        for (busy, reading) in in_turn.filter_map(|member| member.offer(&needed)) {
            if chosen.as_ref().is_none_or(|(least, _)| busy < *least) {
                chosen = Some((busy, reading));
            }
        }
        chosen.map(|(_, reading)| reading as Arc<dyn DatabaseConnection>)
    }

    /// How each of them stands.
    pub(super) fn stats(&self) -> Vec<ReplicaStats> {
        self.members.iter().map(|member| member.stats()).collect()
    }

    /// The open pools, which nobody gets any more.
    pub(super) fn take_all(&self) -> Vec<Arc<dyn DatabaseConnection>> {
        self.members.iter().filter_map(|member| member.state().pool.take()).map(|pool| pool.connection).collect()
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a read has to see, where that can be at a replica.
struct Needed(Option<Progress>);

impl Needed {
    /// `None` when it is at the primary alone, as for a position that was not made here.
    fn of(need: &Need) -> Option<Self> {
        match need {
            Need::Nothing => Some(Self(None)),
            Need::Reached(position) => Progress::at(position).map(Some).map(Self),
            Need::Primary => None,
        }
    }
}

impl Replica {
    fn new(
        name: &ConnectionName,
        number: u32,
        settings: ConnectionSettings,
        default_port: Option<u16>,
        of_reads: &Arc<ReadMetrics>,
    ) -> Self {
        let endpoint = super::address(&settings, default_port).unwrap_or_default();
        // A name that leaves no room for the number is measured together with its primary.
        let series = format!("{name}/replica-{number}").parse().unwrap_or_else(|_| name.clone());
        let metrics = ReplicaMetrics::new(name, &endpoint);
        let left_out = Some("it was not asked yet".to_owned());
        let state = Mutex::new(State { pool: None, progress: None, lag: None, left_out });
        let of_reads = Arc::clone(of_reads);
        Self { settings, endpoint, series, state, reads: AtomicU64::new(0), metrics, of_reads }
    }

    /// Itself and how busy it is, when it has what is needed.
    fn offer(&self, needed: &Needed) -> Option<(u32, Arc<Reading>)> {
        let state = self.state();
        let pool = state.serving(needed)?;
        let calls = pool.connection.stats();
        Some((calls.in_use + calls.waiting, Arc::clone(&pool.reading)))
    }

    /// How many connections had been opened when it was last known to have what is needed; `None` when it has not.
    fn vouches(&self, needed: &Needed) -> Option<u64> {
        self.state().serving(needed).map(|pool| pool.opened)
    }

    /// Takes note of how far it has come, or why that cannot be known.
    fn judge(&self, answer: Result<(Progress, u64), DatabaseError>, history: &History, max_lag: Duration) {
        let (progress, opened) = match answer {
            Ok(answer) => answer,
            Err(error) => return self.leave_out(error.to_string()),
        };
        let lag = history.lag(&progress, Instant::now());
        let refusal = match lag {
            None => Some("it lacks more than is remembered of the primary".to_owned()),
            Some(lag) if lag > max_lag => Some(format!("it shows a state that is up to {} ms old", lag.as_millis())),
            Some(_) => None,
        };
        let mut state = self.state();
        state.progress = Some(progress);
        state.lag = lag;
        if let Some(pool) = &mut state.pool {
            pool.opened = opened;
        }
        self.metrics.lag(lag);
        match refusal {
            Some(reason) => self.exclude(&mut state, reason),
            None => self.include(&mut state),
        }
    }

    /// Nobody reads there until it was found to be well.
    fn leave_out(&self, reason: String) {
        let mut state = self.state();
        state.lag = None;
        self.exclude(&mut state, reason);
    }

    fn exclude(&self, state: &mut State, reason: String) {
        if state.left_out.is_none() {
            tracing::warn!(replica = self.endpoint, reason, "the replica is left out, reads go elsewhere");
        }
        state.left_out = Some(reason);
        self.metrics.serving(false);
    }

    fn include(&self, state: &mut State) {
        if state.left_out.take().is_some() {
            tracing::info!(replica = self.endpoint, "the replica serves reads");
        }
        self.metrics.serving(true);
    }

    fn stats(&self) -> ReplicaStats {
        let state = self.state();
        ReplicaStats {
            endpoint: self.endpoint.clone(),
            serving: state.serving(&Needed(None)).is_some(),
            left_out: state.left_out.clone(),
            lag: state.lag,
            reads: self.reads.load(Ordering::Relaxed),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The pool, when reads that need this may go there.
    fn serving(&self, needed: &Needed) -> Option<&Pool> {
        let pool = self.pool.as_ref().filter(|_| self.left_out.is_none())?;
        let reached = || self.progress.as_ref();
        let has = needed.0.as_ref().is_none_or(|needed| reached().is_some_and(|reached| reached.contains(needed)));
        (has && pool.breaker.circuit() == Circuit::Closed).then_some(pool)
    }
}

/// Whether the error says that the replica is of no use to anybody, and not only to this caller.
fn is_away(error: &DatabaseError) -> bool {
    use DatabaseErrorKind::{
        AuthRejected, CircuitOpen, Closed, Misconfigured, SecretUnavailable, TlsFailed, UnknownDatabase, Unreachable,
    };
    matches!(
        error.kind(),
        Unreachable
            | TlsFailed
            | AuthRejected
            | SecretUnavailable
            | UnknownDatabase
            | Misconfigured
            | CircuitOpen
            | Closed
    )
}

impl Inner {
    /// The replica that serves a call for the connection, if one does. A call to write is remembered in its context.
    pub(super) fn of_replicas(
        self: &Arc<Self>,
        slot: &Slot,
        replicas: &Replicas,
        access: Access,
        context: &RequestContext,
    ) -> Option<Arc<dyn DatabaseConnection>> {
        if self.is_closed() {
            return None;
        }
        replicas.watch(self, slot);
        match access {
            Access::Read => replicas.choose(&context.freshness.need(&slot.name, |name| self.is_replicated(name))),
            Access::Write => {
                context.freshness.wrote(&slot.name);
                None
            }
        }
    }

    /// How far the primary of a connection has come, where it says so in time.
    pub(super) async fn position(
        self: &Arc<Self>,
        name: &ConnectionName,
        context: &RequestContext,
    ) -> Option<Position> {
        let slot = self.slot(name.as_str()).filter(|slot| slot.replicas.is_some())?;
        let context = context.within(ANSWER);
        let asked = async {
            let primary = Self::primary(self, slot, context.deadline).await?;
            Progress::of(&*primary, Side::Primary, &context).await
        };
        let answer = asked.await.inspect_err(|error| {
            tracing::debug!(connection = %name, %error, "the primary told no position, who wrote reads there");
        });
        answer.ok()?.position()
    }

    /// Whether positions of this connection's history can be compared here.
    pub(super) fn is_replicated(&self, name: &ConnectionName) -> bool {
        self.slot(name.as_str()).is_some_and(|slot| slot.replicas.is_some())
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

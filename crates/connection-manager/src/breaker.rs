//! A circuit breaker: after a row of failures callers are refused at once instead of being made to wait, and a few
//! probes find out when the server is back.

mod board;
mod link;
mod share;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::Instant;

pub use self::board::{BoardSettings, CircuitBoard};
pub(crate) use self::share::Door;
use self::share::{Part, Share, Word};
use crate::lookout::Lookout;
use crate::settings::BreakerSettings;

/// Knocks in a row without an answer that open a circuit: one may be lost on the way.
const SILENCES: u32 = 2;

/// The state of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Circuit {
    /// Everybody passes.
    Closed = 0,
    /// A limited number of probes pass.
    HalfOpen = 1,
    /// Nobody passes.
    Open = 2,
}

impl Circuit {
    /// The name for people and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// Watches over one server for all who use it. Cheap to clone; clones share the circuit.
///
/// A failure is the server's silence or its being out of reach, never an answer that a caller dislikes. Failures count
/// while no success lies between them; where a login or a caller waits and the server, asked whether it is there, says nothing
/// twice, that opens the circuit whatever their number. A circuit that opens stays open for [`BreakerSettings::open_for`], twice as long
/// after every round of probes that failed, up to [`BreakerSettings::open_for_max`].
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    /// What the refused are told about.
    endpoint: Box<str>,
    settings: BreakerSettings,
    /// The circuit, read for each call; written under the lock.
    circuit: AtomicU8,
    /// Whether a failure has been noted since the last success, so that a success in good times writes nothing.
    doubtful: AtomicBool,
    state: Mutex<State>,
    /// Finds out when the server is back, if somebody waits for it.
    lookout: Arc<Lookout>,
    /// Set where other processes share the circuit.
    share: OnceLock<Share>,
    gauge: Gauge,
    rejections: Counter,
}

#[derive(Debug)]
struct State {
    circuit: Circuit,
    /// Failures in a row.
    failures: u32,
    /// Knocks in a row that nobody answered.
    silences: u32,
    /// While open: when probes may pass.
    until: Option<Instant>,
    /// How long it stays open the next time.
    pause: Duration,
    /// Probes under way.
    probing: u32,
    /// Probes that came back well in this round.
    recovered: u32,
    /// Grows with each change of the circuit. A probe that was let through before says nothing about the present round.
    round: u64,
    /// What the circuit has to do with those of other processes.
    part: Part,
}

impl Breaker {
    /// A closed circuit towards `endpoint`, which is shown to callers and in measurements.
    pub fn new(endpoint: &str, settings: BreakerSettings) -> Self {
        let label = endpoint.to_owned();
        let gauge = gauge!("bindery.circuit.state", "endpoint" => label.clone());
        gauge.set(f64::from(Circuit::Closed as u8));
        Self::with(endpoint, settings, gauge, counter!("bindery.circuit.rejections", "endpoint" => label))
    }

    /// The same without measurements, for servers whose number nobody has set a limit to.
    pub fn unmeasured(endpoint: &str, settings: BreakerSettings) -> Self {
        Self::with(endpoint, settings, Gauge::noop(), Counter::noop())
    }

    fn with(endpoint: &str, settings: BreakerSettings, gauge: Gauge, rejections: Counter) -> Self {
        Self(Arc::new(Inner {
            endpoint: endpoint.into(),
            circuit: AtomicU8::new(Circuit::Closed as u8),
            doubtful: AtomicBool::new(false),
            state: Mutex::new(State {
                circuit: Circuit::Closed,
                failures: 0,
                silences: 0,
                until: None,
                pause: settings.open_for,
                probing: 0,
                recovered: 0,
                round: 0,
                part: Part::default(),
            }),
            lookout: Arc::new(Lookout::new()),
            share: OnceLock::new(),
            gauge,
            rejections,
            settings,
        }))
    }

    /// A circuit that never opens, for what is no server and for whoever has no use for it.
    pub fn always_closed() -> Self {
        Self::unmeasured("", BreakerSettings { failures: 0, ..BreakerSettings::default() })
    }

    /// The circuit at this moment.
    pub fn circuit(&self) -> Circuit {
        match self.0.circuit.load(Ordering::Acquire) {
            0 => Circuit::Closed,
            1 => Circuit::HalfOpen,
            _ => Circuit::Open,
        }
    }

    /// Whether other processes share the circuit: there is a [`CircuitBoard`], and it answered when it was asked last.
    pub fn is_shared(&self) -> bool {
        self.0.share.get().is_some_and(Share::is_up)
    }

    /// The server that the circuit leads to.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// The right to try. In a half-open circuit it is one of the probes, and the slot is free again when the permit has
    /// been told the outcome or is dropped.
    ///
    /// # Errors
    /// `CircuitOpen` with the time after which it is worth to try again.
    pub fn admit(&self) -> Result<Permit, DatabaseError> {
        // Without the lock: in good times this is all that a call costs.
        if self.0.circuit.load(Ordering::Acquire) == Circuit::Closed as u8 {
            return Ok(Permit::plain());
        }
        let now = Instant::now();
        let mut state = self.0.state();
        let allowance = self.0.allowance(&state);
        let left = state.left(now);
        if state.circuit == Circuit::Open && left.is_zero() && allowance > 0 {
            state.recovered = 0;
            state.probing = 0;
            self.0.change(&mut state, Circuit::HalfOpen);
        }
        match state.circuit {
            Circuit::Closed => Ok(Permit::plain()),
            Circuit::HalfOpen
                if state.probing < allowance && state.probing + state.recovered < self.0.settings.probes =>
            {
                state.probing += 1;
                Ok(Permit { breaker: Some(self.clone()), round: state.round })
            }
            Circuit::HalfOpen => Err(self.0.refusal(self.0.wanted(&mut state).unwrap_or(self.0.settings.open_for))),
            Circuit::Open => Err(self.0.refusal(left.max(self.0.wanted(&mut state).unwrap_or_default()))),
        }
    }

    /// Notes that the server answered.
    pub fn succeeded(&self) {
        if !self.0.doubtful.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.0.state();
        match state.circuit {
            Circuit::Closed => {
                (state.failures, state.silences) = (0, 0);
                state.part.suspect = false;
                self.0.doubtful.store(false, Ordering::Relaxed);
            }
            // Somebody who was let through before the circuit opened, or the pool by itself, has reached the server: no
            // need to wait for the end of the pause.
            Circuit::Open => state.until = None,
            // The probes decide.
            Circuit::HalfOpen => {}
        }
    }

    /// Notes that the server is back after a silence. Whoever was let through before says nothing about it any more, and the
    /// next to come are probes.
    pub(crate) fn returned(&self) {
        let mut state = self.0.state();
        match state.circuit {
            Circuit::Closed => {
                (state.failures, state.silences) = (0, 0);
                state.part.suspect = false;
            }
            Circuit::Open => state.until = None,
            Circuit::HalfOpen => {
                state.probing = 0;
                state.recovered = 0;
                state.round += 1;
            }
        }
    }

    /// What watches for the server's return.
    pub(crate) fn lookout(&self) -> &Arc<Lookout> {
        &self.0.lookout
    }

    /// Notes that the server was out of reach or silent. Says whether the circuit opened by it.
    pub fn failed(&self) -> bool {
        if self.0.settings.failures == 0 {
            return false;
        }
        let mut state = self.0.state();
        self.0.doubtful.store(true, Ordering::Relaxed);
        if state.circuit != Circuit::Closed {
            return false;
        }
        state.failures += 1;
        if state.failures < self.0.settings.failures {
            return false;
        }
        self.0.open(&mut state);
        true
    }

    /// Notes that somebody knocked at the server, which has kept a login or a caller waiting, and nobody answered. Says whether
    /// the circuit opened by it, as it does when nothing was heard of the server between two knocks.
    pub(crate) fn unheard(&self) -> bool {
        if self.0.settings.failures == 0 {
            return false;
        }
        let mut state = self.0.state();
        self.0.doubtful.store(true, Ordering::Relaxed);
        if state.circuit != Circuit::Closed {
            return false;
        }
        state.silences += 1;
        if state.silences < SILENCES {
            return false;
        }
        self.0.open(&mut state);
        true
    }
}

impl Inner {
    /// Changed by small steps that cannot panic half-way, so a poisoned lock still guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it, and has the others told.
    fn open(&self, state: &mut State) {
        let pause = state.pause;
        self.open_for(state, pause);
        self.tell(state, Word::Open(pause));
    }

    fn open_for(&self, state: &mut State, pause: Duration) {
        state.until = Instant::now().checked_add(pause);
        state.pause = (state.pause * 2).min(self.settings.open_for_max);
        self.change(state, Circuit::Open);
    }

    fn close(&self, state: &mut State) {
        state.failures = 0;
        state.pause = self.settings.open_for;
        self.doubtful.store(false, Ordering::Relaxed);
        self.change(state, Circuit::Closed);
    }

    fn change(&self, state: &mut State, circuit: Circuit) {
        state.silences = 0;
        tracing::warn!(endpoint = %self.endpoint, from = state.circuit.as_str(), to = circuit.as_str(), "circuit changed");
        state.circuit = circuit;
        state.round += 1;
        state.part.changed(circuit);
        self.circuit.store(circuit as u8, Ordering::Release);
        self.gauge.set(f64::from(circuit as u8));
    }

    fn refusal(&self, retry_after: Duration) -> DatabaseError {
        self.rejections.increment(1);
        let message = format!("{} was out of reach and is not tried again yet", self.endpoint);
        DatabaseError::new(DatabaseErrorKind::CircuitOpen, message).with_retry_after(retry_after)
    }
}

/// The right to one try. Dropped without a word it says nothing about the server.
#[must_use]
pub struct Permit {
    /// Set while the permit is a probe that has not been told its outcome.
    breaker: Option<Breaker>,
    round: u64,
}

impl Permit {
    /// One whose outcome the circuit learns otherwise, if at all.
    pub fn plain() -> Self {
        Self { breaker: None, round: 0 }
    }

    /// Whether this try decides what becomes of the circuit.
    pub fn is_probe(&self) -> bool {
        self.breaker.is_some()
    }

    /// The server answered. With as many good probes as there are probes, the circuit closes.
    pub fn succeeded(mut self) {
        let Some(Breaker(inner)) = self.breaker.take() else { return };
        let mut state = inner.state();
        if !state.end_probe(self.round) {
            return;
        }
        state.recovered += 1;
        if state.recovered >= inner.settings.probes {
            inner.close(&mut state);
            inner.tell(&mut state, Word::Closed);
        }
    }

    /// The server was out of reach or silent: the circuit opens again, for longer than before.
    pub fn failed(mut self) {
        let Some(Breaker(inner)) = self.breaker.take() else { return };
        let mut state = inner.state();
        if state.end_probe(self.round) {
            inner.open(&mut state);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(Breaker(inner)) = self.breaker.take() {
            inner.state().end_probe(self.round);
        }
    }
}

impl State {
    /// How long it stays open yet.
    fn left(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Frees a probe's slot, when it belongs to the present round.
    fn end_probe(&mut self, round: u64) -> bool {
        if self.round != round {
            return false;
        }
        self.probing = self.probing.saturating_sub(1);
        true
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("endpoint", &self.0.endpoint)
            .field("circuit", &self.circuit())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("is_probe", &self.is_probe()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

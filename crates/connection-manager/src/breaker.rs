//! A circuit breaker: after a row of failures callers are refused at once instead of being made to wait, and a few
//! probes find out when the server is back.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::Instant;

use crate::lookout::Lookout;
use crate::settings::BreakerSettings;

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
/// while no success lies between them. A circuit that opens stays open for [`BreakerSettings::open_for`], twice as long
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
    gauge: Gauge,
    rejections: Counter,
}

#[derive(Debug)]
struct State {
    circuit: Circuit,
    /// Failures in a row.
    failures: u32,
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
                until: None,
                pause: settings.open_for,
                probing: 0,
                recovered: 0,
                round: 0,
            }),
            lookout: Arc::new(Lookout::new()),
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
            return Ok(Permit { breaker: None, round: 0 });
        }
        let now = Instant::now();
        let mut state = self.0.state();
        if state.circuit == Circuit::Open && state.until.is_none_or(|until| until <= now) {
            state.recovered = 0;
            state.probing = 0;
            self.0.change(&mut state, Circuit::HalfOpen);
        }
        match state.circuit {
            Circuit::Closed => Ok(Permit { breaker: None, round: 0 }),
            Circuit::HalfOpen if state.probing + state.recovered < self.0.settings.probes => {
                state.probing += 1;
                Ok(Permit { breaker: Some(self.clone()), round: state.round })
            }
            Circuit::HalfOpen => Err(self.0.refusal(self.0.settings.open_for)),
            Circuit::Open => {
                let left = state.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
                Err(self.0.refusal(left))
            }
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
                state.failures = 0;
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
            Circuit::Closed => state.failures = 0,
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
}

impl Inner {
    /// Changed by small steps that cannot panic half-way, so a poisoned lock still guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State) {
        state.until = Instant::now().checked_add(state.pause);
        state.pause = (state.pause * 2).min(self.settings.open_for_max);
        self.change(state, Circuit::Open);
    }

    fn change(&self, state: &mut State, circuit: Circuit) {
        tracing::warn!(endpoint = %self.endpoint, from = state.circuit.as_str(), to = circuit.as_str(), "circuit changed");
        state.circuit = circuit;
        state.round += 1;
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
            state.failures = 0;
            state.pause = inner.settings.open_for;
            inner.doubtful.store(false, Ordering::Relaxed);
            inner.change(&mut state, Circuit::Closed);
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
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        let settings = BreakerSettings { failures: 3, open_for: PAUSE, open_for_max: PAUSE * 3, probes: 2 };
        Breaker::new("db:1", settings)
    }

    fn opened() -> Breaker {
        let breaker = breaker();
        assert_eq!([breaker.failed(), breaker.failed(), breaker.failed()], [false, false, true]);
        breaker
    }

    fn left(breaker: &Breaker) -> Duration {
        let error = breaker.admit().expect_err("the circuit is open");
        assert_eq!(*error.kind(), DatabaseErrorKind::CircuitOpen);
        error.retry_after().expect("a time")
    }

    #[tokio::test(start_paused = true)]
    async fn failures_open_it_only_in_a_row() {
        let breaker = breaker();
        for _ in 0..10 {
            assert!(!breaker.failed());
            assert!(!breaker.failed());
            breaker.succeeded();
        }
        assert_eq!(breaker.circuit(), Circuit::Closed);
        assert!(!breaker.admit().expect("closed").is_probe());
        assert_eq!(opened().circuit(), Circuit::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_says_when_to_come_back() {
        let breaker = opened();
        assert_eq!(left(&breaker), PAUSE);
        tokio::time::advance(PAUSE / 4).await;
        assert_eq!(left(&breaker), PAUSE / 4 * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn exactly_as_many_probes_pass_as_there_are_and_they_close_it() {
        let breaker = opened();
        tokio::time::advance(PAUSE).await;
        let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        assert!(one.is_probe() && two.is_probe());
        assert!(breaker.admit().is_err());
        one.succeeded();
        assert!(breaker.admit().is_err(), "one has succeeded and one is under way: two in all");
        assert_eq!(breaker.circuit(), Circuit::HalfOpen);
        two.succeeded();
        assert_eq!(breaker.circuit(), Circuit::Closed);
        assert!(!breaker.failed() && !breaker.failed(), "the count begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_another() {
        let breaker = opened();
        tokio::time::advance(PAUSE).await;
        let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        drop(one);
        let three = breaker.admit().expect("the free slot");
        two.succeeded();
        three.succeeded();
        assert_eq!(breaker.circuit(), Circuit::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_opens_it_for_longer_up_to_a_limit() {
        let breaker = opened();
        for pause in [2, 3, 3] {
            tokio::time::advance(PAUSE * 3).await;
            let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
            one.failed();
            assert_eq!(left(&breaker), PAUSE * pause);
            // It belongs to a round that is over.
            two.succeeded();
            assert_eq!(breaker.circuit(), Circuit::Open);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_is_short_again_after_a_recovery() {
        let breaker = opened();
        tokio::time::advance(PAUSE).await;
        breaker.admit().expect("a probe").failed();
        tokio::time::advance(PAUSE * 2).await;
        breaker.admit().expect("a probe").succeeded();
        breaker.admit().expect("a probe").succeeded();
        assert_eq!([breaker.failed(), breaker.failed(), breaker.failed()], [false, false, true]);
        assert_eq!(left(&breaker), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_in_the_meantime_ends_the_pause() {
        let breaker = opened();
        breaker.succeeded();
        assert!(breaker.admit().expect("a probe").is_probe());
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_return_ends_the_pause_and_the_round_of_probes() {
        let breaker = opened();
        breaker.returned();
        let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        assert!(breaker.admit().is_err());
        breaker.returned();
        let (three, four) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        assert!(three.is_probe() && four.is_probe());
        assert!(breaker.admit().is_err(), "no more than there are probes");
        // They were sent into the silence.
        one.failed();
        drop(two);
        assert_eq!(breaker.circuit(), Circuit::HalfOpen);
        assert!(breaker.admit().is_err());
        three.succeeded();
        four.succeeded();
        assert_eq!(breaker.circuit(), Circuit::Closed);
        breaker.returned();
        assert!(!breaker.admit().expect("closed").is_probe());
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_never_opens_is_one_with_no_limit_of_failures() {
        let breaker = Breaker::new("db:1", BreakerSettings { failures: 0, ..BreakerSettings::default() });
        assert!((0..100).all(|_| !breaker.failed()));
        assert_eq!(breaker.circuit(), Circuit::Closed);
    }
}

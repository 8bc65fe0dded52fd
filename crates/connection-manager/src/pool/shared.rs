use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use shared_kernel::database::{CloseReport, ConnectionName, ConnectionStats, DatabaseError, DatabaseErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::deadline::Cut;
use super::demotion::Demotion;
use super::driver::{Driver, ServerSession};
use super::errands::Errands;
use super::holder::Holding;
use super::lease::Lease;
use crate::breaker::Breaker;
use crate::budget::{HANDSHAKES, Permit, Seat};
use crate::credentials::Keyring;
use crate::endpoint::Endpoint;
use crate::metrics::PoolMetrics;
use crate::retry::Retries;
use crate::settings::PoolSettings;

/// One open connection for as long as it is open.
pub(super) struct Connection<S> {
    pub(super) id: u64,
    /// The pool's generation, read before the attempt to connect began.
    pub(super) generation: u64,
    /// The keyring's number of the version that it logged in with.
    pub(super) credentials: u64,
    pub(super) expires: Option<Instant>,
    pub(super) cut: Cut,
    /// How the server knows it, where it can be told to leave off.
    pub(super) server: Option<ServerSession>,
    /// The session, except while a statement's future owns it and after it is gone.
    pub(super) session: Mutex<Option<Box<S>>>,
    /// Who has it, unless it is idle or on its way from one to the other.
    pub(super) holding: Mutex<Option<Holding>>,
    /// The place that it takes up at the server. Dropped after the session.
    pub(super) permit: Mutex<Option<Permit>>,
}

impl<S> Connection<S> {
    pub(super) fn take(&self) -> Option<Box<S>> {
        lock(&self.session).take()
    }

    pub(super) fn put(&self, session: Box<S>) {
        *lock(&self.session) = Some(session);
    }

    /// Says who has the connection from now on, and gives who had it before.
    pub(super) fn hold(&self, holding: Option<Holding>) -> Option<Holding> {
        std::mem::replace(&mut *lock(&self.holding), holding)
    }

    pub(super) fn has_session(&self) -> bool {
        lock(&self.session).is_some()
    }

    pub(super) fn take_permit(&self) -> Option<Permit> {
        lock(&self.permit).take()
    }
}

pub(super) struct Idle<S> {
    pub(super) connection: Arc<Connection<S>>,
    pub(super) since: Instant,
}

type Handover<D> = oneshot::Sender<Result<Lease<D>, DatabaseError>>;

pub(super) struct Waiter<D: Driver> {
    /// Ascends along the queue.
    pub(super) ticket: u64,
    pub(super) handover: Handover<D>,
}

/// A session whose caller has left while the server works for it.
pub(super) struct Abandoned {
    pub(super) server: ServerSession,
    /// Its place is not free before the server knows.
    pub(super) _permit: Option<Permit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closing,
}

pub(super) struct State<D: Driver> {
    pub(super) phase: Phase,
    /// Given back last at the back: the busy ones stay warm, the others grow old and go.
    pub(super) idle: VecDeque<Idle<D::Session>>,
    pub(super) waiters: VecDeque<Waiter<D>>,
    pub(super) next_ticket: u64,
    /// Every open connection, idle or not.
    pub(super) connections: HashMap<u64, Arc<Connection<D::Session>>>,
    /// Attempts to connect under way.
    pub(super) connecting: u32,
    /// Connections being closed, which count until they are gone.
    pub(super) leaving: u32,
    /// How many places the server's budget was asked for and has not granted: for callers who wait, and to have the
    /// minimum. `None` when it may have granted some meanwhile.
    pub(super) asked: Option<(u32, u32)>,
    /// Connections of an older version of the credentials that are to be closed when they come back, unless somebody
    /// waits: what takes their place is open already.
    pub(super) recalled: u32,
    /// Sessions whose callers have left, and whether a task is telling the server.
    pub(super) cancels: VecDeque<Abandoned>,
    pub(super) cancelling: bool,
    pub(super) report: CloseReport,
}

impl<D: Driver> State<D> {
    pub(super) fn open(&self) -> u32 {
        count(self.connections.len()) + self.connecting + self.leaving
    }

    pub(super) fn in_use(&self) -> u32 {
        count(self.connections.len()).saturating_sub(count(self.idle.len()))
    }

    pub(super) fn waiting(&self) -> u32 {
        count(self.waiters.len())
    }

    /// Takes a connection out of the books; it counts as leaving until the errand is done.
    pub(super) fn dismiss(&mut self, connection: Arc<Connection<D::Session>>, errands: &mut Errands<D>) {
        if self.connections.remove(&connection.id).is_some() {
            self.leaving += 1;
            if let Some(permit) = &mut *lock(&connection.permit) {
                permit.leaves();
            }
            errands.leave.push(connection);
        }
    }

    /// Tells the longest-waiting caller, or all of them, why there is no connection.
    pub(super) fn refuse(&mut self, error: &DatabaseError, all: bool) {
        while let Some(waiter) = self.waiters.pop_front() {
            if waiter.handover.send(Err(error.clone())).is_ok() && !all {
                return;
            }
        }
    }
}

pub(super) struct Shared<D: Driver> {
    pub(super) name: ConnectionName,
    pub(super) settings: PoolSettings,
    pub(super) keyring: Keyring,
    pub(super) breaker: Breaker,
    pub(super) retries: Retries,
    pub(super) seat: Seat,
    pub(super) driver: D,
    pub(super) runtime: Handle,
    pub(super) metrics: PoolMetrics,
    pub(super) generation: AtomicU64,
    demotion: Demotion,
    pub(super) next_id: AtomicU64,
    pub(super) opened_total: AtomicU64,
    pub(super) closed_total: AtomicU64,
    pub(super) timeouts_total: AtomicU64,
    reached: AtomicBool,
    born: Instant,
    /// When a connection was last found lost, in microseconds since the pool was made; 0: never.
    lost: AtomicU64,
    pub(super) state: Mutex<State<D>>,
    /// Changes whenever a connection has gone or an attempt is over, for those who wait for the pool to drain.
    pub(super) departures: watch::Sender<u64>,
    pub(super) closed: watch::Sender<Option<CloseReport>>,
    /// Wakes the task that tells the server about callers who have left.
    pub(super) cancel_wake: Arc<Notify>,
}

impl<D: Driver> Shared<D> {
    pub(super) fn new(
        name: ConnectionName,
        settings: PoolSettings,
        endpoint: Endpoint,
        driver: D,
        runtime: Handle,
    ) -> Arc<Self> {
        let metrics = PoolMetrics::new(driver.system_name(), endpoint.series(&name), &settings);
        let shared = Arc::new_cyclic(|this: &Weak<Self>| Self {
            seat: endpoint.budget.join(this.clone()),
            name,
            settings,
            keyring: endpoint.keyring,
            breaker: endpoint.breaker,
            retries: endpoint.retries,
            driver,
            runtime,
            metrics,
            generation: AtomicU64::new(0),
            demotion: Demotion::default(),
            next_id: AtomicU64::new(0),
            opened_total: AtomicU64::new(0),
            closed_total: AtomicU64::new(0),
            timeouts_total: AtomicU64::new(0),
            reached: AtomicBool::new(false),
            born: Instant::now(),
            lost: AtomicU64::new(0),
            state: Mutex::new(State {
                phase: Phase::Open,
                idle: VecDeque::new(),
                waiters: VecDeque::new(),
                next_ticket: 0,
                connections: HashMap::new(),
                connecting: 0,
                leaving: 0,
                asked: Some((0, 0)),
                recalled: 0,
                cancels: VecDeque::new(),
                cancelling: false,
                report: CloseReport::default(),
            }),
            departures: watch::Sender::new(0),
            closed: watch::Sender::new(None),
            cancel_wake: Arc::default(),
        });
        let door: Weak<Self> = Arc::downgrade(&shared);
        shared.breaker.add_door(door);
        shared
    }

    /// The state is changed by small steps that cannot panic half-way, so a poisoned lock still guards a sound state.
    pub(super) fn state(&self) -> MutexGuard<'_, State<D>> {
        lock(&self.state)
    }

    /// Whether a caller who comes now has to wait for somebody else's connection.
    pub(super) fn is_full(&self) -> bool {
        let state = self.state();
        state.idle.is_empty() && state.open() >= self.settings.max
    }

    pub(super) fn is_connected(&self) -> bool {
        self.reached.load(Ordering::Relaxed) && self.state().phase == Phase::Open
    }

    /// Notes whether the last contact with the server went well.
    pub(super) fn note_contact(&self, well: bool) {
        if self.reached.load(Ordering::Relaxed) != well {
            self.reached.store(well, Ordering::Relaxed);
        }
    }

    /// A connection turned out to be lost: its server may be gone, and with it all the others that were open at this time.
    pub(super) fn note_loss(&self) {
        self.lost.store(self.moment(Instant::now()).max(1), Ordering::Relaxed);
    }

    /// Whether a connection that has been idle since then can be handed out without a sign of life.
    pub(super) fn is_trusted(&self, since: Instant, now: Instant) -> bool {
        now.duration_since(since) < self.settings.validate_after
            && match self.lost.load(Ordering::Relaxed) {
                0 => true,
                lost => lost < self.moment(since),
            }
    }

    fn moment(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn stats(&self) -> ConnectionStats {
        let (open, idle, in_use, waiting) = {
            let state = self.state();
            (state.open(), count(state.idle.len()), state.in_use(), state.waiting())
        };
        ConnectionStats {
            max: self.settings.max,
            open,
            idle,
            in_use,
            waiting,
            opened_total: self.opened_total.load(Ordering::Relaxed),
            closed_total: self.closed_total.load(Ordering::Relaxed),
            timeouts_total: self.timeouts_total.load(Ordering::Relaxed),
        }
    }

    /// Whether another caller may have the connection.
    pub(super) fn is_current(&self, connection: &Connection<D::Session>, now: Instant) -> bool {
        connection.generation == self.generation.load(Ordering::Acquire)
            && connection.expires.is_none_or(|expires| expires > now)
    }

    /// Whether the server has accepted another version of the credentials since the connection logged in. It serves on
    /// until a new one has taken its place.
    pub(super) fn is_outdated(&self, connection: &Connection<D::Session>) -> bool {
        connection.credentials != self.keyring.generation()
    }

    /// Starts as many attempts to connect as there are callers for, within the limits. Where the server's budget has no
    /// place for one, it is brought when there is.
    pub(super) fn connect_for_waiters(&self, state: &mut State<D>, errands: &mut Errands<D>) {
        let wants = self.wants(state);
        let wishes = state.asked.map_or(0, |(_, wishes)| wishes).min(self.wishes(state, wants));
        self.ask(state, wants, wishes, errands);
    }

    /// Starts attempts to connect until the pool has its minimum of connections. When the handshakes allow no more, the
    /// end of one brings the next. As long as none was ever opened there is one at a time: what is wrong with it would be
    /// wrong with the others, and a password that is rejected counts.
    pub(super) fn connect_up_to_min(&self, state: &mut State<D>, errands: &mut Errands<D>) {
        let wants = self.wants(state);
        let wishes = self.wishes(state, wants);
        self.ask(state, wants, wishes, errands);
    }

    /// As [`Shared::connect_for_waiters`], and leaves the minimum for later.
    pub(super) fn connect_for_waiters_alone(&self, state: &mut State<D>, errands: &mut Errands<D>) {
        let wants = self.wants(state);
        self.ask(state, wants, 0, errands);
    }

    /// Whether the place that the budget grants is still of use.
    pub(super) fn needs_place(&self, state: &State<D>) -> bool {
        let wants = self.wants(state);
        wants > 0 || self.wishes(state, wants) > 0
    }

    fn wants(&self, state: &State<D>) -> u32 {
        if state.phase != Phase::Open {
            return 0;
        }
        let callers = state.waiting().min(HANDSHAKES).saturating_sub(state.connecting);
        callers.min(self.settings.max.saturating_sub(state.open()))
    }

    fn wishes(&self, state: &State<D>, wants: u32) -> u32 {
        if state.phase != Phase::Open {
            return 0;
        }
        let min = self.settings.min.min(self.settings.max);
        let handshakes = if self.opened_total.load(Ordering::Relaxed) == 0 { 1 } else { HANDSHAKES };
        let missing = min.saturating_sub(state.open()).saturating_sub(wants);
        missing.min(handshakes.saturating_sub(state.connecting).saturating_sub(wants))
    }

    fn ask(&self, state: &mut State<D>, wants: u32, wishes: u32, errands: &mut Errands<D>) {
        if state.asked == Some((wants, wishes)) {
            return;
        }
        let permits = self.seat.ask(wants, wishes, &self.runtime);
        let granted = count(permits.len());
        state.connecting += granted;
        state.asked = Some((wants.saturating_sub(granted), wishes.saturating_sub(granted.saturating_sub(wants))));
        errands.connect.extend(permits);
    }

    /// Notes that the server was out of reach or silent. Where that opens the circuit, those who wait are told at once.
    pub(super) fn note_failure(&self) {
        if self.breaker.failed() {
            self.refuse_waiters();
        }
    }

    /// Notes that somebody knocked at the server and was not answered. Where that opens the circuit, those who wait are told at once.
    pub(super) fn note_unheard(&self) {
        if self.breaker.unheard() {
            self.refuse_waiters();
        }
    }

    fn refuse_waiters(&self) {
        if let Err(error) = self.breaker.admit() {
            self.state().refuse(&error.on(&self.name), true);
        }
    }

    pub(super) fn observe(&self, state: &State<D>) {
        self.metrics.observe(count(state.idle.len()), state.in_use(), state.waiting());
    }

    /// Makes what was opened before unfit for another caller.
    pub(super) fn retire(self: &Arc<Self>) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        let mut errands = Errands::default();
        {
            let mut state = self.state();
            for idle in std::mem::take(&mut state.idle) {
                state.dismiss(idle.connection, &mut errands);
            }
            self.observe(&state);
        }
        errands.run(self);
    }

    /// A write was told that the server only reads: renews the pool, so that the next connections are made with the name
    /// resolved anew, unless that has just been done. Says when it may be worth to try again.
    pub(super) fn note_demotion(self: &Arc<Self>, connection: &Connection<D::Session>) -> Duration {
        let verdict = self.demotion.complain(|| connection.generation == self.generation.load(Ordering::Acquire));
        if verdict.renew {
            tracing::warn!(connection = %self.name, "the server only reads: its connections are given up");
            self.metrics.demoted();
            self.retire();
        }
        verdict.retry_after
    }

    pub(super) fn closed_error(&self) -> DatabaseError {
        DatabaseError::new(DatabaseErrorKind::Closed, "the connection was closed").on(&self.name)
    }
}

/// Hands a healthy connection to whoever has waited longest, or keeps it.
pub(super) fn hand_on<D: Driver>(shared: &Arc<Shared<D>>, connection: Arc<Connection<D::Session>>, now: Instant) {
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        let recalled = state.recalled > 0 && state.waiters.is_empty() && shared.is_outdated(&connection);
        let keep = state.phase == Phase::Open && shared.is_current(&connection, now) && !recalled;
        // Where another pool has fewer places than callers, this one may have to go.
        if keep && !shared.seat.owes(!state.waiters.is_empty()) {
            give(shared, &mut state, connection, now);
        } else {
            if recalled {
                state.recalled -= 1;
            }
            if state.phase == Phase::Closing {
                state.report.drained += 1;
            }
            state.dismiss(connection, &mut errands);
        }
        // An attempt that is over makes room for the next.
        shared.connect_up_to_min(&mut state, &mut errands);
        shared.observe(&state);
    }
    errands.run(shared);
}

fn give<D: Driver>(
    shared: &Arc<Shared<D>>,
    state: &mut State<D>,
    connection: Arc<Connection<D::Session>>,
    now: Instant,
) {
    let mut lease = Lease::new(Arc::clone(shared), connection);
    while let Some(waiter) = state.waiters.pop_front() {
        match waiter.handover.send(Ok(lease)) {
            // This caller has gone in the meantime; the next one gets it.
            Err(Ok(back)) => lease = back,
            Ok(()) | Err(Err(_)) => return,
        }
    }
    if let Some(connection) = lease.disarm() {
        state.idle.push_back(Idle { connection, since: now });
    }
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

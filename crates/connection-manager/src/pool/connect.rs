use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::Instant;

use super::deadline::Cut;
use super::driver::{Driver, DriverSession};
use super::errands::Errands;
use super::shared::{self, Connection, Shared};
use super::silence::{self, Silence};
use super::turn::{Ended, Turn};
use crate::budget::{Member, Permit};
use crate::credentials::{Credentials, Login};
use crate::endpoint::{is_out_of_reach, was_asked};
use crate::lookout::Who;
use crate::spread;

/// How long a connection may take to say goodbye before it is dropped.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a server may go on counting connections that are closed.
const SETTLING: Duration = Duration::from_secs(2);

/// One attempt to connect, counted in `connecting` until it is over.
pub(super) struct Attempt<D: Driver> {
    shared: Arc<Shared<D>>,
    purpose: Purpose,
    /// The place that the connection takes up at the server.
    permit: Option<Permit>,
    over: bool,
}

/// For whom a connection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For those who wait, or to have the minimum.
    Demand,
    /// To take the place of one with older credentials. When it fails nobody has lost anything.
    Rotation,
}

impl<D: Driver> Attempt<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, purpose: Purpose, permit: Permit) -> Self {
        Self { shared, purpose, permit: Some(permit), over: false }
    }
}

impl<D: Driver> Drop for Attempt<D> {
    /// An attempt that ends without a result was dropped by its runtime, or its driver panicked.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let error = DatabaseError::new(DatabaseErrorKind::Unreachable, "the attempt to connect was broken off")
            .on(&self.shared.name);
        drop(self.permit.take());
        let mut errands = Errands::default();
        {
            let mut state = self.shared.state();
            state.connecting = state.connecting.saturating_sub(1);
            if self.purpose == Purpose::Demand {
                state.refuse(&error, true);
            }
            // Who waits may have counted on this one.
            self.shared.connect_for_waiters_alone(&mut state, &mut errands);
        }
        errands.run(&self.shared);
        self.shared.departures.send_modify(|departures| *departures += 1);
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Opened,
    Failed,
    /// Another pool needed the place before it was this one's turn to log in, or that did not come.
    PutOff,
}

/// Opens one connection for the pool.
pub(super) async fn connect<D: Driver>(mut attempt: Attempt<D>) -> Outcome {
    let shared = Arc::clone(&attempt.shared);
    // Read before the attempt: were the pool to be told to renew itself while it is under way, it would count as old.
    let generation = shared.generation.load(Ordering::Acquire);
    let began = Instant::now();
    let (turn, limit) = (Turn::default(), shared.settings.connect_timeout);
    let ready = || turn.ready(&shared.seat, limit);
    let login = |credentials: Arc<Credentials>| turn.ask(handshake(&shared, credentials));
    let mut silence = Silence::new(&shared);
    let outcome = loop {
        let login = shared.keyring.login_seen(limit, |reading| turn.reads(reading), ready, login);
        let login = turn.during(login, attempt.permit.as_mut(), &shared.seat, limit);
        if let Some(outcome) = silence.outlast(login).await {
            break outcome;
        }
    };
    attempt.over = true;
    let mut permit = attempt.permit.take();
    let came_to = match outcome {
        Ended::Login(Ok(login)) => {
            if let Some(permit) = &mut permit {
                permit.shaken();
            }
            opened(&shared, login, permit, generation, began);
            Outcome::Opened
        }
        Ended::Login(Err(error)) => {
            drop(permit);
            failed(&shared, &error.on(&shared.name), attempt.purpose);
            Outcome::Failed
        }
        Ended::PutOff(after) => {
            drop(permit);
            put_off(&shared, after);
            Outcome::PutOff
        }
    };
    shared.departures.send_modify(|departures| *departures += 1);
    came_to
}

/// Connects. A server counts a connection for a moment longer than it is open. Where a budget says that there is a place,
/// one that refuses for want of places is therefore asked again; somebody else's connections may last.
async fn handshake<D: Driver>(shared: &Shared<D>, credentials: Arc<Credentials>) -> Result<D::Session, DatabaseError> {
    let end = Instant::now() + SETTLING.min(shared.settings.connect_timeout / 2);
    let mut pause = SETTLING / 256;
    loop {
        let began = Instant::now();
        let outcome = shared.driver.connect(&credentials).await;
        if outcome.is_ok() {
            shared.breaker.lookout().heard(began.elapsed());
        }
        let full = outcome.as_ref().is_err_and(|error| *error.kind() == DatabaseErrorKind::Saturated);
        if !full || !shared.seat.is_limited() || Instant::now() + pause > end {
            return outcome;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SETTLING / 16);
    }
}

fn opened<D: Driver>(
    shared: &Arc<Shared<D>>,
    login: Login<D::Session>,
    permit: Option<Permit>,
    generation: u64,
    began: Instant,
) {
    let took = began.elapsed();
    shared.metrics.created(took);
    shared.note_contact(true);
    shared.breaker.succeeded();
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    shared.opened_total.fetch_add(1, Ordering::Relaxed);
    let connection = Arc::new(Connection {
        id,
        generation,
        credentials: login.generation,
        expires: shared.settings.max_lifetime.map(|lifetime| Instant::now() + with_jitter(lifetime, id)),
        cut: Cut::default(),
        server: login.session.server_session(),
        session: Some(Box::new(login.session)).into(),
        holding: None.into(),
        permit: permit.into(),
    });
    {
        let mut state = shared.state();
        state.connecting = state.connecting.saturating_sub(1);
        state.connections.insert(id, Arc::clone(&connection));
    }
    shared::hand_on(shared, connection, Instant::now());
}

fn failed<D: Driver>(shared: &Arc<Shared<D>>, error: &DatabaseError, purpose: Purpose) {
    tracing::debug!(connection = %shared.name, kind = error.kind().as_str(), %error, "a connection could not be opened");
    // What the next attempt would answer just the same is told to everybody now: repeating a rejected login locks the
    // account, and repeating the others only makes callers wait.
    let settled = matches!(
        error.kind(),
        DatabaseErrorKind::AuthRejected
            | DatabaseErrorKind::UnknownDatabase
            | DatabaseErrorKind::FileUnusable
            | DatabaseErrorKind::TlsFailed
            | DatabaseErrorKind::Misconfigured
            | DatabaseErrorKind::SecretUnavailable
    );
    match error.kind() {
        DatabaseErrorKind::Unreachable => {
            if is_out_of_reach(error) {
                shared.note_failure();
            }
            // Where the server is not asked for a while, its return would go unnoticed for as long.
            if error.retry_after().is_some() {
                drop(silence::watch(shared, Who::Login));
            }
        }
        // The server was not asked.
        DatabaseErrorKind::SecretUnavailable | DatabaseErrorKind::Misconfigured => {}
        _ if !was_asked(error) => {}
        _ => shared.breaker.succeeded(),
    }
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        state.connecting = state.connecting.saturating_sub(1);
        if purpose == Purpose::Demand {
            shared.note_contact(false);
            state.refuse(error, settled);
        }
        shared.connect_for_waiters_alone(&mut state, &mut errands);
        shared.observe(&state);
    }
    errands.run(shared);
}

/// The place is another pool's, or logins that hang are before this one. Nobody is told: those who wait are served later, or
/// hear at the end of their own time that nothing came free. For them a place is asked for anew, behind the others.
fn put_off<D: Driver>(shared: &Arc<Shared<D>>, after: Duration) {
    tracing::debug!(connection = %shared.name, ?after, "an attempt to connect is put off, it was not its turn to log in");
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        state.connecting = state.connecting.saturating_sub(1);
        shared.connect_for_waiters_alone(&mut state, &mut errands);
        shared.observe(&state);
    }
    errands.run(shared);
}

impl<D: Driver> Member for Shared<D> {
    fn granted(self: Arc<Self>, permit: Permit) {
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            let mut errands = Errands::default();
            let needed = {
                let mut state = self.state();
                let needed = self.needs_place(&state);
                state.connecting += u32::from(needed);
                state.asked = None;
                self.connect_up_to_min(&mut state, &mut errands);
                needed
            };
            errands.run(&self);
            if needed {
                connect(Attempt::new(Arc::clone(&self), Purpose::Demand, permit)).await;
            }
        });
    }

    fn oldest_idle(&self) -> Option<Instant> {
        self.state().idle.front().map(|idle| idle.since)
    }

    fn give_up_idle(self: Arc<Self>) -> bool {
        let mut errands = Errands::default();
        let given = {
            let mut state = self.state();
            let oldest = state.idle.pop_front();
            let given = oldest.is_some();
            if let Some(oldest) = oldest {
                state.dismiss(oldest.connection, &mut errands);
            }
            self.observe(&state);
            given
        };
        errands.run(&self);
        given
    }
}

/// A tenth more or less, spread by the connection's number, so that connections opened together do not expire together.
fn with_jitter(lifetime: Duration, id: u64) -> Duration {
    lifetime.mul_f64(0.9 + 0.2 * spread::share(id))
}

/// A connection on its way out, counted in `leaving` until it is gone.
pub(super) struct Leaving<D: Driver> {
    shared: Arc<Shared<D>>,
    permit: Option<Permit>,
}

impl<D: Driver> Leaving<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, permit: Option<Permit>) -> Self {
        Self { shared, permit }
    }
}

impl<D: Driver> Drop for Leaving<D> {
    fn drop(&mut self) {
        let mut errands = Errands::default();
        self.shared.closed_total.fetch_add(1, Ordering::Relaxed);
        drop(self.permit.take());
        {
            let mut state = self.shared.state();
            state.leaving = state.leaving.saturating_sub(1);
            self.shared.connect_for_waiters(&mut state, &mut errands);
            self.shared.observe(&state);
        }
        errands.run(&self.shared);
        self.shared.departures.send_modify(|departures| *departures += 1);
    }
}

pub(super) async fn say_goodbye<D: Driver>(connection: Arc<Connection<D::Session>>, _leaving: Leaving<D>) {
    if let Some(session) = connection.take() {
        // Past the limit the session is dropped, which closes it without a word.
        let _ = tokio::time::timeout(GOODBYE, session.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_differ_by_a_tenth_at_most() {
        let lifetimes: Vec<Duration> = (0..100).map(|id| with_jitter(Duration::from_secs(1000), id)).collect();
        assert!(lifetimes.iter().all(|lifetime| (900..=1100).contains(&lifetime.as_secs())), "{lifetimes:?}");
        let early = lifetimes.iter().filter(|lifetime| lifetime.as_secs() < 1000).count();
        assert!((40..=60).contains(&early), "{early} of 100 are early");
    }
}

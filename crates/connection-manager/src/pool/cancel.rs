//! A server does not notice that a caller has left: it works on at the statement. So it is told, over a connection of
//! its own, by a task of its own; a thousand callers who leave together cost one login.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::{Instant, timeout, timeout_at};

use super::driver::{Driver, DriverSession, ServerSession};
use super::lease::leaves_usable;
use super::shared::{Abandoned, Connection, Phase, Shared};
use super::silence::Silence;
use super::turn::{Asking, READY};
use crate::budget::{self, Seat};
use crate::credentials::{Credentials, Login};
use crate::endpoint::NotAsked;

/// How long the connection to cancel over is kept for the next caller who leaves.
const LINGER: Duration = Duration::from_secs(5);
/// How long a login or one cancellation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call on its way to the server and back. Dropped before it has landed, it is ended at the server too.
pub(super) struct Flight<'a, D: Driver> {
    shared: &'a Arc<Shared<D>>,
    connection: &'a Connection<D::Session>,
}

impl<'a, D: Driver> Flight<'a, D> {
    pub(super) fn new(shared: &'a Arc<Shared<D>>, connection: &'a Connection<D::Session>) -> Self {
        Self { shared, connection }
    }

    /// The server has answered, or somebody else has it told.
    pub(super) fn land(self) {
        std::mem::forget(self);
    }
}

impl<D: Driver> Drop for Flight<'_, D> {
    fn drop(&mut self) {
        request(self.shared, self.connection);
    }
}

/// Has the server told to leave off what it does for this connection, if it can be told. Never waits.
pub(super) fn request<D: Driver>(shared: &Arc<Shared<D>>, connection: &Connection<D::Session>) {
    let Some(server) = &connection.server else { return };
    let first = {
        let mut state = shared.state();
        let mut permit = connection.take_permit();
        if let Some(permit) = &mut permit {
            permit.leaves();
        }
        state.cancels.push_back(Abandoned { server: server.clone(), _permit: permit });
        !std::mem::replace(&mut state.cancelling, true)
    };
    if first {
        let working = Working { pool: Arc::downgrade(shared), over: false };
        shared.runtime.spawn(work(Arc::clone(shared), working));
    } else {
        shared.cancel_wake.notify_one();
    }
}

/// There is one at a time in a pool; the state says so for as long as it lives.
struct Working<D: Driver> {
    pool: Weak<Shared<D>>,
    over: bool,
}

impl<D: Driver> Working<D> {
    /// Ends the work unless there is more of it.
    fn end(&mut self, shared: &Shared<D>) -> bool {
        {
            let mut state = shared.state();
            if !state.cancels.is_empty() {
                return false;
            }
            state.cancelling = false;
            self.over = true;
        }
        shared.departures.send_modify(|departures| *departures += 1);
        true
    }
}

impl<D: Driver> Drop for Working<D> {
    /// Work that ends before its time was dropped by its runtime, or its driver panicked.
    fn drop(&mut self) {
        let Some(shared) = self.pool.upgrade().filter(|_| !self.over) else { return };
        let abandoned = {
            let mut state = shared.state();
            state.cancelling = false;
            std::mem::take(&mut state.cancels)
        };
        drop(abandoned);
        shared.departures.send_modify(|departures| *departures += 1);
    }
}

struct Control<S> {
    session: S,
    /// The keyring's number of the version that it logged in with.
    credentials: u64,
    place: budget::Control,
}

async fn work<D: Driver>(mut shared: Arc<Shared<D>>, mut working: Working<D>) {
    let mut control = None;
    loop {
        while let Some(target) = next(&shared) {
            control = cancel(&shared, control, &target.server).await;
        }
        // Another pool may be waiting for the place to tell the same server over.
        let linger = control.as_ref().is_some_and(|control| !control.place.is_shared());
        if !linger || shared.state().phase == Phase::Closing {
            if working.end(&shared) {
                break;
            }
            continue;
        }
        // The pool can go meanwhile.
        let (pool, wake) = (Arc::downgrade(&shared), Arc::clone(&shared.cancel_wake));
        drop(shared);
        let woken = timeout(LINGER, wake.notified()).await.is_ok();
        let Some(back) = pool.upgrade() else { break };
        shared = back;
        if !woken && working.end(&shared) {
            break;
        }
    }
    if let Some(Control { session, place, .. }) = control {
        // Nobody waits for the goodbye.
        let _ = timeout(PATIENCE, session.close()).await;
        drop(place);
    }
}

fn next<D: Driver>(shared: &Shared<D>) -> Option<Abandoned> {
    shared.state().cancels.pop_front()
}

/// Has one session told. Returns the connection to do so over, when it is good for more.
async fn cancel<D: Driver>(
    shared: &Arc<Shared<D>>,
    control: Option<Control<D::Session>>,
    target: &ServerSession,
) -> Option<Control<D::Session>> {
    let fresh = control.filter(|control| control.credentials == shared.keyring.generation());
    let mut control = match fresh {
        Some(control) => control,
        None => open(shared).await?,
    };
    match timeout(PATIENCE, control.session.cancel(target)).await {
        Ok(Ok(())) => {
            shared.metrics.cancelled();
            Some(control)
        }
        Ok(Err(error)) => {
            tracing::debug!(connection = %shared.name, %error, "a statement could not be cancelled");
            Some(control).filter(|control| leaves_usable(&error) && control.session.is_usable())
        }
        Err(_) => {
            tracing::debug!(connection = %shared.name, "no answer to a cancellation in time");
            None
        }
    }
}

/// Opens the connection to cancel over. When that fails, what waited for it is let go: the server is in trouble enough.
///
/// Whoever has the server's place does not keep it while the account's turn to log in is waited for, nor the turn while the place is:
/// either would hold up others who have no part in it.
async fn open<D: Driver>(shared: &Arc<Shared<D>>) -> Option<Control<D::Session>> {
    let limit = shared.settings.connect_timeout.min(PATIENCE);
    let end = Instant::now() + PATIENCE + limit;
    loop {
        // One connection is closed before another takes its place, here as well.
        let place = timeout_at(end, shared.seat.control()).await.ok().flatten();
        let Some(place) = place else {
            tracing::debug!(connection = %shared.name, "nothing can be cancelled, the server's budget has no place for it");
            return let_go(shared);
        };
        let place = Place::new(&shared.seat, place);
        match log_in(shared, &place, limit, end).await {
            Some(Ok(login)) => {
                // Whoever has logged in has asked the server, and so has the place.
                let Some(place) = place.into_control() else { return let_go(shared) };
                return Some(Control { session: login.session, credentials: login.generation, place });
            }
            Some(Err(_)) if place.is_missed() => {}
            Some(Err(error)) => {
                tracing::debug!(connection = %shared.name, %error, "nothing can be cancelled, for want of a connection");
                return let_go(shared);
            }
            None => {
                tracing::debug!(connection = %shared.name, "nothing can be cancelled, it was not its turn to log in in time");
                return let_go(shared);
            }
        }
    }
}

/// Logs in on the place. An attempt that has begun may take `limit`; `None` where none has begun by `end`.
async fn log_in<D: Driver>(
    shared: &Arc<Shared<D>>,
    place: &Place<'_>,
    limit: Duration,
    end: Instant,
) -> Option<Result<Login<D::Session>, DatabaseError>> {
    let driver = &shared.driver;
    let connect = |credentials: Arc<Credentials>| place.during(async move { driver.connect(&credentials).await });
    let mut silence = Silence::new(shared);
    loop {
        place.missed.store(false, Ordering::Relaxed);
        let login = async {
            let mut login = pin!(shared.keyring.login(limit, connect));
            loop {
                if let Ok(outcome) = timeout(READY, &mut login).await {
                    return Some(outcome);
                }
                if place.let_go_unless_asking() && Instant::now() >= end {
                    return None;
                }
            }
        };
        if let Some(outcome) = silence.outlast(login).await {
            return outcome;
        }
        if Instant::now() >= end {
            return None;
        }
    }
}

/// The server's one place, kept while the server is asked on it.
struct Place<'a> {
    seat: &'a Seat,
    control: Mutex<Option<budget::Control>>,
    asking: AtomicBool,
    /// The login's turn came when the place was another's.
    missed: AtomicBool,
}

impl<'a> Place<'a> {
    fn new(seat: &'a Seat, control: budget::Control) -> Self {
        Self {
            seat,
            control: Mutex::new(Some(control)),
            asking: AtomicBool::new(false),
            missed: AtomicBool::new(false),
        }
    }

    fn control(&self) -> MutexGuard<'_, Option<budget::Control>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others have it as long as nobody asks the server. Whether that is so.
    fn let_go_unless_asking(&self) -> bool {
        let mut control = self.control();
        let asking = self.asking.load(Ordering::Relaxed);
        if !asking {
            *control = None;
        }
        !asking
    }

    /// Asks the server. Where the place was let go, it is waited for anew, but not for long: an account's turn is held up.
    async fn during<T>(&self, connect: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
        let _asking = Asking::begin(&self.asking);
        let is_held = self.control().is_some();
        if !is_held {
            let control = timeout(READY, self.seat.control()).await.ok().flatten();
            let Some(control) = control else {
                self.missed.store(true, Ordering::Relaxed);
                let message = "the place to tell the server over is another pool's";
                return Err(DatabaseError::new(DatabaseErrorKind::Saturated, message).with_source(NotAsked::at_all()));
            };
            *self.control() = Some(control);
        }
        connect.await
    }

    fn is_missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }

    fn into_control(self) -> Option<budget::Control> {
        self.control.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn let_go<D: Driver>(shared: &Shared<D>) -> Option<Control<D::Session>> {
    let abandoned = std::mem::take(&mut shared.state().cancels);
    drop(abandoned);
    None
}

//! A server does not notice that a caller has left: it works on at the statement. So it is told, over a connection of
//! its own, by a task of its own; a thousand callers who leave together cost one login.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::timeout;

use super::driver::{Driver, DriverSession, ServerSession};
use super::lease::leaves_usable;
use super::shared::{Abandoned, Connection, Phase, Shared};
use super::silence::Silence;
use crate::budget;
use crate::credentials::Credentials;

/// How long the connection to cancel over is kept for the next caller who leaves.
const LINGER: Duration = Duration::from_secs(5);
/// How long a login or one cancellation may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call on its way to the server and back. Dropped before it has landed, it is ended at the server too.
pub(super) struct Flight<'a, D: Driver> {
    shared: &'a Arc<Shared<D>>,
    connection: &'a Connection<D::Session>,
    landed: bool,
}

impl<'a, D: Driver> Flight<'a, D> {
    pub(super) fn new(shared: &'a Arc<Shared<D>>, connection: &'a Connection<D::Session>) -> Self {
        Self { shared, connection, landed: false }
    }

    /// The server has answered, or somebody else has it told.
    pub(super) fn land(mut self) {
        self.landed = true;
    }
}

impl<D: Driver> Drop for Flight<'_, D> {
    fn drop(&mut self) {
        if !self.landed {
            request(self.shared, self.connection);
        }
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
async fn open<D: Driver>(shared: &Arc<Shared<D>>) -> Option<Control<D::Session>> {
    let driver = &shared.driver;
    let limit = shared.settings.connect_timeout.min(PATIENCE);
    // One connection is closed before another takes its place, here as well.
    let place = timeout(PATIENCE, shared.seat.control()).await.ok().flatten();
    let Some(place) = place else {
        tracing::debug!(connection = %shared.name, "nothing can be cancelled, the server's budget has no place for it");
        return let_go(shared);
    };
    let connect = |credentials: Arc<Credentials>| async move { driver.connect(&credentials).await };
    let login = async {
        let mut silence = Silence::new(shared);
        loop {
            if let Some(outcome) = silence.outlast(shared.keyring.login(limit, connect)).await {
                return outcome;
            }
        }
    };
    match timeout(limit, login).await {
        Ok(Ok(login)) => return Some(Control { session: login.session, credentials: login.generation, place }),
        Ok(Err(error)) => {
            tracing::debug!(connection = %shared.name, %error, "nothing can be cancelled, for want of a connection");
        }
        Err(_) => {
            tracing::debug!(connection = %shared.name, "nothing can be cancelled, no connection was opened in time");
        }
    }
    let_go(shared)
}

fn let_go<D: Driver>(shared: &Shared<D>) -> Option<Control<D::Session>> {
    let abandoned = std::mem::take(&mut shared.state().cancels);
    drop(abandoned);
    None
}

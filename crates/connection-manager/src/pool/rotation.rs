//! New credentials reach the pool without a moment in which it is short of connections: for each connection whose
//! credentials are on their way out a new one is opened first, one after the other.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::connect::{self, Attempt, Outcome, Purpose};
use super::driver::Driver;
use super::errands::Errands;
use super::reaper;
use super::shared::{self, Phase, Shared};
use crate::budget::{HANDSHAKES, Permit, Refused};
use crate::credentials::Keyring;
use crate::spread;

/// The pause between two replacements, give or take a half: a hundred connections take some ten seconds, and the
/// instances of a fleet do not log in all at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches over the credentials of a pool's connections until the pool is closed or gone. With credentials that cannot
/// change there is nothing to watch.
pub(super) fn spawn<D: Driver>(shared: &Arc<Shared<D>>) {
    if !shared.keyring.may_change() {
        return;
    }
    let every = reaper::period(&shared.settings);
    let (keyring, pool) = (shared.keyring.clone(), Arc::downgrade(shared));
    let limit = shared.settings.connect_timeout;
    let mut closed = shared.closed.subscribe();
    shared.runtime.spawn(async move {
        tokio::select! {
            () = watch(keyring, pool, every, limit) => {}
            // Also when the pool is dropped.
            _ = closed.changed() => {}
        }
    });
}

async fn watch<D: Driver>(keyring: Keyring, pool: Weak<Shared<D>>, every: Duration, limit: Duration) {
    let mut jitter = Jitter::new();
    loop {
        sleep(jitter.around(every)).await;
        // Held by nobody meanwhile, so that a pool can go while its source takes its time.
        let outdated = match timeout(limit, keyring.is_outdated()).await {
            Ok(Ok(outdated)) => outdated,
            // The connections that are open are as good as before.
            Ok(Err(error)) => {
                tracing::debug!(%error, "whether the credentials are out of date cannot be told");
                false
            }
            Err(_) => {
                tracing::debug!("the source of the secret says nothing in time");
                false
            }
        };
        let mut due = if outdated { Due::Version } else { Due::Connections };
        let asked = Instant::now();
        loop {
            let Some(shared) = pool.upgrade() else { return };
            match replace(&shared, due).await {
                Step::Replaced => due = Due::Connections,
                Step::Later if asked.elapsed() < every => {}
                Step::Later | Step::Over => break,
            }
            drop(shared);
            sleep(jitter.around(PAUSE)).await;
        }
    }
}

/// Why a connection is to be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The source names a version that the server has not been asked about.
    Version,
    /// Some connections are of an older version than the one that the server accepted last.
    Connections,
}

/// How a replacement went.
enum Step {
    Replaced,
    /// There was no way to do it at this moment.
    Later,
    /// There is nothing to replace, or nothing to be had to replace it with.
    Over,
}

enum Plan {
    /// There is room to open the new one first; an old one goes when it is there.
    Open(Permit),
    /// There is none: an old one has gone, and the new one takes its place.
    Exchange,
}

/// Replaces one connection.
async fn replace<D: Driver>(shared: &Arc<Shared<D>>, due: Due) -> Step {
    let plan = match begin(shared, due) {
        Ok(plan) => plan,
        Err(step) => return step,
    };
    let exchange = matches!(plan, Plan::Exchange);
    let permit = match plan {
        Plan::Open(permit) => permit,
        Plan::Exchange => match take_place(shared).await {
            Some(permit) => permit,
            None => return Step::Later,
        },
    };
    // In a task of its own, so that it is finished, and counted, whatever becomes of this one.
    let attempt = Attempt::new(Arc::clone(shared), Purpose::Rotation, permit);
    match shared.runtime.spawn(connect::connect(attempt)).await.unwrap_or(Outcome::Failed) {
        Outcome::Opened => {}
        Outcome::PutOff => return Step::Later,
        Outcome::Failed => return Step::Over,
    }
    shared.metrics.renewed();
    if !exchange {
        let_one_go(shared);
    }
    Step::Replaced
}

/// Decides what is to be done and does the first of it.
fn begin<D: Driver>(shared: &Arc<Shared<D>>, due: Due) -> Result<Plan, Step> {
    let mut errands = Errands::default();
    let plan = {
        let mut state = shared.state();
        // An empty pool has nothing to replace: whoever opens its next connection asks the source for himself.
        if state.phase != Phase::Open || state.connections.is_empty() {
            return Err(Step::Over);
        }
        let outdated = state.connections.values().filter(|connection| shared.is_outdated(connection)).count();
        let outdated = shared::count(outdated);
        // One that was recalled may have gone in another way.
        state.recalled = state.recalled.min(outdated);
        if due == Due::Connections && outdated <= state.recalled {
            return Err(Step::Over);
        }
        if state.connecting >= HANDSHAKES {
            return Err(Step::Later);
        }
        let place = if state.open() < shared.settings.max { shared.seat.extra() } else { Err(Refused::Places) };
        match place {
            Ok(permit) => {
                state.connecting += 1;
                Plan::Open(permit)
            }
            Err(Refused::Handshakes) => return Err(Step::Later),
            Err(Refused::Places) => {
                // One that leaves makes room, and so does an old one that nobody uses. Those in use are not waited for.
                if state.leaving > 0 {
                    return Err(Step::Later);
                }
                let place =
                    state.idle.iter().position(|idle| due == Due::Version || shared.is_outdated(&idle.connection));
                let oldest = place.and_then(|place| state.idle.remove(place)).ok_or(Step::Later)?;
                state.dismiss(oldest.connection, &mut errands);
                shared.observe(&state);
                Plan::Exchange
            }
        }
    };
    errands.run(shared);
    Ok(plan)
}

/// Waits for the place of the connection that was just dismissed and takes it, unless a caller's new one has.
async fn take_place<D: Driver>(shared: &Arc<Shared<D>>) -> Option<Permit> {
    let mut departures = shared.departures.subscribe();
    loop {
        departures.mark_unchanged();
        {
            let mut state = shared.state();
            if state.phase != Phase::Open || state.connecting >= HANDSHAKES {
                return None;
            }
            let room = state.open() < shared.settings.max;
            if let Some(Ok(permit)) = room.then(|| shared.seat.extra()) {
                state.connecting += 1;
                return Some(permit);
            }
            if state.leaving == 0 {
                return None;
            }
        }
        if departures.changed().await.is_err() {
            return None;
        }
    }
}

/// The new connection is there: closes the old one that has been idle longest, or the next one to come back.
fn let_one_go<D: Driver>(shared: &Arc<Shared<D>>) {
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        if state.phase != Phase::Open {
            return;
        }
        let place = state.idle.iter().position(|idle| shared.is_outdated(&idle.connection));
        if let Some(oldest) = place.and_then(|place| state.idle.remove(place)) {
            state.dismiss(oldest.connection, &mut errands);
            shared.observe(&state);
        } else if state.connections.values().any(|connection| shared.is_outdated(connection)) {
            state.recalled += 1;
        }
    }
    errands.run(shared);
}

/// Spreads waits, differently in each pool.
struct Jitter(u64);

impl Jitter {
    fn new() -> Self {
        Self(RandomState::new().hash_one("rotation"))
    }

    /// `wait`, give or take a half.
    fn around(&mut self, wait: Duration) -> Duration {
        self.0 = self.0.wrapping_add(1);
        wait.mul_f64(0.5 + spread::share(self.0))
    }
}

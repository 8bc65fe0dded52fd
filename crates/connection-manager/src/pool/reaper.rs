use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::driver::Driver;
use super::errands::Errands;
use super::holder;
use super::shared::{self, Phase, Shared};
use crate::settings::PoolSettings;

/// Looks after connections that nobody asks for, until the pool is closed or gone.
pub(super) fn spawn<D: Driver>(shared: &Arc<Shared<D>>) {
    let every = period(&shared.settings);
    let pool = Arc::downgrade(shared);
    let closed = shared.closed.subscribe();
    shared.runtime.spawn(async move {
        let mut closed = closed;
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => if !tend(&pool) { return },
                // Also when the pool is dropped.
                _ = closed.changed() => return,
            }
        }
    });
}

/// A quarter of the shortest limit, so that no limit is overrun by more than that; between a tenth of a second and 30.
pub(super) fn period(settings: &PoolSettings) -> Duration {
    let limits = [settings.idle_timeout, settings.max_lifetime, settings.leak_after];
    let shortest = limits.into_iter().flatten().min().unwrap_or(Duration::from_mins(2));
    (shortest / 4).clamp(Duration::from_millis(100), Duration::from_secs(30))
}

fn tend<D: Driver>(pool: &Weak<Shared<D>>) -> bool {
    let Some(shared) = pool.upgrade() else { return false };
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        if state.phase != Phase::Open {
            return false;
        }
        let now = Instant::now();
        let idle = std::mem::take(&mut state.idle);
        // Those at the front have been idle longest.
        for entry in idle {
            let spare = shared::count(state.connections.len()) > shared.settings.min;
            let overdue = shared.settings.idle_timeout.is_some_and(|limit| now.duration_since(entry.since) >= limit);
            if !shared.is_current(&entry.connection, now) || (spare && overdue) {
                state.dismiss(entry.connection, &mut errands);
            } else {
                state.idle.push_back(entry);
            }
        }
        shared.connect_up_to_min(&mut state, &mut errands);
        shared.observe(&state);
    }
    errands.run(&shared);
    holder::warn_of_leaks(&shared);
    true
}

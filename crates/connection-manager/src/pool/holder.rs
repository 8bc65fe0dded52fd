//! Who has a connection and since when, so that one that never comes back is traced to a line of the program.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use tokio::time::Instant;

use super::driver::Driver;
use super::shared::{Shared, State, lock};

/// As many holders are named to a caller who found no connection.
const NAMED: usize = 3;

/// What a connection was taken for, and by which line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    what: &'static str,
    /// Nobody is named for a single call: it gives its connection back by itself, within the statement's limit.
    place: Option<&'static Location<'static>>,
}

impl Holder {
    pub(crate) const CALL: Self = Self { what: "call", place: None };

    pub(crate) fn lease(place: &'static Location<'static>) -> Self {
        Self { what: "lease", place: Some(place) }
    }

    pub(crate) fn transaction(place: &'static Location<'static>) -> Self {
        Self { what: "transaction", place: Some(place) }
    }

    pub(crate) fn session(place: &'static Location<'static>) -> Self {
        Self { what: "session", place: Some(place) }
    }
}

/// `transaction from src/orders.rs:12`
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match self.place {
            Some(place) => write!(f, " from {}:{}", place.file(), place.line()),
            None => Ok(()),
        }
    }
}

/// A holder who has a connection at this moment.
pub(super) struct Holding {
    holder: Holder,
    since: Instant,
    /// Whether it was warned of.
    told: bool,
}

impl Holding {
    pub(super) fn new(holder: Holder, since: Instant) -> Self {
        Self { holder, since, told: false }
    }

    /// For how long it has been held.
    pub(super) fn time(&self, now: Instant) -> Duration {
        now.duration_since(self.since)
    }
}

/// Warns, once each, of those who have had a connection for longer than the pool's settings say.
pub(super) fn warn_of_leaks<D: Driver>(shared: &Shared<D>) {
    let Some(limit) = shared.settings.leak_after else { return };
    let now = Instant::now();
    let leaks: Vec<(Holder, Duration)> = {
        let state = shared.state();
        let leak = |holding: &mut Holding| {
            let held = now.duration_since(holding.since);
            let leaks = holding.holder.place.is_some() && held >= limit && !holding.told;
            holding.told |= leaks;
            leaks.then_some((holding.holder, held))
        };
        state.connections.values().filter_map(|connection| lock(&connection.holding).as_mut().and_then(leak)).collect()
    };
    for (holder, held) in leaks {
        shared.metrics.leaked();
        let Some(place) = holder.place else { continue };
        tracing::warn!(
            connection = %shared.name,
            kind = holder.what,
            place = format!("{}:{}", place.file(), place.line()),
            held_seconds = held.as_secs(),
            "a connection has been held for long and may never come back"
        );
    }
}

/// Those who have had a connection for longest, for a message; empty when nobody has one.
pub(super) fn longest<D: Driver>(state: &State<D>) -> String {
    let now = Instant::now();
    let holding = |holding: &Holding| (holding.since, holding.holder);
    let mut holders: Vec<(Instant, Holder)> =
        state.connections.values().filter_map(|connection| lock(&connection.holding).as_ref().map(holding)).collect();
    holders.sort_unstable_by_key(|(since, _)| *since);
    let named = holders.iter().take(NAMED);
    let named = named.map(|(since, holder)| format!("{holder} for {} ms", now.duration_since(*since).as_millis()));
    named.collect::<Vec<_>>().join(", ")
}

//! What becomes of a pool that writes when its server only reads any more.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the pool waits, after it was renewed, before it takes the next complaint as a reason to be renewed again.
const FIRST: Duration = Duration::from_millis(250);
/// The longest that it waits while the address goes on leading to a server that only reads.
const LONGEST: Duration = Duration::from_secs(5);

/// Keeps the pace at which a pool looks for the new primary.
///
/// The first complaint renews the pool at once. When the new connections meet a server that only reads as well, the name
/// has not moved yet: they are kept, so that reads go on and writes are told the truth by the server itself, and are given
/// up again after a pause that doubles.
#[derive(Default)]
pub(super) struct Demotion(Mutex<Option<Pace>>);

#[derive(Debug, Clone, Copy)]
struct Pace {
    until: Instant,
    pause: Duration,
}

/// What a complaint leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The pool is to be renewed.
    pub(super) renew: bool,
    /// When it may be worth to try again.
    pub(super) retry_after: Duration,
}

impl Demotion {
    /// A connection was told that the server only reads. `current` says, under the lock, whether the connection is one of
    /// those that the pool still hands out.
    pub(super) fn complain(&self, current: impl FnOnce() -> bool) -> Verdict {
        let now = Instant::now();
        let mut pace = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = pace.map(|pace| pace.until.saturating_duration_since(now)).unwrap_or_default();
        // One that was opened before the last renewal says what is known already.
        if !left.is_zero() || !current() {
            return Verdict { renew: false, retry_after: left };
        }
        let pause = match *pace {
            Some(last) if now.saturating_duration_since(last.until) < LONGEST => (last.pause * 2).min(LONGEST),
            _ => FIRST,
        };
        *pace = Some(Pace { until: now + pause, pause });
        Verdict { renew: true, retry_after: pause }
    }
}

impl fmt::Debug for Demotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demotion").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn renewals_follow_each_other_at_a_pace_that_slows_down() {
        let demotion = Demotion::default();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let verdict = demotion.complain(|| true);
            assert!(verdict.renew);
            assert_eq!(demotion.complain(|| true), Verdict { renew: false, ..verdict }, "a second complaint waits");
            pauses.push(verdict.retry_after.as_millis());
            tokio::time::advance(verdict.retry_after).await;
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        tokio::time::advance(LONGEST).await;
        assert_eq!(demotion.complain(|| true).retry_after, FIRST, "a server that wrote for a while is a new case");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_of_before_tells_nothing_new() {
        let demotion = Demotion::default();
        assert!(!demotion.complain(|| false).renew);
        assert!(demotion.complain(|| true).renew);
    }
}

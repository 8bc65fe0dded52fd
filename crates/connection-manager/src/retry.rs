//! How much a server has to bear of calls that are sent again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::settings::RetrySettings;
use crate::spread;

/// A repetition, in hundredths.
const REPETITION: u32 = 100;
/// The most repetitions that calls in good times can have saved up.
const SAVINGS: u32 = 10 * REPETITION;

/// The repetitions that all who use one server may send it. Cheap to clone; clones share them.
///
/// Each call pays in the hundredth parts of a repetition that [`RetrySettings::budget_percent`] says, and each repetition
/// takes out a whole one. At the beginning there is nothing, so that at no time more than that part of all calls were
/// repetitions; what good times leave is forgotten but for ten.
#[derive(Clone)]
pub struct Retries(Arc<Inner>);

struct Inner {
    settings: RetrySettings,
    saved: AtomicU32,
}

impl Retries {
    /// A budget with nothing in it.
    pub fn new(settings: RetrySettings) -> Self {
        Self(Arc::new(Inner { settings, saved: AtomicU32::new(0) }))
    }

    /// For what is no server, and for whoever repeats calls himself.
    pub fn never() -> Self {
        Self::new(RetrySettings::never())
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &RetrySettings {
        &self.0.settings
    }

    /// Pays in for one call.
    pub fn pay_in(&self) {
        let (part, saved) = (self.0.settings.budget_percent, &self.0.saved);
        // In good times this load is all that a call costs.
        if part > 0 && saved.load(Ordering::Relaxed) < SAVINGS {
            let _ = saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some((now + part).min(SAVINGS)));
        }
    }

    /// Takes a repetition out, if there is one.
    pub fn take_out(&self) -> bool {
        let saved = &self.0.saved;
        saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| now.checked_sub(REPETITION)).is_ok()
    }

    /// How long to wait before a call is sent again that has been sent `tries` times: any time up to a limit that doubles
    /// (full jitter), so that those who failed together do not come back together.
    pub fn wait(&self, tries: u32) -> Duration {
        let RetrySettings { base, cap, .. } = self.0.settings;
        let factor = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        base.saturating_mul(factor).min(cap).mul_f64(spread::random())
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = self.0.saved.load(Ordering::Relaxed) / REPETITION;
        f.debug_struct("Retries").field("settings", &self.0.settings).field("saved", &saved).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(retries: &Retries) -> usize {
        std::iter::repeat_with(|| retries.take_out()).take_while(|had| *had).count()
    }

    #[test]
    fn a_fifth_of_the_calls_may_be_repetitions_and_ten_are_saved() {
        let retries = Retries::new(RetrySettings::default());
        assert_eq!(taken(&retries), 0, "nothing at the beginning");
        for calls in [5, 9, 1] {
            (0..calls).for_each(|_| retries.pay_in());
        }
        assert_eq!(taken(&retries), 3);
        (0..1_000).for_each(|_| retries.pay_in());
        assert_eq!(taken(&retries), 10);
    }

    #[test]
    fn who_never_repeats_has_no_budget() {
        let retries = Retries::never();
        (0..1_000).for_each(|_| retries.pay_in());
        assert!(!retries.take_out());
    }

    #[test]
    fn waits_spread_over_all_of_a_range_that_doubles_up_to_the_cap() {
        let retries = Retries::new(RetrySettings { cap: Duration::from_millis(150), ..RetrySettings::default() });
        for (tries, limit) in [(1, 50), (2, 100), (3, 150), (40, 150)] {
            let limit = Duration::from_millis(limit);
            let waits: Vec<Duration> = (0..1_000).map(|_| retries.wait(tries)).collect();
            assert!(waits.iter().all(|wait| *wait < limit));
            assert!(waits.iter().any(|wait| *wait < limit / 10) && waits.iter().any(|wait| *wait > limit * 9 / 10));
        }
    }
}

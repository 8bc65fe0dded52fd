use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use shared_kernel::{Clock, IdGenerator};
use uuid::Uuid;

/// A clock that stands still until a test moves it. It begins at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct FakeClock(Mutex<DateTime<Utc>>);

impl FakeClock {
    /// A clock that shows `now`, cut to whole microseconds.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now.trunc_subsecs(6)))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        *now = (*now + by).trunc_subsecs(6);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.lock() = now.trunc_subsecs(6);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        // 2026-01-01T00:00:00Z is 20,454 days after 1970-01-01T00:00:00Z.
        Self::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_454))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}

/// Ids that count up: well-formed UUIDs of version 7, in order, the same in every run.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        let number = u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        // Version and variant (RFC 9562, section 5.7) around a time of zero; the number stands in the random bits.
        Uuid::from_u128((0x7 << 76) | (0b10 << 62) | (number & ((1 << 62) - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_by_hand() {
        let clock = FakeClock::default();
        assert_eq!(clock.now().to_rfc3339(), "2026-01-01T00:00:00+00:00");
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_nanos(1_500));
        assert_eq!(clock.now().timestamp_subsec_nanos(), 1_000);
    }

    #[test]
    fn sequential_ids_are_of_version_7_and_in_order() {
        let ids = SequentialIds::default();
        let (first, second) = (ids.next(), ids.next());
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
        assert!(first < second);
        assert_eq!(first.to_string(), "00000000-0000-7000-8000-000000000001");
    }
}

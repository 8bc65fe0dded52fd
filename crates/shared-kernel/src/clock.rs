//! The time, as something that is handed in.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};

/// Where the time comes from.
///
/// Instants are UTC with whole microseconds, because that is the finest step that every engine stores.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant, cut to whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

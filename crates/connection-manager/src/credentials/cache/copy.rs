use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::credentials::store::SecretVersion;
use crate::credentials::{Freshness, SecretStage};

/// How far the clock of the machine that fetched a copy may be ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
/// The longest time that is reckoned with.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// What the store said about one stage of a secret, and when. `Debug` prints no content.
#[derive(Debug, Clone)]
pub struct SecretCopy {
    /// The version; `None` when the secret has none at this stage.
    pub version: Option<SecretVersion>,
    /// When the store said so.
    pub fetched: DateTime<Utc>,
    /// From when it is to be renewed by whoever asks.
    pub due: DateTime<Utc>,
    /// When it expires.
    pub expires: DateTime<Utc>,
}

impl SecretCopy {
    /// A copy made now. `spread` is between 0 and 1 and takes up to a tenth from its life.
    pub(super) fn new(version: Option<SecretVersion>, now: DateTime<Utc>, ttl: Duration, spread: f64) -> Self {
        // A year is further than anybody plans, and keeps the calendar's end out of reach.
        let life = ttl.min(LONGEST).mul_f64(1.0 - spread / 10.0);
        Self { version, fetched: now, due: now + life.mul_f64(0.8), expires: now + life }
    }

    /// How old it is.
    pub fn age(&self, now: DateTime<Utc>) -> Duration {
        (now - self.fetched).to_std().unwrap_or_default()
    }

    /// Whether its time has not passed. A copy from the future tells of a clock that was set back, and has no known age.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        now < self.expires && self.fetched - now < CLOCK_SKEW
    }

    /// Until when it serves while the store is away.
    pub(super) fn stale_until(&self, limit: Duration) -> DateTime<Utc> {
        self.expires + limit.min(LONGEST)
    }

    /// Whether it is time to renew it.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        now >= self.due || !self.is_fresh(now)
    }
}

/// What a caller wants to know, and so which copy will do.
#[derive(Debug, Clone)]
pub(super) struct Question {
    stage: SecretStage,
    /// The version that a server rejected.
    rejected: Option<String>,
}

impl Question {
    pub(super) fn new(stage: SecretStage, freshness: Freshness<'_>) -> Self {
        let rejected = match freshness {
            Freshness::Cached => None,
            Freshness::Rejected(version) => Some(version.to_owned()),
        };
        Self { stage, rejected }
    }

    /// Whether a copy will do. After a rejection, what the store said less than `pause` ago counts as what it says now,
    /// so that many who are rejected together ask once. That is all that a copy of "no such version" is good for, too.
    pub(super) fn is_answered_by(&self, copy: &SecretCopy, now: DateTime<Utc>, pause: Duration) -> bool {
        match &self.rejected {
            None => copy.is_fresh(now) && copy.version.is_some(),
            Some(rejected) => {
                copy.is_fresh(now)
                    && (copy.age(now) < pause || self.stage == SecretStage::Current && differs(copy, rejected))
            }
        }
    }

    /// Whether a copy will do while the store is away.
    pub(super) fn may_be_stale(&self, copy: &SecretCopy, now: DateTime<Utc>, limit: Duration) -> bool {
        let within = now < copy.stale_until(limit) && copy.fetched - now < CLOCK_SKEW;
        let useful = match &self.rejected {
            None => copy.version.is_some(),
            Some(rejected) => self.stage == SecretStage::Current && differs(copy, rejected),
        };
        within && useful
    }
}

/// Whether a copy holds another version than the rejected one. Pending and previous versions come and go within a
/// rotation, so that this says too little about them.
fn differs(copy: &SecretCopy, rejected: &str) -> bool {
    !rejected.is_empty() && copy.version.as_ref().is_some_and(|version| version.version != rejected)
}

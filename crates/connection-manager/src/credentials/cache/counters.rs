use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{Counter, Label, counter, gauge};

use super::SecretKey;
use super::copy::SecretCopy;
use crate::credentials::SecretStage;
use crate::credentials::store::StoreError;

/// What a cache has counted since it was made, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheSnapshot {
    /// Answers from a copy in the process.
    pub process_hits: u64,
    /// Answers from a copy in the shared level.
    pub shared_hits: u64,
    /// Questions to the store, whatever came of them.
    pub fetches: u64,
    /// Questions to the store that failed.
    pub failures: u64,
    /// Renewals of a copy ahead of its end.
    pub refreshes: u64,
    /// Answers from an expired copy while the store was away.
    pub stale_serves: u64,
    /// The copies in the process, by secret and stage.
    pub secrets: Vec<SecretSnapshot>,
}

/// One copy that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretSnapshot {
    /// The secret's name or ARN.
    pub id: String,
    /// The stage.
    pub stage: SecretStage,
    /// The version; `None` when the secret had none at this stage.
    pub version: Option<String>,
    /// How long ago the store said so.
    pub age: Duration,
    /// Whether its time has not passed.
    pub is_fresh: bool,
}

/// Counted twice: for the `metrics` facade, and for those who look at the cache itself.
pub(super) struct Counters {
    process_hits: Counted,
    shared_hits: Counted,
    fetches: Counted,
    failures: Counted,
    refreshes: Counted,
    stale_serves: Counted,
}

struct Counted(AtomicU64, Counter);

impl Counted {
    fn new(counter: Counter) -> Self {
        Self(AtomicU64::new(0), counter)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.1.increment(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            process_hits: Counted::new(counter!("bindery.secret.cache.hits", "level" => "process")),
            shared_hits: Counted::new(counter!("bindery.secret.cache.hits", "level" => "shared")),
            fetches: Counted::new(counter!("bindery.secret.fetches")),
            failures: Counted::new(counter!("bindery.secret.fetch.failures")),
            refreshes: Counted::new(counter!("bindery.secret.cache.refreshes")),
            stale_serves: Counted::new(counter!("bindery.secret.cache.stale_serves")),
        }
    }

    pub(super) fn hit_in_process(&self) {
        self.process_hits.add();
    }

    pub(super) fn hit_in_shared(&self) {
        self.shared_hits.add();
    }

    pub(super) fn stale(&self) {
        self.stale_serves.add();
    }

    pub(super) fn refresh(&self) {
        self.refreshes.add();
    }

    pub(super) fn fetched<T>(&self, answer: &Result<T, StoreError>) {
        self.fetches.add();
        if answer.is_err() {
            self.failures.add();
        }
    }

    /// Tells when the store was asked, and when the version is another one than before. A moment is told and not an age,
    /// which would stand still until the next question and look young all the while.
    #[expect(clippy::unused_self, reason = "everything that is told goes through the counters")]
    pub(super) fn kept(&self, key: &SecretKey, before: Option<&SecretCopy>, now: &SecretCopy) {
        gauge!("bindery.secret.fetched", labels(key)).set(seconds(now.fetched));
        let version = |copy: &SecretCopy| copy.version.as_ref().map(|version| version.version.clone());
        let (old, new) = (before.and_then(version), version(now));
        if old == new {
            return;
        }
        for (version, value) in [(&old, 0.0), (&new, 1.0)] {
            if let Some(version) = version {
                let mut labels = labels(key);
                labels.push(Label::new("version", version.clone()));
                gauge!("bindery.secret.version", labels).set(value);
            }
        }
        if old.is_some() {
            counter!("bindery.secret.rotations", labels(key)).increment(1);
            let version = new.as_deref().unwrap_or("none");
            tracing::info!(secret = %key.id, stage = %key.stage, version, "the secret has another version");
        }
    }

    pub(super) fn snapshot<'a>(
        &self,
        copies: impl Iterator<Item = (&'a SecretKey, &'a SecretCopy)>,
        now: DateTime<Utc>,
    ) -> CacheSnapshot {
        let mut secrets: Vec<SecretSnapshot> = copies
            .map(|(key, copy)| SecretSnapshot {
                id: key.id.to_string(),
                stage: key.stage,
                version: copy.version.as_ref().map(|version| version.version.clone()),
                age: copy.age(now),
                is_fresh: copy.is_fresh(now),
            })
            .collect();
        secrets.sort_by(|one, other| (&one.id, one.stage.label()).cmp(&(&other.id, other.stage.label())));
        CacheSnapshot {
            process_hits: self.process_hits.get(),
            shared_hits: self.shared_hits.get(),
            fetches: self.fetches.get(),
            failures: self.failures.get(),
            refreshes: self.refreshes.get(),
            stale_serves: self.stale_serves.get(),
            secrets,
        }
    }
}

fn labels(key: &SecretKey) -> Vec<Label> {
    vec![Label::new("secret", key.id.to_string()), Label::from_static_parts("stage", key.stage.label())]
}

/// Since 1970.
fn seconds(at: DateTime<Utc>) -> f64 {
    Duration::from_millis(at.timestamp_millis().try_into().unwrap_or_default()).as_secs_f64()
}

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use super::copy::{Question, SecretCopy};
use super::shared::{Lease, SharedLevel};
use super::{Failure, Inner, SecretKey};
use crate::credentials::store::{SecretVersion, StoreError, StoreErrorKind};
use crate::spread;

/// The steps in which another process's answer is waited for.
const FIRST_STEP: Duration = Duration::from_millis(10);
const LONGEST_STEP: Duration = Duration::from_millis(100);
/// The longest that a failure is remembered, times two.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What a question is asked for.
pub(super) enum Errand {
    /// Somebody waits for the answer.
    Answer(Question),
    /// The copy at hand still serves, and its end is near.
    Renew,
}

/// What a question came to, as everybody who waited for it hears.
#[derive(Debug, Clone)]
pub(super) struct Landing {
    pub(super) outcome: Result<SecretCopy, StoreError>,
    /// Whether the store itself said so just now.
    pub(super) from_store: bool,
}

/// One question on its way through the levels. Also when it panics or its runtime ends, the next can be asked.
pub(super) struct Flight {
    inner: Arc<Inner>,
    key: SecretKey,
    errand: Errand,
    /// The newest copy that was seen on the way, which may do while the store is away.
    seen: Option<SecretCopy>,
    /// The mark of the newest recall, read before the copy that is brought.
    recall: Option<String>,
    /// How often the secret had been forgotten when it took off. Once it was forgotten again, what is brought is told to
    /// those who wait for it and kept nowhere.
    epoch: u64,
    announce: watch::Sender<Option<Landing>>,
    over: bool,
}

impl Flight {
    pub(super) fn new(
        inner: Arc<Inner>,
        key: SecretKey,
        errand: Errand,
        seen: Option<SecretCopy>,
        epoch: u64,
        announce: watch::Sender<Option<Landing>>,
    ) -> Self {
        Self { inner, key, errand, seen, recall: None, epoch, announce, over: false }
    }

    pub(super) async fn run(mut self) {
        let landing = match self.inner.shared.clone() {
            Some(shared) => self.through(&*shared).await,
            None => self.ask(None).await,
        };
        self.over = true;
        let landing = self.inner.land(&self.key, landing, self.seen.take(), self.recall.take(), self.epoch);
        self.announce.send_replace(Some(landing));
    }

    /// Looks into the shared level, and asks the store when it is this process's turn.
    async fn through(&mut self, shared: &dyn SharedLevel) -> Landing {
        // Whoever holds the lease answers within the store's limit, or has died and lost it by then.
        let patience = self.inner.settings.timeout.saturating_add(Duration::from_secs(1));
        let begun = Instant::now();
        let mut step = FIRST_STEP;
        self.recall = shared.recalled(&self.key.id).await;
        loop {
            if let Some(copy) = self.look(shared).await {
                return copy;
            }
            match shared.lease(&self.key).await {
                Lease::Granted(token) => {
                    // The holder before may have answered between the look and the lease.
                    let landing = match self.look(shared).await {
                        Some(landing) => landing,
                        None => self.ask(Some(shared)).await,
                    };
                    shared.release(&self.key, &token).await;
                    return landing;
                }
                Lease::Held if begun.elapsed() < patience => {
                    tokio::time::sleep(step).await;
                    step = (step * 2).min(LONGEST_STEP);
                }
                Lease::Held | Lease::Away => return self.ask(Some(shared)).await,
            }
        }
    }

    async fn look(&mut self, shared: &dyn SharedLevel) -> Option<Landing> {
        let copy = shared.read(&self.key).await?;
        let now = self.inner.clock.now();
        let good = match &self.errand {
            Errand::Answer(question) => question.is_answered_by(&copy, now, self.inner.settings.pause),
            Errand::Renew => !copy.is_due(now) && copy.version.is_some(),
        };
        if good {
            self.inner.counters.hit_in_shared();
            return Some(Landing { outcome: Ok(copy), from_store: false });
        }
        if self.seen.as_ref().is_none_or(|seen| seen.fetched < copy.fetched) {
            self.seen = Some(copy);
        }
        None
    }

    async fn ask(&mut self, shared: Option<&dyn SharedLevel>) -> Landing {
        let outcome = self.inner.fetch(&self.key).await;
        let outcome = match outcome {
            Ok(version) => {
                let copy = self.inner.copy(version);
                if let Some(shared) = shared.filter(|_| self.is_wanted()) {
                    shared.write(&self.key, &copy).await;
                    if !self.is_wanted() {
                        shared.remove(&self.key).await;
                    }
                }
                Ok(copy)
            }
            Err(error) => {
                if let Some(shared) = shared.filter(|_| error.kind() == StoreErrorKind::NotFound) {
                    shared.remove(&self.key).await;
                }
                Err(error)
            }
        };
        Landing { outcome, from_store: true }
    }

    /// Whether the secret was not forgotten meanwhile.
    fn is_wanted(&self) -> bool {
        self.inner.entries().get(&self.key).is_some_and(|entry| entry.epoch == self.epoch)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.over
            && let Some(entry) = self.inner.entries().get_mut(&self.key)
            && entry.epoch == self.epoch
        {
            entry.flight = None;
        }
    }
}

impl Inner {
    /// One question to the store, bounded and counted.
    pub(super) async fn fetch(&self, key: &SecretKey) -> Result<Option<SecretVersion>, StoreError> {
        let limit = self.settings.timeout;
        let answer = tokio::time::timeout(limit, self.store.fetch(&key.id, key.stage)).await.unwrap_or_else(|_| {
            let message = format!("no answer about the secret {key} within {} ms", limit.as_millis());
            Err(StoreError::new(StoreErrorKind::Unavailable, message))
        });
        self.counters.fetched(&answer);
        answer
    }

    /// Up to two pauses, so that a fleet does not ask again all at once.
    fn failure(&self, error: &StoreError, now: DateTime<Utc>) -> Failure {
        let number = self.spread.fetch_add(1, Ordering::Relaxed);
        let pause = self.settings.pause.min(LONGEST_PAUSE).mul_f64(1.0 + spread::share(number));
        Failure { error: error.clone(), since: now, until: now + pause }
    }

    fn copy(&self, version: Option<SecretVersion>) -> SecretCopy {
        let number = self.spread.fetch_add(1, Ordering::Relaxed);
        SecretCopy::new(version, self.clock.now(), self.settings.ttl, spread::share(number))
    }

    /// Keeps what a question came to, and lets the next one begin.
    fn land(
        &self,
        key: &SecretKey,
        landing: Landing,
        seen: Option<SecretCopy>,
        recall: Option<String>,
        epoch: u64,
    ) -> Landing {
        let now = self.clock.now();
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        if entry.epoch != epoch {
            return landing;
        }
        entry.flight = None;
        entry.recall = recall.or(entry.recall.take());
        entry.looked = Some(now);
        match &landing.outcome {
            Ok(copy) => {
                entry.failed = None;
                self.counters.kept(key, entry.copy.as_ref(), copy);
                entry.vouched = copy.version.as_ref().map(|_| copy.stale_until(self.settings.stale_limit));
                entry.copy = Some(copy.clone());
                landing
            }
            Err(error) if error.allows_stale() => {
                tracing::warn!(secret = %key.id, stage = %key.stage, %error, "the secrets manager does not answer");
                entry.failed = Some(self.failure(error, now));
                // Another process's copy may be newer than ours, or all there is after a restart.
                entry.copy = seen.or(entry.copy.take());
                landing
            }
            Err(error) => {
                tracing::warn!(secret = %key.id, stage = %key.stage, %error, "the secret cannot be read");
                entry.failed = Some(self.failure(error, now));
                entry.vouched = None;
                entry.copy = None;
                landing
            }
        }
    }
}

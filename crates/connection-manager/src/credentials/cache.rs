//! Secrets close at hand: first in the process, then in a level that processes share, then in the store.
//!
//! A copy lives for [`CacheSettings::ttl`], a little less by chance so that a fleet does not renew all at once, and is renewed
//! in the background by whoever asks after four fifths of that. However many ask together, one question goes to the store:
//! one in the process, and by a lease in the shared level one in the fleet. A failure is the answer to everybody for one to
//! two [`CacheSettings::pause`]s, so that many callers do not beset a store that is away or refuses. While it is away
//! ([`StoreErrorKind::Unavailable`](super::store::StoreErrorKind)) a copy serves beyond its time, up to
//! [`CacheSettings::stale_limit`]; where the store refuses, it never does.
//!
//! [`SecretCache::clear`] leaves word in the shared level. Whoever uses a copy of its own looks there every ten seconds, in
//! the background, and forgets what was recalled.

mod copy;
mod counters;
mod flight;
mod recall;
mod sealed;
mod shared;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_kernel::{Clock, IdGenerator, SystemIdGenerator};
use tokio::sync::watch;

use self::copy::Question;
pub use self::copy::SecretCopy;
use self::counters::Counters;
pub use self::counters::{CacheSnapshot, SecretSnapshot};
use self::flight::{Errand, Flight, Landing};
pub use self::sealed::{SealedLevel, SealedSettings};
pub use self::shared::{Lease, SharedLevel};
use super::store::{SecretStore, SecretVersion, StoreError};
use super::{Freshness, SecretStage};
pub use crate::sealing::{InvalidSealingKey, SealingKey, SealingKeys};

/// How long copies live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// The age at which a copy expires, less up to a tenth.
    pub ttl: Duration,
    /// How long after that a copy still serves while the store is away.
    pub stale_limit: Duration,
    /// How long one question to the store may take.
    pub timeout: Duration,
    /// The least time between two questions to the store about one secret after a failure, or for which a server rejected
    /// what is known.
    pub pause: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_hours(1),
            stale_limit: Duration::from_hours(24),
            timeout: Duration::from_secs(5),
            pause: Duration::from_secs(1),
        }
    }
}

/// One stage of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretKey {
    /// The secret's name or ARN, as the configuration has it.
    pub id: Arc<str>,
    /// The stage.
    pub stage: SecretStage,
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.stage)
    }
}

/// A [`SecretStore`] with copies in front of it.
///
/// Cheap to clone; clones share the copies. Questions run in tasks of the runtime that the first caller is on: one who goes
/// away takes nothing from the others.
#[derive(Clone)]
pub struct SecretCache(Arc<Inner>);

struct Inner {
    store: Arc<dyn SecretStore>,
    shared: Option<Arc<dyn SharedLevel>>,
    clock: Arc<dyn Clock>,
    settings: CacheSettings,
    entries: Mutex<HashMap<SecretKey, Entry>>,
    counters: Counters,
    /// Spreads the ends of copies; begins anywhere.
    spread: AtomicU64,
}

#[derive(Default)]
struct Entry {
    copy: Option<SecretCopy>,
    flight: Option<watch::Receiver<Option<Landing>>>,
    /// The store's last answer when it was a failure.
    failed: Option<Failure>,
    /// How often the copy was forgotten.
    epoch: u64,
    /// Until when what the store said last counts while it is away. A refusal takes it back.
    vouched: Option<DateTime<Utc>>,
    /// The newest mark of a recall that is known to be older than the copy.
    recall: Option<String>,
    /// When the shared level was last asked for a newer one.
    looked: Option<DateTime<Utc>>,
}

impl Entry {
    /// What is under way began before, and is not waited for by anybody who asks from now on.
    fn forget(&mut self) {
        self.epoch += 1;
        self.flight = None;
        self.copy = None;
        self.failed = None;
    }
}

struct Failure {
    error: StoreError,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Failure {
    /// Whether the store may be asked again. A clock that was set back says nothing about when it failed.
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        now >= self.until || now < self.since
    }
}

impl SecretCache {
    /// A cache in the process alone.
    pub fn new(store: Arc<dyn SecretStore>, settings: CacheSettings, clock: Arc<dyn Clock>) -> Self {
        Self::build(store, None, settings, clock)
    }

    /// A cache in the process and in a level that other processes share.
    pub fn with_shared(
        store: Arc<dyn SecretStore>,
        shared: Arc<dyn SharedLevel>,
        settings: CacheSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::build(store, Some(shared), settings, clock)
    }

    fn build(
        store: Arc<dyn SecretStore>,
        shared: Option<Arc<dyn SharedLevel>>,
        settings: CacheSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let spread = AtomicU64::new(RandomState::new().hash_one("spread"));
        let counters = Counters::new();
        Self(Arc::new(Inner { store, shared, clock, settings, entries: Mutex::default(), counters, spread }))
    }

    /// One version of a secret. `None` when it has none at this stage.
    ///
    /// Dropping the future gives up the wait and not the question, which others may wait for.
    ///
    /// # Errors
    /// Why the store has no answer, when no copy may take its place.
    pub async fn get(
        &self,
        id: &str,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<SecretVersion>, StoreError> {
        let key = SecretKey { id: id.into(), stage };
        let question = Question::new(stage, freshness);
        loop {
            let (mut landing, own) = match self.0.at_hand(&key, &question) {
                AtHand::Answer(answer) => return Ok(answer),
                AtHand::Failure(error) => return Err(error),
                AtHand::Flight { landing, own } => (landing, own),
            };
            let landed = landing.wait_for(Option::is_some).await.ok().and_then(|landed| landed.clone());
            let Some(landed) = landed else {
                let message = format!("the question for the secret {key} was broken off");
                return Err(StoreError::new(super::store::StoreErrorKind::Unavailable, message));
            };
            let copy = match landed.outcome {
                Ok(copy) => copy,
                Err(error) => return self.0.stand_in(&key, &question).map(Some).ok_or(error),
            };
            // What another question brought may be what this one has no use for.
            if own || landed.from_store || question.is_answered_by(&copy, self.0.clock.now(), self.0.settings.pause) {
                return Ok(copy.version);
            }
        }
    }

    /// Forgets every copy of a secret, in this process and in the shared level. Returns whether the shared level, where
    /// there is one, did so and tells the other processes, who forget theirs within ten seconds of use.
    pub async fn clear(&self, id: &str) -> bool {
        let mark = SystemIdGenerator.next().to_string();
        let mut cleared = true;
        for stage in [SecretStage::Current, SecretStage::Pending, SecretStage::Previous] {
            let key = SecretKey { id: id.into(), stage };
            if let Some(entry) = self.0.entries().get_mut(&key) {
                entry.forget();
                entry.recall = Some(mark.clone());
            }
            if let Some(shared) = &self.0.shared {
                cleared &= shared.remove(&key).await;
            }
        }
        if let Some(shared) = &self.0.shared {
            // Behind the removal, so that nobody who forgets finds again what he is to forget.
            let life = self.0.settings.ttl.saturating_add(self.0.settings.stale_limit);
            cleared &= shared.recall(id, &mark, life).await;
        }
        cleared
    }

    /// Whether the store, which is away, has said something about a secret that may still be used, although no copy may be
    /// left of it: whoever knows it from before need not forget it yet.
    pub fn is_vouched_for(&self, id: &str, stage: SecretStage) -> bool {
        let now = self.0.clock.now();
        let key = SecretKey { id: id.into(), stage };
        self.0.entries().get(&key).and_then(|entry| entry.vouched).is_some_and(|until| now < until)
    }

    /// The copy at hand, in this process or else in the shared level, without a question to the store.
    pub async fn peek(&self, id: &str, stage: SecretStage) -> Option<SecretCopy> {
        let key = SecretKey { id: id.into(), stage };
        let own = self.0.entries().get(&key).and_then(|entry| entry.copy.clone());
        match (own, &self.0.shared) {
            (None, Some(shared)) => shared.read(&key).await,
            (own, _) => own,
        }
    }

    /// What the store says now, whatever is at hand. Leaves the copies alone.
    ///
    /// # Errors
    /// Why the store has no answer.
    pub async fn ask_store(&self, id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        self.0.fetch(&SecretKey { id: id.into(), stage }).await
    }

    /// What was counted, and the copies that are held.
    pub fn snapshot(&self) -> CacheSnapshot {
        let now = self.0.clock.now();
        let entries = self.0.entries();
        let copies = entries.iter().filter_map(|(key, entry)| Some((key, entry.copy.as_ref()?)));
        self.0.counters.snapshot(copies, now)
    }
}

impl fmt::Debug for SecretCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCache")
            .field("store", &self.0.store)
            .field("shared", &self.0.shared)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

/// What a caller finds.
enum AtHand {
    Answer(Option<SecretVersion>),
    Failure(StoreError),
    Flight { landing: watch::Receiver<Option<Landing>>, own: bool },
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, HashMap<SecretKey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy that will do, or the question under way, which is begun when there is none.
    fn at_hand(self: &Arc<Self>, key: &SecretKey, question: &Question) -> AtHand {
        let now = self.clock.now();
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        let failed = entry.failed.as_ref().filter(|failure| !failure.is_over(now)).map(|failure| failure.error.clone());
        if let Some(copy) = &entry.copy {
            let may_ask = entry.flight.is_none() && failed.is_none();
            if question.is_answered_by(copy, now, self.settings.pause) {
                let answer = copy.version.clone();
                self.counters.hit_in_process();
                if may_ask && copy.is_due(now) {
                    self.counters.refresh();
                    self.take_off(key, entry, Errand::Renew);
                } else {
                    self.look_for_recall(key, entry, now);
                }
                return AtHand::Answer(answer);
            }
            // The store was away a moment ago: nobody waits for it to be so again.
            if entry.failed.is_some() && question.may_be_stale(copy, now, self.settings.stale_limit) {
                let answer = copy.version.clone();
                self.counters.stale();
                if may_ask {
                    self.take_off(key, entry, Errand::Answer(question.clone()));
                }
                return AtHand::Answer(answer);
            }
        }
        if let Some(landing) = &entry.flight {
            return AtHand::Flight { landing: landing.clone(), own: false };
        }
        if let Some(error) = failed {
            return AtHand::Failure(error);
        }
        let landing = self.take_off(key, entry, Errand::Answer(question.clone()));
        AtHand::Flight { landing, own: true }
    }

    /// A copy that will do although the store has just failed.
    fn stand_in(&self, key: &SecretKey, question: &Question) -> Option<SecretVersion> {
        let now = self.clock.now();
        let entries = self.entries();
        let entry = entries.get(key).filter(|entry| entry.failed.is_some())?;
        let copy = entry.copy.as_ref().filter(|copy| question.may_be_stale(copy, now, self.settings.stale_limit))?;
        self.counters.stale();
        copy.version.clone()
    }

    fn take_off(
        self: &Arc<Self>,
        key: &SecretKey,
        entry: &mut Entry,
        errand: Errand,
    ) -> watch::Receiver<Option<Landing>> {
        let (announce, landing) = watch::channel(None);
        entry.flight = Some(landing.clone());
        tokio::spawn(
            Flight::new(Arc::clone(self), key.clone(), errand, entry.copy.clone(), entry.epoch, announce).run(),
        );
        landing
    }
}

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use shared_kernel::database::{ConnectionName, DatabaseError};
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Defined, DefinitionId, silent};
use crate::definitions::NOTICED_WITHIN;
use crate::manager::{FAREWELL, Inner};

/// How often all that is live is confirmed.
const EVERY: Duration = Duration::from_secs(2);
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_millis(1500);

/// By which revision of its definition a connection was opened, and when that was last known to be the present one.
pub(in crate::manager) struct Confirmed {
    revision: u64,
    at: Mutex<Instant>,
}

impl Confirmed {
    /// `at` is when the question was asked, not when the answer came.
    pub(super) fn new(revision: u64, at: Instant) -> Self {
        Self { revision, at: Mutex::new(at) }
    }

    pub(super) fn holds(&self) -> bool {
        self.asked().elapsed() < NOTICED_WITHIN
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// When the last question was asked that was answered with this revision.
    pub(super) fn asked(&self) -> Instant {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more is known of it than an answer to what was `asked` then can tell.
    fn is_newer_than(&self, asked: Instant) -> bool {
        self.asked() > asked
    }

    fn confirm(&self, asked: Instant) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = (*at).max(asked);
    }
}

impl Defined {
    /// Begins to confirm what is live, unless somebody does. It ends with the manager.
    pub(in crate::manager) fn watch(self: &Arc<Self>, inner: &Arc<Inner>) {
        if self.watching.swap(true, Ordering::Relaxed) {
            return;
        }
        inner.runtime().spawn(watch(Arc::downgrade(inner), Arc::downgrade(self)));
    }

    /// Confirms the definition of one live connection, or takes it away when it is another one now.
    pub(super) async fn confirm_one(
        &self,
        name: &ConnectionName,
        id: &DefinitionId,
        deadline: Option<std::time::Instant>,
        runtime: &Handle,
    ) -> Result<(), DatabaseError> {
        let asked = Instant::now();
        let limit = deadline.map_or(NOTICED_WITHIN, |deadline| {
            deadline.saturating_duration_since(asked.into_std()).min(NOTICED_WITHIN)
        });
        let ids = [&**id];
        let revisions = tokio::time::timeout(limit, self.definitions.revisions(&ids)).await;
        let revisions = revisions.map_err(|_| silent(name, limit))??;
        self.settle([id.clone()], &revisions, asked, runtime);
        Ok(())
    }

    /// Confirms all that is live. `false` when there was no answer.
    async fn confirm_all(&self, runtime: &Handle) -> bool {
        let mut live = Vec::new();
        self.pools.each_live(|id, _| live.push(id.clone()));
        let known = self.remembered(&live);
        if known.is_empty() {
            return true;
        }
        let asked = Instant::now();
        let ids: Vec<&str> = known.iter().map(|id| &**id).collect();
        match tokio::time::timeout(PATIENCE, self.definitions.revisions(&ids)).await {
            Ok(Ok(revisions)) => {
                self.settle(live, &revisions, asked, runtime);
                self.forget_rejections(&known, &revisions, asked);
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    fn settle(
        &self,
        live: impl IntoIterator<Item = DefinitionId>,
        revisions: &HashMap<String, u64>,
        asked: Instant,
        runtime: &Handle,
    ) {
        for id in live {
            let present = revisions.get(&*id).copied();
            let outdated = |confirmed: &Confirmed| {
                // It was opened or confirmed while the answer was on its way, which may tell of the state before a change.
                if confirmed.is_newer_than(asked) {
                    return false;
                }
                if present == Some(confirmed.revision) {
                    confirmed.confirm(asked);
                    return false;
                }
                true
            };
            if let Some(leaving) = self.pools.take_if(&id, outdated) {
                runtime.spawn(leaving.close(FAREWELL));
            }
        }
    }

    /// What is live, and what was ever tried to open.
    fn remembered(&self, live: &[DefinitionId]) -> Vec<DefinitionId> {
        let keychains = self.keychains.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = keychains.keys().filter(|id| !live.contains(id));
        live.iter().chain(tried).cloned().collect()
    }

    /// Nobody logs in by a revision that is gone. What was read while the answer was on its way may be newer than the answer.
    fn forget_rejections(&self, known: &[DefinitionId], revisions: &HashMap<String, u64>, asked: Instant) {
        let mut keychains = self.keychains.lock().unwrap_or_else(PoisonError::into_inner);
        for id in known {
            let present = revisions.get(&**id);
            if keychains.get(id).is_some_and(|tried| tried.asked < asked && Some(&tried.revision) != present) {
                keychains.remove(id);
            }
        }
    }
}

async fn watch(inner: Weak<Inner>, defined: Weak<Defined>) {
    let mut interval = interval_at(Instant::now() + EVERY, EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = true;
    loop {
        interval.tick().await;
        let Some(runtime) = inner.upgrade().filter(|inner| !inner.is_closed()).map(|inner| inner.runtime()) else {
            return;
        };
        let Some(defined) = defined.upgrade() else { return };
        let answer = defined.confirm_all(&runtime).await;
        if answered && !answer {
            tracing::warn!(prefix = %defined.prefix, "the definitions of live connections could not be confirmed");
        }
        answered = answer;
    }
}

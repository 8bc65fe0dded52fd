use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Entry, Inner, SecretKey};

/// How often the shared level is asked whether a copy in use was recalled.
const LOOK: TimeDelta = TimeDelta::seconds(10);

impl Inner {
    /// Asks the shared level in the background whether the copy of `entry` was recalled, when it has not been asked lately.
    pub(super) fn look_for_recall(self: &Arc<Self>, key: &SecretKey, entry: &mut Entry, now: DateTime<Utc>) {
        let Some(shared) = self.shared.clone() else { return };
        // A clock that was set back says nothing about how long ago that was.
        if entry.looked.is_some_and(|looked| now >= looked && now - looked < LOOK) {
            return;
        }
        entry.looked = Some(now);
        let (inner, key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move {
            let Some(mark) = shared.recalled(&key.id).await else { return };
            let mut entries = inner.entries();
            let Some(entry) = entries.get_mut(&key).filter(|entry| entry.recall.as_ref() != Some(&mark)) else {
                return;
            };
            entry.recall = Some(mark);
            entry.forget();
            tracing::info!(secret = %key.id, stage = %key.stage, "the copy of the secret was recalled");
        });
    }
}

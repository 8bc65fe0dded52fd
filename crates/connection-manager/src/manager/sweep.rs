use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval_at};

use super::Inner;
use super::pools::{Key, Pools};

/// Into how many ticks the time is cut after which an idle pool is closed, as far as that makes ticks of a useful length.
const TICKS: u32 = 16;
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Begins to look after pools of one kind, unless somebody does. It ends with the manager.
pub(super) fn start<K: Key, M: Send + Sync + 'static>(inner: &Arc<Inner>, pools: &Arc<Pools<K, M>>) {
    if !pools.begin_sweeping() {
        return;
    }
    // Also where idle pools are kept, the ticks tell which of them was idle longest.
    let keep = pools.limits().idle_evict;
    let tick = keep.map_or(LONGEST, |keep| (keep / TICKS).clamp(SHORTEST, LONGEST));
    let ticks = keep.and_then(|keep| u64::try_from(keep.as_nanos().div_ceil(tick.as_nanos())).ok()).unwrap_or(u64::MAX);
    inner.runtime().spawn(sweep(Arc::downgrade(inner), Arc::downgrade(pools), tick, ticks));
}

async fn sweep<K: Key, M>(inner: Weak<Inner>, pools: Weak<Pools<K, M>>, tick: Duration, ticks: u64) {
    let mut interval = interval_at(tokio::time::Instant::now() + tick, tick);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else { return };
        let Some(pools) = pools.upgrade() else { return };
        pools.sweep(ticks, &inner.runtime());
    }
}

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use foldhash::fast::RandomState;
use shared_kernel::database::{CloseReport, ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::build::Announced;
use crate::metrics::PoolsMetrics;

/// Locks that callers of different pools are spread over.
const SHARDS: usize = 16;
/// How often somebody who waits for a place looks whether one of those who have a place has become idle.
const LOOK: Duration = Duration::from_millis(20);
/// What a caller who found every place taken may wait before another try.
const RETRY: Duration = Duration::from_secs(1);

/// What tells one pool from the others of its kind.
pub(super) trait Key: Clone + Ord + Hash + Send + Sync + 'static {}

impl<K: Clone + Ord + Hash + Send + Sync + 'static> Key for K {}

type Shard<K, M> = HashMap<K, Entry<M>, RandomState>;

/// How many pools of a kind there may be, and for how long.
#[derive(Debug, Clone)]
pub(super) struct PoolsLimits {
    /// How many may be live; at least 1.
    pub(super) max_live: usize,
    /// How long one is kept while nobody uses it. `None`: until its place is needed.
    pub(super) idle_evict: Option<Duration>,
    /// How long a build waits for a place.
    pub(super) acquire_timeout: Duration,
}

/// Pools of one kind, such as one for each tenant, each opened when it is first asked for and closed when it is idle. Each
/// has a mark: what its owner has to remember of it.
///
/// A key is in its shard's map exactly while its pool is live or being opened; both change under the shard's lock alone.
pub(super) struct Pools<K, M> {
    name: ConnectionName,
    limits: PoolsLimits,
    shards: Box<[RwLock<Shard<K, M>>]>,
    hasher: RandomState,
    /// As many as may be live. One is held from before a pool is opened until it is closed.
    places: Arc<Semaphore>,
    /// Builds that wait for a place, and pools that are being closed to make one.
    wanting: AtomicUsize,
    leaving: Arc<AtomicUsize>,
    /// Counts the sweeps: the clock by which idleness is measured. Reading a real one would cost a caller as much as all
    /// the rest.
    tick: AtomicU64,
    tickets: AtomicU64,
    sweeping: AtomicBool,
    opened: AtomicU64,
    evicted: AtomicU64,
    metrics: PoolsMetrics,
}

/// Tells one build of a pool from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// The right to have a pool.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

enum Entry<M> {
    Building(Ticket, Announced),
    Live(Live<M>),
}

struct Live<M> {
    connection: Arc<dyn DatabaseConnection>,
    mark: M,
    /// The tick at which it was last asked for or seen at work.
    used: AtomicU64,
    place: Place,
}

impl<M> Live<M> {
    /// Whether somebody holds the connection, or works or waits on its pool. Under the shard's exclusive lock nobody can
    /// come to hold it who does not yet.
    fn is_busy(&self) -> bool {
        if Arc::strong_count(&self.connection) > 1 {
            return true;
        }
        let stats = self.connection.stats();
        stats.in_use > 0 || stats.waiting > 0
    }
}

/// How pools of one kind stand, such as the tenants' pools of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolsStats {
    /// Pools that are live.
    pub live: usize,
    /// Pools that are being opened, or wait for their place.
    pub opening: usize,
    /// How many may be live.
    pub max_live: usize,
    /// Pools that were opened so far.
    pub opened_total: u64,
    /// Pools that were closed so far because nobody used them or another needed the place.
    pub evicted_total: u64,
}

/// A pool that nobody can ask for any more.
pub(super) struct Leaving {
    connection: Arc<dyn DatabaseConnection>,
    _place: Option<Place>,
}

impl Leaving {
    /// The connection's name.
    pub(super) fn name(&self) -> &ConnectionName {
        self.connection.name()
    }

    /// Closes it; its place is free after that.
    pub(super) async fn close(self, grace: Duration) -> CloseReport {
        self.connection.close(grace).await
    }
}

impl From<Arc<dyn DatabaseConnection>> for Leaving {
    fn from(connection: Arc<dyn DatabaseConnection>) -> Self {
        Self { connection, _place: None }
    }
}

impl<M> From<Live<M>> for Leaving {
    fn from(live: Live<M>) -> Self {
        Self { connection: live.connection, _place: Some(live.place) }
    }
}

impl<K: Key, M> Pools<K, M> {
    pub(super) fn new(name: ConnectionName, limits: PoolsLimits, metrics: PoolsMetrics) -> Self {
        let places = Semaphore::new(limits.max_live.min(Semaphore::MAX_PERMITS));
        Self {
            metrics,
            name,
            limits,
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::default(),
            places: Arc::new(places),
            wanting: AtomicUsize::new(0),
            leaving: Arc::default(),
            tick: AtomicU64::new(0),
            tickets: AtomicU64::new(0),
            sweeping: AtomicBool::new(false),
            opened: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    pub(super) fn limits(&self) -> &PoolsLimits {
        &self.limits
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
    fn shard(&self, key: &K) -> &RwLock<Shard<K, M>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// The connection under a key when it is live, noted as used.
    pub(super) fn live(&self, key: &K) -> Option<Arc<dyn DatabaseConnection>> {
        self.live_if(key, |_| true)
    }

    /// The same if its mark is good.
    pub(super) fn live_if(&self, key: &K, good: impl FnOnce(&M) -> bool) -> Option<Arc<dyn DatabaseConnection>> {
        let shard = read(self.shard(key));
        let Some(Entry::Live(live)) = shard.get(key) else { return None };
        if !good(&live.mark) {
            return None;
        }
        let tick = self.tick.load(Ordering::Relaxed);
        // Most calls fall into the tick of the one before: what all cores read is not written for nothing.
        if live.used.load(Ordering::Relaxed) != tick {
            live.used.store(tick, Ordering::Relaxed);
        }
        Some(Arc::clone(&live.connection))
    }

    /// The same without a note.
    pub(super) fn peek(&self, key: &K) -> Option<Arc<dyn DatabaseConnection>> {
        match read(self.shard(key)).get(key) {
            Some(Entry::Live(live)) => Some(Arc::clone(&live.connection)),
            _ => None,
        }
    }

    /// What `look` sees in the mark of a live pool.
    pub(super) fn marked<T>(&self, key: &K, look: impl FnOnce(&M) -> T) -> Option<T> {
        match read(self.shard(key)).get(key) {
            Some(Entry::Live(live)) => Some(look(&live.mark)),
            _ => None,
        }
    }

    /// Looks at the mark of every live pool.
    pub(super) fn each_live(&self, mut look: impl FnMut(&K, &M)) {
        for shard in &self.shards {
            for (key, entry) in read(shard).iter() {
                if let Entry::Live(live) = entry {
                    look(key, &live.mark);
                }
            }
        }
    }

    /// The live connection under a key, or the build that everybody waits for: the one under way, or a new one, if `admit`
    /// has nothing against it.
    pub(super) fn join(
        &self,
        key: &K,
        admit: impl FnOnce() -> Result<(), DatabaseError>,
        begin: impl FnOnce(Ticket) -> Announced,
    ) -> Result<Result<Arc<dyn DatabaseConnection>, Announced>, DatabaseError> {
        let mut shard = write(self.shard(key));
        match shard.get(key) {
            Some(Entry::Live(live)) => return Ok(Ok(Arc::clone(&live.connection))),
            Some(Entry::Building(_, outcome)) => return Ok(Err(outcome.clone())),
            None => {}
        }
        admit()?;
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let outcome = begin(ticket);
        shard.insert(key.clone(), Entry::Building(ticket, outcome.clone()));
        Ok(Err(outcome))
    }

    /// Forgets a build that came to nothing.
    pub(super) fn give_up(&self, key: &K, ticket: Ticket) {
        let mut shard = write(self.shard(key));
        if matches!(shard.get(key), Some(Entry::Building(building, _)) if *building == ticket) {
            shard.remove(key);
        }
    }

    /// Puts what was built in its place. Returns it when nobody is to have it any more: the build was disowned, or `wanted`
    /// says so.
    pub(super) fn settle(
        &self,
        key: &K,
        ticket: Ticket,
        (connection, mark): (&Arc<dyn DatabaseConnection>, M),
        place: Place,
        wanted: impl FnOnce() -> bool,
    ) -> Option<Leaving> {
        let used = AtomicU64::new(self.tick.load(Ordering::Relaxed));
        let live = Live { connection: Arc::clone(connection), mark, used, place };
        {
            let mut shard = write(self.shard(key));
            let ours = matches!(shard.get(key), Some(Entry::Building(building, _)) if *building == ticket);
            if !ours {
                return Some(live.into());
            }
            if !wanted() {
                shard.remove(key);
                return Some(live.into());
            }
            shard.insert(key.clone(), Entry::Live(live));
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.metrics.live(self.stats().live);
        None
    }

    /// Takes every pool that `stays` does not hold for, and disowns their builds.
    pub(super) fn take_unless(&self, stays: impl Fn(&K) -> bool) -> Vec<Leaving> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let gone = write(shard).extract_if(|key, _| !stays(key)).map(|(_, entry)| entry).collect::<Vec<_>>();
            taken.extend(gone.into_iter().filter_map(|entry| match entry {
                Entry::Live(live) => Some(live.into()),
                Entry::Building(..) => None,
            }));
        }
        self.metrics.live(self.stats().live);
        taken
    }

    /// Takes the live pool under a key, if its mark is `bad`.
    pub(super) fn take_if(&self, key: &K, bad: impl FnOnce(&M) -> bool) -> Option<Leaving> {
        let mut shard = write(self.shard(key));
        if !matches!(shard.get(key), Some(Entry::Live(live)) if bad(&live.mark)) {
            return None;
        }
        let taken = match shard.remove(key) {
            Some(Entry::Live(live)) => Some(live.into()),
            _ => None,
        };
        drop(shard);
        self.metrics.live(self.stats().live);
        taken
    }

    /// Waits for a place, first come first served, and makes one where a pool is idle.
    ///
    /// # Errors
    /// `Saturated` when every pool has been busy for as long as the pool's acquire timeout.
    pub(super) async fn place(&self, runtime: &Handle) -> Result<Place, DatabaseError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(Place { _permit: place });
        }
        let _wanting = Counted::new(&self.wanting);
        let deadline = Instant::now() + self.limits.acquire_timeout;
        let mut place = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            if self.leaving.load(Ordering::Relaxed) < self.wanting.load(Ordering::Relaxed) {
                self.displace(runtime);
            }
            let look = deadline.min(Instant::now() + LOOK);
            match tokio::time::timeout_at(look, &mut place).await {
                Ok(Ok(place)) => return Ok(Place { _permit: place }),
                // The semaphore is never closed.
                Ok(Err(_)) => return Err(self.full()),
                Err(_) if Instant::now() >= deadline => return Err(self.full()),
                Err(_) => {}
            }
        }
    }

    fn full(&self) -> DatabaseError {
        let most = self.limits.max_live;
        let message = format!("as many of its pools as may be live are busy (max_live = {most})");
        DatabaseError::new(DatabaseErrorKind::Saturated, message).on(&self.name).with_retry_after(RETRY)
    }

    /// Closes the pool that nobody has used for longest, unless all are busy.
    fn displace(&self, runtime: &Handle) {
        let mut idle: Vec<(u64, K)> = Vec::new();
        for shard in &self.shards {
            idle.extend(read(shard).iter().filter_map(|(key, entry)| match entry {
                Entry::Live(live) if !live.is_busy() => Some((live.used.load(Ordering::Relaxed), key.clone())),
                _ => None,
            }));
        }
        idle.sort_unstable();
        let Some(leaving) = idle.iter().find_map(|(used, key)| self.take_idle(key, *used)) else { return };
        self.metrics.displaced();
        self.part(leaving, runtime);
    }

    /// Takes a pool if it is still as idle as it was at the tick `used`.
    fn take_idle(&self, key: &K, used: u64) -> Option<Leaving> {
        let mut shard = write(self.shard(key));
        let idle = |live: &Live<M>| live.used.load(Ordering::Relaxed) <= used && !live.is_busy();
        if !matches!(shard.get(key), Some(Entry::Live(live)) if idle(live)) {
            return None;
        }
        match shard.remove(key) {
            Some(Entry::Live(live)) => Some(live.into()),
            _ => None,
        }
    }

    fn part(&self, leaving: Leaving, runtime: &Handle) {
        self.evicted.fetch_add(1, Ordering::Relaxed);
        self.metrics.live(self.stats().live);
        let count = Arc::clone(&self.leaving);
        count.fetch_add(1, Ordering::Relaxed);
        runtime.spawn(async move {
            // Nobody uses it, so nothing has to be waited for.
            leaving.close(Duration::ZERO).await;
            count.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// One tick of the clock of idleness: notes who is at work, and closes what nobody has used for `ticks`.
    pub(super) fn sweep(&self, ticks: u64, runtime: &Handle) {
        let now = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
        let mut idle = Vec::new();
        for shard in &self.shards {
            for (key, entry) in read(shard).iter() {
                let Entry::Live(live) = entry else { continue };
                let used = live.used.load(Ordering::Relaxed);
                if live.is_busy() {
                    live.used.store(now, Ordering::Relaxed);
                } else if now.saturating_sub(used) > ticks {
                    idle.push((key.clone(), used));
                }
            }
        }
        for leaving in idle.iter().filter_map(|(key, used)| self.take_idle(key, *used)) {
            self.metrics.idled();
            self.part(leaving, runtime);
        }
    }

    /// `true` for the first who asks.
    pub(super) fn begin_sweeping(&self) -> bool {
        !self.sweeping.swap(true, Ordering::Relaxed)
    }

    pub(super) fn stats(&self) -> PoolsStats {
        let (mut live, mut opening) = (0, 0);
        for shard in &self.shards {
            for entry in read(shard).values() {
                match entry {
                    Entry::Live(_) => live += 1,
                    Entry::Building(..) => opening += 1,
                }
            }
        }
        PoolsStats {
            live,
            opening,
            max_live: self.limits.max_live,
            opened_total: self.opened.load(Ordering::Relaxed),
            evicted_total: self.evicted.load(Ordering::Relaxed),
        }
    }
}

/// Counts for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// A shard is changed by single steps of its map, so a poisoned lock still guards a sound one.

fn read<K, M>(shard: &RwLock<Shard<K, M>>) -> RwLockReadGuard<'_, Shard<K, M>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<K, M>(shard: &RwLock<Shard<K, M>>) -> RwLockWriteGuard<'_, Shard<K, M>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

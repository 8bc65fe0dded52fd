use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use foldhash::fast::RandomState;
use shared_kernel::TenantId;
use shared_kernel::database::{CloseReport, ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::build::Announced;
use crate::metrics::TenantMetrics;
use crate::settings::PerTenantSettings;

/// Locks that callers of different tenants are spread over.
const SHARDS: usize = 16;
/// How often somebody who waits for a place looks whether one of those who have a place has become idle.
const LOOK: Duration = Duration::from_millis(20);
/// What a caller who found every place taken may wait before another try.
const RETRY: Duration = Duration::from_secs(1);

type Shard = HashMap<TenantId, Entry, RandomState>;

/// The tenants' pools of one connection.
///
/// A tenant is in its shard's map exactly while its pool is live or being opened; both change under the shard's lock alone.
pub(super) struct Pools {
    name: ConnectionName,
    pub(super) settings: PerTenantSettings,
    shards: Box<[RwLock<Shard>]>,
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
    metrics: TenantMetrics,
}

/// Tells one build of a tenant's pool from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// The right to have a pool.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

enum Entry {
    Building(Ticket, Announced),
    Live(Live),
}

struct Live {
    connection: Arc<dyn DatabaseConnection>,
    /// The tick at which it was last asked for or seen at work.
    used: AtomicU64,
    place: Place,
}

impl Live {
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

/// How the tenants' pools of one connection stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TenantPools {
    /// Tenants whose pool is live.
    pub live: usize,
    /// Tenants whose pool is being opened, or waits for its place.
    pub opening: usize,
    /// How many may be live.
    pub max_live: usize,
    /// Pools that were opened so far.
    pub opened_total: u64,
    /// Pools that were closed so far because nobody used them or another tenant needed the place.
    pub evicted_total: u64,
}

/// A pool that nobody can ask for any more.
pub(super) struct Leaving {
    connection: Arc<dyn DatabaseConnection>,
    _place: Option<Place>,
}

impl Leaving {
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

impl From<Live> for Leaving {
    fn from(live: Live) -> Self {
        Self { connection: live.connection, _place: Some(live.place) }
    }
}

impl Pools {
    pub(super) fn new(name: ConnectionName, settings: PerTenantSettings) -> Self {
        let places = Semaphore::new(settings.max_live.min(Semaphore::MAX_PERMITS));
        Self {
            metrics: TenantMetrics::new(&name),
            name,
            settings,
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

    #[expect(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
    fn shard(&self, tenant: &TenantId) -> &RwLock<Shard> {
        &self.shards[self.hasher.hash_one(tenant) as usize % SHARDS]
    }

    /// The tenant's connection when it is live, noted as used.
    pub(super) fn live(&self, tenant: &TenantId) -> Option<Arc<dyn DatabaseConnection>> {
        let shard = read(self.shard(tenant));
        let Some(Entry::Live(live)) = shard.get(tenant) else { return None };
        let tick = self.tick.load(Ordering::Relaxed);
        // Most calls fall into the tick of the one before: what all cores read is not written for nothing.
        if live.used.load(Ordering::Relaxed) != tick {
            live.used.store(tick, Ordering::Relaxed);
        }
        Some(Arc::clone(&live.connection))
    }

    /// The same without a note.
    pub(super) fn peek(&self, tenant: &TenantId) -> Option<Arc<dyn DatabaseConnection>> {
        match read(self.shard(tenant)).get(tenant) {
            Some(Entry::Live(live)) => Some(Arc::clone(&live.connection)),
            _ => None,
        }
    }

    /// The tenant's live connection, or the build that everybody waits for: the one under way, or a new one, if `admit`
    /// has nothing against it.
    pub(super) fn join(
        &self,
        tenant: &TenantId,
        admit: impl FnOnce() -> Result<(), DatabaseError>,
        begin: impl FnOnce(Ticket) -> Announced,
    ) -> Result<Result<Arc<dyn DatabaseConnection>, Announced>, DatabaseError> {
        let mut shard = write(self.shard(tenant));
        match shard.get(tenant) {
            Some(Entry::Live(live)) => return Ok(Ok(Arc::clone(&live.connection))),
            Some(Entry::Building(_, outcome)) => return Ok(Err(outcome.clone())),
            None => {}
        }
        admit()?;
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let outcome = begin(ticket);
        shard.insert(tenant.clone(), Entry::Building(ticket, outcome.clone()));
        Ok(Err(outcome))
    }

    /// Forgets a build that came to nothing.
    pub(super) fn give_up(&self, tenant: &TenantId, ticket: Ticket) {
        let mut shard = write(self.shard(tenant));
        if matches!(shard.get(tenant), Some(Entry::Building(building, _)) if *building == ticket) {
            shard.remove(tenant);
        }
    }

    /// Puts what was built in its place. Returns it when nobody is to have it any more: the build was disowned, or `wanted`
    /// says so.
    pub(super) fn settle(
        &self,
        tenant: &TenantId,
        ticket: Ticket,
        connection: &Arc<dyn DatabaseConnection>,
        place: Place,
        wanted: impl FnOnce() -> bool,
    ) -> Option<Leaving> {
        let used = AtomicU64::new(self.tick.load(Ordering::Relaxed));
        let live = Live { connection: Arc::clone(connection), used, place };
        {
            let mut shard = write(self.shard(tenant));
            let ours = matches!(shard.get(tenant), Some(Entry::Building(building, _)) if *building == ticket);
            if !ours {
                return Some(live.into());
            }
            if !wanted() {
                shard.remove(tenant);
                return Some(live.into());
            }
            shard.insert(tenant.clone(), Entry::Live(live));
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.metrics.live(self.stats().live);
        None
    }

    /// Takes the pools of all tenants that `stays` does not hold for, and disowns their builds.
    pub(super) fn take_unless(&self, stays: impl Fn(&TenantId) -> bool) -> Vec<Leaving> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let gone = write(shard).extract_if(|tenant, _| !stays(tenant)).map(|(_, entry)| entry).collect::<Vec<_>>();
            taken.extend(gone.into_iter().filter_map(|entry| match entry {
                Entry::Live(live) => Some(live.into()),
                Entry::Building(..) => None,
            }));
        }
        self.metrics.live(self.stats().live);
        taken
    }

    /// Waits for a place, first come first served, and makes one where a tenant's pool is idle.
    ///
    /// # Errors
    /// `Saturated` when every pool has been busy for as long as the pool's acquire timeout.
    pub(super) async fn place(&self, runtime: &Handle) -> Result<Place, DatabaseError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(Place { _permit: place });
        }
        let _wanting = Counted::new(&self.wanting);
        let deadline = Instant::now() + self.settings.template().pool.acquire_timeout;
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
        let most = self.settings.max_live;
        let message = format!("as many tenants as may be live are busy (max_live = {most})");
        DatabaseError::new(DatabaseErrorKind::Saturated, message).on(&self.name).with_retry_after(RETRY)
    }

    /// Closes the pool that nobody has used for longest, unless all are busy.
    fn displace(&self, runtime: &Handle) {
        let mut idle: Vec<(u64, TenantId)> = Vec::new();
        for shard in &self.shards {
            idle.extend(read(shard).iter().filter_map(|(tenant, entry)| match entry {
                Entry::Live(live) if !live.is_busy() => Some((live.used.load(Ordering::Relaxed), tenant.clone())),
                _ => None,
            }));
        }
        idle.sort_unstable();
        let Some(leaving) = idle.iter().find_map(|(used, tenant)| self.take_idle(tenant, *used)) else { return };
        self.metrics.displaced();
        self.part(leaving, runtime);
    }

    /// Takes a tenant's pool if it is still as idle as it was at the tick `used`.
    fn take_idle(&self, tenant: &TenantId, used: u64) -> Option<Leaving> {
        let mut shard = write(self.shard(tenant));
        let idle = |live: &Live| live.used.load(Ordering::Relaxed) <= used && !live.is_busy();
        if !matches!(shard.get(tenant), Some(Entry::Live(live)) if idle(live)) {
            return None;
        }
        match shard.remove(tenant) {
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
            for (tenant, entry) in read(shard).iter() {
                let Entry::Live(live) = entry else { continue };
                let used = live.used.load(Ordering::Relaxed);
                if live.is_busy() {
                    live.used.store(now, Ordering::Relaxed);
                } else if now.saturating_sub(used) > ticks {
                    idle.push((tenant.clone(), used));
                }
            }
        }
        for leaving in idle.iter().filter_map(|(tenant, used)| self.take_idle(tenant, *used)) {
            self.metrics.idled(1);
            self.part(leaving, runtime);
        }
    }

    /// `true` for the first who asks.
    pub(super) fn begin_sweeping(&self) -> bool {
        !self.sweeping.swap(true, Ordering::Relaxed)
    }

    pub(super) fn stats(&self) -> TenantPools {
        let (mut live, mut opening) = (0, 0);
        for shard in &self.shards {
            for entry in read(shard).values() {
                match entry {
                    Entry::Live(_) => live += 1,
                    Entry::Building(..) => opening += 1,
                }
            }
        }
        TenantPools {
            live,
            opening,
            max_live: self.settings.max_live,
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

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

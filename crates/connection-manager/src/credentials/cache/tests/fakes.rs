//! A store, a shared level and a clock that a test moves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use testkit::FakeClock;
use tokio::sync::Semaphore;

use crate::credentials::cache::{CacheSettings, Lease, SecretCache, SecretCopy, SecretKey, SharedLevel};
use crate::credentials::store::{SecretStore, SecretVersion, StoreError, StoreErrorKind};
use crate::credentials::{Freshness, SecretStage};

/// A cache with all that is around it.
pub(super) struct Desk {
    pub(super) store: Arc<FakeStore>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) cache: SecretCache,
}

impl Desk {
    /// The store answers at once.
    pub(super) fn open() -> Self {
        let desk = Self::closed();
        desk.store.open();
        desk
    }

    /// The same with other settings.
    pub(super) fn with(settings: CacheSettings) -> Self {
        let desk = Self::behind(settings);
        desk.store.open();
        desk
    }

    /// The store does not answer before [`FakeStore::open`].
    pub(super) fn closed() -> Self {
        Self::behind(CacheSettings::default())
    }

    fn behind(settings: CacheSettings) -> Self {
        let (store, clock) = (Arc::new(FakeStore::default()), Arc::new(FakeClock::default()));
        let cache = SecretCache::new(store.clone(), settings, clock.clone());
        Self { store, clock, cache }
    }

    /// A further process over the same store, which answers at once.
    pub(super) fn sharing(store: &Arc<FakeStore>, clock: &Arc<FakeClock>, shared: &Arc<FakeLevel>) -> Self {
        store.open();
        let cache = SecretCache::with_shared(store.clone(), shared.clone(), CacheSettings::default(), clock.clone());
        Self { store: store.clone(), clock: clock.clone(), cache }
    }

    /// Waits until the process holds a version, which what runs in the background brings.
    pub(super) async fn until_held(&self, id: &str, version: &str) {
        testkit::eventually_some(Duration::from_secs(10), || async {
            let copy = self.cache.peek(id, SecretStage::Current).await?;
            copy.version.filter(|held| held.version == version).map(drop)
        })
        .await;
    }
}

/// The version that a caller gets who has no complaint.
pub(super) async fn cached(cache: &SecretCache, id: &str) -> Result<Option<String>, StoreError> {
    let found = cache.get(id, SecretStage::Current, Freshness::Cached).await?;
    Ok(found.map(|found| found.version))
}

/// The version that a caller gets to whom a server said no.
pub(super) async fn rejected(
    cache: &SecretCache,
    stage: SecretStage,
    version: &str,
) -> Result<Option<String>, StoreError> {
    let found = cache.get("users", stage, Freshness::Rejected(version)).await?;
    Ok(found.map(|found| found.version))
}

#[derive(Debug)]
pub(super) struct FakeStore {
    versions: Mutex<HashMap<(String, SecretStage), String>>,
    failure: Mutex<Option<StoreErrorKind>>,
    calls: AtomicU64,
    gate: Semaphore,
}

impl Default for FakeStore {
    fn default() -> Self {
        let (versions, failure) = (Mutex::default(), Mutex::default());
        Self { versions, failure, calls: AtomicU64::new(0), gate: Semaphore::new(0) }
    }
}

impl FakeStore {
    pub(super) fn put(&self, id: &str, stage: SecretStage, version: &str) {
        self.versions.lock().unwrap().insert((id.to_owned(), stage), version.to_owned());
    }

    pub(super) fn fail(&self, kind: StoreErrorKind) {
        *self.failure.lock().unwrap() = Some(kind);
    }

    pub(super) fn recover(&self) {
        *self.failure.lock().unwrap() = None;
    }

    pub(super) fn open(&self) {
        if self.gate.available_permits() == 0 {
            self.gate.add_permits(1000);
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl SecretStore for FakeStore {
    async fn fetch(&self, id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let _passed = self.gate.acquire().await.unwrap();
        if let Some(kind) = *self.failure.lock().unwrap() {
            return Err(StoreError::new(kind, "as planned"));
        }
        let found = self.versions.lock().unwrap().get(&(id.to_owned(), stage)).cloned();
        match found {
            None if stage == SecretStage::Current => Err(StoreError::new(StoreErrorKind::NotFound, "no such secret")),
            found => Ok(found.map(|version| {
                let content = SecretString::from(format!("canary of {version}"));
                SecretVersion { version, content }
            })),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct FakeLevel {
    copies: Mutex<HashMap<SecretKey, SecretCopy>>,
    leases: Mutex<HashMap<SecretKey, String>>,
    marks: Mutex<HashMap<String, String>>,
    tokens: AtomicU64,
    away: AtomicBool,
}

impl FakeLevel {
    pub(super) fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    /// Takes the lease as another process would.
    pub(super) async fn occupy(&self, key: &SecretKey) -> String {
        match self.lease(key).await {
            Lease::Granted(token) => token,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn leases(&self) -> usize {
        self.leases.lock().unwrap().len()
    }
}

#[async_trait]
impl SharedLevel for FakeLevel {
    async fn read(&self, key: &SecretKey) -> Option<SecretCopy> {
        self.copies.lock().unwrap().get(key).filter(|_| !self.away.load(Ordering::SeqCst)).cloned()
    }

    async fn write(&self, key: &SecretKey, copy: &SecretCopy) {
        if !self.away.load(Ordering::SeqCst) {
            self.copies.lock().unwrap().insert(key.clone(), copy.clone());
        }
    }

    async fn remove(&self, key: &SecretKey) -> bool {
        self.copies.lock().unwrap().remove(key);
        !self.away.load(Ordering::SeqCst)
    }

    async fn lease(&self, key: &SecretKey) -> Lease {
        if self.away.load(Ordering::SeqCst) {
            return Lease::Away;
        }
        let mut leases = self.leases.lock().unwrap();
        if leases.contains_key(key) {
            return Lease::Held;
        }
        let token = self.tokens.fetch_add(1, Ordering::SeqCst).to_string();
        leases.insert(key.clone(), token.clone());
        Lease::Granted(token)
    }

    async fn release(&self, key: &SecretKey, token: &str) {
        let mut leases = self.leases.lock().unwrap();
        if leases.get(key).is_some_and(|held| held == token) {
            leases.remove(key);
        }
    }
    async fn recall(&self, id: &str, mark: &str, _life: Duration) -> bool {
        self.marks.lock().unwrap().insert(id.to_owned(), mark.to_owned());
        !self.away.load(Ordering::SeqCst)
    }

    async fn recalled(&self, id: &str) -> Option<String> {
        self.marks.lock().unwrap().get(id).filter(|_| !self.away.load(Ordering::SeqCst)).cloned()
    }
}

//! What pools have in common: a server that allows few connections, an account there, and its secret behind a cache.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::credentials::cache::{CacheSettings, SecretCache};
use connection_manager::credentials::store::{SecretStore, SecretVersion, StoreError};
use connection_manager::{
    Budget, ConnectionSettings, Credentials, Endpoint, Freshness, Keyring, PoolSettings, SecretSource, SecretStage,
    ServerSettings, SourceError, SqlPool,
};
use secrecy::SecretString;
use shared_kernel::database::{ConnectionName, DatabaseConnection as _, DatabaseError, DatabaseErrorKind, Engine};
use testkit::FakeClock;
use tokio::time::advance;

use super::super::fake::settings;
use super::abandon_after;
use super::stepping::{Peer, Stepping, step};

const SECRET: &str = "account";

/// The time that passes in one step of [`World::until`].
const MOMENT: Duration = Duration::from_millis(5);

pub(super) struct World {
    pub(super) peer: Arc<Peer>,
    pub(super) budget: Budget,
    pub(super) account: Keyring,
    pub(super) secrets: Arc<Secrets>,
    places: u32,
    steps: u32,
}

impl World {
    /// A server with so many places for pools, and one more to tell it over that callers have left.
    pub(super) fn new(places: u32, steps: u32) -> Self {
        let secrets = Arc::new(Secrets::new(steps));
        let connection = ConnectionSettings::new(Engine::from("fake".to_owned()));
        let account = Keyring::new(secrets.clone(), "fake".parse().unwrap(), connection);
        let budget = Budget::new("fake:1", &ServerSettings::limited(places + 1));
        Self { peer: Arc::default(), budget, account, secrets, places, steps }
    }

    /// A pool that leads there, for as many connections as there are places.
    pub(super) fn pool(&self) -> Arc<SqlPool<Stepping>> {
        self.pool_of(self.places)
    }

    pub(super) fn pool_of(&self, max: u32) -> Arc<SqlPool<Stepping>> {
        let endpoint = Endpoint { budget: self.budget.clone(), ..Endpoint::from(self.account.clone()) };
        let minute = Duration::from_mins(1);
        // Whether the secret has changed is looked at each tenth of a second or so.
        let limits = PoolSettings {
            acquire_timeout: minute,
            connect_timeout: minute,
            leak_after: Some(Duration::from_millis(400)),
            ..settings(max)
        };
        let driver = Stepping { peer: Arc::clone(&self.peer), steps: self.steps };
        Arc::new(SqlPool::new("fake".parse().unwrap(), Engine::from("fake".to_owned()), limits, endpoint, driver))
    }

    /// Lets tasks run and time pass until `condition` holds.
    pub(super) async fn until(&self, what: fmt::Arguments<'_>, condition: impl Fn() -> bool) {
        for _ in 0..10_000 {
            if condition() {
                return;
            }
            advance(MOMENT).await;
        }
        panic!("{what}: it does not come to that: {:?}, {} open", self.budget.stats(), self.peer.open());
    }

    /// No pool is left: all the server's places can be had at the same time and no more than these, the account's turn comes and
    /// the secret can be read.
    pub(super) async fn is_all_back(&self, what: fmt::Arguments<'_>) {
        self.until(what, || self.budget.stats().used == 0 && self.peer.open() == 0).await;
        assert_eq!(self.budget.stats().waiting_pools, 0, "{what}");
        let pool = self.pool_of(self.places + 1);
        self.can_have_all(&pool, what).await;
        // All of them are idle now, and another pool takes one back.
        let other = self.pool_of(1);
        drop(other.pool().acquire(None).await.unwrap_or_else(|error| panic!("{what}: nothing is taken back: {error}")));
        assert!(self.peer.most_open() <= self.places + 1, "{what}: {} at the same time", self.peer.most_open());
    }

    /// A pool can have all the server's places at the same time, and no more than these.
    pub(super) async fn can_have_all(&self, pool: &SqlPool<Stepping>, what: fmt::Arguments<'_>) {
        let mut all = Vec::new();
        for _ in 0..self.places {
            all.push(pool.pool().acquire(None).await.unwrap_or_else(|error| panic!("{what}: {error}")));
        }
        assert_eq!((pool.stats().in_use, self.budget.stats().used), (self.places, self.places), "{what}");
        let more = abandon_after(1, |_| {}, pool.pool().acquire(None)).await;
        assert!(more.is_none(), "{what}: there is one more than the server may have");
        drop(all);
        assert_eq!((pool.stats().in_use, pool.stats().waiting), (0, 0), "{what}");
    }
}

/// The counts of a pool that nobody uses are right.
pub(super) fn is_at_rest(pool: &SqlPool<Stepping>) -> bool {
    let stats = pool.stats();
    let settled = stats.in_use == 0 && stats.waiting == 0 && stats.open == stats.idle;
    settled && stats.opened_total - stats.closed_total == u64::from(stats.open)
}

/// The account's password, in a store that yields before it answers, and copies of it.
#[derive(Debug)]
pub(super) struct Secrets {
    cache: SecretCache,
    store: Arc<Store>,
}

#[derive(Debug)]
struct Store {
    version: Mutex<&'static str>,
    steps: u32,
    asked: AtomicU32,
}

impl Secrets {
    pub(super) fn new(steps: u32) -> Self {
        let store = Arc::new(Store { version: Mutex::new("one"), steps, asked: AtomicU32::new(0) });
        let cache = SecretCache::new(store.clone(), CacheSettings::default(), Arc::new(FakeClock::default()));
        Self { cache, store }
    }

    /// The password is another one, as whoever asks hears from now on.
    pub(super) async fn change(&self, version: &'static str) {
        *self.store.version.lock().unwrap() = version;
        self.cache.clear(SECRET).await;
    }

    /// Questions to the store so far.
    pub(super) fn asked(&self) -> u32 {
        self.store.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl SecretStore for Store {
    async fn fetch(&self, _: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        step(self.steps).await;
        let version = *self.version.lock().unwrap();
        let found = SecretVersion { version: version.to_owned(), content: SecretString::from(version) };
        Ok((stage == SecretStage::Current).then_some(found))
    }
}

#[async_trait]
impl SecretSource for Secrets {
    async fn credentials(
        &self,
        name: &ConnectionName,
        _: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        let found =
            self.cache.get(SECRET, stage, freshness).await.map_err(|error| {
                DatabaseError::new(DatabaseErrorKind::SecretUnavailable, error.to_string()).on(name)
            })?;
        Ok(found.map(|found| Credentials {
            username: "svc".to_owned(),
            password: found.content,
            version: found.version,
        }))
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        true
    }
}

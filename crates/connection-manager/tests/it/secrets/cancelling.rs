//! A question for a secret is given up after every number of polls, by who asked or with the runtime that it is on. Each time the
//! next one is answered, and no right to ask the store is left behind by who lives on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::credentials::cache::{CacheSettings, Lease, SecretCache, SecretCopy, SecretKey, SharedLevel};
use connection_manager::credentials::store::{SecretStore, SecretVersion, StoreError};
use connection_manager::{Freshness, SecretStage};
use secrecy::SecretString;
use testkit::FakeClock;
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use crate::pool::cancelling::abandon_after;

/// No question takes more polls.
const MOST_POLLS: u32 = 200;

/// A store that yields in each answer.
#[derive(Debug)]
struct Store {
    steps: u32,
    asked: AtomicU32,
}

#[async_trait]
impl SecretStore for Store {
    async fn fetch(&self, _: &str, _: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        step(self.steps).await;
        Ok(Some(SecretVersion { version: "one".to_owned(), content: SecretString::from("canary") }))
    }
}

/// A level that yields in each answer.
#[derive(Debug)]
struct Level {
    steps: u32,
    copies: Mutex<HashMap<SecretKey, SecretCopy>>,
    /// Who has the right to ask the store, and how many had it so far.
    lease: Mutex<Option<String>>,
    leases: AtomicU32,
}

async fn step(steps: u32) {
    for _ in 0..steps {
        yield_now().await;
    }
}

#[async_trait]
impl SharedLevel for Level {
    async fn read(&self, key: &SecretKey) -> Option<SecretCopy> {
        step(self.steps).await;
        self.copies.lock().unwrap().get(key).cloned()
    }

    async fn write(&self, key: &SecretKey, copy: &SecretCopy) {
        step(self.steps).await;
        self.copies.lock().unwrap().insert(key.clone(), copy.clone());
    }

    async fn remove(&self, key: &SecretKey) -> bool {
        step(self.steps).await;
        self.copies.lock().unwrap().remove(key);
        true
    }

    async fn lease(&self, _: &SecretKey) -> Lease {
        step(self.steps).await;
        let mut lease = self.lease.lock().unwrap();
        if lease.is_some() {
            return Lease::Held;
        }
        let token = self.leases.fetch_add(1, Ordering::SeqCst).to_string();
        *lease = Some(token.clone());
        Lease::Granted(token)
    }

    async fn release(&self, _: &SecretKey, token: &str) {
        step(self.steps).await;
        let mut lease = self.lease.lock().unwrap();
        if lease.as_deref() == Some(token) {
            *lease = None;
        }
    }
}

/// Where the cache looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The store alone.
    Alone,
    /// A level that processes share.
    Shared,
    /// The same, where another process has the right to ask the store and never answers.
    Held,
}

impl Scene {
    fn cache(self, steps: u32) -> (Arc<Store>, Arc<Level>, SecretCache) {
        let store = Arc::new(Store { steps, asked: AtomicU32::new(0) });
        let held = (self == Self::Held).then(|| "another's".to_owned());
        let (copies, leases) = (Mutex::default(), AtomicU32::new(0));
        let level = Arc::new(Level { steps, copies, lease: Mutex::new(held), leases });
        let (settings, clock) = (CacheSettings::default(), Arc::new(FakeClock::default()));
        let cache = if self == Self::Alone {
            SecretCache::new(store.clone(), settings, clock)
        } else {
            SecretCache::with_shared(store.clone(), level.clone(), settings, clock)
        };
        (store, level, cache)
    }
}

async fn read(cache: &SecretCache) -> Result<Option<String>, StoreError> {
    let found = cache.get("users", SecretStage::Current, Freshness::Cached).await?;
    Ok(found.map(|found| found.version))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Gives one of two callers' questions up after so many polls. Says whether it was answered by then.
async fn leave(scene: Scene, steps: u32, polls: u32) -> bool {
    let (store, level, cache) = scene.cache(steps);
    let outcome = abandon_after(polls, |_| {}, read(&cache)).await;
    // One who asks with him, and one who comes later.
    for _ in 0..2 {
        assert_eq!(read(&cache).await.unwrap().as_deref(), Some("one"), "{scene:?} {polls}");
    }
    assert_eq!(store.asked.load(Ordering::SeqCst), 1, "{scene:?} {polls}: the question is the same for all");
    let held = (scene == Scene::Held).then(|| "another's".to_owned());
    assert_eq!(*level.lease.lock().unwrap(), held, "{scene:?} {polls}");
    outcome.is_some()
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_takes_no_question_along_and_leaves_none_behind() {
    for scene in [Scene::Alone, Scene::Shared] {
        for steps in [1, 2] {
            let mut polls = 0;
            while !leave(scene, steps, polls).await {
                polls += 1;
                assert!(polls < MOST_POLLS, "{scene:?} does not end");
            }
            assert!(polls > steps, "{scene:?} was over after {polls} polls");
        }
    }
    // It ends by the clock, which stands still while it is polled.
    for polls in 0..20 {
        assert!(!leave(Scene::Held, 1, polls).await, "{polls}");
    }
}

/// Ends the runtime that the question is on after so many steps. Says whether it was answered by then.
fn end(scene: Scene, steps: u32, passed: u32) -> bool {
    let (store, level, cache) = scene.cache(steps);
    let own = runtime();
    let over = own.block_on(async {
        let asking = tokio::spawn({
            let cache = cache.clone();
            async move { read(&cache).await }
        });
        step(passed).await;
        asking.is_finished()
    });
    drop(own);
    // In the level, a right that nobody gives back ends by its time.
    *level.lease.lock().unwrap() = None;
    let next = runtime();
    for _ in 0..2 {
        let answer = next.block_on(async { tokio::time::timeout(Duration::from_mins(1), read(&cache)).await });
        let answer = answer.unwrap_or_else(|_| panic!("{scene:?} {passed}: no answer"));
        assert_eq!(answer.unwrap().as_deref(), Some("one"), "{scene:?} {passed}");
    }
    assert!(store.asked.load(Ordering::SeqCst) <= 2, "{scene:?} {passed}");
    assert_eq!(*level.lease.lock().unwrap(), None, "{scene:?} {passed}");
    over
}

#[test]
fn a_question_whose_runtime_ends_keeps_nobody_from_asking_again() {
    for scene in [Scene::Alone, Scene::Shared] {
        for steps in [1, 2] {
            let mut passed = 0;
            while !end(scene, steps, passed) {
                passed += 1;
                assert!(passed < MOST_POLLS, "{scene:?} does not end");
            }
            assert!(passed > steps, "{scene:?} was over after {passed} steps");
        }
    }
    for passed in 0..20 {
        assert!(!end(Scene::Held, 1, passed), "{passed}");
    }
}

//! Several processes over one shared level.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use testkit::FakeClock;

use super::HOUR;
use super::fakes::{Desk, FakeLevel, FakeStore, cached, rejected};
use crate::credentials::SecretStage::Current;
use crate::credentials::cache::SecretKey;
use crate::credentials::store::StoreErrorKind;

struct Fleet {
    store: Arc<FakeStore>,
    clock: Arc<FakeClock>,
    level: Arc<FakeLevel>,
    processes: Vec<Desk>,
}

impl Fleet {
    fn of(size: usize) -> Self {
        let (store, clock, level) = (Arc::default(), Arc::default(), Arc::default());
        let processes = (0..size).map(|_| Desk::sharing(&store, &clock, &level)).collect();
        Self { store, clock, level, processes }
    }

    async fn all(&self) -> Vec<Option<String>> {
        let callers = self.processes.iter().map(|process| cached(&process.cache, "users"));
        join_all(callers).await.into_iter().map(Result::unwrap).collect()
    }
}

/// Lets what runs in the background come to its end: nothing of it waits.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

fn key() -> SecretKey {
    SecretKey { id: "users".into(), stage: Current }
}

#[tokio::test]
async fn one_process_asks_for_all() {
    let fleet = Fleet::of(10);
    fleet.store.put("users", Current, "one");
    assert!(fleet.all().await.iter().all(|found| found.as_deref() == Some("one")));
    assert_eq!(fleet.store.calls(), 1);
    assert_eq!(fleet.level.leases(), 0);
    let hits: u64 = fleet.processes.iter().map(|process| process.cache.snapshot().shared_hits).sum();
    assert_eq!(hits, 9);
}

#[tokio::test]
async fn a_renewal_by_one_is_taken_over_by_the_others() {
    let fleet = Fleet::of(5);
    fleet.store.put("users", Current, "one");
    fleet.all().await;
    fleet.clock.advance(HOUR * 85 / 100);
    fleet.store.put("users", Current, "two");
    fleet.all().await;
    for process in &fleet.processes {
        process.until_held("users", "two").await;
    }
    assert_eq!(fleet.store.calls(), 2);
}

#[tokio::test]
async fn a_rejection_seen_by_all_costs_one_question() {
    let fleet = Fleet::of(5);
    fleet.store.put("users", Current, "one");
    fleet.all().await;
    fleet.clock.advance(Duration::from_secs(10));
    fleet.store.put("users", Current, "two");
    for process in &fleet.processes {
        assert_eq!(rejected(&process.cache, Current, "one").await.unwrap().as_deref(), Some("two"));
    }
    assert_eq!(fleet.store.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_the_lease_held_waits_for_the_answer() {
    let fleet = Fleet::of(1);
    fleet.store.put("users", Current, "one");
    let token = fleet.level.occupy(&key()).await;
    let waiting = cached(&fleet.processes[0].cache, "users");
    let other = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(fleet.store.calls(), 0);
        // The other process dies without an answer, and its lease ends.
        crate::credentials::cache::SharedLevel::release(&*fleet.level, &key(), &token).await;
    };
    let (found, ()) = tokio::join!(waiting, other);
    assert_eq!(found.unwrap().as_deref(), Some("one"));
    assert_eq!(fleet.store.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_never_ends_is_waited_for_so_long_and_no_longer() {
    let fleet = Fleet::of(1);
    fleet.store.put("users", Current, "one");
    fleet.level.occupy(&key()).await;
    assert_eq!(cached(&fleet.processes[0].cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(fleet.store.calls(), 1);
    assert_eq!(fleet.level.leases(), 1, "it is not ours to give back");
}

#[tokio::test]
async fn without_the_shared_level_each_process_asks_for_itself() {
    let fleet = Fleet::of(3);
    fleet.store.put("users", Current, "one");
    fleet.level.go_away();
    assert!(fleet.all().await.iter().all(|found| found.as_deref() == Some("one")));
    assert_eq!(fleet.store.calls(), 3);
}

#[tokio::test]
async fn a_process_that_starts_while_the_store_is_away_lives_on_the_shared_copy() {
    let mut fleet = Fleet::of(1);
    fleet.store.put("users", Current, "one");
    fleet.all().await;
    fleet.clock.advance(HOUR * 3);
    fleet.store.fail(StoreErrorKind::Unavailable);
    fleet.processes = vec![Desk::sharing(&fleet.store, &fleet.clock, &fleet.level)];
    assert_eq!(fleet.all().await[0].as_deref(), Some("one"));
    assert_eq!(fleet.processes[0].cache.snapshot().stale_serves, 1);
    fleet.store.fail(StoreErrorKind::NotFound);
    fleet.clock.advance(Duration::from_secs(10));
    let fresh = Desk::sharing(&fleet.store, &fleet.clock, &fleet.level);
    assert_eq!(cached(&fresh.cache, "users").await.unwrap_err().kind(), StoreErrorKind::NotFound);
    fleet.store.fail(StoreErrorKind::Unavailable);
    let fresh = Desk::sharing(&fleet.store, &fleet.clock, &fleet.level);
    let error = cached(&fresh.cache, "users").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "a secret that was deleted is forgotten for all");
}

#[tokio::test]
async fn what_one_process_clears_the_others_forget_soon_and_once() {
    let fleet = Fleet::of(3);
    fleet.store.put("users", Current, "one");
    fleet.all().await;
    fleet.store.put("users", Current, "two");
    assert!(fleet.processes[0].cache.clear("users").await);
    fleet.clock.advance(Duration::from_secs(9));
    assert_eq!(fleet.all().await, ["two", "one", "one"].map(|version| Some(version.to_owned())));
    fleet.clock.advance(Duration::from_secs(1));
    // Whoever asks now still has the old copy and finds out behind it.
    for process in &fleet.processes {
        cached(&process.cache, "users").await.unwrap();
        process.until_held("users", "two").await;
    }
    assert_eq!(fleet.all().await, ["two", "two", "two"].map(|version| Some(version.to_owned())));
    assert_eq!(fleet.store.calls(), 2);
    fleet.store.put("users", Current, "three");
    for _ in 0..5 {
        fleet.clock.advance(Duration::from_secs(11));
        assert!(fleet.all().await.iter().all(|version| version.as_deref() == Some("two")), "recalled once");
        settle().await;
    }
    assert_eq!(fleet.store.calls(), 2);
}

#[tokio::test]
async fn a_process_that_starts_after_a_recall_keeps_what_it_finds() {
    let mut fleet = Fleet::of(1);
    fleet.store.put("users", Current, "one");
    fleet.all().await;
    fleet.processes[0].cache.clear("users").await;
    fleet.processes = vec![Desk::sharing(&fleet.store, &fleet.clock, &fleet.level)];
    fleet.all().await;
    let hits = |fleet: &Fleet| fleet.processes[0].cache.snapshot().process_hits;
    for turn in 1..=5 {
        fleet.clock.advance(Duration::from_secs(11));
        fleet.all().await;
        settle().await;
        assert_eq!(hits(&fleet), turn);
    }
}

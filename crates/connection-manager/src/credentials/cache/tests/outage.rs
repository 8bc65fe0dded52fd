//! The store is away, or says no.

use std::time::Duration;

use super::fakes::{Desk, cached, rejected};
use super::{HOUR, MOMENT};
use crate::credentials::SecretStage::Current;
use crate::credentials::store::StoreErrorKind;

#[tokio::test]
async fn while_the_store_is_away_a_copy_serves_up_to_the_limit() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR * 2);
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(desk.store.calls(), 2);
    // Told a moment ago that it is away: nobody asks and nobody waits.
    for _ in 0..100 {
        assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    }
    assert_eq!(desk.store.calls(), 2);
    assert_eq!(desk.cache.snapshot().stale_serves, 101);
    desk.clock.advance(HOUR * 24);
    assert_eq!(cached(&desk.cache, "users").await.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn once_the_store_is_back_its_answer_takes_the_place_of_the_copy() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR * 2);
    cached(&desk.cache, "users").await.unwrap();
    desk.store.recover();
    desk.store.put("users", Current, "two");
    desk.clock.advance(Duration::from_secs(2));
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"), "it is asked in the background");
    desk.until_held("users", "two").await;
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("two"));
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_copy_in_place() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR * 85 / 100);
    cached(&desk.cache, "users").await.unwrap();
    testkit::eventually(Duration::from_secs(10), || desk.cache.snapshot().failures == 1).await;
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(desk.cache.snapshot().stale_serves, 0);
}

#[tokio::test]
async fn a_refusal_is_never_answered_with_an_old_copy() {
    for kind in [StoreErrorKind::Denied, StoreErrorKind::NotFound, StoreErrorKind::Refused] {
        let desk = Desk::open();
        desk.store.put("users", Current, "one");
        cached(&desk.cache, "users").await.unwrap();
        desk.store.fail(kind);
        desk.clock.advance(HOUR * 2);
        assert_eq!(cached(&desk.cache, "users").await.unwrap_err().kind(), kind);
        // What was forgotten stays so when the store is away after that.
        desk.store.fail(StoreErrorKind::Unavailable);
        desk.clock.advance(MOMENT);
        assert_eq!(cached(&desk.cache, "users").await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(desk.cache.snapshot().stale_serves, 0);
    }
}

#[tokio::test]
async fn everybody_who_waited_gets_the_old_copy() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR * 2);
    let waiters = futures_util::future::join_all((0..50).map(|_| cached(&desk.cache, "users"))).await;
    assert!(waiters.into_iter().all(|found| found.unwrap().as_deref() == Some("one")));
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn callers_without_a_copy_do_not_beset_a_store_that_fails() {
    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Denied, StoreErrorKind::NotFound] {
        let desk = Desk::open();
        desk.store.fail(kind);
        for round in 1..=3 {
            for _ in 0..1000 {
                assert_eq!(cached(&desk.cache, "users").await.unwrap_err().kind(), kind);
            }
            assert_eq!(desk.store.calls(), round, "{kind:?}");
            desk.clock.advance(MOMENT);
        }
        desk.store.recover();
        desk.store.put("users", Current, "one");
        assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    }
}

#[tokio::test]
async fn what_is_known_elsewhere_counts_while_the_store_is_away_and_not_once_it_has_refused() {
    let vouched = |desk: &Desk| desk.cache.is_vouched_for("users", Current);
    let desk = Desk::open();
    assert!(!vouched(&desk));
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.cache.clear("users").await;
    desk.store.fail(StoreErrorKind::Unavailable);
    cached(&desk.cache, "users").await.unwrap_err();
    assert!(vouched(&desk));
    desk.clock.advance(HOUR * 26);
    assert!(!vouched(&desk), "the limit has passed");
    desk.store.recover();
    cached(&desk.cache, "users").await.unwrap();
    assert!(vouched(&desk));
    desk.cache.clear("users").await;
    desk.store.fail(StoreErrorKind::Denied);
    cached(&desk.cache, "users").await.unwrap_err();
    assert!(!vouched(&desk));
}

#[tokio::test]
async fn a_rejected_version_is_not_handed_out_because_the_store_is_away() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR / 2);
    assert_eq!(rejected(&desk.cache, Current, "one").await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(rejected(&desk.cache, Current, "zero").await.unwrap().as_deref(), Some("one"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_says_nothing_is_away() {
    let desk = Desk::closed();
    desk.store.put("users", Current, "one");
    let error = cached(&desk.cache, "users").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(error.to_string(), "no answer about the secret users (AWSCURRENT) within 5000 ms");
}

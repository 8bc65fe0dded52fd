//! The store is away, or says no.

use std::time::Duration;

use super::HOUR;
use super::fakes::{Desk, cached, rejected};
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

//! A server rejected what the cache holds.

use std::time::Duration;

use futures_util::future::join_all;

use super::fakes::{Desk, cached, rejected};
use crate::credentials::SecretStage::{Current, Pending, Previous};

const MOMENT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_rejected_version_is_asked_for_anew_and_another_one_is_not() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.clock.advance(MOMENT);
    desk.store.put("users", Current, "two");
    assert_eq!(rejected(&desk.cache, Current, "one").await.unwrap().as_deref(), Some("two"));
    assert_eq!(desk.store.calls(), 2);
    desk.clock.advance(MOMENT);
    assert_eq!(rejected(&desk.cache, Current, "one").await.unwrap().as_deref(), Some("two"));
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("two"));
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn many_who_are_rejected_together_ask_once_in_a_while() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    for round in 1..=3 {
        desk.clock.advance(MOMENT);
        for _ in 0..2 {
            let found = join_all((0..100).map(|_| rejected(&desk.cache, Current, "one"))).await;
            assert!(found.into_iter().all(|found| found.unwrap().as_deref() == Some("one")));
        }
        assert_eq!(desk.store.calls(), 1 + round);
    }
}

#[tokio::test]
async fn when_all_that_is_known_was_rejected_the_store_is_asked() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.clock.advance(MOMENT);
    desk.store.put("users", Current, "two");
    assert_eq!(rejected(&desk.cache, Current, "").await.unwrap().as_deref(), Some("two"));
}

#[tokio::test]
async fn pending_and_previous_versions_are_looked_up_each_time() {
    let desk = Desk::open();
    for stage in [Pending, Previous] {
        assert_eq!(rejected(&desk.cache, stage, "one").await.unwrap(), None);
        desk.store.put("users", stage, "two");
        assert_eq!(rejected(&desk.cache, stage, "one").await.unwrap(), None, "it was told a moment ago");
        desk.clock.advance(MOMENT);
        assert_eq!(rejected(&desk.cache, stage, "one").await.unwrap().as_deref(), Some("two"));
        desk.clock.advance(MOMENT);
        desk.store.put("users", stage, "three");
        assert_eq!(rejected(&desk.cache, stage, "one").await.unwrap().as_deref(), Some("three"));
    }
}

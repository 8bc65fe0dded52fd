mod fakes;
mod fleet;
mod outage;
mod rejection;

use std::time::Duration;

use futures_util::future::join_all;
use secrecy::ExposeSecret;

use self::fakes::{Desk, cached};
use super::*;
use crate::credentials::SecretStage::{Current, Pending};
use crate::credentials::store::StoreErrorKind;

const HOUR: Duration = Duration::from_hours(1);
/// Longer than a failure is remembered.
const MOMENT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_ask_the_store_once() {
    let desk = Desk::closed();
    desk.store.put("users", Current, "one");
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let cache = desk.cache.clone();
            tokio::spawn(async move { cached(&cache, "users").await })
        })
        .collect();
    desk.store.open();
    for caller in join_all(callers).await {
        assert_eq!(caller.unwrap().unwrap().as_deref(), Some("one"));
    }
    assert_eq!(desk.store.calls(), 1);
    let snapshot = desk.cache.snapshot();
    assert_eq!((snapshot.fetches, snapshot.failures, snapshot.shared_hits), (1, 0, 0));
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_from_the_others() {
    let desk = Desk::closed();
    desk.store.put("users", Current, "one");
    let first = tokio::spawn({
        let cache = desk.cache.clone();
        async move { cached(&cache, "users").await }
    });
    testkit::eventually(Duration::from_secs(10), || desk.store.calls() == 1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    desk.store.open();
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(desk.store.calls(), 1);
}

#[tokio::test]
async fn a_copy_is_renewed_ahead_of_its_end_and_nobody_waits() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.clock.advance(HOUR / 2);
    desk.store.put("users", Current, "two");
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(desk.store.calls(), 1);
    // Past four fifths of the shortest life and before the end of it.
    desk.clock.advance(HOUR * 35 / 100);
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"), "it is not waited for");
    desk.until_held("users", "two").await;
    assert_eq!(desk.cache.snapshot().refreshes, 1);
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn a_copy_ends_by_the_clock() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.put("users", Current, "two");
    desk.clock.advance(HOUR);
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("two"));
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_copy_live_longer() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.put("users", Current, "two");
    desk.clock.set(desk.clock.now() - chrono::TimeDelta::days(1));
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("two"));
}

#[tokio::test]
async fn the_lives_of_copies_differ() {
    let desk = Desk::open();
    let mut ends = std::collections::BTreeSet::new();
    for number in 0..20 {
        let id = format!("users-{number}");
        desk.store.put(&id, Current, "one");
        cached(&desk.cache, &id).await.unwrap();
        let copy = desk.cache.peek(&id, Current).await.unwrap();
        let life = (copy.expires - copy.fetched).to_std().unwrap();
        assert!(life <= HOUR && life >= HOUR * 9 / 10, "{life:?}");
        ends.insert(life);
    }
    assert!(ends.len() > 15, "{ends:?}");
}

#[tokio::test]
async fn failures_are_kept_for_a_moment_and_missing_versions_are_not_kept() {
    let desk = Desk::open();
    assert_eq!(cached(&desk.cache, "users").await.unwrap_err().kind(), StoreErrorKind::NotFound);
    desk.store.put("users", Current, "one");
    desk.clock.advance(MOMENT);
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    let pending = || desk.cache.get("users", Pending, Freshness::Cached);
    assert!(pending().await.unwrap().is_none());
    desk.store.put("users", Pending, "two");
    assert_eq!(pending().await.unwrap().unwrap().version, "two");
}

#[tokio::test]
async fn one_get_a_second_for_a_day_costs_a_hundredth_of_the_calls_at_most() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    let seconds = 24 * 60 * 60;
    for _ in 0..seconds {
        cached(&desk.cache, "users").await.unwrap();
        // The renewal that this may have begun.
        tokio::task::yield_now().await;
        desk.clock.advance(Duration::from_secs(1));
    }
    let calls = desk.store.calls();
    assert!((24..=seconds / 100).contains(&calls), "{calls} calls");
    let snapshot = desk.cache.snapshot();
    assert_eq!(snapshot.process_hits, seconds - 1);
    assert_eq!(snapshot.refreshes, calls - 1);
}

#[tokio::test]
async fn a_cleared_secret_is_asked_for_again() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    assert!(desk.cache.clear("users").await);
    assert!(desk.cache.peek("users", Current).await.is_none());
    cached(&desk.cache, "users").await.unwrap();
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn what_was_under_way_when_a_secret_was_cleared_brings_nothing_back() {
    let desk = Desk::closed();
    desk.store.put("users", Current, "one");
    let before = tokio::spawn({
        let cache = desk.cache.clone();
        async move { cached(&cache, "users").await }
    });
    testkit::eventually(Duration::from_secs(10), || desk.store.calls() == 1).await;
    desk.cache.clear("users").await;
    desk.store.open();
    assert_eq!(before.await.unwrap().unwrap().as_deref(), Some("one"), "it was asked for before");
    assert!(desk.cache.peek("users", Current).await.is_none());
    cached(&desk.cache, "users").await.unwrap();
    assert_eq!(desk.store.calls(), 2);
}

#[tokio::test]
async fn whoever_asks_after_a_clear_does_not_wait_for_what_was_asked_before() {
    let desk = Desk::closed();
    desk.store.put("users", Current, "one");
    let ask = || {
        let cache = desk.cache.clone();
        tokio::spawn(async move { cached(&cache, "users").await })
    };
    let before = ask();
    testkit::eventually(Duration::from_secs(10), || desk.store.calls() == 1).await;
    desk.cache.clear("users").await;
    let after = ask();
    testkit::eventually(Duration::from_secs(10), || desk.store.calls() == 2).await;
    desk.store.open();
    for asked in [before, after] {
        assert_eq!(asked.await.unwrap().unwrap().as_deref(), Some("one"));
    }
    assert!(desk.cache.peek("users", Current).await.is_some());
}

#[tokio::test]
async fn limits_of_any_length_are_reckoned_with() {
    let desk = Desk::with(CacheSettings {
        ttl: Duration::MAX,
        stale_limit: Duration::MAX,
        timeout: Duration::MAX,
        pause: Duration::MAX,
    });
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    desk.store.fail(StoreErrorKind::Unavailable);
    desk.clock.advance(HOUR * 24 * 400);
    assert_eq!(cached(&desk.cache, "users").await.unwrap().as_deref(), Some("one"));
    assert_eq!(cached(&desk.cache, "books").await.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn measurements_tell_when_the_store_said_so_and_not_an_age_that_stands_still() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let scraper = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    cached(&desk.cache, "users").await.unwrap();
    let fetched = desk.cache.peek("users", Current).await.unwrap().fetched.timestamp();
    desk.clock.advance(HOUR / 2);
    cached(&desk.cache, "users").await.unwrap();
    let text = scraper.render();
    let told = format!("bindery_secret_fetched{{secret=\"users\",stage=\"AWSCURRENT\"}} {fetched}");
    assert!(text.lines().any(|line| line == told), "no {told} in\n{text}");
}

#[tokio::test]
async fn measurements_tell_the_version_in_use_and_each_rotation() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let scraper = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let desk = Desk::open();
    let labels = "secret=\"users\",stage=\"AWSCURRENT\"";
    let has = |line: String| scraper.render().lines().any(|known| known == line);
    for (rotations, version) in ["one", "two", "three"].into_iter().enumerate() {
        desk.store.put("users", Current, version);
        desk.clock.advance(HOUR);
        cached(&desk.cache, "users").await.unwrap();
        // A copy that is read again and the same is no rotation.
        desk.clock.advance(HOUR);
        cached(&desk.cache, "users").await.unwrap();
        assert!(has(format!("bindery_secret_version{{{labels},version=\"{version}\"}} 1")), "{}", scraper.render());
        let told = has(format!("bindery_secret_rotations{{{labels}}} {rotations}"));
        assert!(told == (rotations > 0), "{rotations} rotations in\n{}", scraper.render());
    }
    for before in ["one", "two"] {
        assert!(has(format!("bindery_secret_version{{{labels},version=\"{before}\"}} 0")), "{}", scraper.render());
    }
}

#[tokio::test]
async fn nothing_that_can_be_printed_holds_the_content() {
    let desk = Desk::open();
    desk.store.put("users", Current, "one");
    let found = desk.cache.get("users", Current, Freshness::Cached).await.unwrap().unwrap();
    assert_eq!(found.content.expose_secret(), "canary of one");
    let copy = desk.cache.peek("users", Current).await;
    let printed = format!("{found:?} {copy:?} {:?} {:?}", desk.cache, desk.cache.snapshot());
    assert!(!printed.contains("canary"), "{printed}");
}

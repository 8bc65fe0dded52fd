use std::time::Duration;

use futures_util::future::join_all;
use shared_kernel::database::{DatabaseErrorKind, TransactionMode};
use testkit::eventually;

use super::{Watching, context, get, manager, tenant};

const SOON: Duration = Duration::from_secs(10);
const MANY: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

#[tokio::test]
async fn a_tenant_beyond_the_cap_takes_the_place_of_an_idle_one() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &MANY, |settings| settings.with_max_live(2));
    for name in MANY {
        get(&manager, name).await.unwrap();
    }
    assert_eq!(connector.builds(), MANY.len());
    assert_eq!(connector.most(), 2, "one goes before the next comes");
    let stats = manager.tenant_pools("books").unwrap();
    assert_eq!((stats.live, stats.max_live, stats.evicted_total), (2, 2, 10));
}

#[tokio::test(start_paused = true)]
async fn the_place_is_that_of_whoever_was_idle_longest() {
    let manager = manager(Watching::new(), &["a", "b", "c"], |settings| settings.with_max_live(2));
    for name in ["a", "b", "a"] {
        get(&manager, name).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    get(&manager, "c").await.unwrap();
    let live = |name| manager.live_for("books", &tenant(name)).is_some();
    assert!(live("a") && !live("b") && live("c"));
}

#[tokio::test]
async fn busy_tenants_keep_their_places_and_the_next_is_told_to_come_again() {
    let connector = Watching::new();
    let mut limit = Duration::ZERO;
    let manager = manager(connector.clone(), &["a", "b", "c"], |mut settings| {
        settings.each_mut(|settings| settings.pool.acquire_timeout = Duration::from_millis(100));
        limit = settings.template().pool.acquire_timeout;
        settings.with_max_live(2)
    });
    let held = get(&manager, "a").await.unwrap();
    let transaction = {
        let connection = get(&manager, "b").await.unwrap();
        connection.sql().unwrap().begin(TransactionMode::ReadWrite, &context("b")).await.unwrap()
    };
    let refused = get(&manager, "c").await.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::Saturated);
    assert!(refused.message().contains("max_live = 2") && refused.retry_after().is_some(), "{refused}");
    assert_eq!(connector.open(), 2);
    held.ping(&context("a")).await.unwrap();
    transaction.rollback(&context("b")).await.unwrap();
    get(&manager, "c").await.unwrap();
    assert!(manager.live_for("books", &tenant("a")).is_some() && manager.live_for("books", &tenant("b")).is_none());
}

#[tokio::test]
async fn a_place_that_comes_free_goes_to_whoever_waits_for_it() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["a", "b"], |settings| settings.with_max_live(1));
    let held = get(&manager, "a").await.unwrap();
    let waiting = tokio::spawn({
        let manager = manager.clone();
        async move { get(&manager, "b").await.map(drop) }
    });
    eventually(SOON, || manager.tenant_pools("books").unwrap().opening == 1).await;
    drop(held);
    waiting.await.unwrap().unwrap();
    assert_eq!((connector.builds(), connector.most()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_who_crowd_share_few_places_and_nobody_is_cut_off() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &MANY, |mut settings| {
        settings.each_mut(|settings| settings.pool.acquire_timeout = Duration::from_mins(1));
        settings.with_max_live(3).with_idle_evict(Some(Duration::from_millis(20)))
    });
    let workers = (0..24).map(|worker| {
        let manager = manager.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                let name = MANY[(worker * 7 + round * 5) % MANY.len()];
                let connection = get(&manager, name).await.unwrap();
                let sql = connection.sql().unwrap();
                let transaction = sql.begin(TransactionMode::ReadWrite, &context(name)).await.unwrap();
                drop(connection);
                tokio::task::yield_now().await;
                transaction.commit(&context(name)).await.unwrap();
            }
        })
    });
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    assert!(connector.most() <= 3, "{} pools at the same time", connector.most());
}

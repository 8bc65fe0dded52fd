use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use shared_kernel::database::DatabaseErrorKind;
use tokio::time::Instant;

use super::fake::{Connect, Server, pool, run, settings, until};

#[tokio::test]
async fn a_connection_given_back_is_used_again() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(5));
    for _ in 0..10 {
        let mut lease = pool.acquire(None).await.unwrap();
        run(&mut lease, "anything").await.unwrap();
    }
    assert_eq!(Server::count(&server.attempts), 1);
    let stats = pool.stats();
    assert_eq!((stats.open, stats.idle, stats.in_use, stats.opened_total), (1, 1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn past_the_limit_a_caller_is_told_that_the_pool_is_saturated() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(2));
    let _held = [pool.acquire(None).await.unwrap(), pool.acquire(None).await.unwrap()];
    let began = Instant::now();
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated);
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert!(error.retry_after().is_some());
    assert!(error.message().contains("2 of 2 open, 2 in use"), "{error}");
    let stats = pool.stats();
    assert_eq!((stats.waiting, stats.timeouts_total, stats.open), (0, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_callers_deadline_ends_the_wait_earlier() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let _held = pool.acquire(None).await.unwrap();
    let began = Instant::now();
    let error = pool.acquire(Some(began + Duration::from_millis(200))).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated);
    assert_eq!(began.elapsed(), Duration::from_millis(200));
}

#[tokio::test]
async fn callers_are_served_in_the_order_of_their_coming() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let held = pool.acquire(None).await.unwrap();
    let came = Arc::new(Mutex::new(Vec::new()));
    let mut queue = Vec::new();
    for caller in 0..20_u32 {
        let (of_caller, order) = (pool.clone(), Arc::clone(&came));
        queue.push(tokio::spawn(async move {
            let lease = of_caller.acquire(None).await.unwrap();
            order.lock().unwrap().push(caller);
            tokio::task::yield_now().await;
            drop(lease);
        }));
        // In the queue before the next one comes.
        until(|| pool.stats().waiting == caller + 1).await;
    }
    drop(held);
    for task in queue {
        task.await.unwrap();
    }
    assert_eq!(*came.lock().unwrap(), (0..20_u32).collect::<Vec<_>>());
    assert_eq!(Server::count(&server.most_open), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_given_back_serves_a_caller_whose_own_is_still_being_opened() {
    let server = Server::planned([]);
    let pool = pool(&server, settings(2));
    let held = pool.acquire(None).await.unwrap();
    server.plan.lock().unwrap().push_back(Connect::Hangs);
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(None).await }
    });
    until(|| Server::count(&server.handshakes) == 1).await;
    drop(held);
    let mut lease = waiting.await.unwrap().unwrap();
    assert_eq!(run(&mut lease, "which").await.unwrap(), 1, "the first connection");
}

#[tokio::test]
async fn many_callers_share_a_few_connections() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(4));
    let callers: Vec<_> = (0..500)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { run(&mut pool.acquire(None).await.unwrap(), "anything").await.unwrap() })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(Server::count(&server.most_open) <= 4);
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
}

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::{CloseReport, DatabaseErrorKind};
use tokio::time::{Instant, sleep};

use super::fake::{Connect, Server, pool, run, settings, until};

#[tokio::test(start_paused = true)]
async fn what_runs_may_finish_and_what_waits_is_refused() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(2));
    let mut running = pool.acquire(None).await.unwrap();
    drop(pool.acquire(None).await.unwrap());
    let held = pool.acquire(None).await.unwrap();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(None).await.map(drop) }
    });
    until(|| pool.stats().waiting == 1).await;
    drop(held);
    let _ = waiting.await.unwrap();
    let waiting = pool.acquire(None).await.unwrap();
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(Duration::from_secs(10)).await }
    });
    until(|| !pool.is_connected()).await;
    assert_eq!(pool.acquire(None).await.unwrap_err().kind(), &DatabaseErrorKind::Closed);
    sleep(Duration::from_secs(3)).await;
    run(&mut running, "anything").await.unwrap();
    drop((running, waiting));
    assert_eq!(closing.await.unwrap(), CloseReport { drained: 2, cut: 0 });
    assert_eq!(Server::count(&server.open), 0);
}

#[tokio::test(start_paused = true)]
async fn callers_in_the_queue_are_told_that_the_pool_closes() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    let held = pool.acquire(None).await.unwrap();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(None).await.map(drop) }
    });
    until(|| pool.stats().waiting == 1).await;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(Duration::from_secs(10)).await }
    });
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::Closed);
    drop(held);
    closing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_outlives_the_grace_period_is_cut() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(3));
    let mut idle_in_hand = pool.acquire(None).await.unwrap();
    let mut hanging = pool.acquire(None).await.unwrap();
    drop(pool.acquire(None).await.unwrap());
    let hanging = tokio::spawn(async move { run(&mut hanging, "hang").await });
    until(|| server.logged().contains(&"2: hang".to_owned())).await;
    let began = Instant::now();
    let report = pool.close(Duration::from_secs(2)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(report, CloseReport { drained: 1, cut: 2 });
    assert_eq!(hanging.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::Closed);
    assert_eq!(Server::count(&server.open), 0, "also the session that somebody holds without using it");
    assert_eq!(run(&mut idle_in_hand, "anything").await.unwrap_err().kind(), &DatabaseErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn closing_twice_reports_the_same() {
    let server = Arc::new(Server::default());
    let pool = pool(&server, settings(1));
    drop(pool.acquire(None).await.unwrap());
    let (first, second) = tokio::join!(pool.close(Duration::from_secs(1)), pool.close(Duration::ZERO));
    assert_eq!(first, CloseReport { drained: 1, cut: 0 });
    assert_eq!(first, second);
    assert_eq!(pool.close(Duration::ZERO).await, first);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_to_connect_that_hangs_holds_the_close_up_no_longer_than_the_grace_period() {
    let server = Server::planned([Connect::Hangs]);
    let pool = pool(&server, settings(1));
    let caller = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(None).await.map(drop) }
    });
    until(|| Server::count(&server.handshakes) == 1).await;
    let began = Instant::now();
    pool.close(Duration::from_secs(1)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), &DatabaseErrorKind::Closed);
}

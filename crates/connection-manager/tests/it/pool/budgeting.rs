//! Several pools on one server that allows them few connections together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::pool::Lease;
use connection_manager::{
    Breaker, BreakerSettings, Budget, Circuit, ConnectionSettings, Credentials, Endpoint, Freshness, Keyring, Pool,
    PoolSettings, SecretSource, SecretStage, ServerSettings, SourceError,
};
use futures_util::future::join_all;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind, Engine};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fake::{
    Connect, FakeDriver, Server, budgeted_pool, budgeted_pool_of, budgeted_pool_with, run, settings, until,
};
use crate::rotation::source::Stages;

/// One place is kept for telling the server about callers who have left.
fn budget(places: u32) -> Budget {
    Budget::new("fake:1", &ServerSettings::limited(places + 1))
}

fn patient(max: u32) -> PoolSettings {
    PoolSettings { acquire_timeout: Duration::from_mins(1), ..settings(max) }
}

/// A source that never answers.
fn silent() -> Arc<Stages> {
    let source = Stages::default();
    source.silent.store(true, Ordering::SeqCst);
    Arc::new(source)
}

async fn hold(pool: &Pool<FakeDriver>, leases: usize) -> Vec<Lease<FakeDriver>> {
    let mut held = Vec::new();
    for _ in 0..leases {
        held.push(pool.acquire(None).await.unwrap());
    }
    held
}

#[tokio::test(start_paused = true)]
async fn many_pools_work_over_few_connections() {
    let (server, budget) = (Arc::new(Server::default()), budget(8));
    let pools: Vec<_> = (0..60).map(|_| budgeted_pool(&server, patient(10), &budget)).collect();
    let callers = pools.iter().flat_map(|pool| (0..20).map(move |_| pool));
    let calls = callers.map(|pool| async move {
        let mut lease = pool.acquire(None).await?;
        run(&mut lease, "anything").await
    });
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert!(Server::count(&server.most_open) <= 8, "{}", Server::count(&server.most_open));
    assert!(Server::count(&server.most_handshakes) <= 2, "two at a time at the server, not in each pool");
    for pool in &pools {
        pool.close(Duration::ZERO).await;
    }
    // With no time to drain, the last goodbyes are under way when the pools are closed.
    until(|| budget.stats().used == 0).await;
    assert_eq!(Server::count(&server.open), 0);
}

#[tokio::test(start_paused = true)]
async fn pools_whose_secrets_do_not_come_hold_up_nobody() {
    let (server, budget) = (Arc::new(Server::default()), Budget::unlimited());
    let waiting: Vec<_> = (0..3).map(|_| budgeted_pool_of(&server, settings(5), &budget, silent())).collect();
    let callers: Vec<_> = waiting
        .iter()
        .flat_map(|pool| [pool.clone(), pool.clone()])
        .map(|pool| tokio::spawn(async move { pool.acquire(None).await.map(drop) }))
        .collect();
    until(|| waiting.iter().all(|pool| pool.stats().waiting == 2)).await;
    let pool = budgeted_pool(&server, settings(5), &budget);
    assert_eq!(hold(&pool, 2).await.len(), 2, "within the second that its callers wait");
    for caller in callers {
        caller.await.unwrap().unwrap_err();
    }
    assert!(Server::count(&server.most_handshakes) <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_pool_whose_secret_does_not_come_gives_its_places_to_others() {
    let (server, budget) = (Arc::new(Server::default()), budget(2));
    let waiting = budgeted_pool_of(&server, patient(5), &budget, silent());
    let callers: Vec<_> = [waiting.clone(), waiting.clone()]
        .map(|pool| tokio::spawn(async move { pool.acquire(None).await.map(drop) }))
        .into();
    until(|| budget.stats().used == 2).await;
    let usual = PoolSettings { acquire_timeout: Duration::from_secs(5), ..settings(5) };
    let pool = budgeted_pool(&server, usual, &budget);
    assert_eq!(hold(&pool, 1).await.len(), 1);
    for caller in callers {
        let error = caller.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), &DatabaseErrorKind::SecretUnavailable, "{error}");
    }
}

/// An account with a password that the server has yet to accept: one login is made after the other.
fn account() -> Keyring {
    let (username, version) = ("svc".to_owned(), "one".to_owned());
    Keyring::fixed("fake".parse().unwrap(), Credentials { username, password: "pa55word".into(), version })
}

fn asking(pool: &Pool<FakeDriver>) -> JoinHandle<Result<(), DatabaseError>> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.acquire(None).await.map(drop) })
}

/// Two pools that log in to one account, with all places of `budget`. The login of the first hangs, and the second waits for it.
async fn one_behind_the_other(
    server: &Arc<Server>,
    budget: &Budget,
    second: PoolSettings,
) -> [JoinHandle<Result<(), DatabaseError>>; 2] {
    let account = account();
    let first = asking(&budgeted_pool_with(server, patient(5), budget, &account));
    until(|| Server::count(&server.handshakes) == 1).await;
    let second = asking(&budgeted_pool_with(server, second, budget, &account));
    until(|| budget.stats().used == 2).await;
    [first, second]
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_costs_those_behind_it_time_and_nothing_else() {
    let (server, budget) = (Server::planned([Connect::Hangs]), budget(2));
    let [first, second] = one_behind_the_other(&server, &budget, patient(5)).await;
    let usual = PoolSettings { acquire_timeout: Duration::from_secs(5), ..settings(5) };
    let other = budgeted_pool(&server, usual, &budget);
    assert_eq!(hold(&other, 1).await.len(), 1, "it has the place of the one that is not ready");
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Unreachable, "{error}");
    second.await.unwrap().unwrap();
    assert_eq!(server.logins().iter().filter(|version| *version == "one").count(), 2, "one after the other");
    assert_eq!(Server::count(&server.attempts), 3);
    until(|| budget.stats().waiting_pools == 0).await;
}

#[tokio::test(start_paused = true)]
async fn whose_time_is_up_behind_a_login_that_hangs_is_told_that_nothing_came_free() {
    let (server, budget) = (Server::planned([Connect::Hangs]), budget(2));
    let short = PoolSettings { acquire_timeout: Duration::from_secs(4), ..settings(5) };
    let [_first, second] = one_behind_the_other(&server, &budget, short).await;
    let other = budgeted_pool(&server, patient(5), &budget);
    let _held = hold(&other, 1).await;
    let error = second.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated, "{error}");
    assert!(error.retry_after().is_some(), "{error:?}");
    assert_eq!(server.logins().iter().filter(|version| *version == "one").count(), 1);
}

/// Logs in to `account` from outside the pools: it has the account's turn until the sender says that it is over.
async fn occupied(account: &Keyring) -> oneshot::Sender<()> {
    let (over, awaited) = oneshot::channel();
    let awaited = Arc::new(Mutex::new(awaited));
    let (account, begun) = (account.clone(), Arc::new(AtomicBool::new(false)));
    let begins = Arc::clone(&begun);
    tokio::spawn(async move {
        let attempt = |_| {
            let (awaited, begins) = (Arc::clone(&awaited), Arc::clone(&begins));
            async move {
                begins.store(true, Ordering::SeqCst);
                (&mut *awaited.lock().await).await.map_err(|_| DatabaseError::new(DatabaseErrorKind::Query, "left"))
            }
        };
        account.login(Duration::from_hours(1), attempt).await.map(drop)
    });
    until(|| begun.load(Ordering::SeqCst)).await;
    over
}

fn changing(source: &Arc<Stages>) -> Keyring {
    let connection = ConnectionSettings::new(Engine::from("fake".to_owned()));
    Keyring::new(source.clone(), "fake".parse().unwrap(), connection)
}

fn version(version: &str) -> Credentials {
    Credentials { username: "svc".to_owned(), password: version.into(), version: version.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_put_off_goes_on_when_it_can() {
    let (server, budget) = (Arc::new(Server::default()), budget(2));
    let source = Arc::new(Stages::current(version("one")));
    let account = changing(&source);
    let pool = budgeted_pool_with(&server, patient(2), &budget, &account);
    drop(hold(&pool, 1).await);
    source.prepare(version("two"));
    source.promote();
    let over = occupied(&account).await;
    // Longer than a round of renewals is away, and shorter than two.
    let began = Instant::now();
    while budget.stats().used < 2 {
        assert!(began.elapsed() < Duration::from_mins(5), "the renewal does not begin");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let other =
        budgeted_pool(&server, PoolSettings { acquire_timeout: Duration::from_secs(5), ..settings(1) }, &budget);
    drop(hold(&other, 1).await);
    over.send(()).unwrap();
    // The next round is no sooner than half a period away, which is 15 s.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(server.logins().iter().any(|version| version == "two"), "{:?}", server.logins());
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_come_is_told_also_after_a_long_wait_for_a_turn() {
    let (server, budget) = (Arc::new(Server::default()), budget(1));
    let source = Arc::new(Stages::current(version("one")));
    let account = changing(&source);
    let over = occupied(&account).await;
    source.silent.store(true, Ordering::SeqCst);
    let waiting = asking(&budgeted_pool_with(&server, patient(5), &budget, &account));
    tokio::time::sleep(Duration::from_secs(20)).await;
    over.send(()).unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let other = budgeted_pool(&server, patient(1), &budget);
    assert_eq!(hold(&other, 1).await.len(), 1);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::SecretUnavailable, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_earlier_logins_says_nothing_about_the_server() {
    let (server, account) = (Arc::new(Server::default()), changing(&Arc::new(Stages::current(version("one")))));
    let breaker = Breaker::new("fake:1", BreakerSettings { failures: 1, ..BreakerSettings::default() });
    let endpoint = Endpoint { breaker: breaker.clone(), ..Endpoint::from(account.clone()) };
    let usual = PoolSettings { acquire_timeout: Duration::from_mins(2), ..settings(1) };
    let pool = Pool::new("fake".parse().unwrap(), usual, endpoint, FakeDriver(Arc::clone(&server)));
    let _over = occupied(&account).await;
    let error = pool.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Unreachable, "{error}");
    assert_eq!((breaker.circuit(), Server::count(&server.attempts)), (Circuit::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_is_known_says_nothing_about_the_server() {
    let (server, account) = (Arc::new(Server::default()), account());
    server.accept("two");
    let breaker = Breaker::new("fake:1", BreakerSettings { failures: 2, ..BreakerSettings::default() });
    let endpoint = Endpoint { breaker: breaker.clone(), ..Endpoint::from(account) };
    let pool = Pool::new("fake".parse().unwrap(), settings(1), endpoint, FakeDriver(Arc::clone(&server)));
    let first = pool.acquire(None).await.unwrap_err();
    assert!(!breaker.failed(), "the first of two failures");
    let again = pool.acquire(None).await.unwrap_err();
    for error in [&first, &again] {
        assert_eq!(error.kind(), &DatabaseErrorKind::AuthRejected, "{error}");
        assert!(chain(error).ends_with("rejected"), "what the server said is told each time: {}", chain(error));
    }
    assert_eq!(Server::count(&server.attempts), 1, "it is not asked twice");
    assert!(breaker.failed(), "the second one in a row: nothing was heard of the server between them");
}

fn chain(error: &DatabaseError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test(start_paused = true)]
async fn those_whose_secrets_come_late_connect_two_at_a_time_as_well() {
    let connect_takes = Duration::from_millis(200);
    let (server, budget) = (Arc::new(Server { connect_takes, ..Server::default() }), budget(20));
    let pools: Vec<_> = (0..10).map(|_| budgeted_pool_of(&server, patient(5), &budget, Arc::new(Slow))).collect();
    let held = join_all(pools.iter().map(|pool| pool.acquire(None))).await;
    assert!(held.iter().all(Result::is_ok));
    assert_eq!(Server::count(&server.most_handshakes), 2);
}

/// Quick logins, slow ones and some that hang until their time is up, with secrets that come at once or late: whoever lost the
/// turn waits for another, and goes without in no case.
#[tokio::test(start_paused = true)]
async fn no_mixture_of_logins_has_more_than_two_under_way() {
    for connect_takes in [0, 200, 900] {
        let (server, budget) = (
            Arc::new(Server { connect_takes: Duration::from_millis(connect_takes), ..Server::default() }),
            Budget::unlimited(),
        );
        server.plan.lock().unwrap().extend([Connect::Hangs, Connect::Hangs, Connect::Hangs, Connect::Hangs]);
        let limits = PoolSettings { connect_timeout: Duration::from_secs(2), ..patient(3) };
        let pools: Vec<_> = (0..12)
            .map(|number| match number % 3 {
                0 => budgeted_pool(&server, limits.clone(), &budget),
                _ => budgeted_pool_of(&server, limits.clone(), &budget, Arc::new(Slow)),
            })
            .collect();
        let held = join_all(pools.iter().flat_map(|pool| [pool.acquire(None), pool.acquire(None)])).await;
        let failed = held.iter().filter_map(|outcome| outcome.as_ref().err()).collect::<Vec<_>>();
        assert!(failed.iter().all(|error| *error.kind() == DatabaseErrorKind::Unreachable), "{failed:?}");
        assert!((1..=8).contains(&failed.len()), "those whose logins hang, and who waited with them: {failed:?}");
        assert_eq!(Server::count(&server.most_handshakes), 2, "{connect_takes} ms");
        assert_eq!(Server::count(&server.handshakes), 0);
    }
}

/// Of two logins that hang nothing is known, and those behind them are put off as often as it takes.
#[tokio::test(start_paused = true)]
async fn who_finds_no_turn_is_put_off_and_blames_nobody() {
    let (server, budget) = (Server::planned([Connect::Hangs, Connect::Hangs]), Budget::unlimited());
    let long = PoolSettings { connect_timeout: Duration::from_secs(20), ..patient(1) };
    let breaker = Breaker::new("fake:1", BreakerSettings { failures: 1, ..BreakerSettings::default() });
    let account = changing(&Arc::new(Stages::current(version("one"))));
    let over = occupied(&account).await;
    let limits = PoolSettings { connect_timeout: Duration::from_secs(2), ..patient(1) };
    let endpoint = Endpoint { budget: budget.clone(), breaker: breaker.clone(), ..Endpoint::from(account) };
    let late = Pool::new("fake".parse().unwrap(), limits, endpoint, FakeDriver(Arc::clone(&server)));
    let asking_late = asking(&late);
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The turn of the one who waits for its account is these two's.
    let hanging = [0, 1].map(|_| asking(&budgeted_pool(&server, long.clone(), &budget)));
    until(|| Server::count(&server.handshakes) == 2).await;
    over.send(()).unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((Server::count(&server.attempts), late.stats().waiting, breaker.circuit()), (2, 1, Circuit::Closed));
    asking_late.await.unwrap().unwrap();
    assert_eq!((Server::count(&server.most_handshakes), breaker.circuit()), (2, Circuit::Closed));
    for hanging in hanging {
        assert_eq!(*hanging.await.unwrap().unwrap_err().kind(), DatabaseErrorKind::Unreachable);
    }
}

/// A source that takes its time.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl SecretSource for Slow {
    async fn credentials(
        &self,
        _: &ConnectionName,
        _: &ConnectionSettings,
        _: SecretStage,
        _: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(Some(Credentials::none()))
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_in_need_gets_the_idle_connection_of_another() {
    let (server, budget) = (Arc::new(Server::default()), budget(3));
    let [one, other] = [0, 1].map(|_| budgeted_pool(&server, patient(5), &budget));
    drop(hold(&one, 3).await);
    assert_eq!((one.stats().idle, budget.stats().used), (3, 3));
    let held = hold(&other, 1).await;
    assert_eq!((one.stats().open, other.stats().open), (2, 1));
    drop(held);
    drop(hold(&one, 2).await);
    // What is nobody's share is lent when it has been idle for a while.
    let held = hold(&other, 3).await;
    assert_eq!((one.stats().open, other.stats().open), (0, 3));
    drop(held);
    assert_eq!(Server::count(&server.most_open), 3);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_pool_is_served_at_the_first_return_of_a_flooding_one() {
    let (server, budget) = (Arc::new(Server::default()), budget(4));
    let [flooding, quiet] = [0, 1].map(|_| budgeted_pool(&server, patient(100), &budget));
    let mut held = hold(&flooding, 4).await;
    let flood: Vec<_> = (0..50)
        .map(|_| {
            let flooding = flooding.clone();
            tokio::spawn(async move { flooding.acquire(None).await })
        })
        .collect();
    until(|| flooding.stats().waiting == 50).await;
    let asking = tokio::spawn({
        let quiet = quiet.clone();
        async move { quiet.acquire(None).await }
    });
    until(|| quiet.stats().waiting == 1).await;
    held.pop();
    let lease = asking.await.unwrap().unwrap();
    assert_eq!(flooding.stats().waiting, 50, "no caller of the flood was served before it");
    drop((held, lease));
    for caller in flood {
        drop(caller.await.unwrap().unwrap());
    }
    assert_eq!(Server::count(&server.most_open), 4);
}

#[tokio::test(start_paused = true)]
async fn minimums_are_filled_with_what_nobody_needs() {
    let (server, budget) = (Arc::new(Server::default()), budget(6));
    let minimum = PoolSettings { min: 10, ..patient(20) };
    let one = budgeted_pool(&server, minimum.clone(), &budget);
    let other = budgeted_pool(&server, minimum, &budget);
    drop(hold(&one, 1).await);
    until(|| one.stats().idle == 3).await;
    drop(hold(&other, 1).await);
    until(|| other.stats().idle == 3).await;
    assert_eq!((one.stats().open, Server::count(&server.most_open)), (3, 6));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_finds_the_budget_used_up_is_told_so() {
    let (server, budget) = (Arc::new(Server::default()), budget(1));
    let [one, other] = [0, 1].map(|_| budgeted_pool(&server, settings(5), &budget));
    let _held = hold(&one, 1).await;
    let error = other.acquire(None).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated);
    assert!(error.message().contains("of the server's budget 1 of 2 used, 1 pools waiting"), "{error}");
    // Whoever has left wants nothing any more.
    assert_eq!(budget.stats().waiting_pools, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counts_closed_connections_for_a_moment_is_asked_again() {
    let full = || Connect::Fails(DatabaseErrorKind::Saturated);
    let server = Server::planned([full(), full(), full()]);
    let pool = budgeted_pool(&server, settings(1), &budget(1));
    assert_eq!(hold(&pool, 1).await.len(), 1);
    assert_eq!(Server::count(&server.attempts), 4);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_not_free_before_the_server_knows_that_the_caller_has_left() {
    let (server, budget) = (Arc::new(Server::default()), budget(1));
    server.listens.store(true, Ordering::SeqCst);
    let [one, other] = [0, 1].map(|_| budgeted_pool(&server, patient(5), &budget));
    let mut lease = one.acquire(None).await.unwrap();
    let hanging = tokio::spawn(async move { run(&mut lease, "hang").await });
    until(|| server.logged().iter().any(|line| line.ends_with("hang"))).await;
    hanging.abort();
    let _held = hold(&other, 1).await;
    assert_eq!(*server.cancelled.lock().unwrap(), [1], "the server was told first");
    assert!(Server::count(&server.most_open) <= 2);
}

/// A pool on a server that listens, with a call that hangs at it.
async fn hanging(pool: &Pool<FakeDriver>) -> JoinHandle<()> {
    let mut lease = pool.acquire(None).await.unwrap();
    tokio::spawn(async move { drop(run(&mut lease, "hang").await) })
}

fn cancelled(server: &Server) -> Vec<u64> {
    server.cancelled.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_account_keeps_no_other_pool_from_telling_the_server() {
    let (server, budget) = (Arc::new(Server::default()), budget(4));
    server.listens.store(true, Ordering::SeqCst);
    let account = changing(&Arc::new(Stages::current(version("one"))));
    let waiting = budgeted_pool_with(&server, patient(1), &budget, &account);
    let other = budgeted_pool(&server, patient(1), &budget);
    let (first, second) = (hanging(&waiting).await, hanging(&other).await);
    until(|| server.logged().len() == 2).await;
    let over = occupied(&account).await;
    first.abort();
    tokio::time::sleep(Duration::from_secs(1)).await;
    second.abort();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cancelled(&server), [2], "the other has the place of the one that is not ready");
    over.send(()).unwrap();
    until(|| cancelled(&server) == [2, 1]).await;
}

/// The account's turn is waited for, and so is the server's one place. Who has one of them does not keep it for the other.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_place_keeps_nobody_from_logging_in() {
    let (server, budget) = (Arc::new(Server::default()), budget(4));
    server.listens.store(true, Ordering::SeqCst);
    let account = changing(&Arc::new(Stages::current(version("one"))));
    let waiting = budgeted_pool_with(&server, patient(2), &budget, &account);
    let short = PoolSettings { connect_timeout: Duration::from_secs(3), ..patient(1) };
    let other = budgeted_pool(&server, short, &budget);
    let (first, second) = (hanging(&waiting).await, hanging(&other).await);
    until(|| server.logged().len() == 2).await;
    let over = occupied(&account).await;
    first.abort();
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.plan.lock().unwrap().push_back(Connect::Hangs);
    second.abort();
    until(|| Server::count(&server.attempts) == 3).await;
    over.send(()).unwrap();
    let quick = Instant::now() + Duration::from_secs(1);
    drop(waiting.acquire(Some(quick)).await.expect("a session of the account that is not kept waiting"));
    assert_eq!(cancelled(&server), [0; 0], "the place is taken");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cancelled(&server), [1], "it was free in time");
}

#[tokio::test(start_paused = true)]
async fn pools_that_are_dropped_give_everything_back() {
    let (server, budget) = (Arc::new(Server::default()), budget(2));
    let one = budgeted_pool(&server, settings(5), &budget);
    drop(hold(&one, 2).await);
    drop(one);
    until(|| budget.stats().used == 0).await;
    let other = budgeted_pool(&server, settings(5), &budget);
    assert_eq!(hold(&other, 2).await.len(), 2);
}

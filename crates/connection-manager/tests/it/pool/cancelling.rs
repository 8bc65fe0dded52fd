//! Every operation is dropped after every number of polls, in every state of the pool that matters; each time all
//! places are there afterwards, and none is counted twice. The same for what pools share, and for the tasks that work for them.

mod lending;
mod stepping;
mod tasks;
mod turns;
mod world;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use connection_manager::pool::Deadline;
use connection_manager::{Credentials, Keyring, PoolSettings, SqlPool};
use sea_query::Values;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, RawStatement, Rendered, SqlExecutor as _, Statement,
    TransactionMode,
};
use tokio::task::JoinSet;

use self::stepping::{Peer, Stepping};
use super::fake::{settings, until};

/// No operation takes more polls.
const MOST_POLLS: u32 = 200;
/// After so many polls those who hold the connections give them back.
const RELEASED_AT: u32 = 3;

/// What a caller does with the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Acquire,
    Execute,
    Refused,
    Lost,
    Script,
    Ping,
    Commit,
    Rollback,
    AbandonTransaction,
    Session,
    CommitInSession,
    AbandonInSession,
}

impl Operation {
    const ALL: [Self; 12] = [
        Self::Acquire,
        Self::Execute,
        Self::Refused,
        Self::Lost,
        Self::Script,
        Self::Ping,
        Self::Commit,
        Self::Rollback,
        Self::AbandonTransaction,
        Self::Session,
        Self::CommitInSession,
        Self::AbandonInSession,
    ];

    async fn perform(self, pool: &SqlPool<Stepping>) -> Result<(), DatabaseError> {
        let context = &RequestContext::system();
        let write = &statement("write");
        match self {
            Self::Acquire => pool.pool().acquire(None).await.map(drop),
            Self::Execute => pool.execute(write, context).await.map(drop),
            Self::Refused => pool.execute(&statement("refuse"), context).await.map(drop),
            Self::Lost => pool.execute(&statement("lose"), context).await.map(drop),
            Self::Script => pool.run_script("script", context).await,
            Self::Ping => pool.ping(context).await.map(drop),
            Self::Commit => {
                let transaction = pool.begin(TransactionMode::ReadWrite, context).await?;
                transaction.execute(write, context).await?;
                transaction.commit(context).await
            }
            Self::Rollback => {
                let transaction = pool.begin(TransactionMode::ReadOnly, context).await?;
                transaction.rollback(context).await
            }
            Self::AbandonTransaction => pool.begin(TransactionMode::ReadWrite, context).await.map(drop),
            Self::Session => {
                let session = pool.session(context).await?;
                session.execute(write, context).await?;
                session.release().await
            }
            Self::CommitInSession => {
                let mut session = pool.session(context).await?;
                session.begin(TransactionMode::ReadWrite, context).await?.commit(context).await?;
                session.release().await
            }
            Self::AbandonInSession => {
                let mut session = pool.session(context).await?;
                drop(session.begin(TransactionMode::ReadWrite, context).await?);
                // Has to roll back first.
                session.execute(write, context).await.map(drop)
            }
        }
    }
}

fn statement(text: &'static str) -> Statement {
    RawStatement::everywhere("TEST", text).into()
}

/// The state that an operation meets.
#[derive(Debug, Clone, Copy)]
struct Scene {
    max: u32,
    /// How often each await of the driver yields.
    steps: u32,
    /// Whether connections are open already, in which case they are asked for a sign of life.
    warm: bool,
    /// Others have all the connections but this many.
    free: u32,
    /// Others wait too: one who came before and one who comes after.
    queue: bool,
}

impl Scene {
    fn all() -> impl Iterator<Item = Self> {
        [1_u32, 2].into_iter().flat_map(|max| {
            (0..=max).flat_map(move |free| {
                [(1, false), (1, true), (2, true)].into_iter().flat_map(move |(steps, warm)| {
                    [false, true].into_iter().map(move |queue| Self { max, steps, warm, free, queue })
                })
            })
        })
    }

    async fn open(self) -> (Arc<Peer>, Arc<SqlPool<Stepping>>) {
        let peer = Arc::new(Peer::default());
        let limits = PoolSettings { validate_after: Duration::ZERO, ..settings(self.max) };
        let keyring = Keyring::fixed("fake".parse().unwrap(), Credentials::none());
        let engine = Engine::from("fake".to_owned());
        let driver = Stepping { peer: Arc::clone(&peer), steps: self.steps };
        let pool = SqlPool::new("fake".parse().unwrap(), engine, limits, keyring, driver);
        if self.warm {
            let mut all = Vec::new();
            for _ in 0..self.max {
                all.push(pool.pool().acquire(None).await.unwrap());
            }
        }
        (peer, Arc::new(pool))
    }
}

/// Polls an operation up to `polls` times, letting one step of each other task pass in between, and drops it wherever it
/// is by then. `None` when it was not over.
pub(crate) async fn abandon_after<T>(
    polls: u32,
    mut between: impl FnMut(u32),
    operation: impl Future<Output = T>,
) -> Option<T> {
    let mut operation = pin!(operation);
    for poll in 0..polls {
        if let Poll::Ready(outcome) = operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(outcome);
        }
        between(poll);
        tokio::task::yield_now().await;
    }
    None
}

/// Runs one operation in one scene for so many polls. Says whether it was over by then.
async fn try_once(operation: Operation, scene: Scene, polls: u32) -> bool {
    let (peer, pool) = scene.open().await;
    let mut held = Vec::new();
    for _ in 0..scene.max - scene.free {
        held.push(pool.pool().acquire(None).await.unwrap());
    }
    let mut others = JoinSet::new();
    let other = || {
        let pool = Arc::clone(&pool);
        async move { pool.execute(&statement("write"), &RequestContext::system()).await }
    };
    if scene.queue {
        others.spawn(other());
        tokio::task::yield_now().await;
    }
    let between = |poll| {
        if poll == 0 && scene.queue {
            others.spawn(other());
        }
        if poll == RELEASED_AT {
            held.clear();
        }
    };
    let outcome = abandon_after(polls, between, operation.perform(&pool)).await;
    held.clear();
    match &outcome {
        Some(Err(error)) => {
            let expected = match operation {
                Operation::Refused => Some(DatabaseErrorKind::Query),
                Operation::Lost => Some(DatabaseErrorKind::Unreachable),
                _ => None,
            };
            assert_eq!(Some(error.kind()), expected.as_ref(), "{operation:?} {scene:?} {polls}: {error}");
        }
        Some(Ok(())) => assert!(!matches!(operation, Operation::Refused | Operation::Lost)),
        None => {}
    }
    while let Some(other) = others.join_next().await {
        other.unwrap().unwrap_or_else(|error| panic!("{operation:?} {scene:?} {polls}: another caller: {error}"));
    }
    all_is_there(&peer, &pool, scene, format_args!("{operation:?} {scene:?} {polls}")).await;
    outcome.is_some()
}

/// The counts are right, and all the pool's connections can be had at the same time.
async fn all_is_there(peer: &Peer, pool: &SqlPool<Stepping>, scene: Scene, what: std::fmt::Arguments<'_>) {
    let at_rest = || {
        let stats = pool.stats();
        let settled = stats.in_use == 0 && stats.waiting == 0 && stats.open == stats.idle;
        settled && stats.opened_total - stats.closed_total == u64::from(stats.open)
    };
    let mut patience = 0..1_000;
    while !at_rest() {
        assert!(patience.next().is_some(), "{what}: the pool does not come to rest: {:?}", pool.stats());
        tokio::task::yield_now().await;
    }
    let mut all = Vec::new();
    for _ in 0..scene.max {
        let mut lease = pool.pool().acquire(None).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let statement = Rendered { sql: "write".to_owned(), values: Values(Vec::new()) };
        lease.execute(Deadline::default(), statement).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        all.push(lease);
    }
    assert_eq!(pool.stats().in_use, scene.max, "{what}");
    let more = abandon_after(1, |_| {}, pool.pool().acquire(None)).await;
    assert!(more.is_none(), "{what}: there is one more than the pool may have");
    drop(all);
    assert_eq!((pool.stats().in_use, pool.stats().waiting), (0, 0), "{what}");
    // Besides the pool's, one may be open for telling the server who has left.
    assert!(peer.most_open() <= scene.max + 1, "{what}: {} connections at the same time", peer.most_open());
}

#[tokio::test(start_paused = true)]
async fn no_place_is_lost_or_counted_twice_wherever_an_operation_is_dropped() {
    for operation in Operation::ALL {
        for scene in Scene::all() {
            let mut polls = 0;
            while !try_once(operation, scene, polls).await {
                polls += 1;
                assert!(polls < MOST_POLLS, "{operation:?} {scene:?} does not end");
            }
            assert!(polls > scene.steps, "{operation:?} {scene:?} was over after {polls} polls");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_goes_on_wherever_its_caller_leaves() {
    for scene in Scene::all().filter(|scene| !scene.queue) {
        for grace in [Duration::ZERO, Duration::from_secs(10)] {
            for polls in 0..20 {
                let (peer, pool) = scene.open().await;
                let held: Vec<_> = {
                    let mut held = Vec::new();
                    for _ in 0..scene.max - scene.free {
                        held.push(pool.pool().acquire(None).await.unwrap());
                    }
                    held
                };
                let running = tokio::spawn({
                    let pool = Arc::clone(&pool);
                    async move { pool.execute(&statement("write"), &RequestContext::system()).await }
                });
                tokio::task::yield_now().await;
                let first = abandon_after(polls, |_| {}, pool.close(grace)).await;
                drop(held);
                if polls == 0 {
                    assert_eq!(first, None);
                }
                let report = pool.close(grace).await;
                assert!(first.is_none_or(|first| first == report), "{scene:?} {grace:?} {polls}");
                drop(running.await.unwrap());
                let refused = pool.pool().acquire(None).await.unwrap_err();
                assert_eq!(*refused.kind(), DatabaseErrorKind::Closed);
                until(|| peer.open() == 0 && pool.stats().open == 0).await;
                let stats = pool.stats();
                assert_eq!((stats.in_use, stats.idle, stats.waiting), (0, 0, 0), "{scene:?} {grace:?} {polls}");
                assert_eq!(stats.opened_total, stats.closed_total, "{scene:?} {grace:?} {polls}");
            }
        }
    }
}

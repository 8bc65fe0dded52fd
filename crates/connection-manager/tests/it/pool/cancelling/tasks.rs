//! What works for pools in the background is broken off at every step: its runtime ends, the pool is closed, or it is dropped.
//! Each time the places, the account's turn and the secret are there for the next pool, and none is counted twice.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connection_manager::SqlPool;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection as _, SqlExecutor as _};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, yield_now};

use super::stepping::Stepping;
use super::world::{World, is_at_rest};
use super::{MOST_POLLS, statement};

/// What is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Two callers of an empty pool wait for its first connections, of which one waits for the account's turn.
    Connect,
    /// New credentials reach the pool, which has room for one more connection.
    Renew,
    /// The same where an old connection has to go first.
    Exchange,
    /// One pool takes the place of an idle connection of another.
    TakeBack,
    /// Callers of two pools have left, and the server is told over its one place.
    Tell,
}

/// How it is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Runtime,
    Close,
    Drop,
}

type Pools = Vec<Arc<SqlPool<Stepping>>>;

struct Begun {
    pools: Pools,
    callers: Vec<JoinHandle<()>>,
}

fn call(pool: &Arc<SqlPool<Stepping>>, text: &'static str) -> JoinHandle<()> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { drop(pool.execute(&statement(text), &RequestContext::system()).await) })
}

/// A pool all of whose connections are open and idle.
async fn filled(world: &World, max: u32) -> Arc<SqlPool<Stepping>> {
    let pool = world.pool_of(max);
    let mut all = Vec::new();
    for _ in 0..2 {
        all.push(pool.pool().acquire(None).await.unwrap());
    }
    drop(all);
    pool
}

impl Work {
    const ALL: [Self; 5] = [Self::Connect, Self::Renew, Self::Exchange, Self::TakeBack, Self::Tell];

    fn world(self, steps: u32) -> World {
        let places = match self {
            Self::Connect | Self::Exchange | Self::TakeBack => 2,
            Self::Renew => 3,
            Self::Tell => 4,
        };
        World::new(places, steps)
    }

    async fn begin(self, world: &World) -> Begun {
        match self {
            Self::Connect => {
                let pool = world.pool();
                let callers = vec![call(&pool, "write"), call(&pool, "write")];
                Begun { pools: vec![pool], callers }
            }
            Self::Renew | Self::Exchange => {
                let pool = filled(world, 3).await;
                let asked = world.secrets.asked();
                world.secrets.change("two").await;
                world.until(format_args!("{self:?}"), || world.secrets.asked() > asked).await;
                Begun { pools: vec![pool], callers: Vec::new() }
            }
            Self::TakeBack => {
                let lender = filled(world, 2).await;
                let borrower = world.pool();
                let callers = vec![call(&borrower, "write")];
                Begun { pools: vec![lender, borrower], callers }
            }
            Self::Tell => {
                let pools: Pools = vec![filled(world, 2).await, filled(world, 2).await];
                // Two of each pool, so that one waits while the server is told of the other.
                let callers: Vec<_> = pools.iter().flat_map(|pool| [call(pool, "read"), call(pool, "read")]).collect();
                while !pools.iter().all(|pool| pool.stats().in_use == 2) {
                    assert!(!callers.iter().all(JoinHandle::is_finished), "they were not seen at work");
                    yield_now().await;
                }
                callers.iter().for_each(JoinHandle::abort);
                Begun { pools, callers: Vec::new() }
            }
        }
    }

    fn is_over(self, world: &World, begun: &Begun) -> bool {
        let at_rest = begun.pools.iter().all(|pool| is_at_rest(pool));
        let open: u32 = begun.pools.iter().map(|pool| pool.stats().open).sum();
        let done = match self {
            Self::Connect | Self::TakeBack => begun.callers.iter().all(JoinHandle::is_finished),
            Self::Renew | Self::Exchange => world.peer.logins("two") > 0 && open == 2,
            Self::Tell => world.peer.told() >= 4,
        };
        done && at_rest && world.budget.stats().used == open
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Breaks it off after so many steps. Says whether it was over by then.
fn try_once(work: Work, ending: Ending, steps: u32, passed: u32) -> bool {
    let what = format!("{work:?} {ending:?} {steps} {passed}");
    let what = format_args!("{what}");
    let (world, own) = (work.world(steps), runtime());
    let (over, left) = own.block_on(async {
        let begun = work.begin(&world).await;
        for _ in 0..passed {
            yield_now().await;
        }
        let over = work.is_over(&world, &begun);
        (over, end(begun, ending, &world, what).await)
    });
    drop(own);
    for pool in &left {
        assert!(is_at_rest(pool), "{what}: {:?}", pool.stats());
    }
    let open: u32 = left.iter().map(|pool| pool.stats().open).sum();
    assert_eq!(world.budget.stats().used, open, "{what}: places that no connection has");
    drop(left);
    runtime().block_on(world.is_all_back(what));
    over
}

/// Gives back the pools that outlive their runtime.
async fn end(begun: Begun, ending: Ending, world: &World, what: fmt::Arguments<'_>) -> Pools {
    match ending {
        Ending::Runtime => return begun.pools,
        Ending::Close => {
            for pool in &begun.pools {
                pool.close(Duration::ZERO).await;
            }
            world.until(what, || begun.pools.iter().all(|pool| pool.stats().open == 0)).await;
        }
        Ending::Drop => {
            begun.callers.iter().for_each(JoinHandle::abort);
            drop(begun);
        }
    }
    world.until(what, || world.peer.open() == 0 && world.budget.stats().used == 0).await;
    Pools::new()
}

#[test]
fn nothing_that_pools_share_is_lost_wherever_their_tasks_are_broken_off() {
    for work in Work::ALL {
        for ending in [Ending::Runtime, Ending::Close, Ending::Drop] {
            for steps in [1, 2] {
                let mut passed = 0;
                while !try_once(work, ending, steps, passed) {
                    passed += 1;
                    assert!(passed < MOST_POLLS, "{work:?} {ending:?} {steps} does not end");
                }
                assert!(passed > 2 * steps, "{work:?} {ending:?} {steps} was over after {passed} steps");
            }
        }
    }
}

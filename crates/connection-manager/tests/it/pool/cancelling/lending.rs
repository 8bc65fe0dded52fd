//! A caller who waits for a place that another pool has leaves after every number of polls; each time both pools can have all
//! the server's places afterwards.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::SqlExecutor as _;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::world::{World, is_at_rest};
use super::{MOST_POLLS, Operation, RELEASED_AT, abandon_after, statement};

/// How the other pool has the server's places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// They are idle.
    Idle,
    /// Its callers use them and give them back after a while.
    Busy,
    /// The same, and more of its callers wait for them.
    InDemand,
}

/// Runs one operation for so many polls where another pool has all the places. Says whether it was over by then.
async fn try_once(operation: Operation, other: Other, places: u32, steps: u32, polls: u32) -> bool {
    let what = format!("{operation:?} {other:?} {places} {steps} {polls}");
    let what = format_args!("{what}");
    let world = World::new(places, steps);
    let [lender, borrower] = [(); 2].map(|()| world.pool());
    let mut held = Vec::new();
    for _ in 0..places {
        held.push(lender.pool().acquire(None).await.unwrap());
    }
    if other == Other::Idle {
        held.clear();
    }
    let mut others = JoinSet::new();
    if other == Other::InDemand {
        let lender = Arc::clone(&lender);
        others.spawn(async move { lender.execute(&statement("write"), &RequestContext::system()).await });
        tokio::task::yield_now().await;
    }
    let between = |poll| {
        if poll == RELEASED_AT {
            held.clear();
        }
    };
    let outcome = abandon_after(polls, between, operation.perform(&borrower)).await;
    drop(held);
    while let Some(other) = others.join_next().await {
        other.unwrap().unwrap_or_else(|error| panic!("{what}: another caller: {error}"));
    }
    let settled = || is_at_rest(&lender) && is_at_rest(&borrower) && world.budget.stats().waiting_pools == 0;
    world.until(what, settled).await;
    for pool in [&lender, &borrower, &lender] {
        world.can_have_all(pool, what).await;
        world.until(what, settled).await;
    }
    // Whoever leaves a statement may have it ended over one connection more.
    let most = places + u32::from(operation != Operation::Acquire);
    assert!(world.peer.most_open() <= most, "{what}: {} at the same time", world.peer.most_open());
    drop((lender, borrower));
    world.is_all_back(what).await;
    outcome.is_some()
}

#[tokio::test(start_paused = true)]
async fn no_place_of_a_server_is_lost_between_two_pools_wherever_a_caller_leaves() {
    for operation in [Operation::Acquire, Operation::Execute, Operation::Lost, Operation::Commit] {
        for other in [Other::Idle, Other::Busy, Other::InDemand] {
            for (places, steps) in [(1, 1), (2, 1), (2, 2)] {
                let mut polls = 0;
                while !try_once(operation, other, places, steps, polls).await {
                    polls += 1;
                    assert!(polls < MOST_POLLS, "{operation:?} {other:?} {places} does not end");
                }
                assert!(polls > steps, "{operation:?} {other:?} {places} was over after {polls} polls");
            }
        }
    }
}

/// Leaving in time or by the clock is the same: the place that was asked for is nobody's any more.
#[tokio::test(start_paused = true)]
async fn a_caller_whose_time_is_up_takes_back_what_was_asked_for() {
    let world = World::new(1, 1);
    let [lender, borrower] = [(); 2].map(|()| world.pool());
    let held = lender.pool().acquire(None).await.unwrap();
    let soon = Instant::now() + Duration::from_millis(100);
    borrower.pool().acquire(Some(soon)).await.unwrap_err();
    assert_eq!(world.budget.stats().waiting_pools, 0);
    drop(held);
    world.can_have_all(&borrower, format_args!("afterwards")).await;
}

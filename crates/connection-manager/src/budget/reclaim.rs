//! Takes places back from pools that have idle connections, as long as others want them. Connections in use are not touched:
//! the pools give those up themselves when they come back.

use std::cmp::Reverse;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::ledger::Donor;
use super::{Inner, Member};

/// How long an idle connection stays with a pool that has no more than its share. Whoever uses his now and then keeps it,
/// whatever the others do.
const KEPT: Duration = Duration::from_secs(1);
/// How often the idle are looked at while nobody has anything to give.
const LOOK: Duration = Duration::from_millis(250);

/// Begins it. Where it has begun, has it look again at once if somebody is `waiting` anew.
pub(super) fn begin(budget: &Arc<Inner>, runtime: &Handle, waiting: bool) {
    let first = budget.with(|books| !std::mem::replace(&mut books.reclaiming, true));
    if first {
        let reclaiming = Reclaiming(Some(Arc::clone(budget)));
        runtime.spawn(reclaiming.run());
    } else if waiting {
        budget.wanted.notify_one();
    }
}

struct Reclaiming(Option<Arc<Inner>>);

impl Reclaiming {
    async fn run(mut self) {
        while let Some(budget) = self.0.clone() {
            let over = budget.with(|books| {
                books.reclaiming = books.ledger.is_short();
                !books.reclaiming
            });
            if over {
                self.0 = None;
                return;
            }
            if take_back(&budget) {
                // Others may have their turn before the next one.
                tokio::task::yield_now().await;
            } else {
                let _ = timeout(LOOK, budget.wanted.notified()).await;
            }
        }
    }
}

impl Drop for Reclaiming {
    /// One that ends before its time was dropped by its runtime; the next pool that asks begins another.
    fn drop(&mut self) {
        if let Some(budget) = &self.0 {
            budget.with(|books| books.reclaiming = false);
        }
    }
}

/// Takes one place back: from the pool that has most of them, and of equals from the one whose connection has been idle for
/// longest. `false` when nobody has to give one.
fn take_back(budget: &Arc<Inner>) -> bool {
    let holders: Vec<(u64, u32, Weak<dyn Member>)> = budget.with(|books| {
        let holders = books.ledger.holders().into_iter();
        holders.filter_map(|(id, active)| Some((id, active, books.members.get(&id)?.clone()))).collect()
    });
    let idle = holders.into_iter().filter_map(|(id, active, member)| {
        let member = member.upgrade()?;
        Some((Reverse(active), member.oldest_idle()?, id, member))
    });
    let mut idle: Vec<_> = idle.collect();
    idle.sort_unstable_by_key(|(active, since, id, _)| (*active, *since, *id));
    let now = Instant::now();
    for (_, since, id, member) in idle {
        let donor = if now.duration_since(since) >= KEPT { Donor::Forgotten } else { Donor::Idle };
        if budget.with(|books| books.ledger.owes(id, donor)) && member.give_up_idle() {
            return true;
        }
    }
    false
}

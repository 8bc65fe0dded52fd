use std::sync::Arc;

use tokio::runtime::Handle;

use super::control::Control;
use super::ledger::{Donor, Refused};
use super::permit::Permit;
use super::turn::Late;
use super::{BudgetStats, Inner, reclaim};

/// One pool's part in a server's budget. May be called with the pool's lock held: the budget calls pools without its own.
pub(crate) struct Seat {
    budget: Arc<Inner>,
    id: u64,
}

impl Seat {
    pub(super) fn new(budget: Arc<Inner>, id: u64) -> Self {
        Self { budget, id }
    }

    /// Says anew how many places are wanted for callers who wait, and how many the pool would like to have besides. What it
    /// gets at once is returned; the rest is brought by [`super::Member::granted`] as it comes free.
    pub(crate) fn ask(&self, wants: u32, wishes: u32, runtime: &Handle) -> Vec<Permit> {
        let (granted, short) = self.budget.with(|books| {
            books.ledger.ask(self.id, wants, wishes);
            let mut granted = 0;
            while books.ledger.next() == Some(self.id) {
                books.ledger.grant(self.id);
                granted += 1;
            }
            (granted, books.ledger.is_short())
        });
        let permits = (0..granted).map(|_| Permit::new(Arc::clone(&self.budget), self.id)).collect();
        self.budget.settle();
        if short {
            // Also when it is another pool that has to wait because of this one.
            reclaim::begin(&self.budget, runtime, wants > granted);
        }
        permits
    }

    /// A place beyond what callers need, when there is one and nobody else needs it.
    pub(crate) fn extra(&self) -> Result<Permit, Refused> {
        self.budget.with(|books| books.ledger.extra(self.id))?;
        Ok(Permit::new(Arc::clone(&self.budget), self.id))
    }

    /// Whether a connection that comes back is to be closed, so that another pool has its place; `in_demand` when callers
    /// of this pool wait for it. As long as no pool is short of places, this is one load.
    pub(crate) fn owes(&self, in_demand: bool) -> bool {
        if !self.budget.is_short() {
            return false;
        }
        let donor = if in_demand { Donor::InDemand } else { Donor::Idle };
        self.budget.with(|books| {
            let owes = books.ledger.owes(self.id, donor);
            if !owes && in_demand {
                books.ledger.served(self.id);
            }
            owes
        })
    }

    /// The right to have a connection to tell the server over that callers have left.
    pub(crate) async fn control(&self) -> Option<Control> {
        self.budget.control().await
    }

    /// Whether another pool waits for a place that is not on its way.
    pub(crate) fn is_wanted(&self) -> bool {
        self.budget.is_short() && self.budget.with(|books| books.ledger.owes(self.id, Donor::Forgotten))
    }

    /// Waits for a turn to shake hands, after the one that came with the place was let go. Has no limit of time.
    pub(crate) async fn late_turn(&self) -> Option<Late> {
        self.budget.late_turn().await
    }

    /// How the budget stands, if it has a limit.
    pub(crate) fn stats(&self) -> Option<BudgetStats> {
        self.budget.limit.map(|_| self.budget.stats())
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.budget.limit.is_some()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.budget.with(|books| {
            books.ledger.close(self.id);
            books.members.remove(&self.id);
        });
        self.budget.settle();
    }
}

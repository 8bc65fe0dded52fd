//! Who has how many of a server's places, who wants more, and who gets the next one. Nothing here waits or connects, so that
//! every order of events can be tried in a test.

use std::collections::{BTreeMap, BTreeSet};

/// Handshakes with one server under way at the same time: enough to grow, too few to storm a server that has just come back.
pub(crate) const HANDSHAKES: u32 = 2;

/// How many callers a pool serves over its only place while another pool waits for its first: each change of hands costs a
/// login.
const TURNS: u32 = 4;

/// Places that a pool has in use, then when it asked, then which it is: the order in which pools are served.
type Rank = (u32, u64, u64);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// As many places as the pools may have together; `None`: as many as they want.
    places: Option<u32>,
    accounts: BTreeMap<u64, Account>,
    /// Those with callers who wait.
    wanting: BTreeSet<Rank>,
    /// Those that would like to have their minimum.
    wishing: BTreeSet<Rank>,
    held: u32,
    handshakes: u32,
    /// Those who have a place and wait for another turn to shake hands.
    late: u32,
    leaving: u32,
    wants: u32,
    clock: u64,
}

#[derive(Debug, Default, Clone)]
struct Account {
    /// Places that it holds, whatever for.
    held: u32,
    /// Those of them whose connection is on its way out.
    leaving: u32,
    wants: u32,
    wishes: u32,
    asked: u64,
    /// Callers served over its only place since another pool has none.
    turns: u32,
    gone: bool,
}

impl Account {
    /// Places that stay with it for now.
    fn active(&self) -> u32 {
        self.held.saturating_sub(self.leaving)
    }
}

/// What a connection that could be given up is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Donor {
    /// It has been idle for so long that it is only kept in case.
    Forgotten,
    /// It is idle.
    Idle,
    /// It comes back while callers of its own pool wait.
    InDemand,
}

impl Donor {
    /// Whether a pool with `active` places gives one up for a pool that has `other`. Places move towards equal numbers,
    /// and never back and forth between equals.
    fn yields(self, active: u32, other: u32) -> bool {
        match self {
            Self::Forgotten => true,
            Self::Idle => other < active,
            Self::InDemand => other + 2 <= active,
        }
    }
}

/// Why there is no place at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// They are used up, or callers want what there is.
    Places,
    /// As many handshakes are under way as there may be.
    Handshakes,
}

impl Ledger {
    pub(super) fn new(places: Option<u32>) -> Self {
        Self { places, ..Self::default() }
    }

    pub(super) fn open(&mut self) -> u64 {
        self.clock += 1;
        self.accounts.insert(self.clock, Account::default());
        self.clock
    }

    /// The pool is gone; what it still holds is given back later.
    pub(super) fn close(&mut self, id: u64) {
        self.change(id, |account| {
            (account.wants, account.wishes, account.gone) = (0, 0, true);
        });
        self.forget(id);
    }

    /// Says anew how many places a pool wants for callers who wait, and how many more it would like to have.
    pub(super) fn ask(&mut self, id: u64, wants: u32, wishes: u32) {
        self.clock += 1;
        let now = self.clock;
        self.change(id, |account| {
            if account.wants == 0 && account.wishes == 0 {
                account.asked = now;
            }
            (account.wants, account.wishes) = (wants, wishes);
        });
    }

    /// Who gets the next place, when there is one and the handshakes allow it.
    pub(super) fn next(&self) -> Option<u64> {
        if self.turns() == 0 || self.free() == 0 {
            return None;
        }
        if let Some((_, _, id)) = self.wanting.first() {
            return Some(*id);
        }
        // A minimum is a wish: it is not filled beyond an even share.
        self.wishing.first().filter(|(active, _, _)| *active < self.even_share()).map(|(_, _, id)| *id)
    }

    /// Gives a place to the pool that [`Ledger::next`] has named.
    pub(super) fn grant(&mut self, id: u64) {
        self.clock += 1;
        let now = self.clock;
        self.take(id);
        self.change(id, |account| {
            if account.wants > 0 {
                account.wants -= 1;
            } else {
                account.wishes = account.wishes.saturating_sub(1);
            }
            // Among equals the next one is another's.
            account.asked = now;
            account.turns = 0;
        });
    }

    /// A place beyond what callers need, when nobody else needs it.
    pub(super) fn extra(&mut self, id: u64) -> Result<(), Refused> {
        if self.free() <= self.wants {
            return Err(Refused::Places);
        }
        if self.turns() == 0 {
            return Err(Refused::Handshakes);
        }
        self.take(id);
        Ok(())
    }

    /// Turns for handshakes in places that are yet to be given: those who have a place come first.
    fn turns(&self) -> u32 {
        HANDSHAKES.saturating_sub(self.handshakes + self.late)
    }

    /// One more waits for another turn, having let go the one that came with its place.
    pub(super) fn is_late(&mut self) {
        self.late += 1;
    }

    /// One of those waits no longer.
    pub(super) fn is_late_no_more(&mut self) {
        self.late = self.late.saturating_sub(1);
    }

    /// Gives a turn to one who waits for it in a place of its own, if there is one.
    pub(super) fn shakes(&mut self) -> bool {
        let free = self.handshakes < HANDSHAKES;
        self.handshakes += u32::from(free);
        free
    }

    fn take(&mut self, id: u64) {
        self.held += 1;
        self.handshakes += 1;
        self.change(id, |account| account.held += 1);
    }

    /// A handshake is over, whatever came of it.
    pub(super) fn shaken(&mut self) {
        self.handshakes = self.handshakes.saturating_sub(1);
    }

    /// The connection in one of the pool's places is on its way out.
    pub(super) fn leaves(&mut self, id: u64) {
        self.leaving += 1;
        self.change(id, |account| account.leaving += 1);
    }

    /// The place is free.
    pub(super) fn release(&mut self, id: u64, was_leaving: bool) {
        self.held = self.held.saturating_sub(1);
        if was_leaving {
            self.leaving = self.leaving.saturating_sub(1);
        }
        self.change(id, |account| {
            account.held = account.held.saturating_sub(1);
            if was_leaving {
                account.leaving = account.leaving.saturating_sub(1);
            }
        });
        self.forget(id);
    }

    fn forget(&mut self, id: u64) {
        if self.accounts.get(&id).is_some_and(|account| account.gone && account.held == 0) {
            self.accounts.remove(&id);
        }
    }

    /// Whether the pool is to give up a place that is used in this way. As many are asked for as are wanted, less those
    /// that are on their way.
    pub(super) fn owes(&self, id: u64, donor: Donor) -> bool {
        let (Some(account), Some(_)) = (self.accounts.get(&id), self.places) else { return false };
        let coming = self.free() + self.leaving;
        let mut wanted = 0;
        // Looks at one more than are coming, at most.
        for (other, _, wanting) in &self.wanting {
            if *wanting == id {
                continue;
            }
            let turn_is_over = *other == 0 && account.active() == 1 && account.turns >= TURNS;
            if !donor.yields(account.active(), *other) && !turn_is_over {
                return false;
            }
            wanted += self.accounts.get(wanting).map_or(0, |account| account.wants);
            if wanted > coming {
                return true;
            }
        }
        false
    }

    /// A pool has handed a connection from one of its callers to the next although others wait for a place.
    pub(super) fn served(&mut self, id: u64) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.turns = account.turns.saturating_add(1);
        }
    }

    /// Whether more places are wanted than there are free ones.
    pub(super) fn is_short(&self) -> bool {
        self.places.is_some() && self.wants > self.free()
    }

    /// The pools that have something to give, with how many places.
    pub(super) fn holders(&self) -> Vec<(u64, u32)> {
        let active = self.accounts.iter().map(|(id, account)| (*id, account.active()));
        active.filter(|(_, active)| *active > 0).collect()
    }

    pub(super) fn held(&self) -> u32 {
        self.held
    }

    pub(super) fn waiting_pools(&self) -> u32 {
        u32::try_from(self.wanting.len()).unwrap_or(u32::MAX)
    }

    fn free(&self) -> u32 {
        self.places.map_or(u32::MAX, |places| places.saturating_sub(self.held))
    }

    fn even_share(&self) -> u32 {
        let accounts = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX).max(1);
        self.places.map_or(u32::MAX, |places| (places / accounts).max(1))
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Account)) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let rank = (account.active(), account.asked, id);
        self.wanting.remove(&rank);
        self.wishing.remove(&rank);
        self.wants -= account.wants;
        change(account);
        self.wants += account.wants;
        let rank = (account.active(), account.asked, id);
        if account.wants > 0 {
            self.wanting.insert(rank);
        }
        if account.wishes > 0 {
            self.wishing.insert(rank);
        }
    }
}

#[cfg(test)]
mod tests;

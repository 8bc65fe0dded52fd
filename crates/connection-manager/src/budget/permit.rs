use std::sync::Arc;

use super::Inner;

/// One place of a server's budget. It is free again when this is dropped, which is to be after the connection is closed.
pub(crate) struct Permit {
    budget: Arc<Inner>,
    id: u64,
    shaking: bool,
    leaving: bool,
}

impl Permit {
    /// For a place that the ledger has granted to the pool, and the handshake that is to fill it.
    pub(super) fn new(budget: Arc<Inner>, id: u64) -> Self {
        Self { budget, id, shaking: true, leaving: false }
    }

    /// The handshake is over, or put off; another may begin.
    pub(crate) fn shaken(&mut self) {
        if std::mem::take(&mut self.shaking) {
            self.budget.with(|books| books.ledger.shaken());
            self.budget.settle();
        }
    }

    /// The connection is on its way out. Nobody else is asked for a place in this one's stead.
    pub(crate) fn leaves(&mut self) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.budget.with(|books| books.ledger.leaves(self.id));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.with(|books| {
            if self.shaking {
                books.ledger.shaken();
            }
            books.ledger.release(self.id, self.leaving);
        });
        self.budget.settle();
    }
}

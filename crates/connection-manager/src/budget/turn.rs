//! Turns to shake hands with a server, for those who have a place already. The turn that came with it was let go, as they were
//! not ready for it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Books, Inner};

/// A turn to shake hands. Another may begin when it is dropped.
pub(crate) struct Late(Option<Arc<Inner>>);

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(budget) = self.0.take() {
            budget.with(|books| books.ledger.shaken());
            budget.settle();
        }
    }
}

/// One who waits for a turn. Whoever leaves holds up nobody.
struct Waiting<'a> {
    budget: &'a Arc<Inner>,
    called: oneshot::Receiver<Late>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.called.close();
        // A turn that was given and not taken.
        drop(self.called.try_recv());
        if self.budget.with(Books::forget_the_gone) {
            self.budget.settle();
        }
    }
}

impl Books {
    /// Strikes off those who have left. Whether there were any.
    fn forget_the_gone(&mut self) -> bool {
        let before = self.late.len();
        self.late.retain(|waiting| !waiting.is_closed());
        let gone = before - self.late.len();
        for _ in 0..gone {
            self.ledger.is_late_no_more();
        }
        gone > 0
    }
}

impl Inner {
    /// Waits for a turn, first come first served, and before those who have no place yet. Has no limit of time.
    pub(super) async fn late_turn(self: &Arc<Self>) -> Option<Late> {
        let (call, called) = oneshot::channel();
        self.with(|books| {
            books.late.push_back(call);
            books.ledger.is_late();
        });
        let mut waiting = Waiting { budget: self, called };
        self.settle();
        (&mut waiting.called).await.ok()
    }

    /// Gives free turns to those who have waited longest for one.
    pub(super) fn call_the_late(self: &Arc<Self>) {
        loop {
            let next = self.with(|books| {
                if books.late.is_empty() || !books.ledger.shakes() {
                    return None;
                }
                books.ledger.is_late_no_more();
                books.late.pop_front()
            });
            let Some(call) = next else { return };
            if let Err(mut unwanted) = call.send(Late(Some(Arc::clone(self)))) {
                // Given to the next one here, not deeper and deeper.
                unwanted.0 = None;
                self.with(|books| books.ledger.shaken());
            }
        }
    }
}

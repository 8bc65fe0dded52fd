//! A server that is full cannot be told to leave a statement off, for want of a connection to tell it over. So one place of
//! the budget is kept for that, and pools take turns with it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Inner;

/// The right to have a connection to tell the server over.
pub(crate) struct Control {
    permit: Option<OwnedSemaphorePermit>,
}

impl Control {
    /// Whether other pools may be waiting for it.
    pub(crate) fn is_shared(&self) -> bool {
        self.permit.is_some()
    }
}

/// The places for pools, and the one beside them. A budget of one leaves none.
pub(super) fn split(limit: Option<u32>) -> (Option<u32>, Option<Arc<Semaphore>>) {
    let kept = u32::from(limit.is_some_and(|limit| limit > 1));
    let control = limit.map(|_| Arc::new(Semaphore::new(usize::from(kept > 0))));
    (limit.map(|limit| limit - kept), control)
}

impl Inner {
    /// Waits for its turn. `None` where there is no place for it.
    pub(super) async fn control(&self) -> Option<Control> {
        let Some(control) = &self.control else { return Some(Control { permit: None }) };
        if self.limit.is_none_or(|limit| limit < 2) {
            return None;
        }
        let permit = Arc::clone(control).acquire_owned().await.ok()?;
        Some(Control { permit: Some(permit) })
    }
}

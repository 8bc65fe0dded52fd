use std::sync::Arc;

use super::connect::{self, Attempt, Leaving, Purpose};
use super::driver::Driver;
use super::shared::{Connection, Shared};
use crate::budget::Permit;

/// Tasks decided on under the state's lock and started after it is let go.
///
/// A runtime that is shutting down drops a task where it is spawned, and the task's guards take the lock themselves.
#[must_use = "the counts in the state say that these will run"]
pub(super) struct Errands<D: Driver> {
    /// Connections to close, each counted in `leaving`.
    pub(super) leave: Vec<Arc<Connection<D::Session>>>,
    /// Attempts to connect to start, each counted in `connecting`.
    pub(super) connect: Vec<Permit>,
}

impl<D: Driver> Default for Errands<D> {
    fn default() -> Self {
        Self { leave: Vec::new(), connect: Vec::new() }
    }
}

impl<D: Driver> Errands<D> {
    pub(super) fn run(self, shared: &Arc<Shared<D>>) {
        for connection in self.leave {
            let leaving = Leaving::new(Arc::clone(shared), connection.take_permit());
            if connection.has_session() {
                shared.runtime.spawn(connect::say_goodbye(connection, leaving));
            }
        }
        for permit in self.connect {
            shared.runtime.spawn(connect::connect(Attempt::new(Arc::clone(shared), Purpose::Demand, permit)));
        }
    }
}

//! Sending a call again that failed without effect.

use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Effect};
use tokio::time::Instant;

use super::driver::Driver;
use super::lease::Lease;
use super::shared::Shared;
use crate::breaker::Circuit;
use crate::endpoint::is_out_of_reach;
use crate::metrics::Retried;

/// How a try failed.
#[derive(Debug)]
pub(crate) struct Failure {
    error: DatabaseError,
    /// Whether the same call can be sent again without any danger that it takes effect twice.
    repeatable: bool,
}

impl Failure {
    /// Before anything of the call was sent.
    pub(crate) fn unsent(error: DatabaseError) -> Self {
        Self { repeatable: is_out_of_reach(&error), error }
    }

    /// A call on `lease` with that effect.
    pub(crate) fn on<D: Driver>(lease: &Lease<D>, effect: Effect, error: DatabaseError) -> Self {
        let repeatable = match effect {
            Effect::Nothing => is_out_of_reach(&error) || was_turned_away(lease, &error),
            // Of one whose answer is missing, nobody knows what it did.
            Effect::Whole => was_turned_away(lease, &error),
            Effect::Unknown => false,
        };
        Self { error, repeatable }
    }
}

/// A demoted server changes nothing, and the pool's next connection may lead to the one that took its place.
fn was_turned_away<D: Driver>(lease: &Lease<D>, error: &DatabaseError) -> bool {
    *error.kind() == DatabaseErrorKind::ReadOnlyTarget && error.retry_after().is_some() && lease.is_superseded()
}

/// The tries of one call.
pub(crate) struct Tries<'pool, D: Driver> {
    shared: &'pool Shared<D>,
    deadline: Option<Instant>,
    /// Those that were begun.
    begun: u32,
}

impl<'pool, D: Driver> Tries<'pool, D> {
    pub(super) fn new(shared: &'pool Shared<D>, deadline: Option<Instant>) -> Self {
        shared.retries.pay_in();
        Self { shared, deadline, begun: 1 }
    }

    /// What becomes of a try: an outcome for the caller, or, after a wait, `None`, and the call is to be sent again.
    pub(crate) async fn settle<T>(&mut self, outcome: Result<T, Failure>) -> Option<Result<T, DatabaseError>> {
        let failure = match outcome {
            Ok(answer) => {
                self.note(Retried::Recovered);
                return Some(Ok(answer));
            }
            Err(failure) => failure,
        };
        // Another complaint than the first is an answer, if not a welcome one.
        self.note(if failure.error.is_unavailable() { Retried::Failed } else { Retried::Recovered });
        match self.may_wait(&failure) {
            Some(wait) => {
                let (connection, kind) = (&self.shared.name, failure.error.kind().as_str());
                tracing::debug!(%connection, kind, error = %failure.error, tries = self.begun, "a call is sent again");
                tokio::time::sleep(wait).await;
                // Whoever sleeps may oversleep.
                if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    self.shared.metrics.retried(Retried::NoTime);
                    return Some(Err(failure.error));
                }
                self.begun += 1;
                None
            }
            None => Some(Err(failure.error)),
        }
    }

    /// How long to wait for the next try, if there may be one.
    fn may_wait(&self, failure: &Failure) -> Option<Duration> {
        let retries = &self.shared.retries;
        if !failure.repeatable || self.begun >= retries.settings().attempts {
            return None;
        }
        // An open circuit refuses in any case, and a half-open one has probes enough.
        if self.shared.breaker.circuit() != Circuit::Closed {
            return None;
        }
        let wait = retries.wait(self.begun);
        let too_late = |deadline: Instant| Instant::now().checked_add(wait).is_none_or(|next| next >= deadline);
        if self.deadline.is_some_and(too_late) {
            self.shared.metrics.retried(Retried::NoTime);
            return None;
        }
        if !retries.take_out() {
            self.shared.metrics.retried(Retried::NoBudget);
            return None;
        }
        Some(wait)
    }

    /// Counts a repetition by how it went; the first try is none.
    fn note(&self, outcome: Retried) {
        if self.begun > 1 {
            self.shared.metrics.retried(outcome);
        }
    }
}

//! The pool's algorithm, on a driver that a test holds in its hand.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

mod budgeting;
pub(crate) mod cancelling;
mod closing;
mod connecting;
mod demoted;
pub(crate) mod fake;
mod giving_up;
mod leaking;
mod leaving;
mod resting;
mod retrying;
mod returning;
mod rotating;
mod transactions;
mod waiting;

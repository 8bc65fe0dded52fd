//! The pool's algorithm, on a driver that a test holds in its hand.

mod closing;
mod connecting;
mod fake;
mod giving_up;
mod resting;
mod transactions;
mod waiting;

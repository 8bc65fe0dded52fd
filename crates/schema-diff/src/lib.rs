#![doc = include_str!("../README.md")]

mod compare;
mod diff;
mod editions;
mod found;
mod names;
mod pairing;
mod side;
mod tokens;
mod widening;

pub use compare::compare;
pub use diff::{Action, Change, Depth, Diff, Impact, ObjectKind, Verdict};
pub use side::Side;

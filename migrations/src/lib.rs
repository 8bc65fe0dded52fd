#![doc = include_str!("../README.md")]

#[cfg(test)]
mod collect;
mod error;
mod migrator;
mod progress;
mod set;
mod status;

pub use error::MigrateError;
pub use migrator::{Migrator, Repair, Step};
pub use progress::Progress;
pub use set::{Direction, InvalidSet, Migration, MigrationSet, Scripts, batches};
pub use status::{Entry, EntryState, Verdict};

include!(concat!(env!("OUT_DIR"), "/sets.rs"));

/// The migrations of one context, such as `users`. `None` when this binary has no such context.
pub fn set(context: &str) -> Option<&'static MigrationSet> {
    SETS.iter().find(|set| set.context() == context)
}

/// The migrations of every context, in alphabetical order.
pub fn sets() -> &'static [MigrationSet] {
    SETS
}

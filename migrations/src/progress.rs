use std::time::Duration;

use crate::Direction;

/// What a runner tells its callback while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another runner holds the lock.
    Waiting {
        /// For how long this one has waited.
        waited: Duration,
    },
    /// A script begins.
    Started {
        /// The script's path below the migrations' folder.
        file: &'a str,
        /// Which way it is run.
        direction: Direction,
    },
    /// A script has taken effect.
    Finished {
        /// The script's path below the migrations' folder.
        file: &'a str,
        /// Which way it was run.
        direction: Direction,
        /// How long the script took, without the wait for the lock.
        took: Duration,
    },
}

//! The runner and every context's files, on real engines.

mod exclusion;
mod failures;
mod files;
mod history;
mod schemas;
mod sets;

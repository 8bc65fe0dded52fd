//! The runner and every context's files, on real engines.

#![expect(clippy::unwrap_used, reason = "the bodies of tests are functions of their own here")]

mod exclusion;
mod failures;
mod files;
mod history;
mod schemas;
mod sets;

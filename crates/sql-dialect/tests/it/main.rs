//! One binary for the crate's integration tests.

mod table;
mod tsql;

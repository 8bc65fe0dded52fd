//! One binary for the crate's integration tests.

mod hostile;
mod refusals;
mod table;
mod tsql;
mod values;

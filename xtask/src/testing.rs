//! What `cargo xtask test` is made of.

pub(crate) mod conformance;
pub(crate) mod edge;
pub(crate) mod engine;
pub(crate) mod features;
pub(crate) mod report;
pub(crate) mod results;
pub(crate) mod runner;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod tsql;

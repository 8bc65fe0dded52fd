//! The connection manager on real servers.

mod contract;

//! MongoDB's wire protocol in front of the DocumentDB engine, which has none: a MongoDB for tests where there is no `mongod`.
//!
//! The engine is an extension of PostgreSQL that keeps and queries documents in functions (`documentdb_api.find_cursor_first_page`
//! and its siblings), BSON in and BSON out. The bridge takes a command from the wire, calls the function, and sends what it
//! returns: filters, pipelines, indexes, validators, users and their rights are the engine's. The bridge's own are the
//! handshake, the carrying of logins (SCRAM-SHA-256, proven by the engine), TLS on the same port, the list of open cursors,
//! and MongoDB's numbers for the engine's errors.
//!
//! What neither has: replica sets and transactions, change streams, `explain`, `$where`, capped and time series collections,
//! commands in bulk, compression, and logins other than SCRAM-SHA-256. The test command `sleep` is the bridge's.

mod answer;
mod commands;
mod cursors;
mod engine;
mod handshake;
mod listener;
mod login;
mod refusal;
mod session;
#[cfg(test)]
mod tests;
mod wire;

pub use listener::{Bridge, BridgeError};

use std::path::PathBuf;

use serde::Deserialize;

/// What the program is told, as a JSON file, because passwords are no arguments.
#[derive(Deserialize)]
pub struct BridgeOptions {
    /// Where to listen, such as `127.0.0.1:27017`.
    pub listen: String,
    /// The engine, as a `PostgreSQL` URL of a superuser. The bridge waits for it and creates the extension.
    pub engine: String,
    /// The certificate chain for clients that begin with TLS, as a PEM file; the others may go without.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl std::fmt::Debug for BridgeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BridgeOptions").field("listen", &self.listen).finish_non_exhaustive()
    }
}

//! The registry's ports meet their adapters: what seals, which engines there are, and who may ask.

mod documents;
mod engines;
mod exports;
mod first_start;
mod live;
mod other_databases;
mod prober;
mod schemas;
mod sealer;
mod shared_schemas;

use std::time::{Duration, Instant};

pub(crate) use documents::{Seen, UnreadableDocument};
pub(crate) use engines::ManagedEngines;
pub(crate) use exports::{ExportFailure, Exports, Written};
pub use first_start::{FirstStart, RegistryFileError};
pub(crate) use first_start::{Keeping, prepare};
pub(crate) use live::{LiveConnections, StoredDefinitions};
pub(crate) use other_databases::OtherDatabases;
pub(crate) use prober::ManagedProber;
pub(crate) use schemas::{KeptSchema, SchemaPart, Schemas};
pub(crate) use sealer::EnvelopeSealer;
pub(crate) use shared_schemas::SharedSchemas;

/// When it is told that no connection came about, whenever that was known: how long it took would tell a closed port from a
/// silent one, and both from one that may not be dialled.
const QUIET: Duration = Duration::from_millis(3_500);

/// Waits until it may be told.
async fn quiet_since(began: Instant) {
    tokio::time::sleep_until((began + QUIET).into()).await;
}

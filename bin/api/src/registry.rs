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

/// How long after its dial a test tells that it led nowhere, whenever that was known: how long it took would tell a closed port from
/// a silent one, and both from one that may not be dialled.
const QUIET: Duration = Duration::from_millis(3_500);

/// How long one attempt to connect to a stored connection's server may take, the servers taken together that it may lead to.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long a stored connection may take to open, whatever comes of it: longer than one attempt, since there may be others.
const OPENING: Duration = Duration::from_millis(5_250);
/// When it is told that one did not, or that its server has gone, whenever that was known.
const QUIET_WHEN_LIVE: Duration = Duration::from_millis(5_500);
const _: () =
    assert!(CONNECTING.as_millis() < OPENING.as_millis() && OPENING.as_millis() < QUIET_WHEN_LIVE.as_millis());

/// Waits until it may be told.
async fn quiet_until(told: Instant) {
    tokio::time::sleep_until(told.into()).await;
}

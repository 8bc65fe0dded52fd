//! Connections that are defined somewhere else than in the configuration, and may change while the manager runs: rows of a table,
//! as a registry has them.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::database::DatabaseError;

use crate::settings::ConnectionSettings;

/// How long a manager may go by what it read of a definition. Whatever changes it, on whichever instance, nobody gets a
/// connection by the old one after that.
pub const NOTICED_WITHIN: Duration = Duration::from_secs(4);

/// A connection as it is defined at one moment.
#[derive(Debug, Clone)]
pub struct Definition {
    /// A number that the definition never had before whenever anything of its settings has changed.
    pub revision: u64,
    /// How the connection is reached, and how large its pool may grow. Replicas and tenants have no meaning here.
    pub settings: ConnectionSettings,
}

/// Where connections are defined.
///
/// An id may have several parts with `/` between them. Those that begin alike have one owner, the first part, with one login and one
/// revision: what a server said to a password is remembered for all of them, and revisions are asked for the owner as well.
///
/// What it answers may not be older than the call: an answer out of a cache is a definition that nobody can take back. Dropping
/// a future gives up the question; none is asked for longer than [`NOTICED_WITHIN`].
#[async_trait]
pub trait Definitions: Send + Sync + fmt::Debug {
    /// The definition kept under `id`; `None` when there is none.
    ///
    /// # Errors
    /// Why it cannot be told. The caller who asked for the connection gets this error.
    async fn definition(&self, id: &str) -> Result<Option<Definition>, DatabaseError>;

    /// The revisions of those of `ids` that are defined. Asked every other second for everything that is live.
    ///
    /// # Errors
    /// Why they cannot be told. What is live is then confirmed one by one as it is asked for.
    async fn revisions(&self, ids: &[&str]) -> Result<HashMap<String, u64>, DatabaseError>;
}

/// How many of the connections that are defined elsewhere may be live.
#[derive(Debug, Clone, Copy)]
pub struct DefinitionLimits {
    /// How many may have a pool at the same time; at least 1. One that is asked for when there are as many takes the place of
    /// the one that was idle longest.
    pub max_live: usize,
    /// How long a pool is kept while nobody uses it. `None`: until its place is needed.
    pub idle_evict: Option<Duration>,
    /// How long a caller waits for a place while all are busy.
    pub acquire_timeout: Duration,
}

impl Default for DefinitionLimits {
    fn default() -> Self {
        Self { max_live: 100, idle_evict: Some(Duration::from_mins(5)), acquire_timeout: Duration::from_secs(5) }
    }
}

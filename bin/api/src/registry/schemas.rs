use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use registry_context::domain::ConnectionId;
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::{Fingerprint, Inspection};
use shared_kernel::{Clock, RequestContext, Version};

use super::LiveConnections;

/// How long a schema is kept.
const KEPT: Duration = Duration::from_hours(1);
/// How many bytes of schemas are kept, counted as canonical JSON.
const ROOM: u64 = 64 << 20;

/// The schemas of stored connections, each read once and kept for a while.
#[derive(Clone)]
pub(crate) struct Schemas {
    live: LiveConnections,
    inspectors: Inspectors,
    kept: Cache<Key, Arc<Snapshot>>,
    clock: Arc<dyn Clock>,
}

/// Of which connection, in which version of it, and of which of its database's parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    connection: ConnectionId,
    version: Version,
    namespace: Option<String>,
}

/// What a database looked like at an instant.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) inspection: Inspection,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) taken_at: DateTime<Utc>,
    bytes: u32,
}

impl Schemas {
    pub(crate) fn new(live: LiveConnections, clock: Arc<dyn Clock>) -> Self {
        let kept = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|key: &Key, snapshot: &Arc<Snapshot>| {
                let named = key.namespace.as_ref().map_or(0, String::len);
                snapshot.bytes.saturating_add(u32::try_from(named).unwrap_or(u32::MAX))
            })
            .time_to_live(KEPT)
            .build();
        Self { live, inspectors: Inspectors::builtin(), kept, clock }
    }

    /// The schema as it was when it was last read; read now where it was not, or is to be read anew. Whoever asks meanwhile
    /// waits for the same answer. A failure is shared by those who wait, and not kept.
    ///
    /// Cancellation: dropping the future is safe; somebody else who waits reads in its place.
    pub(crate) async fn read(
        &self,
        connection: ConnectionId,
        version: Version,
        namespace: Option<String>,
        anew: bool,
        context: &RequestContext,
    ) -> Result<Arc<Snapshot>, Arc<InspectError>> {
        let key = Key { connection, version, namespace };
        if anew {
            self.kept.invalidate(&key).await;
        }
        let options = match &key.namespace {
            Some(namespace) => InspectOptions::default().only([namespace.as_str()]),
            None => InspectOptions::default(),
        };
        let take = async {
            let inspection = self.live.inspect(connection, &self.inspectors, &options, context).await?;
            let canonical = inspection.database.canonical_json();
            let fingerprint = Fingerprint::of(&canonical);
            let bytes = u32::try_from(canonical.len()).unwrap_or(u32::MAX);
            Ok(Arc::new(Snapshot { inspection, fingerprint, taken_at: self.clock.now(), bytes }))
        };
        self.kept.try_get_with(key, take).await
    }

    /// How old a snapshot is, in whole seconds.
    pub(crate) fn age(&self, snapshot: &Snapshot) -> u64 {
        u64::try_from((self.clock.now() - snapshot.taken_at).num_seconds()).unwrap_or_default()
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").field("inspectors", &self.inspectors).finish_non_exhaustive()
    }
}

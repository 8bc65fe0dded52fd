use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moka::future::Cache;
use registry_context::domain::{ConnectionId, PartName, SchemaError, SchemaLook, SchemaReader};
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::{Fingerprint, Inspection};
use shared_kernel::{Clock, RequestContext, Version};

use super::LiveConnections;
use super::documents::Documents;

/// How long a schema is kept.
const KEPT: Duration = Duration::from_hours(1);
/// How long a server may take, connecting included.
const LIMIT: Duration = Duration::from_secs(20);
/// How many bytes of schemas are kept, counted as canonical JSON with the samples beside it.
const ROOM: u64 = 64 << 20;

/// The schemas of stored connections, each read once and kept for a while.
#[derive(Clone)]
pub(crate) struct Schemas {
    live: LiveConnections,
    inspectors: Inspectors,
    kept: Cache<Key, Arc<KeptSchema>>,
    clock: Arc<dyn Clock>,
    pub(crate) documents: Documents,
}

/// Of which connection, in which version of it, and of which of its database's parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    connection: ConnectionId,
    version: Version,
    namespace: Option<PartName>,
}

/// What a database looked like at an instant.
#[derive(Debug)]
pub(crate) struct KeptSchema {
    pub(crate) inspection: Inspection,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) taken_at: DateTime<Utc>,
    bytes: u32,
}

impl Schemas {
    pub(crate) fn new(live: LiveConnections, clock: Arc<dyn Clock>) -> Self {
        let kept = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|key: &Key, schema: &Arc<KeptSchema>| {
                let named = key.namespace.as_ref().map_or(0, |name| name.as_str().len());
                schema.bytes.saturating_add(u32::try_from(named).unwrap_or(u32::MAX))
            })
            .time_to_live(KEPT)
            .build();
        Self { live, inspectors: Inspectors::builtin(), kept, clock, documents: Documents::new() }
    }

    /// The schema as it was when it was last read; read now where it was not, or is to be read anew. Whoever asks meanwhile
    /// waits for the same answer. A failure is shared by those who wait, and not kept.
    ///
    /// Cancellation: dropping the future is safe; somebody else who waits reads in its place.
    pub(crate) async fn read(
        &self,
        connection: ConnectionId,
        version: Version,
        namespace: Option<PartName>,
        anew: bool,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, SchemaError> {
        let key = Key { connection, version, namespace };
        if anew {
            self.kept.invalidate(&key).await;
        }
        let take = self.take(&key, context);
        self.kept.try_get_with(key.clone(), take).await.map_err(|error| told(&error))
    }

    /// The schema as it is now: looked at for this caller alone, since a look of somebody else's may have begun before a change
    /// that the caller knows of. Those who ask later may have it.
    pub(crate) async fn look_now(
        &self,
        connection: ConnectionId,
        version: Version,
        namespace: Option<PartName>,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, SchemaError> {
        let key = Key { connection, version, namespace };
        let taken = self.take(&key, context).await.map_err(|error| told(&error))?;
        self.kept.insert(key, taken.clone()).await;
        Ok(taken)
    }

    async fn take(&self, key: &Key, context: &RequestContext) -> Result<Arc<KeptSchema>, InspectError> {
        let options = match &key.namespace {
            Some(namespace) => InspectOptions::default().only([namespace.as_str()]),
            None => InspectOptions::default(),
        };
        let context = context.within(LIMIT);
        let inspection = self.live.inspect(key.connection, &self.inspectors, &options, &context).await?;
        let canonical = inspection.database.canonical_json();
        let fingerprint = Fingerprint::of(&canonical);
        let samples = serde_json::to_vec(&(&inspection.samples, &inspection.key_samples)).map_or(0, |json| json.len());
        let bytes = u32::try_from(canonical.len() + samples).unwrap_or(u32::MAX);
        Ok(Arc::new(KeptSchema { inspection, fingerprint, taken_at: self.clock.now(), bytes }))
    }

    /// How old what is kept is, in whole seconds.
    pub(crate) fn age(&self, kept: &KeptSchema) -> u64 {
        u64::try_from((self.clock.now() - kept.taken_at).num_seconds()).unwrap_or_default()
    }
}

#[async_trait]
impl SchemaReader for Schemas {
    async fn look(
        &self,
        connection: ConnectionId,
        version: Version,
        part: Option<&PartName>,
        context: &RequestContext,
    ) -> Result<SchemaLook, SchemaError> {
        let kept = self.look_now(connection, version, part.cloned(), context).await?;
        self.documents.look(kept).await
    }
}

fn told(error: &InspectError) -> SchemaError {
    match error {
        InspectError::Database { source, .. } => SchemaError::Database(source.clone()),
        InspectError::UnknownEngine(_) => SchemaError::UnknownEngine,
        InspectError::TooOld { needed, .. } => SchemaError::TooOld { needed },
        _ => SchemaError::Failed,
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").field("inspectors", &self.inspectors).finish_non_exhaustive()
    }
}

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moka::Entry;
use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};
use registry_context::domain::{ConnectionId, DatabaseName, PartName, SchemaError, SchemaLook, SchemaReader};
use schema_inspect::{InspectError, InspectOptions, Inspectors, SamplingOptions};
use schema_model::{EDITION, Fingerprint, Inspection, Report, Unavailable};
use shared_kernel::database::DatabaseErrorKind;
use shared_kernel::{Clock, RequestContext, Version};

use super::LiveConnections;
use super::documents::{Documents, pack, unpack};
use super::live::Looked;
use super::shared_schemas::{APART, KnownState, Place, SharedCopy, SharedSchemas};

/// How long a schema is kept.
const KEPT: Duration = Duration::from_hours(1);
/// How long a copy of another instance's may be handed on to those who asked for it together.
const ARRIVING: Duration = Duration::from_secs(1);
/// How long a server may take, connecting included.
const LIMIT: Duration = Duration::from_secs(20);
/// How long what a look has found may be as good as new because its database is still in the same state. After that it is looked at
/// again, whatever is said of the state: should the answer have come from another server behind the same address, it is not for ever.
const REMEMBERED: Duration = Duration::from_hours(24);
/// How many bytes of schemas are kept, by the length of their canonical JSON and of the samples beside it.
const ROOM: u64 = 64 << 20;

/// The schemas of stored connections, each read once and kept for a while, here and where other instances find it. Where an engine
/// tells the state of a schema with one statement, one that has not changed is not read again.
#[derive(Clone)]
pub(crate) struct Schemas {
    live: LiveConnections,
    inspectors: Inspectors,
    kept: Cache<Key, Arc<KeptSchema>>,
    /// Copies of other instances that are on their way here, each fetched once for all who ask meanwhile.
    arriving: Cache<Key, Arc<KeptSchema>>,
    /// What was last found of each, however old, where its state is known. What is kept is the same as here, and takes up no room twice.
    remembered: Cache<Key, Arc<KeptSchema>>,
    shared: Option<Arc<SharedSchemas>>,
    clock: Arc<dyn Clock>,
    pub(crate) documents: Documents,
}

/// Of which connection, in which version of it, and what of its server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    connection: ConnectionId,
    version: Version,
    part: SchemaPart,
}

/// What is looked at of a connection's server, and how closely.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SchemaPart {
    /// Another database than the connection's own.
    pub(crate) database: Option<DatabaseName>,
    /// One part of that database; all of it when there is none.
    pub(crate) namespace: Option<PartName>,
    /// How many documents of each collection, where nobody has declared what they are.
    pub(crate) documents: u32,
    /// How many levels of their names.
    pub(crate) depth: u32,
}

impl SchemaPart {
    /// A part of the connection's own database, or all of it.
    fn of_own(namespace: Option<PartName>) -> Self {
        let SamplingOptions { documents, depth, .. } = SamplingOptions::default();
        Self { database: None, namespace, documents, depth }
    }

    fn options(&self) -> InspectOptions {
        let sampling = SamplingOptions { documents: self.documents, depth: self.depth, ..SamplingOptions::default() };
        let options = InspectOptions { sampling, ..InspectOptions::default() };
        match &self.namespace {
            Some(namespace) => options.only([namespace.as_str()]),
            None => options,
        }
    }

    fn bytes(&self) -> usize {
        let of = |name: Option<&str>| name.map_or(0, str::len);
        of(self.namespace.as_ref().map(PartName::as_str)) + of(self.database.as_ref().map(DatabaseName::as_str))
    }
}

impl Key {
    /// Where other instances find it.
    fn place(&self) -> Place {
        let Self { connection, version, part: SchemaPart { database, namespace, documents, depth } } = self;
        // No name is empty.
        let names = [
            database.as_ref().map_or(&b""[..], |name| name.as_str().as_bytes()),
            namespace.as_ref().map_or(&b""[..], |name| name.as_str().as_bytes()),
        ];
        let numbers = [&version.get().to_be_bytes()[..], &documents.to_be_bytes(), &depth.to_be_bytes()];
        // Another version of the service has other models.
        let id = connection.uuid();
        let of = [env!("CARGO_PKG_VERSION").as_bytes(), id.as_bytes()];
        Place::of(of.into_iter().chain(names).chain(numbers))
    }
}

/// What is kept is kept until it is too old, however late it came here.
struct UntilTooOld;

impl Expiry<Key, Arc<KeptSchema>> for UntilTooOld {
    fn expire_after_create(&self, _: &Key, kept: &Arc<KeptSchema>, _: Instant) -> Option<Duration> {
        Some(kept.left)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        kept: &Arc<KeptSchema>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.left)
    }
}

/// What a database looked like at an instant.
#[derive(Debug)]
pub(crate) struct KeptSchema {
    pub(crate) inspection: Inspection,
    /// The model's canonical JSON, which need not be written for each answer: all of them send this one.
    pub(crate) canonical: Bytes,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) taken_at: DateTime<Utc>,
    /// What was asked for and is not there.
    missing: Option<InspectError>,
    /// The state that the database was in before, where that is known and all of it was seen.
    state: Option<KnownState>,
    bytes: u32,
    /// How long it was good for when it came here.
    left: Duration,
}

impl Schemas {
    /// `shared` is where other instances have theirs; without it this one keeps its own to itself.
    pub(crate) fn new(
        live: LiveConnections,
        inspectors: Inspectors,
        shared: Option<Arc<SharedSchemas>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let weight = |key: &Key, schema: &Arc<KeptSchema>| {
            schema.bytes.saturating_add(u32::try_from(key.part.bytes()).unwrap_or(u32::MAX))
        };
        let kept = Cache::builder().max_capacity(ROOM).weigher(weight).expire_after(UntilTooOld).build();
        let remembered = Cache::builder().max_capacity(ROOM).weigher(weight).time_to_live(REMEMBERED).build();
        // They are taken out by whoever put them in; time does so where nobody does.
        let arriving = Cache::builder().time_to_live(ARRIVING).build();
        let documents = Documents::new();
        Self { live, inspectors, kept, arriving, remembered, shared, clock, documents }
    }

    /// The schema as it was when it was last read, by this instance or another one; read now where it was not, is too old, or is
    /// to be read anew. What was read before is as good as read now where the database is known to be in the state that it was in
    /// then. Whoever asks meanwhile waits for the same answer, be it a look or a copy of another instance's. A failure is shared by
    /// those who wait, and not kept; a part that is not there is one.
    ///
    /// Cancellation: dropping the future is safe; somebody else who waits reads in its place.
    pub(crate) async fn read(
        &self,
        connection: ConnectionId,
        version: Version,
        part: SchemaPart,
        anew: bool,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, SchemaError> {
        let key = Key { connection, version, part };
        let began = self.clock.now();
        if anew {
            self.kept.invalidate(&key).await;
        } else if let Some(kept) = self.kept.get(&key).await {
            return Ok(kept);
        } else if let Some(kept) = self.arriving.optionally_get_with(key.clone(), self.arrived(&key)).await {
            let kept = self.later(key.clone(), kept).await;
            self.remember(&key, &kept).await;
            self.arriving.invalidate(&key).await;
            return Ok(kept);
        }
        let take = self.take_present(&key, anew, context);
        let kept = self.kept.try_get_with(key.clone(), take).await.map_err(|error| told(&error, &key.part))?;
        if anew && kept.taken_at < began {
            // Somebody found a copy of another instance's in between.
            let taken = self.take_present(&key, anew, context).await.map_err(|error| told(&error, &key.part))?;
            return Ok(self.later(key, taken).await);
        }
        Ok(kept)
    }

    /// What is kept from now on: this, or what was put there meanwhile and is later.
    async fn later(&self, key: Key, found: Arc<KeptSchema>) -> Arc<KeptSchema> {
        let choose = |present: Option<Entry<Key, Arc<KeptSchema>>>| {
            let is_later = present.is_some_and(|present| present.value().taken_at > found.taken_at);
            ready(if is_later { Op::Nop } else { Op::Put(Arc::clone(&found)) })
        };
        match self.kept.entry(key).and_compute_with(choose).await {
            CompResult::Unchanged(entry) | CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) => {
                entry.into_value()
            }
            CompResult::StillNone(_) | CompResult::Removed(_) => found,
        }
    }

    /// Who looks at databases.
    pub(crate) fn inspectors(&self) -> &Inspectors {
        &self.inspectors
    }

    /// The schema as it is now: looked at for this caller alone, since a look of somebody else's may have begun before a change
    /// that the caller knows of. Those who ask later may have it. A part that is not there has nothing in it.
    pub(crate) async fn look_now(
        &self,
        connection: ConnectionId,
        version: Version,
        namespace: Option<PartName>,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, SchemaError> {
        let key = Key { connection, version, part: SchemaPart::of_own(namespace) };
        let taken = self.take(&key, None, context).await.map_err(|error| told(&error, &key.part))?;
        if taken.missing.is_none() {
            self.kept.insert(key, taken.clone()).await;
        } else {
            self.kept.invalidate(&key).await;
        }
        Ok(taken)
    }

    /// Looks at what is asked for, which has to be there, unless it is known and in the state that it was in. A copy of another instance's
    /// will do for that; who does not read anew has looked for one already.
    async fn take_present(
        &self,
        key: &Key,
        anew: bool,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, InspectError> {
        let known = match self.remembered.get(key).await {
            None if anew => self.found(key).await,
            remembered => remembered,
        };
        let taken = self.take(key, known, context).await?;
        match &taken.missing {
            Some(error) => Err(error.clone()),
            None => Ok(taken),
        }
    }

    /// Looks at what is asked for, unless it is in the same state as what is `known`.
    async fn take(
        &self,
        key: &Key,
        known: Option<Arc<KeptSchema>>,
        context: &RequestContext,
    ) -> Result<Arc<KeptSchema>, InspectError> {
        let Key { connection, version, part } = key;
        let (database, options, context) = (part.database.as_ref(), part.options(), context.within(LIMIT));
        let now = self.clock.now();
        let known = known.and_then(|known| Some((known.state.filter(|state| is_recent(state, now))?.stamp, known)));
        let look = self.live.look((*connection, *version), database, &self.inspectors, &options, known, &context);
        let kept = match look.await? {
            Looked::Unchanged(known, asked) => known.again(asked, self.clock.now()),
            Looked::Anew(inspection, stamp) => {
                let missing = self.inspectors.missing(&inspection, &options);
                let looked_at = self.clock.now();
                let state = stamp.map(|stamp| KnownState { stamp, looked_at });
                KeptSchema { missing, ..KeptSchema::new(*inspection, state, looked_at, KEPT) }
            }
        };
        let kept = Arc::new(kept);
        self.remember(key, &kept).await;
        if let Some(shared) = &self.shared {
            self.share(shared, key, &kept).await;
        }
        Ok(kept)
    }

    /// What there is to be compared with later on.
    async fn remember(&self, key: &Key, kept: &Arc<KeptSchema>) {
        if kept.missing.is_some() {
            self.remembered.invalidate(key).await;
        } else if kept.state.is_some() {
            self.remembered.insert(key.clone(), Arc::clone(kept)).await;
        }
    }

    /// Puts what was found where other instances find it; where it is not there any more, they are not to find it either.
    async fn share(&self, shared: &SharedSchemas, key: &Key, taken: &Arc<KeptSchema>) {
        if taken.missing.is_some() {
            return shared.take_away(key.place(), taken.taken_at).await;
        }
        let packed = Arc::clone(taken);
        if let Some(Ok(document)) = self.documents.apart(move || pack(&packed.inspection)).await {
            let copy = SharedCopy { taken_at: taken.taken_at, document, state: taken.state };
            shared.write(key.place(), &copy, KEPT).await;
        }
    }

    /// What has come here just now, or else what another instance has found.
    async fn arrived(&self, key: &Key) -> Option<Arc<KeptSchema>> {
        match self.kept.get(key).await {
            Some(kept) => Some(kept),
            None => self.found(key).await,
        }
    }

    /// What another instance has found, while it is good.
    async fn found(&self, key: &Key) -> Option<Arc<KeptSchema>> {
        let SharedCopy { taken_at, document, state } = self.shared.as_ref()?.read(key.place()).await?;
        let age = Some(self.clock.now() - taken_at).filter(|age| *age >= -APART)?;
        let left = KEPT.checked_sub(age.to_std().unwrap_or_default()).filter(|left| !left.is_zero())?;
        // What an earlier version of the service has found may lack what this one would ask for.
        let whole = move || unpack(&document).ok().filter(|found| found.report.edition >= EDITION);
        let read = move || Some(KeptSchema::new(whole()?, state, taken_at, left));
        self.documents.apart(read).await.flatten().map(Arc::new)
    }

    /// How old what is kept is, in whole seconds.
    pub(crate) fn age(&self, kept: &KeptSchema) -> u64 {
        u64::try_from((self.clock.now() - kept.taken_at).num_seconds()).unwrap_or_default()
    }
}

impl KeptSchema {
    fn new(inspection: Inspection, state: Option<KnownState>, taken_at: DateTime<Utc>, left: Duration) -> Self {
        let canonical = inspection.database.canonical_json();
        let fingerprint = Fingerprint::of(&canonical);
        let samples = serde_json::to_vec(&(&inspection.samples, &inspection.key_samples)).map_or(0, |json| json.len());
        // The model takes up about as much as its text.
        let bytes = u32::try_from(2 * canonical.len() + samples).unwrap_or(u32::MAX);
        let canonical = Bytes::from(canonical);
        let state = state.filter(|_| is_whole(&inspection));
        Self { inspection, canonical, fingerprint, taken_at, missing: None, state, bytes, left }
    }

    /// The same, found again by what was asked.
    fn again(&self, asked: Report, taken_at: DateTime<Utc>) -> Self {
        let report = Report { statements: asked.statements, stages: asked.stages, ..self.inspection.report.clone() };
        Self {
            inspection: Inspection { report, ..self.inspection.clone() },
            canonical: self.canonical.clone(),
            missing: self.missing.clone(),
            taken_at,
            left: KEPT,
            ..*self
        }
    }
}

/// Whether it was looked at not too long ago.
fn is_recent(state: &KnownState, now: DateTime<Utc>) -> bool {
    let age = now - state.looked_at;
    age >= -APART && age.to_std().unwrap_or_default() < REMEMBERED
}

/// Whether another look at the same would find the same: nothing was in the way, no limit but that of length was met, and nothing
/// was drawn.
fn is_whole(inspection: &Inspection) -> bool {
    let Inspection { samples, key_samples, report, .. } = inspection;
    let is_no_wonder = |reason: Unavailable| reason == Unavailable::TooLong;
    samples.is_empty() && key_samples.is_empty() && report.gaps.iter().all(|gap| is_no_wonder(gap.reason))
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
        if let Some(error) = &kept.missing {
            return Err(told(error, &SchemaPart::of_own(part.cloned())));
        }
        self.documents.look(kept).await
    }
}

fn told(error: &InspectError, part: &SchemaPart) -> SchemaError {
    match error {
        InspectError::Database { source, .. }
            if part.database.is_some() && *source.kind() == DatabaseErrorKind::UnknownDatabase =>
        {
            SchemaError::UnknownDatabase
        }
        InspectError::Database { source, .. } => SchemaError::Database(source.clone()),
        InspectError::UnknownNamespace { is_database: true, .. } => SchemaError::UnknownDatabase,
        InspectError::UnknownNamespace { is_database: false, .. } => SchemaError::UnknownPart,
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use connection_manager::sealing::{SealingKey, SealingKeys};
    use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings};
    use futures_util::poll;
    use schema_inspect::Stamp;
    use schema_model::{Database, Gap, Native, Stage};
    use testkit::FakeClock;
    use uuid::Uuid;

    use super::super::{OtherDatabases, StoredDefinitions};
    use super::*;

    fn live(id: ConnectionId, settings: ConnectionSettings) -> LiveConnections {
        let manager = ConnectionManager::builder(ConnectionFactory::compiled())
            .connection(StoredDefinitions::name(id), settings)
            .build()
            .expect("a connection");
        LiveConnections::new(manager, OtherDatabases::default())
    }

    fn key(number: u128) -> Key {
        let part = SchemaPart { database: None, namespace: None, documents: 1, depth: 1 };
        Key { connection: ConnectionId::new(Uuid::from_u128(number)), version: Version::FIRST, part }
    }

    #[test]
    fn whatever_a_schema_is_of_it_has_a_place_of_its_own() {
        let of = |change: fn(&mut Key)| {
            let mut key = key(1);
            change(&mut key);
            format!("{:?}", key.place())
        };
        let places = [
            of(|_| ()),
            of(|key| key.connection = ConnectionId::new(Uuid::from_u128(2))),
            of(|key| key.version = Version::FIRST.next()),
            of(|key| key.part.database = DatabaseName::parse("shop").ok()),
            of(|key| key.part.namespace = PartName::parse("shop").ok()),
            of(|key| key.part.documents = 2),
            of(|key| key.part.depth = 2),
        ];
        assert_eq!(std::collections::BTreeSet::from(places.clone()).len(), places.len());
        // Beside all that, it is that of this version of the service.
        let (id, one) = (Uuid::from_u128(1), 1_u32.to_be_bytes());
        let version = Version::FIRST.get().to_be_bytes();
        let parts = [env!("CARGO_PKG_VERSION").as_bytes(), id.as_bytes(), b"", b"", &version, &one, &one];
        assert_eq!(key(1).place(), Place::of(parts));
    }

    #[tokio::test]
    async fn what_was_looked_at_later_stays() {
        let live = live(key(1).connection, ConnectionSettings::sqlite(":memory:"));
        let schemas = Schemas::new(live, Inspectors::builtin(), None, Arc::new(FakeClock::default()));
        let at = |seconds| DateTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (found, stays) in [(5, 5), (4, 5), (6, 6)] {
            let found = KeptSchema::new(inspection(&[]), None, at(found), KEPT);
            assert_eq!(schemas.later(key(1), Arc::new(found)).await.taken_at, at(stays));
        }
    }

    /// Somebody's answer that began to arrive before may be put in the place of what was thrown away.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_reads_anew_is_not_given_what_arrived_in_between() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = ConnectionSettings::sqlite(folder.path().join("shelf.db"));
        let owner = testkit::connect(settings.clone()).await.expect("made");
        let context = RequestContext::system();
        owner.sql().expect("SQL").run_script("CREATE TABLE book (id integer)", &context).await.expect("changed");
        let clock = Arc::new(FakeClock::default());
        let schemas = Schemas::new(live(key(1).connection, settings), Inspectors::builtin(), None, clock.clone());
        let old = Arc::new(KeptSchema::new(inspection(&[]), None, clock.now() - APART, KEPT));
        let (release, held) = tokio::sync::oneshot::channel::<()>();
        let arriving = async {
            held.await.expect("released");
            Ok::<_, InspectError>(old)
        };
        let mut arriving = Box::pin(schemas.kept.try_get_with(key(1), arriving));
        let mut anew = Box::pin(schemas.read(key(1).connection, Version::FIRST, key(1).part, true, &context));
        assert!(poll!(arriving.as_mut()).is_pending());
        assert!(poll!(anew.as_mut()).is_pending());
        release.send(()).expect("somebody waits");
        let (arrived, read) = tokio::join!(arriving, anew);
        assert_eq!(arrived.expect("arrived").inspection.database.relations().count(), 0);
        assert_eq!(read.expect("read").inspection.database.relations().count(), 1);
    }

    mod on_servers {
        mod redis {
            #[test]
            fn a_copy_is_as_good_as_what_was_looked_at_here_for_as_long() {
                testkit::run(super::super::a_copy_is_as_good_as_what_was_looked_at_here_for_as_long());
            }
        }
    }

    async fn a_copy_is_as_good_as_what_was_looked_at_here_for_as_long() {
        let redis = testkit::redis::OwnRedis::start(&[]).await;
        let manager = ConnectionManager::builder(ConnectionFactory::compiled())
            .connection("cache", redis.settings())
            .build()
            .expect("a connection");
        let sealing = SealingKey::try_new("k1".to_owned(), &[1; 32]).expect("a key");
        let keys = SealingKeys::try_new(sealing, []).expect("keys");
        let shared = Arc::new(SharedSchemas::new(Arc::new(manager.clone()), "cache", Arc::new(keys)));
        let clock = Arc::new(FakeClock::default());
        let live = LiveConnections::new(manager, OtherDatabases::default());
        let schemas = Schemas::new(live, Inspectors::builtin(), Some(Arc::clone(&shared)), clock.clone());
        let document = pack(&inspection(&[])).expect("packed");
        let ages = [(0, Some(3600)), (1800, Some(1800)), (3599, Some(1)), (3600, None), (-60, Some(3600)), (-61, None)];
        for (number, (age, left)) in (1..).zip(ages) {
            let taken_at = clock.now() - TimeDelta::seconds(age);
            let copy = SharedCopy { taken_at, document: document.clone(), state: None };
            shared.write(key(number).place(), &copy, KEPT).await;
            let found = schemas.found(&key(number)).await.map(|kept| kept.left);
            assert_eq!(found, left.map(Duration::from_secs), "{age}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_has_become_too_old_is_as_good_as_new_where_nothing_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = ConnectionSettings::sqlite(folder.path().join("shelf.db"));
        let owner = testkit::connect(settings.clone()).await.expect("made");
        let context = RequestContext::system();
        let change = async |script: &str| {
            owner.sql().expect("SQL").run_script(script, &context).await.expect("changed");
        };
        change("CREATE TABLE book (id integer)").await;
        let id = ConnectionId::new(Uuid::from_u128(1));
        let clock = Arc::new(FakeClock::default());
        let schemas = Schemas::new(live(id, settings), Inspectors::builtin(), None, clock.clone());
        let read = async |version| {
            let part = SchemaPart::of_own(None);
            let kept = schemas.read(id, version, part, false, &context).await.expect("read");
            // An hour goes by.
            schemas.kept.invalidate_all();
            (kept.inspection.report.statements, kept.inspection.database.relations().count())
        };
        assert_eq!(read(Version::FIRST).await, (9, 1));
        assert_eq!(read(Version::FIRST).await, (3, 1));
        change("CREATE TABLE film (id integer)").await;
        assert_eq!(read(Version::FIRST).await, (9, 2));
        clock.advance(REMEMBERED / 2);
        assert_eq!(read(Version::FIRST).await, (3, 2));
        // That it was found unchanged since makes the look itself no later.
        clock.advance(REMEMBERED / 2);
        assert_eq!(read(Version::FIRST).await, (9, 2));
        assert_eq!(read(Version::FIRST).await, (3, 2));
        // Another definition may lead anywhere.
        assert_eq!(read(Version::FIRST.next()).await, (9, 2));
    }

    const STATE: KnownState = KnownState { stamp: Stamp::from_bytes([1; 32]), looked_at: DateTime::UNIX_EPOCH };

    fn inspection(reasons: &[Unavailable]) -> Inspection {
        let database = Database {
            engine: "postgres".to_owned(),
            version: "17.2".to_owned(),
            name: "shop".to_owned(),
            comment: None,
            character_set: None,
            collation: None,
            namespaces: Vec::new(),
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native: Native::new(),
        };
        let gap = |reason: &Unavailable| Gap { object: None, part: "definition".to_owned(), reason: *reason };
        Inspection {
            database,
            statistics: Vec::new(),
            samples: Vec::new(),
            key_samples: Vec::new(),
            report: Report { statements: 12, gaps: reasons.iter().map(gap).collect(), ..Report::default() },
            identities: None,
        }
    }

    #[test]
    fn what_was_not_seen_whole_is_in_no_known_state() {
        let kept =
            |reasons: &[Unavailable]| KeptSchema::new(inspection(reasons), Some(STATE), DateTime::UNIX_EPOCH, KEPT);
        assert_eq!(kept(&[]).state, Some(STATE));
        assert_eq!(kept(&[Unavailable::TooLong]).state, Some(STATE));
        for reason in [Unavailable::Locked, Unavailable::Forbidden, Unavailable::Broken, Unavailable::OverLimit] {
            assert_eq!(kept(&[Unavailable::TooLong, reason]).state, None, "{reason:?}");
        }
    }

    #[test]
    fn what_is_found_again_is_the_same_and_as_good_as_new() {
        let reasons = [Unavailable::TooLong];
        let left = Duration::from_secs(7);
        let kept = KeptSchema::new(inspection(&reasons), Some(STATE), DateTime::UNIX_EPOCH, left);
        let asked = Stage { name: "stamp".to_owned(), milliseconds: 1.5 };
        let later = DateTime::UNIX_EPOCH + KEPT;
        let report = Report { statements: 3, stages: vec![asked.clone()], ..Report::default() };
        let again = kept.again(report, later);
        assert_eq!(
            (again.taken_at, again.left, again.state, again.fingerprint),
            (later, KEPT, Some(STATE), kept.fingerprint)
        );
        assert_eq!(again.inspection.database, kept.inspection.database);
        let report = &again.inspection.report;
        assert_eq!((report.statements, &*report.stages, report.gaps.len()), (3, &[asked][..], 1));
    }
}

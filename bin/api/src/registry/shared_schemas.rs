//! Copies of schemas where other instances of the service find them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use connection_manager::sealing::SealingKeys;
use metrics::{Counter, counter};
use registry_context::domain::Document;
use schema_inspect::Stamp;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseError, Expiry};

/// What every key begins with.
const PREFIX: &str = "bindery:schema:";
/// What all that is sealed here belongs to.
const DOMAIN: &[u8] = b"registry.schemas";
/// How long one question may take, connecting included.
const LIMIT: Duration = Duration::from_millis(250);
/// The largest copy, in bytes. Larger ones are for the instance that has them alone.
const MOST: usize = 8 << 20;
/// How often a copy is brought where others write at the same time.
const TRIES: u32 = 8;
/// How far clocks of instances may be apart: a copy from further ahead is of no use.
pub(super) const APART: TimeDelta = TimeDelta::minutes(1);
/// The instant, the length and the state, in front of the packed document.
const HEAD: usize = 24 + Stamp::LENGTH;
/// In the length, which is never as large: a state comes after it. Who does not know of states finds the copy too large to be read.
const STAMPED: u64 = 1 << 63;

/// Where a copy lies: a digest of all that it is a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place([u8; 32]);

impl Place {
    /// The place of what these say, each told from the next by its length.
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn key(&self) -> Vec<u8> {
        let digits = self.0.iter().fold(PREFIX.to_owned(), |key, byte| format!("{key}{byte:02x}"));
        digits.into_bytes()
    }
}

/// A schema as it was found at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedCopy {
    pub(super) taken_at: DateTime<Utc>,
    pub(super) document: Document,
    pub(super) state: Option<KnownState>,
}

/// The state that a database was in when it was looked at, and when that was. What is found unchanged since then is of a later instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownState {
    pub(super) stamp: Stamp,
    pub(super) looked_at: DateTime<Utc>,
}

/// The copies, sealed with the registry's keys: what is moved, changed or made by somebody else is as good as not there. While
/// the connection is away, each instance looks for itself.
pub(crate) struct SharedSchemas {
    connections: Arc<dyn Connections>,
    connection: String,
    keys: Arc<SealingKeys>,
    /// Whether the connection answered when it was asked last.
    answers: AtomicBool,
    hits: Counter,
    failures: Counter,
    unreadable: Counter,
}

impl SharedSchemas {
    /// Copies over this connection, which offers keys and values.
    pub(crate) fn new(
        connections: Arc<dyn Connections>,
        connection: impl Into<String>,
        keys: Arc<SealingKeys>,
    ) -> Self {
        Self {
            connections,
            connection: connection.into(),
            keys,
            answers: AtomicBool::new(true),
            hits: counter!("bindery.schema.shared.hits"),
            failures: counter!("bindery.schema.shared.failures"),
            unreadable: counter!("bindery.schema.shared.unreadable"),
        }
    }

    /// The copy in this place; `None` where there is none, or nobody who answers.
    pub(super) async fn read(&self, place: Place) -> Option<SharedCopy> {
        let read = async {
            let context = RequestContext::system().within(LIMIT);
            let connection = self.connections.get(&self.connection, Access::Write, &context).await?;
            connection.key_value()?.get(&place.key(), &context).await
        };
        let sealed = self.noted(read.await)??;
        let copy = self.opened(place, &sealed);
        if copy.is_some() { &self.hits } else { &self.unreadable }.increment(1);
        copy
    }

    /// Puts a copy in this place for so long, unless one of a later look is there. That it could not be is nobody's failure.
    pub(super) async fn write(&self, place: Place, copy: &SharedCopy, kept: Duration) {
        if copy.document.packed().len() > MOST {
            return;
        }
        let Some(sealed) = self.sealed(place, copy) else { return };
        for _ in 0..TRIES {
            let written = self.write_over(place, copy, &sealed, Expiry::After(kept)).await;
            if self.noted(written) != Some(false) {
                break;
            }
        }
    }

    /// Puts it in the place of what is there now. `false`: somebody else was quicker.
    async fn write_over(
        &self,
        place: Place,
        copy: &SharedCopy,
        sealed: &[u8],
        expiry: Expiry,
    ) -> Result<bool, DatabaseError> {
        let limited = || RequestContext::system().within(LIMIT);
        let connection = self.connections.get(&self.connection, Access::Write, &limited()).await?;
        let (values, key) = (connection.key_value()?, place.key());
        let Some(present) = values.get(&key, &limited()).await? else {
            return values.set_if_absent(&key, sealed, expiry, &limited()).await;
        };
        if self.is_later(place, &present, copy.taken_at) {
            return Ok(true);
        }
        values.compare_and_set(&key, &present, sealed, expiry, &limited()).await
    }

    /// Takes away the copy in this place, unless it is of a look after this instant, at which there was nothing to be seen.
    pub(super) async fn take_away(&self, place: Place, looked_at: DateTime<Utc>) {
        for _ in 0..TRIES {
            let taken = self.take_away_present(place, looked_at).await;
            if self.noted(taken) != Some(false) {
                break;
            }
        }
    }

    /// Takes away what is there now. `false`: somebody else was quicker.
    async fn take_away_present(&self, place: Place, looked_at: DateTime<Utc>) -> Result<bool, DatabaseError> {
        let limited = || RequestContext::system().within(LIMIT);
        let connection = self.connections.get(&self.connection, Access::Write, &limited()).await?;
        let (values, key) = (connection.key_value()?, place.key());
        match values.get(&key, &limited()).await? {
            Some(present) if !self.is_later(place, &present, looked_at) => {
                values.compare_and_delete(&key, &present, &limited()).await
            }
            _ => Ok(true),
        }
    }

    /// Whether what is there is of a look after this instant. What nobody would take stands in nobody's way.
    fn is_later(&self, place: Place, present: &[u8], looked_at: DateTime<Utc>) -> bool {
        let ahead = self.opened(place, present).map(|present| present.taken_at - looked_at);
        ahead.is_some_and(|ahead| ahead > TimeDelta::zero() && ahead <= APART)
    }

    fn sealed(&self, place: Place, copy: &SharedCopy) -> Option<Vec<u8>> {
        let SharedCopy { taken_at, document, state } = copy;
        let mut bytes = Vec::with_capacity(HEAD + document.packed().len());
        bytes.extend_from_slice(&taken_at.timestamp_micros().to_be_bytes());
        let mark = if state.is_some() { STAMPED } else { 0 };
        bytes.extend_from_slice(&(document.unpacked_len() | mark).to_be_bytes());
        if let Some(KnownState { stamp, looked_at }) = state {
            bytes.extend_from_slice(&looked_at.timestamp_micros().to_be_bytes());
            bytes.extend_from_slice(stamp.as_bytes());
        }
        bytes.extend_from_slice(document.packed());
        self.keys.seal(&[DOMAIN, &place.0], &bytes).ok()
    }

    fn opened(&self, place: Place, sealed: &[u8]) -> Option<SharedCopy> {
        let opened = self.keys.open(&[DOMAIN, &place.0], sealed).ok()?;
        let (taken_at, rest) = instant(opened.expose_secret())?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = u64::from_be_bytes(*length);
        let (state, packed) = if length & STAMPED == 0 {
            (None, rest)
        } else {
            let (looked_at, rest) = instant(rest)?;
            let (stamp, packed) = rest.split_first_chunk::<{ Stamp::LENGTH }>()?;
            (Some(KnownState { stamp: Stamp::from_bytes(*stamp), looked_at }), packed)
        };
        Some(SharedCopy { taken_at, document: Document::new(packed.to_vec(), length & !STAMPED), state })
    }

    /// What was answered. That the connection is away is told once, and once that it is back.
    fn noted<T>(&self, outcome: Result<T, DatabaseError>) -> Option<T> {
        let is_new = self.answers.swap(outcome.is_ok(), Ordering::Relaxed) != outcome.is_ok();
        match outcome {
            Ok(value) => {
                if is_new {
                    tracing::info!(event = "registry.schemas_shared", "schemas are shared again");
                }
                Some(value)
            }
            Err(error) => {
                self.failures.increment(1);
                if is_new {
                    tracing::warn!(event = "registry.schemas_not_shared", %error, "schemas are not shared for now");
                }
                None
            }
        }
    }
}

/// The instant at the beginning, and what comes after it.
fn instant(bytes: &[u8]) -> Option<(DateTime<Utc>, &[u8])> {
    let (micros, rest) = bytes.split_first_chunk::<8>()?;
    Some((DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?, rest))
}

impl fmt::Debug for SharedSchemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSchemas").field("connection", &self.connection).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use connection_manager::ConnectionManager;
    use connection_manager::sealing::SealingKey;

    use super::*;

    fn schemas(byte: u8) -> SharedSchemas {
        let manager = ConnectionManager::builder(connection_manager::ConnectionFactory::compiled()).build();
        let key = SealingKey::try_new(format!("k{byte}"), &[byte; 32]).expect("a key");
        let keys = SealingKeys::try_new(key, []).expect("keys");
        SharedSchemas::new(Arc::new(manager.expect("no connections")), "cache", Arc::new(keys))
    }

    #[test]
    fn a_place_is_of_all_that_a_copy_is_of() {
        let places = [Place::of([&b"ab"[..], b"c"]), Place::of([&b"a"[..], b"bc"]), Place::of([&b"abc"[..]])];
        assert!(places[0] != places[1] && places[1] != places[2] && places[0] != places[2]);
        let key = String::from_utf8(places[0].key()).expect("ASCII");
        assert_eq!((key.len(), key.starts_with(PREFIX)), (PREFIX.len() + 64, true));
    }

    mod on_servers {
        mod redis {
            #[test]
            fn an_earlier_look_takes_no_later_ones_place() {
                testkit::run(super::super::an_earlier_look_takes_no_later_ones_place());
            }
        }
    }

    async fn an_earlier_look_takes_no_later_ones_place() {
        let redis = testkit::redis::OwnRedis::start(&[]).await;
        let factory = connection_manager::ConnectionFactory::compiled();
        let manager = ConnectionManager::builder(factory).connection("cache", redis.settings()).build();
        let schemas = SharedSchemas { connections: Arc::new(manager.expect("a connection")), ..schemas(1) };
        let (place, hour) = (Place::of([&b"here"[..]]), Duration::from_hours(1));
        let copy = |micros: i64, byte: u8| SharedCopy {
            taken_at: DateTime::from_timestamp_micros(1_800_000_000_000_000 + micros).expect("an instant"),
            document: Document::new(vec![byte; 40], 900),
            state: None,
        };
        for (written, expected) in [(5, 5), (4, 5), (6, 6), (5, 6)] {
            schemas.write(place, &copy(written, 1), hour).await;
            assert_eq!(schemas.read(place).await, Some(copy(expected, 1)), "{written}");
        }
        // Of those that come at the same time, whoever they are, the latest stays.
        let all: Vec<SharedCopy> = (10..14).map(|micros| copy(micros, 2)).collect();
        futures_util::future::join_all(all.iter().rev().map(|copy| schemas.write(place, copy, hour))).await;
        assert_eq!(schemas.read(place).await, Some(copy(13, 2)));
        // What nobody would take, because its clock is far ahead, stands in nobody's way.
        let ahead = 7_200_000_000;
        schemas.write(place, &copy(ahead, 2), hour).await;
        schemas.write(place, &copy(20, 2), hour).await;
        assert_eq!(schemas.read(place).await, Some(copy(20, 2)));
        // What is gone is taken away, but not what was found after that.
        schemas.take_away(place, copy(19, 2).taken_at).await;
        assert_eq!(schemas.read(place).await, Some(copy(20, 2)));
        schemas.take_away(place, copy(21, 2).taken_at).await;
        assert_eq!(schemas.read(place).await, None);
        schemas.take_away(place, copy(21, 2).taken_at).await;
        // What is no copy gives way.
        let cache = redis.connection().await;
        let values = cache.key_value().expect("keys and values");
        values.set(&place.key(), b"changed", Expiry::Never, &RequestContext::system()).await.expect("written");
        schemas.write(place, &copy(0, 3), hour).await;
        assert_eq!(schemas.read(place).await, Some(copy(0, 3)));
        // What is too large stays with whoever has it.
        let large = SharedCopy { document: Document::new(vec![0; MOST + 1], 900), ..copy(1, 3) };
        schemas.write(place, &large, hour).await;
        assert_eq!(schemas.read(place).await, Some(copy(0, 3)));
    }

    #[test]
    fn a_copy_opens_in_its_place_alone() {
        let (one, two) = (schemas(1), schemas(2));
        let (here, there) = (Place::of([&b"here"[..]]), Place::of([&b"there"[..]]));
        let taken_at = DateTime::from_timestamp_micros(1_800_000_000_000_001).expect("an instant");
        let copy = SharedCopy { taken_at, document: Document::new(vec![7; 40], 900), state: None };
        let looked_at = DateTime::from_timestamp_micros(1_700_000_000_000_002).expect("an instant");
        let state = Some(KnownState { stamp: Stamp::from_bytes([8; 32]), looked_at });
        let with_state = SharedCopy { state, ..copy.clone() };
        let sealed = one.sealed(here, &with_state).expect("sealed");
        assert_eq!(one.opened(here, &sealed), Some(with_state));
        // One without a state is what all of them were.
        let sealed = one.sealed(here, &copy).expect("sealed");
        let mut bytes = taken_at.timestamp_micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(&900_u64.to_be_bytes());
        bytes.extend_from_slice(&[7; 40]);
        let as_before = one.keys.seal(&[DOMAIN, &here.0], &bytes).expect("sealed");
        assert_eq!(one.opened(here, &as_before), Some(copy.clone()));
        assert_eq!(one.opened(here, &sealed), Some(copy));
        assert_eq!(one.opened(there, &sealed), None);
        assert_eq!(two.opened(here, &sealed), None);
        assert_eq!(one.opened(here, &sealed[..sealed.len() - 1]), None);
        assert_eq!(one.opened(here, b""), None);
        let short = one.keys.seal(&[DOMAIN, &here.0], b"too short").expect("sealed");
        assert_eq!(one.opened(here, &short), None);
    }
}

//! A shared level over the key-value capability of a connection, such as Redis, in which nothing lies readable.

mod envelope;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError, Expiry};
use shared_kernel::{Clock, IdGenerator, RequestContext, SystemIdGenerator};

use super::{Lease, SecretCopy, SecretKey, SharedLevel};
use crate::sealing::SealingKeys;

/// How long a copy is kept there after its end, whatever the cache's own limit is.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// How a [`SealedLevel`] uses what is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSettings {
    /// The connection that offers keys and values.
    pub connection: String,
    /// What every key begins with.
    pub prefix: String,
    /// How long one question may take. A level that is away costs a caller at most a few of these.
    pub timeout: Duration,
    /// How long one process has the right to ask the store, unless it gives it back before. Longer than the cache's
    /// [`timeout`](super::CacheSettings::timeout).
    pub lease: Duration,
    /// How long a copy may be of use after its end; the cache's [`stale_limit`](super::CacheSettings::stale_limit).
    pub stale_limit: Duration,
}

impl SealedSettings {
    /// The usual limits, over this connection.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
            prefix: "bindery:secret:".to_owned(),
            timeout: Duration::from_millis(250),
            lease: Duration::from_secs(10),
            stale_limit: Duration::from_hours(24),
        }
    }
}

/// Copies of secrets where several processes reach them, encrypted with AES-256-GCM. The secret's name or ARN, its stage and
/// its version, and when the copy ends, are bound to the content: what was moved or changed is as good as not there.
///
/// The connection's own password must come from somewhere else than the cache that this is a level of.
pub struct SealedLevel {
    connections: Arc<dyn Connections>,
    keys: Arc<SealingKeys>,
    clock: Arc<dyn Clock>,
    settings: SealedSettings,
}

impl SealedLevel {
    /// A level over one of these connections.
    pub fn new(
        connections: Arc<dyn Connections>,
        keys: impl Into<Arc<SealingKeys>>,
        settings: SealedSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { connections, keys: keys.into(), clock, settings }
    }

    fn place(&self, key: &SecretKey) -> Vec<u8> {
        format!("{}{}:{}", self.settings.prefix, key.stage.label(), key.id).into_bytes()
    }

    fn lease_place(&self, key: &SecretKey) -> Vec<u8> {
        format!("{}lease:{}:{}", self.settings.prefix, key.stage.label(), key.id).into_bytes()
    }

    fn recall_place(&self, id: &str) -> Vec<u8> {
        format!("{}recall:{id}", self.settings.prefix).into_bytes()
    }

    async fn reach(&self) -> Result<(Arc<dyn DatabaseConnection>, RequestContext), DatabaseError> {
        let context = RequestContext::system().within(self.settings.timeout);
        let connection = self.connections.get(&self.settings.connection, Access::Write, &context).await?;
        Ok((connection, context))
    }

    async fn try_read(&self, key: &SecretKey) -> Result<Option<Vec<u8>>, DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.get(&self.place(key), &context).await
    }

    async fn try_write(&self, key: &SecretKey, sealed: &[u8], life: Duration) -> Result<(), DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.set(&self.place(key), sealed, Expiry::After(life), &context).await
    }

    async fn try_remove(&self, key: &SecretKey) -> Result<bool, DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.delete(&self.place(key), &context).await
    }

    async fn try_recall(&self, id: &str, mark: &str, life: Duration) -> Result<(), DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.set(&self.recall_place(id), mark.as_bytes(), Expiry::After(life), &context).await
    }

    async fn try_recalled(&self, id: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.get(&self.recall_place(id), &context).await
    }

    async fn try_lease(&self, key: &SecretKey, token: &str) -> Result<bool, DatabaseError> {
        let (connection, context) = self.reach().await?;
        let expiry = Expiry::After(self.settings.lease);
        connection.key_value()?.set_if_absent(&self.lease_place(key), token.as_bytes(), expiry, &context).await
    }

    async fn try_release(&self, key: &SecretKey, token: &str) -> Result<bool, DatabaseError> {
        let (connection, context) = self.reach().await?;
        connection.key_value()?.compare_and_delete(&self.lease_place(key), token.as_bytes(), &context).await
    }
}

/// Says that the level did not answer, which costs time and nothing else.
fn away(id: &str, error: &DatabaseError) {
    metrics::counter!("bindery.secret.shared.failures").increment(1);
    tracing::warn!(secret = id, %error, "the shared level of secrets does not answer");
}

#[async_trait]
impl SharedLevel for SealedLevel {
    async fn read(&self, key: &SecretKey) -> Option<SecretCopy> {
        let sealed = match self.try_read(key).await {
            Ok(found) => found?,
            Err(error) => {
                away(&key.id, &error);
                return None;
            }
        };
        let opened = envelope::open(&self.keys, key, &sealed);
        if let Err(reason) = &opened {
            metrics::counter!("bindery.secret.shared.unreadable").increment(1);
            tracing::warn!(secret = %key.id, stage = %key.stage, %reason, "a shared copy of a secret is of no use");
        }
        opened.ok()
    }

    async fn write(&self, key: &SecretKey, copy: &SecretCopy) {
        let Ok(sealed) = envelope::seal(&self.keys, key, copy) else {
            tracing::warn!(secret = %key.id, stage = %key.stage, "a secret cannot be sealed");
            return;
        };
        let left = (copy.expires - self.clock.now()).to_std().unwrap_or_default();
        let life = left.saturating_add(self.settings.stale_limit).min(LONGEST);
        if let Err(error) = self.try_write(key, &sealed, life).await {
            away(&key.id, &error);
        }
    }

    async fn remove(&self, key: &SecretKey) -> bool {
        let outcome = self.try_remove(key).await;
        if let Err(error) = &outcome {
            away(&key.id, error);
        }
        outcome.is_ok()
    }

    async fn lease(&self, key: &SecretKey) -> Lease {
        let token = SystemIdGenerator.next().to_string();
        match self.try_lease(key, &token).await {
            Ok(true) => Lease::Granted(token),
            Ok(false) => Lease::Held,
            Err(error) => {
                away(&key.id, &error);
                Lease::Away
            }
        }
    }

    async fn release(&self, key: &SecretKey, token: &str) {
        if let Err(error) = self.try_release(key, token).await {
            // It ends by itself.
            away(&key.id, &error);
        }
    }

    async fn recall(&self, id: &str, mark: &str, life: Duration) -> bool {
        let outcome = self.try_recall(id, mark, life.min(LONGEST)).await;
        if let Err(error) = &outcome {
            away(id, error);
        }
        outcome.is_ok()
    }

    async fn recalled(&self, id: &str) -> Option<String> {
        let mark = self.try_recalled(id).await.unwrap_or_else(|error| {
            away(id, &error);
            None
        })?;
        String::from_utf8(mark).ok()
    }
}

impl fmt::Debug for SealedLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedLevel")
            .field("keys", &self.keys)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

use chrono::{DateTime, Utc};
use shared_kernel::Version;

use super::{Definition, Held, SealedSecrets};

shared_kernel::typed_id! {
    /// Identifies a stored connection (UUID version 7).
    pub struct ConnectionId;
}

/// A connection that a team has stored: where it leads, and its secrets, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConnection(ConnectionRecord);

/// All that is known of a connection, laid open: for repositories and for what shows connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Which connection it is.
    pub id: ConnectionId,
    /// What was said about it.
    pub definition: Definition,
    /// Its secrets; `None` where it has none.
    pub sealed: Option<SealedSecrets>,
    /// How often it was written.
    pub version: Version,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What becomes of the secrets with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsChange {
    /// They stay as they are.
    Keep,
    /// There are none any more.
    Clear,
    /// They are these.
    Put(SealedSecrets),
}

impl StoredConnection {
    /// A new connection.
    pub const fn register(
        id: ConnectionId,
        definition: Definition,
        sealed: Option<SealedSecrets>,
        now: DateTime<Utc>,
    ) -> Self {
        Self(ConnectionRecord { id, definition, sealed, version: Version::FIRST, created_at: now, updated_at: now })
    }

    /// A connection that was kept somewhere.
    pub const fn restore(record: ConnectionRecord) -> Self {
        Self(record)
    }

    /// Puts another definition and, where they are given, other secrets in the place of the present ones, and says whether
    /// that changed anything. Secrets that are given count as a change: nobody compares them.
    pub fn replace(&mut self, definition: Definition, secrets: SecretsChange, now: DateTime<Utc>) -> bool {
        if definition == self.0.definition && secrets == SecretsChange::Keep {
            return false;
        }
        self.0.definition = definition;
        match secrets {
            SecretsChange::Keep => {}
            SecretsChange::Clear => self.0.sealed = None,
            SecretsChange::Put(sealed) => self.0.sealed = Some(sealed),
        }
        self.0.version = self.0.version.next();
        // A clock that was set back does not make a change older than the one before it.
        self.0.updated_at = now.max(self.0.updated_at);
        true
    }

    /// Which secrets it has.
    pub fn held(&self) -> Held {
        let sealed = self.0.sealed.as_ref();
        Held {
            password: sealed.is_some_and(|sealed| sealed.password.is_some()),
            client_key: sealed.is_some_and(|sealed| sealed.client_key.is_some()),
        }
    }

    /// Which connection it is.
    pub const fn id(&self) -> ConnectionId {
        self.0.id
    }

    /// What was said about it.
    pub const fn definition(&self) -> &Definition {
        &self.0.definition
    }

    /// Its secrets; `None` where it has none.
    pub const fn sealed(&self) -> Option<&SealedSecrets> {
        self.0.sealed.as_ref()
    }

    /// How often it was written.
    pub const fn version(&self) -> Version {
        self.0.version
    }

    /// When it was stored.
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// All that is known of it.
    pub const fn record(&self) -> &ConnectionRecord {
        &self.0
    }
}

mod snapshots;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine, EngineDescription};
use shared_kernel::idempotency::{Receipt, Stored};
use shared_kernel::paging::{Limit, Page};
use shared_kernel::validation::Violations;
use shared_kernel::{RequestContext, Version};
use testkit::{FakeClock, SequentialIds};

use crate::application::{CreateConnection, CreateConnectionCommand, ReplaceConnection};
use crate::domain::{
    AddConnectionError, ConnectionId, ConnectionList, ConnectionRepository, Definition, DisplayName, Engines, Given,
    GivenSecrets, Held, Host, Labels, Options, Resealable, SealedSecrets, Sealer, SealerError, Secrets, SecretsChange,
    SecretsWrite, StoredConnection, Tls, UpdateConnectionError, Username,
};

pub(super) use snapshots::{FakeSchemas, FakeSnapshots, SnapshotFault, snapshot};

pub(super) const CANARY: &str = "p@ss/w:rd%?#\"'\\ 😀";
pub(super) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
pub(super) const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n";

/// What goes wrong in the next calls of [`FakeConnections`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The database is away.
    Away,
    /// Somebody writes the connection right before this caller does.
    Overtaken,
    /// Somebody deletes the connection right before this caller writes.
    Deleted,
}

/// Connections in memory, for what a real database shows only by luck: races and failures at a given moment.
#[derive(Debug, Default)]
pub(super) struct FakeConnections {
    connections: Mutex<Vec<StoredConnection>>,
    fault: Mutex<Option<Fault>>,
}

impl FakeConnections {
    pub(super) fn fail_with(&self, fault: Fault) {
        *self.fault.lock().expect("no test panics with the lock") = Some(fault);
    }

    fn connections(&self) -> MutexGuard<'_, Vec<StoredConnection>> {
        self.connections.lock().expect("no test panics with the lock")
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().expect("no test panics with the lock")
    }

    fn reach(&self) -> Result<(), DatabaseError> {
        match self.fault() {
            Some(Fault::Away) => Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "the database is away")),
            _ => Ok(()),
        }
    }

    /// Does to the connection what the fault says that somebody else does.
    fn interfere(&self, id: ConnectionId) {
        let mut connections = self.connections();
        match self.fault() {
            Some(Fault::Deleted) => connections.retain(|connection| connection.id() != id),
            Some(Fault::Overtaken) => {
                for connection in connections.iter_mut().filter(|connection| connection.id() == id) {
                    let mut definition = connection.definition().clone();
                    let name = format!("Somebody else was here {}", connection.version());
                    definition.name = DisplayName::parse(&name).expect("a name");
                    let now = connection.updated_at();
                    connection.replace(definition, SecretsChange::Keep, now);
                }
            }
            _ => {}
        }
    }

    fn taken(&self, connection: &StoredConnection) -> bool {
        let key = connection.definition().name.key();
        let connections = self.connections();
        connections.iter().any(|other| other.id() != connection.id() && other.definition().name.key() == key)
    }

    fn write(&self, id: ConnectionId, expected: Version, change: impl FnOnce(&mut StoredConnection)) -> bool {
        self.interfere(id);
        let mut connections = self.connections();
        let stored = connections.iter_mut().find(|stored| stored.id() == id && stored.version() == expected);
        stored.map(change).is_some()
    }
}

#[async_trait]
impl ConnectionRepository for FakeConnections {
    async fn find(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<Option<StoredConnection>, DatabaseError> {
        self.load(id, context).await
    }

    async fn load(&self, id: ConnectionId, _: &RequestContext) -> Result<Option<StoredConnection>, DatabaseError> {
        self.reach()?;
        Ok(self.connections().iter().find(|connection| connection.id() == id).cloned())
    }

    async fn list(&self, list: &ConnectionList, _: &RequestContext) -> Result<Page<StoredConnection>, DatabaseError> {
        self.reach()?;
        let items = self.connections().iter().take(list.limit.get().into()).cloned().collect();
        Ok(Page { items, next: None })
    }

    async fn versions(
        &self,
        ids: &[ConnectionId],
        _: &RequestContext,
    ) -> Result<Vec<(ConnectionId, Version)>, DatabaseError> {
        self.reach()?;
        let connections = self.connections();
        let known = connections.iter().filter(|connection| ids.contains(&connection.id()));
        Ok(known.map(|connection| (connection.id(), connection.version())).collect())
    }

    async fn add(
        &self,
        connection: &StoredConnection,
        _: Option<&Receipt>,
        _: &RequestContext,
    ) -> Result<Stored, AddConnectionError> {
        self.reach()?;
        if self.taken(connection) {
            return Err(AddConnectionError::NameTaken);
        }
        self.connections().push(connection.clone());
        Ok(Stored::Written)
    }

    async fn update(
        &self,
        connection: &StoredConnection,
        _: SecretsWrite,
        expected: Version,
        _: &RequestContext,
    ) -> Result<bool, UpdateConnectionError> {
        self.reach()?;
        if self.taken(connection) {
            return Err(UpdateConnectionError::NameTaken);
        }
        Ok(self.write(connection.id(), expected, |stored| *stored = connection.clone()))
    }

    async fn remove(&self, id: ConnectionId, expected: Version, _: &RequestContext) -> Result<bool, DatabaseError> {
        self.reach()?;
        self.interfere(id);
        let mut connections = self.connections();
        let before = connections.len();
        connections.retain(|connection| connection.id() != id || connection.version() != expected);
        Ok(connections.len() < before)
    }

    async fn sealed_otherwise(
        &self,
        key_name: &str,
        after: Option<ConnectionId>,
        limit: Limit,
        _: &RequestContext,
    ) -> Result<Vec<Resealable>, DatabaseError> {
        self.reach()?;
        let connections = self.connections();
        let behind = connections.iter().filter(|connection| after.is_none_or(|after| connection.id() > after));
        let found = behind.filter_map(|connection| {
            let sealed = connection.sealed().filter(|sealed| sealed.key_name != key_name)?.clone();
            Some(Resealable { id: connection.id(), version: connection.version(), sealed })
        });
        Ok(found.take(limit.get().into()).collect())
    }

    async fn reseal(
        &self,
        id: ConnectionId,
        version: Version,
        sealed: &SealedSecrets,
        _: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        self.reach()?;
        Ok(self.write(id, version, |stored| {
            let mut record = stored.record().clone();
            record.sealed = Some(sealed.clone());
            *stored = StoredConnection::restore(record);
        }))
    }
}

/// A sealer that tells what was sealed for whom, and hides nothing.
#[derive(Debug)]
pub(super) struct FakeSealer {
    keys: Mutex<(&'static str, BTreeSet<&'static str>)>,
    generation: Mutex<u64>,
}

impl Default for FakeSealer {
    fn default() -> Self {
        Self { keys: Mutex::new(("one", BTreeSet::from(["one"]))), generation: Mutex::new(0) }
    }
}

impl FakeSealer {
    /// From now on another key seals; the ones before still open.
    pub(super) fn rotate(&self, key: &'static str) {
        let mut keys = self.keys.lock().expect("no test panics with the lock");
        keys.1.insert(key);
        keys.0 = key;
    }

    /// Nothing that was sealed until now opens any more.
    pub(super) fn forget(&self) {
        *self.generation.lock().expect("no test panics with the lock") += 1;
    }

    fn mark(&self, record: ConnectionId) -> Vec<u8> {
        format!("{record} {}", self.generation.lock().expect("no test panics with the lock")).into_bytes()
    }
}

impl Sealer for FakeSealer {
    fn key_name(&self) -> &str {
        self.keys.lock().expect("no test panics with the lock").0
    }

    fn seal(&self, record: ConnectionId, secrets: &Secrets) -> Result<Option<SealedSecrets>, SealerError> {
        let bytes = |secret: &Option<SecretString>| {
            secret.as_ref().map(|secret| secret.expose_secret().bytes().rev().collect::<Vec<u8>>())
        };
        Ok((!secrets.is_empty()).then(|| SealedSecrets {
            key_name: self.key_name().to_owned(),
            data_key: self.mark(record),
            password: bytes(&secrets.password),
            client_key: bytes(&secrets.client_key),
        }))
    }

    fn open(&self, record: ConnectionId, sealed: &SealedSecrets) -> Result<Secrets, SealerError> {
        let known = self.keys.lock().expect("no test panics with the lock").1.contains(&*sealed.key_name);
        if !known || sealed.data_key != self.mark(record) {
            let reason = "it is not known here".to_owned();
            return Err(SealerError::Unreadable { record, key_name: sealed.key_name.clone(), reason });
        }
        let text = |bytes: &Option<Vec<u8>>| {
            let text = bytes.as_ref().map(|bytes| bytes.iter().rev().copied().collect());
            text.map(|bytes| SecretString::from(String::from_utf8(bytes).expect("it was a text")))
        };
        Ok(Secrets { password: text(&sealed.password), client_key: text(&sealed.client_key) })
    }
}

/// PostgreSQL alone, which finds nothing wrong.
#[derive(Debug)]
pub(super) struct OneEngine;

impl Engines for OneEngine {
    fn all(&self) -> Vec<EngineDescription> {
        vec![EngineDescription::server(Engine::POSTGRES, "PostgreSQL", 5432)]
    }

    fn check(&self, _: &Definition, _: Held) -> Violations {
        Violations::new()
    }
}

/// Use cases over connections in memory, with a clock that stands still.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) connections: Arc<FakeConnections>,
    pub(super) sealer: Arc<FakeSealer>,
    pub(super) context: RequestContext,
    pub(super) clock: Arc<FakeClock>,
    pub(super) ids: Arc<SequentialIds>,
}

impl Bench {
    pub(super) fn create(&self) -> CreateConnection {
        let (connections, sealer) = (self.connections.clone(), self.sealer.clone());
        CreateConnection::new(connections, Arc::new(OneEngine), sealer, self.clock.clone(), self.ids.clone())
    }

    pub(super) fn replace(&self) -> ReplaceConnection {
        let (connections, sealer) = (self.connections.clone(), self.sealer.clone());
        ReplaceConnection::new(connections, Arc::new(OneEngine), sealer, self.clock.clone())
    }

    pub(super) async fn store(&self, name: &str, secrets: GivenSecrets) -> StoredConnection {
        self.store_as(definition(name), secrets).await
    }

    pub(super) async fn store_as(&self, definition: Definition, secrets: GivenSecrets) -> StoredConnection {
        let command = CreateConnectionCommand { definition, secrets, found: Violations::new() };
        let creation = self.create().execute(command, None, &self.context).await;
        creation.expect("the name is free").created().expect("nothing is replayed without a key")
    }

    pub(super) fn password_of(&self, connection: &StoredConnection) -> Option<String> {
        let secrets = self.sealer.open(connection.id(), connection.sealed()?).expect("it opens");
        secrets.password.map(|password| password.expose_secret().to_owned())
    }
}

pub(super) fn password(text: &str) -> GivenSecrets {
    GivenSecrets { password: Given::password(text).expect("a password"), ..GivenSecrets::default() }
}

pub(super) fn definition(name: &str) -> Definition {
    Definition {
        name: DisplayName::parse(name).expect("a name"),
        engine: Engine::POSTGRES,
        host: Host::parse("db.example").ok(),
        port: None,
        database: None,
        path: None,
        username: Username::parse("ann").ok(),
        secret: None,
        tls: Some(Tls::default()),
        options: Options::default(),
        labels: Labels::default(),
        notes: None,
    }
}

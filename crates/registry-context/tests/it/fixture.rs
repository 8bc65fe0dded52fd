use std::collections::BTreeMap;
use std::sync::Arc;

use registry_context::application::{
    CreateConnection, CreateConnectionCommand, CreateConnectionError, ReplaceConnection, ReplaceConnectionCommand,
};
use registry_context::domain::{
    ConnectionId, ConnectionRepository, Definition, DisplayName, Engines, Given, GivenSecrets, Held, Host, LabelKey,
    LabelValue, Labels, Options, SealedSecrets, Sealer, SealerError, Secrets, StoredConnection, Tls, Username,
};
use registry_context::infrastructure::SqlConnectionRepository;
use secrecy::{ExposeSecret as _, SecretString};
use shared_kernel::database::{Connections, Engine, EngineDescription};
use shared_kernel::validation::Violations;
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::{FakeClock, Server, TestDatabase, Transcript};

/// A migrated database of the test's own, and the use cases over it.
pub(crate) struct Fixture {
    // Let go of before the database is dropped.
    pub(crate) connections: Arc<dyn Connections>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) repository: Arc<dyn ConnectionRepository>,
    pub(crate) context: RequestContext,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn new(server: Server) -> Self {
        let database = TestDatabase::migrated(server, "registry").await;
        let connections: Arc<dyn Connections> = Arc::new(Transcript::of(database.manager("registry")));
        let repository = SqlConnectionRepository::new(connections.clone(), "registry");
        Self {
            connections,
            clock: Arc::new(FakeClock::default()),
            repository: Arc::new(repository),
            context: RequestContext::system(),
            database,
        }
    }

    pub(crate) fn create(&self) -> CreateConnection {
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIdGenerator);
        let engines = Arc::new(AnyEngine);
        CreateConnection::new(self.repository.clone(), engines, Arc::new(Reversed("one")), self.clock.clone(), ids)
    }

    pub(crate) fn replace(&self) -> ReplaceConnection {
        let engines = Arc::new(AnyEngine);
        ReplaceConnection::new(self.repository.clone(), engines, Arc::new(Reversed("one")), self.clock.clone())
    }

    pub(crate) async fn try_store(
        &self,
        definition: Definition,
        secrets: GivenSecrets,
    ) -> Result<StoredConnection, CreateConnectionError> {
        let command = CreateConnectionCommand { definition, secrets, found: Violations::new() };
        let creation = self.create().execute(command, None, &self.context).await?;
        Ok(creation.created().expect("without a key nothing is replayed"))
    }

    pub(crate) async fn store(&self, definition: Definition, secrets: GivenSecrets) -> StoredConnection {
        self.try_store(definition, secrets).await.expect("the connection is stored")
    }

    /// Changes the connection and returns it as the use case does.
    pub(crate) async fn change(
        &self,
        stored: &StoredConnection,
        secrets: GivenSecrets,
        change: impl FnOnce(&mut Definition),
    ) -> StoredConnection {
        let mut definition = stored.definition().clone();
        change(&mut definition);
        let (id, expected) = (stored.id(), stored.version());
        let command = ReplaceConnectionCommand { id, expected, definition, secrets, found: Violations::new() };
        self.replace().execute(command, &self.context).await.expect("the connection is changed")
    }

    pub(crate) async fn stored(&self, id: ConnectionId) -> Option<StoredConnection> {
        self.repository.find(id, &self.context).await.expect("the database answers")
    }
}

/// Engines that need a host and find nothing wrong.
#[derive(Debug)]
struct AnyEngine;

impl Engines for AnyEngine {
    fn all(&self) -> Vec<EngineDescription> {
        let server = |engine: Engine| EngineDescription::server(engine.clone(), engine.to_string(), 5432);
        vec![server(Engine::MYSQL), server(Engine::POSTGRES)]
    }

    fn check(&self, _: &Definition, _: Held) -> Violations {
        Violations::new()
    }
}

/// Writes secrets backwards: what is sealed is bytes to the repository, and this makes every one of them.
#[derive(Debug)]
pub(crate) struct Reversed(pub(crate) &'static str);

impl Sealer for Reversed {
    fn key_name(&self) -> &str {
        self.0
    }

    fn seal(&self, record: ConnectionId, secrets: &Secrets) -> Result<Option<SealedSecrets>, SealerError> {
        let bytes = |secret: &Option<SecretString>| {
            secret.as_ref().map(|secret| (0..=255).chain(secret.expose_secret().bytes().rev()).collect())
        };
        Ok((!secrets.is_empty()).then(|| SealedSecrets {
            key_name: self.0.to_owned(),
            data_key: record.uuid().as_bytes().to_vec(),
            password: bytes(&secrets.password),
            client_key: bytes(&secrets.client_key),
        }))
    }

    fn open(&self, _: ConnectionId, sealed: &SealedSecrets) -> Result<Secrets, SealerError> {
        let text = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_ref().map(|bytes| bytes[256..].iter().rev().copied().collect());
            bytes.map(|bytes| SecretString::from(String::from_utf8(bytes).expect("it was a text")))
        };
        Ok(Secrets { password: text(&sealed.password), client_key: text(&sealed.client_key) })
    }
}

pub(crate) fn password_of(connection: &StoredConnection) -> Option<String> {
    let secrets = Reversed("one").open(connection.id(), connection.sealed()?).expect("it opens");
    secrets.password.map(|password| password.expose_secret().to_owned())
}

pub(crate) fn password(text: &str) -> GivenSecrets {
    GivenSecrets { password: Given::password(text).expect("a password"), ..GivenSecrets::default() }
}

pub(crate) fn definition(name: &str) -> Definition {
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

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let label = |(key, value): &(&str, &str)| {
        (LabelKey::parse(key).expect("a key"), LabelValue::parse(value).expect("a value"))
    };
    Labels::try_new(pairs.iter().map(label).collect::<BTreeMap<_, _>>()).expect("few labels")
}

//! From a name to a live connection, and from live to closed.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, CloseReport, ConnectionFuture, ConnectionName, Connections, DatabaseConnection, DatabaseError,
    DatabaseErrorKind,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::connector::{Connector, checks};
use crate::credentials::{self, Keychain, LocalSecrets, SecretSource};
use crate::endpoint::Endpoint;
use crate::factory::ConnectionFactory;
use crate::settings::ConnectionSettings;

type Outcome = Result<Arc<dyn DatabaseConnection>, DatabaseError>;

/// Keeps one live connection for each configured name and opens it when it is first asked for.
///
/// Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct ConnectionManager(Arc<Inner>);

struct Inner {
    /// Sorted by name; the set of names is fixed when the manager is built.
    slots: Box<[Slot]>,
    /// Where each name's slot is. Names come from the configuration, so a quick hash will do.
    index: HashMap<ConnectionName, usize, foldhash::fast::RandomState>,
    factory: ConnectionFactory,
    secrets: Arc<dyn SecretSource>,
    /// Kept from one build to the next: what the server rejected once is not tried again by the next caller.
    keychain: Keychain,
    runtime: Option<Handle>,
    /// The circuits to the servers that were ever tried, by host and port: connections of several names may lead to one.
    breakers: Mutex<HashMap<String, Breaker>>,
    closed: AtomicBool,
}

struct Slot {
    name: ConnectionName,
    settings: ConnectionSettings,
    /// Set once: what changes beneath a live connection, such as credentials, changes in its pool. Reading it costs one
    /// load, where a pointer that can be swapped costs several times as much.
    live: OnceLock<Arc<dyn DatabaseConnection>>,
    building: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
}

impl ConnectionManager {
    /// A manager that has yet to learn its connections.
    pub fn builder(factory: ConnectionFactory) -> ManagerBuilder {
        ManagerBuilder {
            factory,
            secrets: Arc::new(LocalSecrets),
            keychain: Keychain::default(),
            runtime: None,
            connections: Vec::new(),
        }
    }

    /// The configured names in order.
    pub fn names(&self) -> impl Iterator<Item = &ConnectionName> {
        self.0.slots.iter().map(|slot| &slot.name)
    }

    /// A connection's settings.
    pub fn settings(&self, name: &str) -> Option<&ConnectionSettings> {
        self.0.slot(name).map(|slot| &slot.settings)
    }

    /// The connection called `name` when it is live already; opens nothing.
    pub fn live(&self, name: &str) -> Option<Arc<dyn DatabaseConnection>> {
        self.0.slot(name)?.live.get().filter(|_| !self.0.closed.load(Ordering::Acquire)).cloned()
    }

    /// The connectors.
    pub fn factory(&self) -> &ConnectionFactory {
        &self.0.factory
    }

    /// The circuits to the servers that were tried so far, in no order.
    pub fn breakers(&self) -> Vec<Breaker> {
        self.0.breakers.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Where the credentials come from.
    pub fn secrets(&self) -> &Arc<dyn SecretSource> {
        &self.0.secrets
    }

    /// Closes every live connection as [`DatabaseConnection::close`] does, all at the same time. From now on
    /// [`Connections::get`] answers `Closed`.
    pub async fn close(&self, grace: Duration) -> Vec<(ConnectionName, CloseReport)> {
        self.0.closed.store(true, Ordering::SeqCst);
        let live = self.0.slots.iter().filter_map(|slot| {
            // Under this lock a build that ends now either sees that the manager is closed or has stored its result.
            let _building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
            slot.live.get().map(|connection| (slot.name.clone(), Arc::clone(connection)))
        });
        join_all(live.map(|(name, connection)| async move { (name, connection.close(grace).await) })).await
    }
}

impl Connections for ConnectionManager {
    fn get<'a>(&'a self, name: &str, _access: Access, context: &RequestContext) -> ConnectionFuture<'a> {
        let Some(slot) = self.0.slot(name) else {
            return ConnectionFuture::ready(Err(self.0.unknown(name)));
        };
        if let Some(connection) = slot.live.get()
            && !self.0.closed.load(Ordering::Acquire)
        {
            return ConnectionFuture::ready(Ok(Arc::clone(connection)));
        }
        let deadline = context.deadline;
        ConnectionFuture::pending(async move { Inner::built(&self.0, slot, deadline).await })
    }
}

impl Inner {
    fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.get(*self.index.get(name)?)
    }

    fn unknown(&self, name: &str) -> DatabaseError {
        let shown: String = name.chars().take(80).collect();
        let known: Vec<&str> = self.slots.iter().map(|slot| slot.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        DatabaseError::new(
            DatabaseErrorKind::UnknownConnection,
            format!("no connection is called {shown:?}, configured: {known}"),
        )
    }

    /// The circuit to the server that the settings lead to. An embedded database has none that could open.
    fn breaker(&self, connector: &dyn Connector, settings: &ConnectionSettings) -> Breaker {
        let (Some(host), Some(port)) = (&settings.host, settings.port.or(connector.default_port())) else {
            return Breaker::always_closed();
        };
        let server = format!("{}:{port}", host.to_lowercase());
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker =
            breakers.entry(server).or_insert_with_key(|server| Breaker::new(server, settings.breaker.clone()));
        breaker.clone()
    }

    /// Joins the build under way, or begins one. The build runs in a task of its own: a caller who goes away takes
    /// nothing from the others.
    async fn built(this: &Arc<Self>, slot: &Slot, deadline: Option<std::time::Instant>) -> Outcome {
        let mut outcome = {
            let mut building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
            if this.closed.load(Ordering::SeqCst) {
                return Err(closed(&slot.name));
            }
            if let Some(connection) = slot.live.get() {
                return Ok(Arc::clone(connection));
            }
            if let Some(outcome) = &*building {
                outcome.clone()
            } else {
                let (announce, outcome) = watch::channel(None);
                let runtime = this.runtime.clone().unwrap_or_else(Handle::current);
                let build = Build { inner: Arc::clone(this), name: slot.name.clone(), announce, over: false };
                *building = Some(outcome.clone());
                runtime.spawn(build.run());
                outcome
            }
        };
        let announced = outcome.wait_for(Option::is_some);
        let announced = match deadline {
            Some(deadline) => tokio::time::timeout_at(Instant::from_std(deadline), announced).await.map_err(|_| {
                DatabaseError::new(DatabaseErrorKind::Timeout, "the connection was not open before the deadline")
                    .on(&slot.name)
            })?,
            None => announced.await,
        };
        match announced.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            Ok(None) | Err(_) => Err(broken_off(&slot.name)),
        }
    }
}

/// One build of one connection. Also when it panics or its runtime ends, the slot is free for the next.
struct Build {
    inner: Arc<Inner>,
    name: ConnectionName,
    announce: watch::Sender<Option<Outcome>>,
    over: bool,
}

impl Build {
    async fn run(mut self) {
        let Some(slot) = self.inner.slot(self.name.as_str()) else { return };
        let outcome = self.open(slot).await;
        if let Err(error) = &outcome {
            tracing::warn!(connection = %self.name, kind = error.kind().as_str(), %error, "the connection did not open");
        }
        let refused = {
            let mut building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
            // Before the outcome is told, so that a caller who tries again begins a new build.
            *building = None;
            self.over = true;
            match &outcome {
                Ok(connection) if self.inner.closed.load(Ordering::SeqCst) => Some(Arc::clone(connection)),
                // One build at a time, so nobody has set it before.
                Ok(connection) => slot.live.set(Arc::clone(connection)).err(),
                Err(_) => None,
            }
        };
        let outcome = match refused {
            Some(connection) => {
                connection.close(Duration::ZERO).await;
                Err(closed(&self.name))
            }
            None => outcome,
        };
        self.announce.send_replace(Some(outcome));
    }

    async fn open(&self, slot: &Slot) -> Outcome {
        let connector = self.inner.factory.connector(&slot.settings.engine).map_err(|error| error.on(&self.name))?;
        let faults = connector.validate(&slot.settings);
        if !faults.is_empty() {
            return Err(checks::misconfigured(&self.name, &faults));
        }
        let settings = credentials::completed(&*self.inner.secrets, &self.name, &slot.settings).await?;
        if let Some(fault) = checks::unreachable_fault(&**connector, &settings) {
            return Err(checks::misconfigured(&self.name, &[fault]));
        }
        let secrets = Arc::clone(&self.inner.secrets);
        let port = connector.default_port();
        let keyring = self.inner.keychain.keyring(secrets, self.name.clone(), settings.clone().into_owned(), port);
        let endpoint = Endpoint { keyring, breaker: self.inner.breaker(&**connector, &settings) };
        connector.connect(&self.name, &settings, endpoint).await.map_err(|error| error.on(&self.name))
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        if let Some(slot) = self.inner.slot(self.name.as_str()).filter(|_| !self.over) {
            *slot.building.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

fn closed(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Closed, "the connection manager was closed").on(name)
}

fn broken_off(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unreachable, "opening the connection was broken off").on(name)
}

impl fmt::Debug for ConnectionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.0.slots.iter().map(|slot| {
            let state = if slot.live.get().is_some() { "live" } else { "not open" };
            (slot.name.as_str(), state)
        });
        f.debug_map().entries(slots).finish()
    }
}

/// Collects what a [`ConnectionManager`] is made of.
#[derive(Debug, Clone)]
pub struct ManagerBuilder {
    factory: ConnectionFactory,
    secrets: Arc<dyn SecretSource>,
    keychain: Keychain,
    runtime: Option<Handle>,
    connections: Vec<(String, ConnectionSettings)>,
}

impl ManagerBuilder {
    /// Adds a connection, or replaces the one of the same name.
    #[must_use]
    pub fn connection(mut self, name: impl Into<String>, settings: ConnectionSettings) -> Self {
        self.connections.push((name.into(), settings));
        self
    }

    /// Takes credentials from somewhere else than files and the environment.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn SecretSource>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Shares what servers say to passwords with the other managers that were given the same keychain.
    #[must_use]
    pub fn keychain(mut self, keychain: Keychain) -> Self {
        self.keychain = keychain;
        self
    }

    /// The runtime that drives all connections. Without it, that of [`ManagerBuilder::build`], or else that of the
    /// first caller; give one when callers come from several runtimes, as actix-web's workers do.
    #[must_use]
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// The manager. Opens nothing.
    ///
    /// # Errors
    /// `Misconfigured` for a name that is no [`ConnectionName`]. Settings are checked when a connection is opened, and
    /// before by [`crate::config`].
    pub fn build(self) -> Result<ConnectionManager, DatabaseError> {
        let mut slots = std::collections::BTreeMap::new();
        for (name, settings) in self.connections {
            let name: ConnectionName =
                name.parse().map_err(|error: shared_kernel::database::InvalidConnectionName| {
                    DatabaseError::new(DatabaseErrorKind::Misconfigured, error.to_string())
                })?;
            let slot = Slot { name: name.clone(), settings, live: OnceLock::new(), building: Mutex::new(None) };
            slots.insert(name, slot);
        }
        Ok(ConnectionManager(Arc::new(Inner {
            index: slots.keys().cloned().zip(0..).collect(),
            slots: slots.into_values().collect(),
            factory: self.factory,
            secrets: self.secrets,
            breakers: Mutex::default(),
            keychain: self.keychain,
            runtime: self.runtime.or_else(|| Handle::try_current().ok()),
            closed: AtomicBool::new(false),
        })))
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use shared_kernel::TenantId;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind, InvalidConnectionName};
use tokio::runtime::Handle;

use super::claims::Claims;
use super::replicas::Replicas;
use super::{ConnectionManager, Inner, PerTenant, Slot};
use crate::breaker::CircuitBoard;
use crate::budget::Budget;
use crate::connector::checks;
use crate::credentials::{Keychain, LocalSecrets, SecretSource};
use crate::factory::ConnectionFactory;
use crate::settings::{ConnectionSettings, PerTenantSettings, ReplicasSettings, ServerSettings};

/// Collects what a [`ConnectionManager`] is made of.
#[derive(Debug, Clone)]
pub struct ManagerBuilder {
    factory: ConnectionFactory,
    secrets: Arc<dyn SecretSource>,
    keychain: Keychain,
    runtime: Option<Handle>,
    connections: Vec<(String, Settings)>,
    tenants: BTreeSet<TenantId>,
    servers: BTreeMap<String, ServerSettings>,
    circuits: Option<CircuitBoard>,
}

#[derive(Debug, Clone)]
enum Settings {
    Shared(ConnectionSettings),
    PerTenant(PerTenantSettings),
}

impl ManagerBuilder {
    pub(super) fn new(factory: ConnectionFactory) -> Self {
        Self {
            factory,
            secrets: Arc::new(LocalSecrets),
            keychain: Keychain::default(),
            runtime: None,
            connections: Vec::new(),
            tenants: BTreeSet::new(),
            servers: BTreeMap::new(),
            circuits: None,
        }
    }

    /// Adds a connection, or replaces the one of the same name.
    #[must_use]
    pub fn connection(mut self, name: impl Into<String>, settings: ConnectionSettings) -> Self {
        self.connections.push((name.into(), Settings::Shared(settings)));
        self
    }

    /// Adds a connection that is kept per tenant, or replaces the one of the same name. Who the tenants are,
    /// [`ManagerBuilder::tenants`] says.
    #[must_use]
    pub fn per_tenant(mut self, name: impl Into<String>, settings: PerTenantSettings) -> Self {
        self.connections.push((name.into(), Settings::PerTenant(settings)));
        self
    }

    /// Adds to the tenants that there are. Every other is refused; see also [`ConnectionManager::set_tenants`].
    #[must_use]
    pub fn tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants.extend(tenants);
        self
    }

    /// Says what the connections to one server share; `server` is its host and port, as in `db.example:3306`. The host is the
    /// name that the connections give, in upper or lower case.
    #[must_use]
    pub fn server(mut self, server: &str, settings: ServerSettings) -> Self {
        self.servers.insert(server.to_lowercase(), settings);
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

    /// Shares the circuits of the configured connections with other processes. The board's own connection must be another
    /// manager's: a circuit that is told of over itself would stay open for ever.
    #[must_use]
    pub fn circuits(mut self, board: CircuitBoard) -> Self {
        self.circuits = Some(board);
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
    /// `Misconfigured` for a name that is no [`ConnectionName`], and for a connection per tenant that would lead every tenant to
    /// one database, and for replicas that cannot be. Other settings are checked when a connection is opened, and before by [`crate::config`].
    pub fn build(self) -> Result<ConnectionManager, DatabaseError> {
        let mut slots = BTreeMap::new();
        for (name, settings) in self.connections {
            let name: ConnectionName = name.parse().map_err(|error: InvalidConnectionName| {
                DatabaseError::new(DatabaseErrorKind::Misconfigured, error.to_string())
            })?;
            let (settings, per_tenant) = match settings {
                Settings::Shared(settings) => (settings, None),
                Settings::PerTenant(settings) => {
                    let faults = settings.faults();
                    if !faults.is_empty() {
                        return Err(checks::misconfigured(&name, &faults));
                    }
                    (settings.template().clone(), Some(PerTenant::new(&name, settings)))
                }
            };
            let faults = ReplicasSettings::faults(&settings);
            if !faults.is_empty() {
                return Err(checks::misconfigured(&name, &faults));
            }
            let port = self.factory.connector(&settings.engine).ok().and_then(|connector| connector.default_port());
            let replicas = Replicas::of(&name, &settings, port);
            let (live, building) = (OnceLock::new(), Mutex::new(None));
            slots.insert(name.clone(), Slot { name, settings, live, building, per_tenant, replicas });
        }
        let budget_of = |(server, settings): (String, ServerSettings)| (server.clone(), Budget::new(server, &settings));
        let server_budgets = self.servers.into_iter().map(budget_of).collect();
        Ok(ConnectionManager(Arc::new(Inner {
            index: slots.keys().cloned().zip(0..).collect(),
            slots: slots.into_values().collect(),
            factory: self.factory,
            secrets: self.secrets,
            servers: Mutex::default(),
            server_budgets,
            circuits: self.circuits,
            keychain: self.keychain,
            runtime: self.runtime.or_else(|| Handle::try_current().ok()),
            tenants: RwLock::new(self.tenants),
            claims: Claims::default(),
            defined: RwLock::default(),
            closed: AtomicBool::new(false),
        })))
    }
}

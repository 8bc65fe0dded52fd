//! From a name, and where it matters a tenant, to a live connection, and from live to closed.

mod build;
mod builder;
mod claims;
mod defined;
mod pools;
mod replicas;
mod sweep;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use shared_kernel::database::{
    Access, CloseReport, ConnectionFuture, ConnectionName, Connections, DatabaseConnection, DatabaseError,
    DatabaseErrorKind,
};
use shared_kernel::{FreshnessToken, RequestContext, TenantId};
use tokio::runtime::Handle;

use self::build::Announced;
pub use self::builder::ManagerBuilder;
use self::claims::Claims;
use self::defined::Defined;
pub use self::pools::PoolsStats;
use self::pools::{Pools, PoolsLimits};
pub use self::replicas::ReplicaStats;
use self::replicas::Replicas;
use crate::breaker::{Breaker, CircuitBoard};
use crate::budget::Budget;
use crate::connector::Connector;
use crate::credentials::{Keychain, SecretSource};
use crate::definitions::{DefinitionLimits, Definitions};
use crate::factory::ConnectionFactory;
use crate::metrics::PoolsMetrics;
use crate::retry::Retries;
use crate::settings::{ConnectionSettings, PerTenantSettings, ServerSettings};

type Outcome = Result<Arc<dyn DatabaseConnection>, DatabaseError>;

/// How long the pool of a tenant that was taken from the list may take to finish what it is doing.
const FAREWELL: Duration = Duration::from_secs(30);

/// Keeps one live connection for each configured name, or for each tenant under a name that is kept per tenant, and opens it
/// when it is first asked for.
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
    /// What the connections to each server that was ever tried share, by host and port: connections of several names may lead to
    /// one.
    servers: Mutex<HashMap<String, Guards>>,
    /// The budgets that are configured, by host and port.
    server_budgets: BTreeMap<String, Budget>,
    /// Where processes tell each other of their circuits.
    circuits: Option<CircuitBoard>,
    /// The tenants that there are. Every other is refused.
    tenants: RwLock<BTreeSet<TenantId>>,
    claims: Claims,
    /// The connections that are defined elsewhere. Given up when the manager is closed, because whoever defines them may hold the
    /// manager.
    defined: RwLock<Option<Arc<Defined>>>,
    closed: AtomicBool,
}

struct Slot {
    name: ConnectionName,
    /// With the placeholder, where the connection is kept per tenant.
    settings: ConnectionSettings,
    /// Set once: what changes beneath a live connection, such as credentials, changes in its pool. Reading it costs one
    /// load, where a pointer that can be swapped costs several times as much. Never set where it is kept per tenant.
    live: OnceLock<Arc<dyn DatabaseConnection>>,
    building: Mutex<Option<Announced>>,
    /// Set where the connection is kept per tenant.
    per_tenant: Option<PerTenant>,
    /// Set where it has some.
    replicas: Option<Replicas>,
}

/// A connection that is kept per tenant.
struct PerTenant {
    settings: PerTenantSettings,
    pools: Arc<Pools<TenantId, ()>>,
}

impl PerTenant {
    fn new(name: &ConnectionName, settings: PerTenantSettings) -> Self {
        let limits = PoolsLimits {
            max_live: settings.max_live,
            idle_evict: settings.idle_evict,
            acquire_timeout: settings.template().pool.acquire_timeout,
        };
        let pools = Arc::new(Pools::new(name.clone(), limits, PoolsMetrics::of_tenants(name)));
        Self { settings, pools }
    }
}

impl ConnectionManager {
    /// A manager that has yet to learn its connections.
    pub fn builder(factory: ConnectionFactory) -> ManagerBuilder {
        ManagerBuilder::new(factory)
    }

    /// The configured names in order.
    pub fn names(&self) -> impl Iterator<Item = &ConnectionName> {
        self.0.slots.iter().map(|slot| &slot.name)
    }

    /// A connection's settings; those of a connection that is kept per tenant hold the placeholder.
    pub fn settings(&self, name: &str) -> Option<&ConnectionSettings> {
        self.0.slot(name).map(|slot| &slot.settings)
    }

    /// The connection called `name` when it is live already; opens nothing. A connection that is kept per tenant has
    /// [`ConnectionManager::live_for`].
    pub fn live(&self, name: &str) -> Option<Arc<dyn DatabaseConnection>> {
        self.0.slot(name)?.live.get().filter(|_| !self.0.is_closed()).cloned()
    }

    /// A tenant's connection called `name` when it is live already; opens nothing, and does not count as use.
    pub fn live_for(&self, name: &str, tenant: &TenantId) -> Option<Arc<dyn DatabaseConnection>> {
        self.0.slot(name)?.per_tenant.as_ref()?.pools.peek(tenant).filter(|_| !self.0.is_closed())
    }

    /// Whether the connection is kept per tenant.
    pub fn is_per_tenant(&self, name: &str) -> bool {
        self.0.slot(name).is_some_and(|slot| slot.per_tenant.is_some())
    }

    /// The settings of one tenant's connection; `None` where it is not kept per tenant.
    pub fn settings_for(&self, name: &str, tenant: &TenantId) -> Option<ConnectionSettings> {
        self.0.slot(name)?.per_tenant.as_ref().map(|kept| kept.settings.of(tenant))
    }

    /// How the replicas of a connection stand, in the order in which they are configured.
    pub fn replicas(&self, name: &str) -> Vec<ReplicaStats> {
        self.0.slot(name).and_then(|slot| slot.replicas.as_ref()).map(Replicas::stats).unwrap_or_default()
    }

    /// How recent the data must be that is read by whoever is to see what was written on behalf of `context`: asks the primaries
    /// of the connections that have replicas and were written to how far they have come. To be called when the writing is over;
    /// later reads with the same context may then be served by replicas that have come so far. `None` when nothing that has
    /// replicas was written or asked for.
    ///
    /// A primary that does not answer within the context's deadline, or a second, is no error: the token then leads later reads to the
    /// primary. Dropping the future leaves it at that.
    pub async fn freshness(&self, context: &RequestContext) -> Option<FreshnessToken> {
        for name in context.freshness.written() {
            let position = self.0.position(&name, context).await;
            context.freshness.settle(&name, position);
        }
        context.freshness.token(|name| self.0.is_replicated(name))
    }

    /// How the tenants' pools of a connection stand; `None` where it is not kept per tenant.
    pub fn tenant_pools(&self, name: &str) -> Option<PoolsStats> {
        self.0.slot(name)?.per_tenant.as_ref().map(|kept| kept.pools.stats())
    }

    /// Whether there is such a tenant.
    pub fn knows(&self, tenant: &TenantId) -> bool {
        self.0.knows(tenant)
    }

    /// Every tenant in order.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.0.tenants.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Says anew which tenants there are. The pools of those who are no longer among them refuse every caller from now on,
    /// finish what is under way, and close.
    ///
    /// # Panics
    /// Outside a tokio runtime, when a pool is to be closed and the manager was built outside one.
    pub fn set_tenants(&self, tenants: impl IntoIterator<Item = TenantId>) {
        let tenants: BTreeSet<TenantId> = tenants.into_iter().collect();
        // The list first: whoever finds a pool's place empty after this reads the new list.
        self.0.tenants.write().unwrap_or_else(PoisonError::into_inner).clone_from(&tenants);
        self.0.claims.keep(&tenants);
        for kept in self.0.slots.iter().filter_map(|slot| slot.per_tenant.as_ref()) {
            for leaving in kept.pools.take_unless(|tenant| tenants.contains(tenant)) {
                self.0.runtime().spawn(leaving.close(FAREWELL));
            }
        }
    }

    /// Adds the connections that `definitions` has: `<prefix>/<id>` is the one that is defined under `id`. It is opened when it is
    /// first asked for, and closed when nobody uses it, and when its definition changes or goes: here at once after
    /// [`ConnectionManager::redefined`], everywhere else within [`NOTICED_WITHIN`](crate::definitions::NOTICED_WITHIN).
    ///
    /// The definitions may use the manager themselves; they are given up when it is closed.
    ///
    /// # Errors
    /// `Misconfigured` when the manager has definitions already, or a configured connection whose name begins with the prefix;
    /// `Closed`.
    pub fn define(
        &self,
        prefix: ConnectionName,
        definitions: Arc<dyn Definitions>,
        limits: DefinitionLimits,
    ) -> Result<(), DatabaseError> {
        let prefixed = |slot: &Slot| defined::id_of(slot.name.as_str(), prefix.as_str()).is_some();
        if let Some(slot) = self.0.slots.iter().find(|slot| prefixed(slot)) {
            let message = format!("names that begin with `{prefix}/` are kept for what is defined elsewhere");
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(&slot.name));
        }
        let mut defined = self.0.defined.write().unwrap_or_else(PoisonError::into_inner);
        if self.0.is_closed() {
            return Err(closed(&prefix));
        }
        if defined.is_some() {
            let message = "the manager has definitions already";
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(&prefix));
        }
        *defined = Some(Arc::new(Defined::new(prefix, definitions, limits)));
        Ok(())
    }

    /// Takes note that the definition of the connection `name` is another one now, or gone: its pool takes no new calls,
    /// finishes what is under way, and closes. Who asks for the connection from now on gets it as it is defined now.
    ///
    /// # Panics
    /// Outside a tokio runtime, when a pool is to be closed and the manager was built outside one.
    pub fn redefined(&self, name: &str) {
        let Some(defined) = self.0.defined() else { return };
        if let Some(id) = defined.id_of(name) {
            defined.forget(&id, &self.0.runtime());
        }
    }

    /// The revision of the definition by which the connection `name` was opened that is live now; `None` where none is, and for what
    /// is configured.
    pub fn live_revision(&self, name: &str) -> Option<u64> {
        let defined = self.0.defined()?;
        defined.revision_of(&defined.id_of(name)?)
    }

    /// How the pools of what is defined elsewhere stand; `None` where nothing is.
    pub fn defined_pools(&self) -> Option<PoolsStats> {
        self.0.defined().map(|defined| defined.pools().stats())
    }

    /// The connectors.
    pub fn factory(&self) -> &ConnectionFactory {
        &self.0.factory
    }

    /// The circuits to the servers that were tried so far, in no order.
    pub fn breakers(&self) -> Vec<Breaker> {
        let servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.values().map(|guards| guards.breaker.clone()).collect()
    }

    /// The budgets of the servers that were tried so far, in no order.
    pub fn budgets(&self) -> Vec<Budget> {
        let servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.values().map(|guards| guards.budget.clone()).collect()
    }

    /// Where the credentials come from.
    pub fn secrets(&self) -> &Arc<dyn SecretSource> {
        &self.0.secrets
    }

    /// Closes every live connection, those of tenants and of definitions too, as [`DatabaseConnection::close`] does, all at the
    /// same time. From now on [`Connections::get`] answers `Closed`.
    pub async fn close(&self, grace: Duration) -> Vec<(ConnectionName, CloseReport)> {
        self.0.closed.store(true, Ordering::SeqCst);
        let mut closing = Vec::new();
        for slot in &self.0.slots {
            let live = {
                // Under this lock a build that ends now either sees that the manager is closed or has stored its result.
                let _building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
                slot.live.get().cloned()
            };
            let tenants = slot.per_tenant.iter().flat_map(|kept| kept.pools.take_unless(|_| false));
            let replicas = slot.replicas.iter().flat_map(Replicas::take_all);
            let live = live.into_iter().chain(replicas).map(pools::Leaving::from);
            closing.extend(live.chain(tenants).map(|leaving| (slot.name.clone(), leaving)));
        }
        if let Some(defined) = self.0.give_up_definitions() {
            closing.extend(defined.take_all().into_iter().map(|leaving| (leaving.name().clone(), leaving)));
        }
        join_all(closing.into_iter().map(|(name, leaving)| async move { (name, leaving.close(grace).await) })).await
    }
}

impl Connections for ConnectionManager {
    fn get<'a>(&'a self, name: &str, access: Access, context: &RequestContext) -> ConnectionFuture<'a> {
        let Some(slot) = self.0.slot(name) else {
            return defined::get(&self.0, name, context);
        };
        if let Some(replicas) = &slot.replicas
            && let Some(replica) = self.0.of_replicas(slot, replicas, access, context)
        {
            return ConnectionFuture::ready(Ok(replica));
        }
        if let Some(connection) = slot.live.get()
            && !self.0.closed.load(Ordering::Acquire)
        {
            return ConnectionFuture::ready(Ok(Arc::clone(connection)));
        }
        let deadline = context.deadline;
        let Some(kept) = &slot.per_tenant else {
            return ConnectionFuture::pending(async move { Inner::built(&self.0, slot, deadline).await });
        };
        let Some(tenant) = &context.tenant else {
            return ConnectionFuture::ready(Err(nameless(&slot.name)));
        };
        if let Some(connection) = kept.pools.live(tenant)
            && !self.0.closed.load(Ordering::Acquire)
        {
            return ConnectionFuture::ready(Ok(connection));
        }
        let tenant = tenant.clone();
        ConnectionFuture::pending(async move { Inner::built_for(&self.0, slot, kept, tenant, deadline).await })
    }
}

impl Inner {
    fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.get(*self.index.get(name)?)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn knows(&self, tenant: &TenantId) -> bool {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }

    fn defined(&self) -> Option<Arc<Defined>> {
        self.defined.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn give_up_definitions(&self) -> Option<Arc<Defined>> {
        self.defined.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn runtime(&self) -> Handle {
        self.runtime.clone().unwrap_or_else(Handle::current)
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

    /// What the connections to the server that the settings lead to share. An embedded database has no circuit that could open and
    /// no limit, and nothing is lost on the way to it.
    fn guards(&self, connector: &dyn Connector, settings: &ConnectionSettings) -> Guards {
        let Some(server) = server(connector, settings) else { return Guards::none() };
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let guards = servers.entry(server).or_insert_with_key(|server| {
            let breaker = Breaker::new(server, settings.breaker.clone());
            if let Some(board) = &self.circuits {
                board.share(&breaker, &self.runtime());
            }
            Guards { breaker, retries: Retries::new(settings.retry.clone()), budget: self.budget(server) }
        });
        guards.clone()
    }

    /// The same for a connection that is defined elsewhere: where a server has a budget, it lives within that, but whatever it
    /// meets opens no circuit of the configured connections.
    fn guards_apart(&self, connector: &dyn Connector, settings: &ConnectionSettings) -> Guards {
        let Some(server) = server(connector, settings) else { return Guards::none() };
        Guards {
            breaker: Breaker::unmeasured(&server, settings.breaker.clone()),
            retries: Retries::new(settings.retry.clone()),
            budget: self.budget(&server),
        }
    }

    fn budget(&self, server: &str) -> Budget {
        let configured = self.server_budgets.get(server).cloned();
        configured.unwrap_or_else(|| Budget::new(server, &ServerSettings::default()))
    }
}

/// What the connections to one server share.
#[derive(Clone)]
struct Guards {
    breaker: Breaker,
    retries: Retries,
    budget: Budget,
}

impl Guards {
    fn none() -> Self {
        Self { breaker: Breaker::always_closed(), retries: Retries::never(), budget: Budget::unlimited() }
    }
}

/// Host and port that the settings lead to. An embedded database has none.
fn server(connector: &dyn Connector, settings: &ConnectionSettings) -> Option<String> {
    address(settings, connector.default_port())
}

fn address(settings: &ConnectionSettings, default_port: Option<u16>) -> Option<String> {
    let port = settings.port.or(default_port)?;
    Some(format!("{}:{port}", settings.host.as_ref()?.to_lowercase()))
}

fn closed(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Closed, "the connection manager was closed").on(name)
}

fn nameless(name: &ConnectionName) -> DatabaseError {
    let message = "the connection is kept per tenant, and the request names no tenant";
    DatabaseError::new(DatabaseErrorKind::TenantRequired, message).on(name)
}

fn stranger(name: &ConnectionName, tenant: &TenantId) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::UnknownTenant, format!("there is no tenant `{tenant}`")).on(name)
}

impl fmt::Debug for ConnectionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.0.slots.iter().map(|slot| {
            let state = match &slot.per_tenant {
                Some(kept) => format!("live for {} tenants", kept.pools.stats().live),
                None if slot.live.get().is_some() => "live".to_owned(),
                None => "not open".to_owned(),
            };
            (slot.name.as_str(), state)
        });
        f.debug_map().entries(slots).finish()
    }
}

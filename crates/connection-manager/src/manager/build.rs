use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shared_kernel::TenantId;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use tokio::sync::watch;
use tokio::time::Instant;

use super::defined::{Defined, DefinitionId};
use super::pools::{Key, Pools, Ticket};
use super::{Guards, Inner, Outcome, PerTenant, Slot, closed, stranger};
use crate::breaker::Breaker;
use crate::connector::{Connector, checks};
use crate::credentials::{self, Keychain};
use crate::endpoint::Endpoint;
use crate::settings::ConnectionSettings;

/// What everybody who waits for a build looks at.
pub(super) type Announced = watch::Receiver<Option<Outcome>>;

impl Inner {
    /// Joins the build under way, or begins one. The build runs in a task of its own: a caller who goes away takes
    /// nothing from the others.
    pub(super) async fn built(this: &Arc<Self>, slot: &Slot, deadline: Option<std::time::Instant>) -> Outcome {
        let outcome = {
            let mut building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
            if this.is_closed() {
                return Err(closed(&slot.name));
            }
            if let Some(connection) = slot.live.get() {
                return Ok(Arc::clone(connection));
            }
            building.get_or_insert_with(|| Build::begin(this, slot.name.clone(), Home::Shared)).clone()
        };
        awaited(&slot.name, outcome, deadline).await
    }

    /// The same for one tenant's pool.
    pub(super) async fn built_for(
        this: &Arc<Self>,
        slot: &Slot,
        kept: &PerTenant,
        tenant: TenantId,
        deadline: Option<std::time::Instant>,
    ) -> Outcome {
        let admit = || {
            if this.is_closed() {
                return Err(closed(&slot.name));
            }
            if this.knows(&tenant) { Ok(()) } else { Err(stranger(&slot.name, &tenant)) }
        };
        let begin = |ticket| Build::begin(this, slot.name.clone(), Home::Tenant(tenant.clone(), ticket));
        let outcome = match kept.pools.join(&tenant, admit, begin)? {
            Ok(connection) => return Ok(connection),
            Err(outcome) => outcome,
        };
        awaited(&slot.name, outcome, deadline).await
    }

    /// The connection that everybody shares, opened if this is the first call for it.
    pub(super) async fn primary(this: &Arc<Self>, slot: &Slot, deadline: Option<std::time::Instant>) -> Outcome {
        match slot.live.get().filter(|_| !this.is_closed()) {
            Some(connection) => Ok(Arc::clone(connection)),
            None => Self::built(this, slot, deadline).await,
        }
    }

    /// Opens a replica's pool, which is measured as `series`, and tells the circuit to its server.
    pub(super) async fn open_replica(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        series: ConnectionName,
    ) -> Result<(Arc<dyn DatabaseConnection>, Breaker), DatabaseError> {
        let mut breaker = Breaker::always_closed();
        let guards = |connector: &dyn Connector, settings: &ConnectionSettings| {
            let guards = self.guards(connector, settings);
            breaker = guards.breaker.clone();
            guards
        };
        let connection = self.open_with(name, settings, &self.keychain, guards, Some(series)).await?;
        Ok((connection, breaker))
    }

    async fn open_with(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        keychain: &Keychain,
        guards: impl FnOnce(&dyn Connector, &ConnectionSettings) -> Guards,
        counted_as: Option<ConnectionName>,
    ) -> Outcome {
        let connector = self.factory.connector(&settings.engine).map_err(|error| error.on(name))?;
        let faults = connector.validate(settings);
        if !faults.is_empty() {
            return Err(checks::misconfigured(name, &faults));
        }
        let settings = credentials::completed(&*self.secrets, name, settings).await?;
        if let Some(fault) = checks::unreachable_fault(&**connector, &settings) {
            return Err(checks::misconfigured(name, &[fault]));
        }
        self.claims.claim(&settings, connector.default_port()).map_err(|error| error.on(name))?;
        let secrets = Arc::clone(&self.secrets);
        let port = connector.default_port();
        let keyring = keychain.keyring(secrets, name.clone(), settings.clone().into_owned(), port);
        let Guards { breaker, retries, budget } = guards(&**connector, &settings);
        let endpoint = Endpoint { keyring, breaker, retries, budget, counted_as };
        connector.connect(name, &settings, endpoint).await.map_err(|error| error.on(name))
    }
}

pub(super) async fn awaited(
    name: &ConnectionName,
    mut outcome: Announced,
    deadline: Option<std::time::Instant>,
) -> Outcome {
    let announced = outcome.wait_for(Option::is_some);
    let announced = match deadline {
        Some(deadline) => tokio::time::timeout_at(Instant::from_std(deadline), announced).await.map_err(|_| {
            DatabaseError::new(DatabaseErrorKind::Timeout, "the connection was not open before the deadline").on(name)
        })?,
        None => announced.await,
    };
    match announced.as_deref() {
        Ok(Some(outcome)) => outcome.clone(),
        Ok(None) | Err(_) => Err(broken_off(name)),
    }
}

/// Whose connection is built.
pub(super) enum Home {
    Shared,
    Tenant(TenantId, Ticket),
    Defined(Arc<Defined>, DefinitionId, Ticket),
}

/// One build of one connection. Also when it panics or its runtime ends, the slot is free for the next.
pub(super) struct Build {
    inner: Arc<Inner>,
    name: ConnectionName,
    home: Home,
    announce: watch::Sender<Option<Outcome>>,
    over: bool,
}

impl Build {
    pub(super) fn begin(inner: &Arc<Inner>, name: ConnectionName, home: Home) -> Announced {
        let (announce, outcome) = watch::channel(None);
        let build = Self { inner: Arc::clone(inner), name, home, announce, over: false };
        inner.runtime().spawn(build.run());
        outcome
    }

    async fn run(mut self) {
        let inner = Arc::clone(&self.inner);
        let outcome = match (&self.home, inner.slot(self.name.as_str())) {
            (Home::Defined(defined, id, ticket), _) => self.build_defined(defined, id, *ticket).await,
            (Home::Tenant(tenant, ticket), Some(Slot { per_tenant: Some(kept), .. })) => {
                self.build_for(kept, tenant, *ticket).await
            }
            (_, Some(slot)) => {
                let outcome = self.open(&slot.settings).await;
                self.settle(slot, outcome).await
            }
            (_, None) => return,
        };
        if let Err(error) = &outcome {
            let (kind, tenant) = (error.kind().as_str(), self.home.tenant().map(TenantId::as_str));
            // Once, however many wait for it: nobody else tells of a build that no request waits for.
            tracing::warn!(connection = %self.name, tenant, kind, %error, "the connection did not open");
        }
        self.over = true;
        self.announce.send_replace(Some(outcome));
    }

    /// Stores what was opened, before the outcome is told, so that a caller who tries again after a failure begins a new
    /// build.
    async fn settle(&self, slot: &Slot, outcome: Outcome) -> Outcome {
        let refused = {
            let mut building = slot.building.lock().unwrap_or_else(PoisonError::into_inner);
            *building = None;
            match &outcome {
                Ok(connection) if self.inner.is_closed() => Some(Arc::clone(connection)),
                // One build at a time, so nobody has set it before.
                Ok(connection) => slot.live.set(Arc::clone(connection)).err(),
                Err(_) => None,
            }
        };
        let Some(connection) = refused else { return outcome };
        connection.close(Duration::ZERO).await;
        Err(closed(&self.name))
    }

    /// Opens a tenant's pool.
    async fn build_for(&self, kept: &PerTenant, tenant: &TenantId, ticket: Ticket) -> Outcome {
        let opening = async { Ok((self.open(&kept.settings.of(tenant)).await?, ())) };
        self.build_in(&kept.pools, tenant, ticket, opening, || stranger(&self.name, tenant)).await
    }

    /// Opens the pool of what is defined elsewhere.
    async fn build_defined(&self, defined: &Arc<Defined>, id: &DefinitionId, ticket: Ticket) -> Outcome {
        defined.watch(&self.inner);
        let opening = async {
            let (definition, confirmed) = defined.read(&self.name, id).await?;
            let keychain = defined.keychain(id, &confirmed);
            let guards =
                |connector: &dyn Connector, settings: &ConnectionSettings| self.inner.guards_apart(connector, settings);
            let connection = self
                .inner
                .open_with(&self.name, &definition.settings, &keychain, guards, Some(defined.prefix().clone()))
                .await?;
            Ok((connection, confirmed))
        };
        self.build_in(defined.pools(), id, ticket, opening, || redefined(&self.name)).await
    }

    /// Opens one of many pools once there is a place for it, and puts it there. `disowned` says why nobody is to have it any
    /// more, when that is how it is then.
    async fn build_in<K: Key, M: Send + Sync + 'static>(
        &self,
        pools: &Arc<Pools<K, M>>,
        key: &K,
        ticket: Ticket,
        opening: impl Future<Output = Result<(Arc<dyn DatabaseConnection>, M), DatabaseError>>,
        disowned: impl FnOnce() -> DatabaseError,
    ) -> Outcome {
        super::sweep::start(&self.inner, pools);
        let opened = async {
            let place = pools.place(&self.inner.runtime()).await?;
            if self.inner.is_closed() {
                return Err(closed(&self.name));
            }
            let (connection, mark) = opening.await?;
            Ok((connection, mark, place))
        };
        let (connection, mark, place) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                pools.give_up(key, ticket);
                return Err(error);
            }
        };
        let refused = pools.settle(key, ticket, (&connection, mark), place, || !self.inner.is_closed());
        let Some(refused) = refused else { return Ok(connection) };
        refused.close(Duration::ZERO).await;
        Err(if self.inner.is_closed() { closed(&self.name) } else { disowned() })
    }

    async fn open(&self, settings: &ConnectionSettings) -> Outcome {
        let guards = |connector: &dyn Connector, settings: &ConnectionSettings| self.inner.guards(connector, settings);
        self.inner.open_with(&self.name, settings, &self.inner.keychain, guards, None).await
    }
}

impl Home {
    fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Tenant(tenant, _) => Some(tenant),
            Self::Shared | Self::Defined(..) => None,
        }
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        match (&self.home, self.inner.slot(self.name.as_str())) {
            (Home::Defined(defined, id, ticket), _) => defined.pools().give_up(id, *ticket),
            (Home::Tenant(tenant, ticket), Some(Slot { per_tenant: Some(kept), .. })) => {
                kept.pools.give_up(tenant, *ticket);
            }
            (_, Some(slot)) => *slot.building.lock().unwrap_or_else(PoisonError::into_inner) = None,
            (_, None) => {}
        }
    }
}

fn redefined(name: &ConnectionName) -> DatabaseError {
    let message = "its definition has changed while it was being opened";
    DatabaseError::new(DatabaseErrorKind::Unreachable, message).on(name)
}

fn broken_off(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unreachable, "opening the connection was broken off").on(name)
}

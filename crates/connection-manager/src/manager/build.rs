use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shared_kernel::TenantId;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use tokio::sync::watch;
use tokio::time::Instant;

use super::pools::{Place, Pools, Ticket};
use super::{Guards, Inner, Outcome, Slot, closed, stranger};
use crate::connector::checks;
use crate::credentials;
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
            building.get_or_insert_with(|| Build::begin(this, slot, Home::Shared)).clone()
        };
        awaited(&slot.name, outcome, deadline).await
    }

    /// The same for one tenant's pool.
    pub(super) async fn built_for(
        this: &Arc<Self>,
        slot: &Slot,
        pools: &Pools,
        tenant: TenantId,
        deadline: Option<std::time::Instant>,
    ) -> Outcome {
        let admit = || {
            if this.is_closed() {
                return Err(closed(&slot.name));
            }
            if this.knows(&tenant) { Ok(()) } else { Err(stranger(&slot.name, &tenant)) }
        };
        let begin = |ticket| Build::begin(this, slot, Home::Tenant(tenant.clone(), ticket));
        let outcome = match pools.join(&tenant, admit, begin)? {
            Ok(connection) => return Ok(connection),
            Err(outcome) => outcome,
        };
        awaited(&slot.name, outcome, deadline).await
    }
}

async fn awaited(name: &ConnectionName, mut outcome: Announced, deadline: Option<std::time::Instant>) -> Outcome {
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
enum Home {
    Shared,
    Tenant(TenantId, Ticket),
}

/// One build of one connection. Also when it panics or its runtime ends, the slot is free for the next.
struct Build {
    inner: Arc<Inner>,
    name: ConnectionName,
    home: Home,
    announce: watch::Sender<Option<Outcome>>,
    over: bool,
}

impl Build {
    fn begin(inner: &Arc<Inner>, slot: &Slot, home: Home) -> Announced {
        let (announce, outcome) = watch::channel(None);
        let build = Self { inner: Arc::clone(inner), name: slot.name.clone(), home, announce, over: false };
        inner.runtime().spawn(build.run());
        outcome
    }

    async fn run(mut self) {
        let inner = Arc::clone(&self.inner);
        let Some(slot) = inner.slot(self.name.as_str()) else { return };
        let outcome = if let (Home::Tenant(tenant, ticket), Some(pools)) = (&self.home, &slot.pools) {
            self.build_for(slot, pools, tenant, *ticket).await
        } else {
            let outcome = self.open(&slot.settings).await;
            self.settle(slot, outcome).await
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

    /// Opens a tenant's pool once there is a place for it, and puts it there.
    async fn build_for(&self, slot: &Slot, pools: &Pools, tenant: &TenantId, ticket: Ticket) -> Outcome {
        super::sweep::start(&self.inner, &slot.name, pools);
        let (connection, place) = match self.open_for(pools, tenant).await {
            Ok(opened) => opened,
            Err(error) => {
                pools.give_up(tenant, ticket);
                return Err(error);
            }
        };
        let refused = pools.settle(tenant, ticket, &connection, place, || !self.inner.is_closed());
        let Some(refused) = refused else { return Ok(connection) };
        refused.close(Duration::ZERO).await;
        // Meanwhile somebody has taken the tenant from the list, or has closed the manager.
        Err(if self.inner.is_closed() { closed(&self.name) } else { stranger(&self.name, tenant) })
    }

    async fn open_for(
        &self,
        pools: &Pools,
        tenant: &TenantId,
    ) -> Result<(Arc<dyn DatabaseConnection>, Place), DatabaseError> {
        let place = pools.place(&self.inner.runtime()).await?;
        if self.inner.is_closed() {
            return Err(closed(&self.name));
        }
        Ok((self.open(&pools.settings.of(tenant)).await?, place))
    }

    async fn open(&self, settings: &ConnectionSettings) -> Outcome {
        let connector = self.inner.factory.connector(&settings.engine).map_err(|error| error.on(&self.name))?;
        let faults = connector.validate(settings);
        if !faults.is_empty() {
            return Err(checks::misconfigured(&self.name, &faults));
        }
        let settings = credentials::completed(&*self.inner.secrets, &self.name, settings).await?;
        if let Some(fault) = checks::unreachable_fault(&**connector, &settings) {
            return Err(checks::misconfigured(&self.name, &[fault]));
        }
        self.inner.claims.claim(&settings, connector.default_port()).map_err(|error| error.on(&self.name))?;
        let secrets = Arc::clone(&self.inner.secrets);
        let port = connector.default_port();
        let keyring = self.inner.keychain.keyring(secrets, self.name.clone(), settings.clone().into_owned(), port);
        let Guards { breaker, retries, budget } = self.inner.guards(&**connector, &settings);
        let endpoint = Endpoint { keyring, breaker, retries, budget };
        connector.connect(&self.name, &settings, endpoint).await.map_err(|error| error.on(&self.name))
    }
}

impl Home {
    fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Shared => None,
            Self::Tenant(tenant, _) => Some(tenant),
        }
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        let Some(slot) = self.inner.slot(self.name.as_str()).filter(|_| !self.over) else { return };
        match (&self.home, &slot.pools) {
            (Home::Tenant(tenant, ticket), Some(pools)) => pools.give_up(tenant, *ticket),
            _ => *slot.building.lock().unwrap_or_else(PoisonError::into_inner) = None,
        }
    }
}

fn broken_off(name: &ConnectionName) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unreachable, "opening the connection was broken off").on(name)
}

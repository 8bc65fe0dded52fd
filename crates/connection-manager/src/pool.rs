//! A pool over single connections, the same for every engine.
//!
//! A caller gets an idle connection at once, or joins one first-come-first-served queue that is served by whatever
//! comes first: a connection given back or a new one. Connections are opened in tasks of their own, so a caller who
//! gives up costs nobody else an attempt. While a statement runs, the session is owned by the statement's future:
//! when that is dropped half-way, the session is gone with it and can never be handed to anybody else.

mod acquire;
mod cancel;
mod close;
mod connect;
mod deadline;
mod demotion;
mod driver;
mod errands;
mod holder;
mod lease;
mod reaper;
mod rotation;
mod shared;
mod silence;
mod tries;
mod turn;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{CloseReport, ConnectionName, ConnectionStats, DatabaseError, DatabaseErrorKind, Health};
use tokio::time::Instant;

pub use self::deadline::Deadline;
use self::deadline::limited_from_the_wait;
pub(crate) use self::deadline::{Cut, limited};
pub use self::driver::{Call, Driver, DriverSession, ServerSession, Turn};
pub(crate) use self::holder::Holder;
pub use self::lease::Lease;
use self::shared::Shared;
pub(crate) use self::tries::{Failure, Tries};
use crate::breaker::Breaker;
use crate::credentials::Keyring;
use crate::endpoint::Endpoint;
use crate::settings::PoolSettings;

/// A pool of sessions that one driver opens. Clones share it.
///
/// Dropping the last clone closes the idle connections at once; [`Pool::close`] does it in order.
pub struct Pool<D: Driver>(Arc<Shared<D>>);

impl<D: Driver> Pool<D> {
    /// A pool that has no connection yet.
    ///
    /// Connections are opened, kept and closed on the runtime this is called on, whatever runtime asks for them.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(name: ConnectionName, settings: PoolSettings, endpoint: impl Into<Endpoint>, driver: D) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let shared = Shared::new(name, settings, endpoint.into(), driver, runtime);
        reaper::spawn(&shared);
        rotation::spawn(&shared);
        Self(shared)
    }

    /// The connection's name, for messages and metrics.
    pub fn name(&self) -> &ConnectionName {
        &self.0.name
    }

    /// The pool's limits.
    pub fn settings(&self) -> &PoolSettings {
        &self.0.settings
    }

    /// The runtime that drives the pool's connections.
    pub fn runtime(&self) -> &tokio::runtime::Handle {
        &self.0.runtime
    }

    /// What its connections log in with.
    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// What watches over the server.
    pub fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }

    /// What opens the connections.
    pub fn driver(&self) -> &D {
        &self.0.driver
    }

    /// Takes a connection, waiting for one until `deadline` or the acquire timeout, whichever is earlier.
    ///
    /// Dropping the future gives up the place in the queue and loses nothing. The line that calls this is named when the
    /// connection is not given back for long; see [`PoolSettings::leak_after`].
    ///
    /// # Errors
    /// `Saturated` when none came free, `CircuitOpen` while the server is known to be out of reach, `Closed`, and every reason why a new connection could not be opened.
    #[track_caller]
    pub fn acquire(
        &self,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<Lease<D>, DatabaseError>> + Send + use<'_, D> {
        acquire::acquire(&self.0, deadline, Holder::lease(Location::caller()))
    }

    /// As [`Pool::acquire`], for a request.
    pub(crate) fn acquire_for(
        &self,
        context: &RequestContext,
        holder: Holder,
    ) -> impl Future<Output = Result<Lease<D>, DatabaseError>> + Send + use<'_, D> {
        acquire::acquire(&self.0, context.deadline.map(Instant::from_std), holder)
    }

    /// As [`Pool::acquire_for`], for one call, after having waited for its turn as long as a statement may take.
    pub(crate) async fn acquire_in_turn(
        &self,
        call: Call<'_>,
        context: &RequestContext,
        holder: Holder,
    ) -> Result<Lease<D>, DatabaseError> {
        let turn = pin!(self.0.driver.turn(call));
        let turn = limited_from_the_wait(turn, || self.deadline_of(context), &Cut::default()).await;
        let turn = turn.map_err(|_| {
            let message = "the turn to write did not come before the deadline";
            DatabaseError::new(DatabaseErrorKind::Timeout, message).on(&self.0.name)
        })?;
        // Where every place is taken, a session that has one may be waiting for this very turn: it is let go, and waited for
        // again with the place in hand.
        let turn = turn.filter(|_| !self.0.is_full());
        let mut lease = self.acquire_for(context, holder).await?;
        lease.grant(turn);
        Ok(lease)
    }

    /// The tries of one call for a request.
    pub(crate) fn tries(&self, context: &RequestContext) -> Tries<'_, D> {
        Tries::new(&self.0, context.deadline.map(Instant::from_std))
    }

    /// When a request's next statement has to be over.
    pub(crate) fn deadline_of(&self, context: &RequestContext) -> Deadline {
        Deadline::of(context, self.settings().statement_timeout)
    }

    /// The pool with its first connection opened, so that a wrong password or an unknown database is known now. The acquire
    /// timeout is for callers who compete; here the attempt to connect is waited for, so that its own error is told and
    /// not that the pool is full.
    pub(crate) async fn opened(self) -> Result<Self, DatabaseError> {
        // Every part of the attempt has a limit of its own, which says what was waited for; see [`Keyring::login`].
        // A place of the server's budget, however, may be had by competition alone.
        let settings = &self.0.settings;
        let patience = settings.acquire_timeout.saturating_add(settings.connect_timeout);
        let limit = self.0.seat.is_limited().then(|| Instant::now().checked_add(patience)).flatten();
        // Whoever waits for the pool has a deadline of his own, and the pool is of use to those who come after.
        let mut tries = Tries::new(&self.0, None);
        let opened = loop {
            let outcome = acquire::acquire_until(&self.0, Instant::now(), limit, Holder::CALL).await.map(drop);
            if let Some(outcome) = tries.settle(outcome.map_err(Failure::unsent)).await {
                break outcome;
            }
        };
        if let Err(error) = opened {
            self.close(Duration::ZERO).await;
            return Err(error);
        }
        Ok(self)
    }

    /// A sign of life on a pooled connection.
    pub(crate) async fn health(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        let began = Instant::now();
        let mut lease = self.acquire_for(context, Holder::CALL).await?;
        let deadline = self.deadline_of(context);
        lease.ping(deadline).await?;
        let latency = began.elapsed();
        Ok(Health { latency, server_version: lease.server_version(deadline).await? })
    }

    /// Whether the pool is open and the last contact with the server went well.
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    /// The pool at this moment.
    pub fn stats(&self) -> ConnectionStats {
        self.0.stats()
    }

    /// Makes every connection opened before this call unfit for another caller: idle ones close now, those in use
    /// when they are given back.
    pub fn retire(&self) {
        self.0.retire();
    }

    /// Refuses new callers and those who wait, lets what runs finish within `grace`, then cuts the rest.
    ///
    /// A second call waits for the first and reports the same. Dropping the future does not stop the close.
    pub async fn close(&self, grace: Duration) -> CloseReport {
        close::close(&self.0, grace).await
    }
}

impl<D: Driver> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Driver> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.0.name).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

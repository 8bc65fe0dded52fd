use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use ::mongodb::Client;
use async_trait::async_trait;
use futures_util::FutureExt;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Catalog, CloseReport, ConnectionName, ConnectionStats, DatabaseConnection, DatabaseError, Documents, Effect,
    Engine, Health,
};
use tracing::Instrument as _;

use super::client::OUT_OF_USE;
use super::driver::MongoDbDriver;
use super::error::Problem;
use crate::endpoint::Endpoint;
use crate::operation::Operations;
use crate::pool::{Deadline, Driver, Failure, Holder, Pool};
use crate::settings::PoolSettings;

/// A live connection to MongoDB: [`DatabaseConnection`] with the document capability.
///
/// It is its own native handle: `connection.native_as::<MongoDbConnection>()` gives [`MongoDbConnection::with_client`] for
/// everything that the driver can do. A place in the pool stands for one call under way; the connections are the driver's.
pub struct MongoDbConnection {
    pool: Pool<MongoDbDriver>,
    operations: Operations,
}

impl MongoDbConnection {
    /// A connection over a new pool with its first session opened, so that a wrong password is known now.
    ///
    /// # Errors
    /// Why the session could not be opened.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(
        name: ConnectionName,
        settings: PoolSettings,
        endpoint: impl Into<Endpoint>,
        driver: MongoDbDriver,
    ) -> Result<Self, DatabaseError> {
        let endpoint = endpoint.into();
        let operations = Operations::new(driver.system_name(), &name, &endpoint);
        let pool = Pool::new(name, settings, endpoint, driver);
        Ok(Self { pool: pool.opened().await?, operations })
    }

    /// The pool, for what this surface leaves out.
    pub fn pool(&self) -> &Pool<MongoDbDriver> {
        &self.pool
    }

    /// Does any work with the driver's client, which tries nothing twice, in a place of the pool and within the limits of the
    /// context. The client is current when the work begins: keep none for later. It is begun anew where the driver has to log in
    /// for its first command and the server refuses the client's credentials, which a rotation has outdated. What is known of the
    /// first command is known of the work's own task: have none sent by another.
    ///
    /// Dropping the future gives the work up; whether what it had under way took effect is then unknown.
    ///
    /// # Errors
    /// The work's own, typed; `Saturated`, `CircuitOpen` and `Closed` when there is no place for it, `Timeout` when the context's
    /// deadline passes first; `AuthRejected` when a rotation has outdated the credentials in the midst of the work.
    #[track_caller]
    pub fn with_client<'a, T, F, Work>(
        &'a self,
        work: Work,
        context: &'a RequestContext,
    ) -> impl Future<Output = Result<T, DatabaseError>> + Send + use<'a, T, F, Work>
    where
        T: Send + 'a,
        F: Future<Output = ::mongodb::error::Result<T>> + Send + 'a,
        Work: Fn(Client) -> F + Send + Sync + 'a,
    {
        let holder = Holder::lease(Location::caller());
        async move {
            let work = |client: Client, _: Deadline| work(client).map(|outcome| outcome.map_err(Problem::Driver));
            self.run("CALL", Effect::Unknown, holder, context, &work).await
        }
    }

    /// Does one piece of work with a client, measured as `operation`, and again where that can do no harm. The work is told until
    /// when it has time.
    pub(super) async fn run<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        holder: Holder,
        context: &RequestContext,
        work: &(impl Fn(Client, Deadline) -> F + Sync),
    ) -> Result<T, DatabaseError>
    where
        T: Send,
        F: Future<Output = Result<T, Problem>> + Send,
    {
        let call = self.operations.call(operation, Some(context));
        let outcome = async {
            let mut tries = self.pool.tries(context);
            loop {
                let outcome = self.attempt(operation, effect, holder, context, work).await;
                if let Some(outcome) = tries.settle(outcome).await {
                    break outcome;
                }
            }
        }
        .instrument(call.span())
        .await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    async fn attempt<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        holder: Holder,
        context: &RequestContext,
        work: &(impl Fn(Client, Deadline) -> F + Sync),
    ) -> Result<T, Failure>
    where
        T: Send,
        F: Future<Output = Result<T, Problem>> + Send,
    {
        // The sessions of outdated credentials are taken from the pool one by one, and none of them sends anything.
        let mut outdated = self.pool.settings().max.saturating_add(1);
        loop {
            let mut lease = self.pool.acquire_for(context, holder).await.map_err(Failure::unsent)?;
            let deadline = self.pool.deadline_of(context);
            // Boxed, because the driver's futures are large and deep.
            let answer = lease
                .run(deadline, |session| session.call(operation, effect, move |client| work(client, deadline)).boxed())
                .await;
            match answer {
                Err(error) if error.code() == Some(OUT_OF_USE) && outdated > 0 => outdated -= 1,
                answer => return answer.map_err(|error| Failure::on(&lease, effect, error)),
            }
        }
    }
}

#[async_trait]
impl DatabaseConnection for MongoDbConnection {
    fn name(&self) -> &ConnectionName {
        self.pool.name()
    }

    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::MONGODB;
        &ENGINE
    }

    fn is_connected(&self) -> bool {
        self.pool.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        let mut left = self.pool.settings().max.saturating_add(1);
        loop {
            match self.pool.health(context).await {
                Err(error) if error.code() == Some(OUT_OF_USE) && left > 0 => left -= 1,
                outcome => return outcome,
            }
        }
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.pool.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.pool.stats()
    }

    fn documents(&self) -> Result<&dyn Documents, DatabaseError> {
        Ok(self)
    }

    fn catalog(&self) -> Result<&dyn Catalog, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl fmt::Debug for MongoDbConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbConnection").field("pool", &self.pool).finish_non_exhaustive()
    }
}

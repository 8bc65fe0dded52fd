use std::any::Any;
use std::fmt;
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, Value};
use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    CloseReport, ConnectionName, ConnectionStats, DatabaseConnection, DatabaseError, DatabaseErrorKind, Effect, Engine,
    Health, KeyNode, KeyPlace, KeyValue, Keyspace,
};
use tracing::Instrument as _;

use super::driver::RedisDriver;
use super::session::RedisSession;
use super::{error, reading};
use crate::endpoint::Endpoint;
use crate::operation::Operations;
use crate::pool::{Driver, Failure, Holder, Pool};
use crate::settings::PoolSettings;

/// The operation of a command that its caller made.
const COMMAND: &str = "COMMAND";

/// The operation of commands that are sent together.
const PIPELINE: &str = "PIPELINE";

/// Commands that leave something behind on the connection they are sent on, so that nobody else may have it.
const STATEFUL: [&str; 13] = [
    "ASKING",
    "AUTH",
    "CLIENT",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "READONLY",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "WATCH",
];

/// A live connection to Redis: [`DatabaseConnection`] with the key-value capability and the one to look around
/// among keys, over the pool.
///
/// It is its own native handle: `connection.native_as::<RedisConnection>()` gives [`RedisConnection::query`] for any
/// command.
pub struct RedisConnection {
    pool: Pool<RedisDriver>,
    operations: Operations,
}

impl RedisConnection {
    /// A connection over a new pool with its first physical connection opened, so that a wrong password is known now.
    ///
    /// # Errors
    /// Why the physical connection could not be opened.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(
        name: ConnectionName,
        settings: PoolSettings,
        endpoint: impl Into<Endpoint>,
        driver: RedisDriver,
    ) -> Result<Self, DatabaseError> {
        let endpoint = endpoint.into();
        let operations = Operations::new(driver.system_name(), &name, &endpoint);
        let pool = Pool::new(name, settings, endpoint, driver);
        Ok(Self { pool: pool.opened().await?, operations })
    }

    /// The pool, for what this surface leaves out.
    pub fn pool(&self) -> &Pool<RedisDriver> {
        &self.pool
    }

    /// Sends one command of Redis and decodes its answer. The connection it was sent on is closed afterwards when the
    /// command leaves state behind, such as `SELECT` or `SUBSCRIBE`.
    ///
    /// Where somebody from outside has defined the connection, only commands are sent that read and do nothing else; another
    /// one is `ReadOnlyTarget`, and the server is not asked.
    ///
    /// Dropping the future throws the connection away; whether the command took effect is then unknown.
    ///
    /// # Errors
    /// As [`KeyValue`]'s.
    pub async fn query<T: FromRedisValue>(&self, command: Cmd, context: &RequestContext) -> Result<T, DatabaseError> {
        self.admit(&command)?;
        self.ask(command, context).await
    }

    /// As [`RedisConnection::query`], whatever the command does.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        command: Cmd,
        context: &RequestContext,
    ) -> Result<T, DatabaseError> {
        let stateful = verb(&command).is_some_and(|verb| STATEFUL.contains(&verb.as_str()));
        let call = self.operations.call(COMMAND, Some(context));
        let outcome = self.exchange(COMMAND, command, stateful, context).instrument(call.span()).await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    /// Sends a command of the key-value capability.
    pub(super) async fn send<T: FromRedisValue>(
        &self,
        operation: &'static str,
        command: Cmd,
        context: &RequestContext,
    ) -> Result<T, DatabaseError> {
        self.admit(&command)?;
        let call = self.operations.call(operation, Some(context));
        let outcome = self.exchange(operation, command, false, context).instrument(call.span()).await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    /// Sends commands that do nothing but read, one right after the other, and returns what is answered to each.
    pub(super) async fn send_together(
        &self,
        at: &KeyPlace,
        commands: Vec<Cmd>,
        context: &RequestContext,
    ) -> Result<Vec<Value>, DatabaseError> {
        // A node would enter it by itself, and the driver knows nothing of it.
        if self.pool.driver().options().cluster && at.database != self.database() {
            let message = "a cluster is looked at in one database alone";
            return Err(DatabaseError::new(DatabaseErrorKind::UnknownDatabase, message).on(self.pool.name()));
        }
        commands.iter().try_for_each(|command| self.admit(command))?;
        let call = self.operations.call(PIPELINE, Some(context));
        let work = async {
            let mut tries = self.pool.tries(context);
            loop {
                let outcome = self.try_together(at, &commands, context).await;
                if let Some(outcome) = tries.settle(outcome).await {
                    return outcome;
                }
            }
        };
        let outcome = work.instrument(call.span()).await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    async fn try_together(
        &self,
        at: &KeyPlace,
        commands: &[Cmd],
        context: &RequestContext,
    ) -> Result<Vec<Value>, Failure> {
        let mut lease = self.pool.acquire_for(context, Holder::CALL).await.map_err(Failure::unsent)?;
        let own = self.database();
        // Nobody else may have it as long as it may be in another database.
        lease.set_fit(at.database == own);
        let answers = lease
            .run(self.pool.deadline_of(context), |mut session| async move {
                let answers = session.together(commands, at, own).await;
                (session, answers)
            })
            .await;
        lease.set_fit(at.database == own || answers.is_ok());
        answers.map_err(|error| Failure::on(&lease, Effect::Nothing, error))
    }

    /// The masters of a cluster, as the driver knows them.
    pub(super) async fn masters(&self, context: &RequestContext) -> Result<Vec<KeyNode>, DatabaseError> {
        let call = self.operations.call(PIPELINE, Some(context));
        let work = async {
            let mut lease = self.pool.acquire_for(context, Holder::CALL).await?;
            let work = |mut session: Box<RedisSession>| async move {
                let masters = session.masters().await;
                (session, masters)
            };
            lease.run(self.pool.deadline_of(context), work).await
        };
        let outcome = work.instrument(call.span()).await;
        self.operations.ended(&call, &outcome);
        outcome
    }

    /// Whether a command may be sent, asked before the pool is.
    fn admit(&self, command: &Cmd) -> Result<(), DatabaseError> {
        if self.pool.driver().options().egress.is_none() {
            return Ok(());
        }
        reading::admit(command).map_err(|error| error.on(self.pool.name()))
    }

    async fn exchange<T: FromRedisValue>(
        &self,
        operation: &'static str,
        command: Cmd,
        stateful: bool,
        context: &RequestContext,
    ) -> Result<T, DatabaseError> {
        let mut tries = self.pool.tries(context);
        let answer = loop {
            let outcome = self.try_exchange(operation, &command, stateful, context).await;
            if let Some(outcome) = tries.settle(outcome).await {
                break outcome?;
            }
        };
        T::from_redis_value(answer).map_err(|cause| error::decode(cause, operation).on(self.pool.name()))
    }

    async fn try_exchange(
        &self,
        operation: &'static str,
        command: &Cmd,
        stateful: bool,
        context: &RequestContext,
    ) -> Result<Value, Failure> {
        let mut lease = self.pool.acquire_for(context, Holder::CALL).await.map_err(Failure::unsent)?;
        if stateful {
            lease.spoil();
        }
        let answer = lease
            .run(self.pool.deadline_of(context), |mut session| async move {
                let answer = session.command(command, operation).await;
                (session, answer)
            })
            .await;
        let effect = match operation {
            "GET" | "PTTL" => Effect::Nothing,
            COMMAND => Effect::Unknown,
            _ => Effect::Whole,
        };
        answer.map_err(|error| Failure::on(&lease, effect, error))
    }
}

/// The command's first word, in capitals.
fn verb(command: &Cmd) -> Option<String> {
    match command.args_iter().next()? {
        ::redis::Arg::Simple(word) => Some(String::from_utf8_lossy(word).to_ascii_uppercase()),
        _ => None,
    }
}

#[async_trait]
impl DatabaseConnection for RedisConnection {
    fn name(&self) -> &ConnectionName {
        self.pool.name()
    }

    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::REDIS;
        &ENGINE
    }

    fn is_connected(&self) -> bool {
        self.pool.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.pool.health(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.pool.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.pool.stats()
    }

    fn key_value(&self) -> Result<&dyn KeyValue, DatabaseError> {
        Ok(self)
    }

    fn keyspace(&self) -> Result<&dyn Keyspace, DatabaseError> {
        Ok(self)
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConnection").field("pool", &self.pool).finish_non_exhaustive()
    }
}

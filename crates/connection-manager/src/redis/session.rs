use std::future::Future;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use ::redis::{Cmd, Pipeline, RedisError, RedisFuture, Value, cmd};
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, KeyNode, KeyPlace, Row, TransactionMode};
use tokio::task::AbortHandle;

use super::node::NodeConnection;
use super::{error, keyspace};
use crate::endpoint::NotAsked;
use crate::pool::DriverSession;

/// One connection of the driver: to a server, or to the nodes of a cluster.
#[derive(Clone)]
pub enum Link {
    /// To one server.
    Single(MultiplexedConnection),
    /// To every node of a cluster.
    Cluster(ClusterConnection<NodeConnection>),
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// One session of the pool.
pub struct RedisSession {
    pub(super) link: Link,
    pub(super) version: Option<String>,
    pub(super) _traffic: Option<Traffic>,
}

/// The task that reads and writes a connection's socket. The socket is closed with it.
pub(super) struct Traffic(pub(super) AbortHandle);

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RedisSession {
    /// Sends a command and returns what the server answers; `attempt` is what an error says was tried.
    pub(super) async fn command(&mut self, command: &Cmd, attempt: &str) -> Result<Value, DatabaseError> {
        let map = self.mapping();
        command.query_async(&mut self.link).await.map_err(|cause| map(cause, attempt))
    }

    /// Sends commands one right after the other to where they belong, and returns what is answered to each, errors of the server
    /// included. Afterwards the session is in the database `own` again.
    pub(super) async fn together(
        &mut self,
        commands: &[Cmd],
        at: &KeyPlace,
        own: u32,
    ) -> Result<Vec<Value>, DatabaseError> {
        if at.database != own {
            self.command(cmd("SELECT").arg(at.database), "SELECT").await?;
        }
        let map = self.mapping();
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(command.clone());
        }
        let count = commands.len();
        let answers = match (&mut self.link, &at.node) {
            (Link::Cluster(connection), Some(KeyNode { host, port })) => {
                let node = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
                connection.route_pipeline(pipeline, 0, count, node).await
            }
            (link, _) => link.req_packed_commands(&pipeline, 0, count).await,
        };
        let answers = answers.map_err(|cause| map(cause, "a pipeline"))?;
        if answers.len() != count {
            return Err(DatabaseError::new(DatabaseErrorKind::Decode, "a pipeline: there are not as many answers"));
        }
        if at.database != own {
            self.command(cmd("SELECT").arg(own), "SELECT").await?;
        }
        Ok(answers)
    }

    /// The masters of a cluster; none where there is one server.
    pub(super) async fn masters(&mut self) -> Result<Vec<KeyNode>, DatabaseError> {
        let Link::Cluster(connection) = &mut self.link else { return Ok(Vec::new()) };
        let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answer = connection.route_command(keyspace::roll_call(), all).await;
        let answer = answer.map_err(|cause| error::map_in_cluster(cause, "PING"))?;
        keyspace::present(answer).map_err(|cause| error::decode(cause, "PING"))
    }

    /// How errors are told: a redirection means something else to who follows them.
    fn mapping(&self) -> fn(RedisError, &str) -> DatabaseError {
        if matches!(self.link, Link::Cluster(_)) { error::map_in_cluster } else { error::map }
    }

    /// The driver's own connection.
    pub fn link(&mut self) -> &mut Link {
        &mut self.link
    }
}

/// The pool's sessions are those of SQL engines too; what only these can do is refused here and offered nowhere.
impl DriverSession for RedisSession {
    async fn execute(&mut self, _: String, _: Values) -> Result<u64, DatabaseError> {
        Err(no_sql())
    }

    async fn query(&mut self, _: String, _: Values) -> Result<Vec<Row>, DatabaseError> {
        Err(no_sql())
    }

    async fn run_script(&mut self, _: &str) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn begin(&mut self, _: TransactionMode) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        match self.command(&::redis::cmd("PING"), "PING").await {
            // A user who may not ask is answered all the same.
            Err(error) if error.code() == Some("NOPERM") => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    fn server_version(&mut self) -> impl Future<Output = Result<Option<String>, DatabaseError>> + Send {
        std::future::ready(Ok(self.version.clone()))
    }

    /// Redis knows no goodbye worth waiting for: the end of the socket is one.
    async fn close(self) {}
}

fn no_sql() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, "redis speaks no SQL").with_source(NotAsked::at_all())
}

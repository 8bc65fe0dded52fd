use std::future::Future;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Cmd, Pipeline, RedisFuture, Value};
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row, TransactionMode};
use tokio::task::AbortHandle;

use super::error;
use super::node::NodeConnection;
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
        let map = if matches!(self.link, Link::Cluster(_)) { error::map_in_cluster } else { error::map };
        command.query_async(&mut self.link).await.map_err(|cause| map(cause, attempt))
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
    DatabaseError::new(DatabaseErrorKind::Unsupported, "redis speaks no SQL")
}

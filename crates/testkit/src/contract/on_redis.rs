use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::ConnectionSettings;
use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::cmd;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine};

use super::{Subject, Target};
use crate::redis;

/// Redis, asked for values under keys.
#[derive(Debug, Clone, Copy)]
struct RedisSubject;

impl Target {
    /// The Redis that tests share.
    ///
    /// # Panics
    /// When there is none.
    pub fn redis() -> Self {
        Self::new(RedisSubject, redis::shared(), ())
    }
}

#[async_trait]
impl Subject for RedisSubject {
    fn engine(&self) -> Engine {
        Engine::REDIS
    }

    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        let answer: String = native(connection)?.query(cmd("ECHO").arg(number).take(), context).await?;
        answer.parse().map_err(|error| DatabaseError::new(DatabaseErrorKind::Decode, "no number").with_source(error))
    }

    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        let nothing = "testkit:a list that nobody fills";
        native(connection)?.query(cmd("BLPOP").arg(nothing).arg(time.as_secs_f64()).take(), context).await
    }

    fn astray(&self, settings: ConnectionSettings) -> ConnectionSettings {
        // Databases have numbers, and servers have few of them.
        settings.with_database("4000")
    }

    fn secured(&self, settings: ConnectionSettings) -> ConnectionSettings {
        let ConnectionSettings { host, port, .. } = redis::shared_with_tls();
        ConnectionSettings { host, port, ..settings }
    }

    fn certificate_authority(&self) -> Option<PathBuf> {
        Some(redis::authority())
    }
}

fn native(connection: &dyn DatabaseConnection) -> Result<&RedisConnection, DatabaseError> {
    connection
        .native_as()
        .ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Unsupported, "the connection is not one to Redis"))
}

//! From an engine's name to its connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine};

use crate::connector::Connector;

/// The connectors that a program has, by engine.
///
/// A new engine is one call of [`ConnectionFactory::register`]; no code of this crate changes for it.
#[derive(Debug, Clone, Default)]
pub struct ConnectionFactory {
    connectors: BTreeMap<Engine, Arc<dyn Connector>>,
}

impl ConnectionFactory {
    /// Without any connector.
    pub fn empty() -> Self {
        Self::default()
    }

    /// With the connectors of every engine that this crate was compiled with.
    #[cfg_attr(
        not(any(
            feature = "dynamodb",
            feature = "mongodb",
            feature = "mysql",
            feature = "postgres",
            feature = "redis",
            feature = "sqlite",
            feature = "sqlserver"
        )),
        expect(unused_mut, reason = "with no engine compiled in there is nothing to register")
    )]
    pub fn compiled() -> Self {
        let mut factory = Self::empty();
        #[cfg(feature = "dynamodb")]
        {
            factory = factory.register(Arc::new(crate::connectors::DynamoDbConnector::default()));
        }
        #[cfg(feature = "mongodb")]
        {
            factory = factory.register(Arc::new(crate::connectors::MongoDbConnector));
        }
        #[cfg(feature = "mysql")]
        {
            factory = factory.register(Arc::new(crate::connectors::MySqlConnector::mysql()));
            factory = factory.register(Arc::new(crate::connectors::MySqlConnector::mariadb()));
        }
        #[cfg(feature = "postgres")]
        {
            factory = factory.register(Arc::new(crate::connectors::PostgresConnector));
        }
        #[cfg(feature = "redis")]
        {
            factory = factory.register(Arc::new(crate::connectors::RedisConnector));
        }
        #[cfg(feature = "sqlite")]
        {
            factory = factory.register(Arc::new(crate::connectors::SqliteConnector));
        }
        #[cfg(feature = "sqlserver")]
        {
            factory = factory.register(Arc::new(crate::connectors::SqlServerConnector));
        }
        factory
    }

    /// Adds a connector, or replaces the one for the same engine.
    #[must_use]
    pub fn register(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connectors.insert(connector.engine().clone(), connector);
        self
    }

    /// The engines that can be connected to, in the order of their names.
    pub fn engines(&self) -> impl Iterator<Item = &Engine> {
        self.connectors.keys()
    }

    /// The connector for an engine.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::Misconfigured`], naming the engines there are.
    pub fn connector(&self, engine: &Engine) -> Result<&Arc<dyn Connector>, DatabaseError> {
        self.connectors.get(engine).ok_or_else(|| {
            let known: Vec<&str> = self.engines().map(Engine::as_str).collect();
            let message = format!("no connector for engine `{engine}`, there are: {}", known.join(", "));
            DatabaseError::new(DatabaseErrorKind::Misconfigured, message)
        })
    }
}

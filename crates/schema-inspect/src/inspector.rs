use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use schema_model::Inspection;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Engine};

use crate::{
    DynamoDbInspector, InspectError, InspectOptions, MongoDbInspector, MySqlInspector, PostgresInspector,
    RedisInspector, SqlServerInspector, SqliteInspector,
};

/// Looks at databases of some engines.
#[async_trait]
pub trait Inspector: Send + Sync {
    /// Whose databases it can look at.
    fn engines(&self) -> &[Engine];

    /// Whether what it tells as namespaces is what these engines call databases: naming one of them is naming the other.
    fn namespaces_are_databases(&self) -> bool {
        false
    }

    /// Reads what is in the database that `connection` leads to. It changes nothing and waits for nobody's lock; on SQL Server, whose
    /// catalog is behind locks itself, for no longer than [`InspectOptions::lock_wait`] each time.
    ///
    /// Cancellation: dropping the future is safe; a transaction that it had opened is rolled back.
    ///
    /// # Errors
    /// [`InspectError`]; `Database` with `Timeout` when the context's deadline passes first.
    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError>;
}

/// The inspectors that a program has: the built-in ones, and those that it brings along itself.
#[derive(Clone, Default)]
pub struct Inspectors(Vec<Arc<dyn Inspector>>);

impl Inspectors {
    /// None.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Those of this crate.
    pub fn builtin() -> Self {
        Self::empty()
            .register(Arc::new(PostgresInspector))
            .register(Arc::new(MySqlInspector))
            .register(Arc::new(SqliteInspector))
            .register(Arc::new(MongoDbInspector))
            .register(Arc::new(DynamoDbInspector))
            .register(Arc::new(RedisInspector))
            .register(Arc::new(SqlServerInspector))
    }

    /// Adds one. For an engine that another one knows as well, the last one counts.
    #[must_use]
    pub fn register(mut self, inspector: Arc<dyn Inspector>) -> Self {
        self.0.push(inspector);
        self
    }

    /// The engines that can be looked at, each once, in the order in which they became known.
    pub fn engines(&self) -> Vec<&Engine> {
        let mut engines: Vec<&Engine> = Vec::new();
        for engine in self.0.iter().flat_map(|inspector| inspector.engines()) {
            if !engines.contains(&engine) {
                engines.push(engine);
            }
        }
        engines
    }

    /// Whether naming a namespace of this engine is naming a database, as far as its inspector says so.
    pub fn namespaces_are_databases(&self, engine: &Engine) -> bool {
        self.of(engine).is_some_and(|inspector| inspector.namespaces_are_databases())
    }

    fn of(&self, engine: &Engine) -> Option<&Arc<dyn Inspector>> {
        self.0.iter().rev().find(|inspector| inspector.engines().contains(engine))
    }

    /// Looks at the database with the inspector of its engine.
    ///
    /// # Errors
    /// As [`Inspector::inspect`], and `UnknownEngine` where there is none.
    pub async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        match self.of(connection.engine()) {
            Some(inspector) => inspector.inspect(connection, options, context).await,
            None => Err(InspectError::UnknownEngine(connection.engine().clone())),
        }
    }
}

impl fmt::Debug for Inspectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inspectors").field(&self.engines()).finish()
    }
}

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use schema_model::Inspection;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Engine};

use crate::{
    DynamoDbInspector, InspectError, InspectOptions, Look, MongoDbInspector, MySqlInspector, PostgresInspector,
    RedisInspector, SqlServerInspector, SqliteInspector, Stamp,
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

    /// What the one database of these engines is called, where a connection leads to a thing that has no other.
    fn only_database(&self) -> Option<&str> {
        None
    }

    /// Whether [`crate::SamplingOptions`] count here: whether any of what it tells comes from looking at some of what is kept.
    fn samples(&self) -> bool {
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

    /// As [`Self::inspect`], unless the schema is in the state `known`, which an earlier look has told.
    ///
    /// The state is asked for with one statement, which waits for no lock on a table of users, before everything else: what changes
    /// during the look makes a difference to the next stamp. Two stamps of a database are equal only where nothing has changed in
    /// between that a look with the same options would tell, row counts and sizes included, by the login of the same connection.
    /// They may differ where nothing has changed. What a look had to leave out because of somebody's lock, or of a limit, a stamp
    /// says nothing about.
    ///
    /// There is no stamp where the engine tells nothing that would do, where looks are at samples, which are others each time, and
    /// where the engine does not answer that one question, which is no reason not to look.
    ///
    /// Cancellation: dropping the future is safe.
    ///
    /// # Errors
    /// As [`Self::inspect`].
    async fn look(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        _known: Option<Stamp>,
        context: &RequestContext,
    ) -> Result<Look, InspectError> {
        let inspection = self.inspect(connection, options, context).await?;
        Ok(Look::Found { inspection: Box::new(inspection), stamp: None })
    }
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meant<'a> {
    /// Another database than the one that the connection leads to.
    pub database: Option<&'a str>,
    /// One namespace of the database; all of them where there is none.
    pub namespace: Option<&'a str>,
}

/// Why names of a database and of a namespace mean nothing together, or on an engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamingError {
    /// A namespace of the engine is a database, and two are named.
    #[error("a schema of this engine is a database: `database` and `schema` name two, and one is looked at")]
    TwoDatabases,
    /// What a connection of the engine leads to is one database, which is called so, and another one is named.
    #[error("a connection to this engine leads to one database, which is called `{0}`")]
    OneDatabase(String),
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

    /// Whether how closely documents and keys are looked at makes a difference on this engine, as far as its inspector says so.
    pub fn samples(&self, engine: &Engine) -> bool {
        self.of(engine).is_some_and(|inspector| inspector.samples())
    }

    /// What these names mean on a connection of this engine that leads to the database `own`. Where namespaces are databases, naming
    /// a database is naming a namespace; where there is one database, its name is that of the connection's own.
    ///
    /// # Errors
    /// [`NamingError`]
    pub fn meant<'a>(
        &self,
        engine: &Engine,
        own: Option<&str>,
        database: Option<&'a str>,
        namespace: Option<&'a str>,
    ) -> Result<Meant<'a>, NamingError> {
        let Some(name) = database else { return Ok(Meant { database: None, namespace }) };
        if self.namespaces_are_databases(engine) {
            return match namespace {
                Some(namespace) if namespace != name => Err(NamingError::TwoDatabases),
                _ => Ok(Meant { database: None, namespace: Some(name) }),
            };
        }
        if let Some(only) = self.of(engine).and_then(|inspector| inspector.only_database()) {
            return if name == only {
                Ok(Meant { database: None, namespace })
            } else {
                Err(NamingError::OneDatabase(only.to_owned()))
            };
        }
        Ok(Meant { database: database.filter(|name| own != Some(*name)), namespace })
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

    /// Looks at the database unless it is in the state `known`, by the inspector of its engine.
    ///
    /// # Errors
    /// As [`Inspector::look`], and `UnknownEngine` where there is no inspector.
    pub async fn look(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        known: Option<Stamp>,
        context: &RequestContext,
    ) -> Result<Look, InspectError> {
        match self.of(connection.engine()) {
            Some(inspector) => inspector.look(connection, options, known, context).await,
            None => Err(InspectError::UnknownEngine(connection.engine().clone())),
        }
    }

    /// What was found, where everything that was named is there. A name that nothing has is otherwise told as nothing: an inspection
    /// that is compared with an earlier one has to be able to say that a namespace is gone.
    ///
    /// # Errors
    /// `UnknownNamespace`
    pub fn expect_all(&self, found: Inspection, options: &InspectOptions) -> Result<Inspection, InspectError> {
        match self.missing(&found, options) {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }

    /// The error that is due where something was named and is not there.
    pub fn missing(&self, found: &Inspection, options: &InspectOptions) -> Option<InspectError> {
        let name = options.missing(&found.database)?.to_owned();
        let is_database = self.namespaces_are_databases(&Engine::from(found.database.engine.clone()));
        Some(InspectError::UnknownNamespace { name, is_database })
    }
}

impl fmt::Debug for Inspectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inspectors").field(&self.engines()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(
        (engine, own): (Engine, Option<&str>),
        (database, namespace): (Option<&str>, Option<&str>),
        expected: &Result<(Option<&str>, Option<&str>), NamingError>,
    ) {
        let meant = Inspectors::builtin().meant(&engine, own, database, namespace);
        assert_eq!(&meant.map(|meant| (meant.database, meant.namespace)), expected, "{engine}");
    }

    #[test]
    fn names_mean_what_the_engine_makes_of_them() {
        for engine in [Engine::POSTGRES, Engine::SQLSERVER, Engine::DYNAMODB] {
            let own = (engine, Some("sales"));
            means(own.clone(), (None, Some("public")), &Ok((None, Some("public"))));
            means(own.clone(), (Some("sales"), Some("public")), &Ok((None, Some("public"))));
            means(own.clone(), (Some("Sales"), None), &Ok((Some("Sales"), None)));
            means(own, (Some("archive"), Some("public")), &Ok((Some("archive"), Some("public"))));
        }
        for engine in [Engine::MYSQL, Engine::MARIADB, Engine::MONGODB, Engine::REDIS] {
            let own = (engine, Some("sales"));
            means(own.clone(), (Some("archive"), None), &Ok((None, Some("archive"))));
            means(own.clone(), (Some("sales"), Some("sales")), &Ok((None, Some("sales"))));
            means(own, (Some("archive"), Some("sales")), &Err(NamingError::TwoDatabases));
        }
        let file = (Engine::SQLITE, None);
        means(file.clone(), (Some("main"), None), &Ok((None, None)));
        means(file.clone(), (Some("main"), Some("main")), &Ok((None, Some("main"))));
        means(file, (Some("shelf"), None), &Err(NamingError::OneDatabase("main".to_owned())));
    }

    #[test]
    fn where_nothing_is_sampled_closeness_makes_no_difference() {
        let inspectors = Inspectors::builtin();
        let sampled: Vec<&Engine> =
            inspectors.engines().into_iter().filter(|engine| inspectors.samples(engine)).collect();
        assert_eq!(sampled, [&Engine::MONGODB, &Engine::DYNAMODB, &Engine::REDIS]);
    }
}

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, PoolSettings};
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use tempfile::TempDir;

use crate::Server;

/// How long dropping a database may hold up the end of a test.
const CLEAN_UP: Duration = Duration::from_secs(20);

/// A database that belongs to one test: made when the test begins, dropped when it ends.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
    settings: ConnectionSettings,
    /// What SQLite's file lies in.
    folder: Option<TempDir>,
    dropped: bool,
}

impl TestDatabase {
    /// Makes an empty database on `server`.
    ///
    /// # Panics
    /// When there is no such server or it refuses.
    pub async fn create(server: Server) -> Self {
        let id = SystemIdGenerator.next().simple().to_string();
        // The end of a version 7 UUID is random; its beginning is the time.
        let name = format!("t_{}", &id[16..]);
        if server == Server::Sqlite {
            let folder = TempDir::with_prefix("bindery-").expect("the folder for temporary files is writable");
            let settings = ConnectionSettings::sqlite(folder.path().join(format!("{name}.db")));
            return Self { server, name, settings, folder: Some(folder), dropped: false };
        }
        let create = match server {
            Server::MySql | Server::MariaDb => {
                format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            }
            Server::Postgres => format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
            Server::SqlServer | Server::Sqlite => format!("CREATE DATABASE {name}"),
        };
        if let Err(error) = administer(server, &[create]).await {
            panic!("{server}: cannot create the database {name}: {error:?}");
        }
        let settings = server.admin().with_database(&name);
        Self { server, name, settings, folder: None, dropped: false }
    }

    /// Makes a database and applies every migration of one context.
    ///
    /// # Panics
    /// As [`TestDatabase::create`], and when there is no such context or a migration fails.
    pub async fn migrated(server: Server, context: &str) -> Self {
        let database = Self::create(server).await;
        database.migrate(context).await;
        database
    }

    /// Applies every migration of one context.
    ///
    /// # Panics
    /// When there is no such context or a migration fails.
    pub async fn migrate(&self, context: &str) {
        let Some(set) = migrations::set(context) else { panic!("there are no migrations for context `{context}`") };
        let connection = self.connection().await;
        let outcome = migrations::Migrator::new(set, connection.clone()).up(&RequestContext::system()).await;
        connection.close(Duration::from_secs(5)).await;
        if let Err(error) = outcome {
            panic!("{}: cannot migrate `{context}`: {error}\n{error:?}", self.server);
        }
    }

    /// The engine it lives on.
    pub fn server(&self) -> Server {
        self.server
    }

    /// Its name on the server, made for this test alone.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Settings that lead to it, as a user who may do everything in it.
    pub fn settings(&self) -> ConnectionSettings {
        self.settings.clone()
    }

    /// SQLite's file.
    pub fn path(&self) -> Option<&Path> {
        self.settings.path.as_deref().filter(|_| self.folder.is_some())
    }

    /// A manager whose only connection, called `connection`, leads to this database.
    ///
    /// # Panics
    /// When the settings are refused.
    pub fn manager(&self, connection: &str) -> ConnectionManager {
        manager(connection, self.settings())
    }

    /// A connection to it, called `test`, with a pool of its own.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn connection(&self) -> Arc<dyn DatabaseConnection> {
        match connect(self.settings()).await {
            Ok(connection) => connection,
            Err(error) => panic!("{}: cannot connect to {}: {error:?}", self.server, self.name),
        }
    }

    /// Drops the database now and reports what stands in the way. Without this call it is dropped with the value.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn drop_database(mut self) {
        self.dropped = true;
        if let Err(error) = administer(self.server, &removal(self.server, &self.name)).await {
            panic!("{}: cannot drop the database {}: {error:?}", self.server, self.name);
        }
    }
}

impl Drop for TestDatabase {
    /// Drops the database on a thread of its own, because the test's runtime may be on its way out. Waits for it, so
    /// that nothing is left when the process ends, but not for ever.
    fn drop(&mut self) {
        if self.dropped || self.folder.is_some() {
            return;
        }
        let (server, statements) = (self.server, removal(self.server, &self.name));
        let (done, finished) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = match runtime {
                Ok(runtime) => runtime.block_on(administer(server, &statements)).map_err(|error| format!("{error:?}")),
                Err(error) => Err(error.to_string()),
            };
            // The receiver is gone when the wait was given up.
            let _ = done.send(outcome);
        });
        let outcome = finished.recv_timeout(CLEAN_UP).unwrap_or_else(|error| Err(error.to_string()));
        if let Err(error) = outcome {
            tracing::warn!(%server, database = self.name, error, "a test database stays behind");
        }
    }
}

/// A connection called `test` to an empty SQLite database in memory, which lives as long as the connection: for tests of
/// code over the kernel's traits that do not care which engine it is.
///
/// # Panics
/// When SQLite cannot make it.
pub async fn in_memory() -> Arc<dyn DatabaseConnection> {
    match connect(ConnectionSettings::sqlite(":memory:")).await {
        Ok(connection) => connection,
        Err(error) => panic!("sqlite in memory: {error:?}"),
    }
}

/// A connection called `test` with a manager of its own.
///
/// # Errors
/// What the connector answers.
pub async fn connect(settings: ConnectionSettings) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
    manager("test", settings).get("test", Access::Write, &RequestContext::system()).await
}

/// A manager with one connection.
///
/// # Panics
/// When the settings are refused.
pub fn manager(connection: &str, settings: ConnectionSettings) -> ConnectionManager {
    match ConnectionManager::builder(ConnectionFactory::compiled()).connection(connection, settings).build() {
        Ok(manager) => manager,
        Err(error) => panic!("connection `{connection}` is refused: {error}"),
    }
}

async fn administer(server: Server, statements: &[String]) -> Result<(), DatabaseError> {
    let connection = connect(server.admin().with_pool(PoolSettings::sized(0, 1))).await?;
    let outcome = async {
        // One session, because a setting may come before the statement that it is for.
        let session = connection.sql()?.session(&RequestContext::system()).await?;
        if server == Server::SqlServer {
            // Babelfish cannot make two databases at the same time.
            let lock = "EXEC sp_getapplock @Resource = N'testkit', @LockMode = N'Exclusive', @LockOwner = N'Session'";
            session.run_script(lock, &RequestContext::system()).await?;
        }
        for statement in statements {
            session.run_script(statement, &RequestContext::system()).await?;
        }
        session.release().await
    }
    .await;
    connection.close(Duration::from_secs(5)).await;
    outcome
}

/// What takes a database away, even when the test left connections open.
fn removal(server: Server, name: &str) -> Vec<String> {
    match server {
        Server::MySql | Server::MariaDb => {
            vec!["SET SESSION lock_wait_timeout = 10".to_owned(), format!("DROP DATABASE {name}")]
        }
        Server::Postgres => vec![format!("DROP DATABASE {name} WITH (FORCE)")],
        Server::SqlServer => vec![
            format!(
                "IF CHARINDEX('Babelfish', @@VERSION) = 0 \
                 EXEC('ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE')"
            ),
            format!("DROP DATABASE {name}"),
        ],
        Server::Sqlite => Vec::new(),
    }
}

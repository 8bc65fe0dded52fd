//! The MongoDB that tests share, or what plays it: a database for each test, and users who change.

use std::time::Duration;

use connection_manager::mongodb::MongoDbConnection;
use connection_manager::mongodb::driver_crate::bson::{Document, doc};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings};
use secrecy::SecretString;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};

use crate::connect;
use crate::server::environment;

/// A login takes its time where passwords are hashed by programs that were not optimised, on a machine that compiles others.
const PATIENCE: Duration = Duration::from_secs(30);
const VARIABLE: &str = "BINDERY_TEST_MONGODB_URL";

/// The way to the MongoDB that tests share, as a user who may do everything.
///
/// # Panics
/// When the environment names none: a test that cannot run fails, it is not passed over.
pub fn shared() -> ConnectionSettings {
    let Some(url) = environment(VARIABLE) else {
        panic!("{VARIABLE} is not set, so there is no mongodb to test on; run it through `cargo xtask test`");
    };
    match ConnectionSettings::from_url(&url) {
        Ok(settings) => settings
            .with_pool(PoolSettings {
                connect_timeout: PATIENCE,
                acquire_timeout: PATIENCE,
                ..PoolSettings::sized(0, 8)
            })
            .with_database("bindery_tests"),
        Err(error) => panic!("{VARIABLE} holds no connection URL: {error}"),
    }
}

/// The same with a database that no other test uses. It is there once something is written, and stays until [`drop_database`].
///
/// # Panics
/// As [`shared`].
pub fn database() -> ConnectionSettings {
    shared().with_database(format!("test_{}", SystemIdGenerator.next().simple()))
}

/// Drops the database that the connection's settings name.
///
/// # Panics
/// When the server refuses.
pub async fn drop_database(connection: &dyn DatabaseConnection) {
    let database = connection.documents().ok().and_then(|documents| documents.database().map(str::to_owned));
    let database = database.expect("a connection with a database");
    if let Err(error) = run(connection, &database, doc! { "dropDatabase": 1 }).await {
        panic!("mongodb: cannot drop {database}: {error:?}");
    }
}

/// Runs a command in a database.
///
/// # Errors
/// What the server answers.
pub async fn run(
    connection: &dyn DatabaseConnection,
    database: &str,
    command: Document,
) -> Result<Document, DatabaseError> {
    run_for(connection, database, command, &RequestContext::system()).await
}

/// The same within the limits of a context.
///
/// # Errors
/// What the server answers, or that there was no time.
pub async fn run_for(
    connection: &dyn DatabaseConnection,
    database: &str,
    command: Document,
    context: &RequestContext,
) -> Result<Document, DatabaseError> {
    let Some(native) = connection.native_as::<MongoDbConnection>() else {
        return Err(DatabaseError::new(DatabaseErrorKind::Unsupported, "the connection is not one to MongoDB"));
    };
    let work = |client: connection_manager::mongodb::driver_crate::Client| {
        let command = command.clone();
        async move { client.database(database).run_command(command).await }
    };
    native.with_client(work, context).await
}

/// A user who may read and write everywhere, until it is dropped with [`User::remove`].
#[derive(Debug)]
pub struct User {
    name: String,
}

impl User {
    /// Creates one with a name of its own.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create(password: &str) -> Self {
        Self::with_role(password, "readWriteAnyDatabase").await
    }

    /// The same with one role of the database `admin`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn with_role(password: &str, role: &str) -> Self {
        let name = format!("user_{}", SystemIdGenerator.next().simple());
        let roles = roles(role);
        administer(doc! { "createUser": &name, "pwd": password, "roles": roles }).await;
        Self { name }
    }

    /// Gives it another password.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn set_password(&self, password: &str) {
        administer(doc! { "updateUser": &self.name, "pwd": password }).await;
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The way to the shared server as this user.
    pub fn settings(&self, password: &str) -> ConnectionSettings {
        shared().with_username(&self.name).with_password(PasswordSource::Literal(SecretString::from(password)))
    }

    /// Drops it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn remove(self) {
        administer(doc! { "dropUser": &self.name }).await;
    }
}

/// What stands in for MongoDB gives the right to write together with the administration of a cluster.
fn roles(role: &str) -> Vec<Document> {
    let mut roles = vec![doc! { "role": role, "db": "admin" }];
    if role == "readWriteAnyDatabase" {
        roles.push(doc! { "role": "clusterAdmin", "db": "admin" });
    }
    roles
}

async fn administer(command: Document) {
    let administrator = match connect(shared()).await {
        Ok(connection) => connection,
        Err(error) => panic!("mongodb: {error:?}"),
    };
    if let Err(error) = run(administrator.as_ref(), "admin", command).await {
        panic!("mongodb: {error:?}");
    }
}

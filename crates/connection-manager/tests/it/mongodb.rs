//! The document capability and its pool on MongoDB, or on what plays it.
//!
//! *Not run*, because neither has it (ADR 0033): SRV records that exist, replica sets and their failover, a server that only reads.

#![expect(clippy::unwrap_used, reason = "a helper is part of a test's body, and what it unwraps is what it asserts")]

mod connecting;
mod pooling;
mod rotation;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::mongodb::driver_crate::bson::{Document as TheirDocument, doc};
use connection_manager::mongodb::{MongoDbConnection, driver_crate};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings};
use secrecy::SecretString;
use shared_kernel::database::{
    Bounds, Collection, DatabaseConnection, DatabaseError, DatabaseErrorKind, Document, Find,
};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::contract::refused;
use testkit::eventually;
use testkit::mongodb::{User, run_for, shared};

const SOON: Duration = Duration::from_secs(30);

/// A context with a deadline, so that a test that hangs says where.
fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

/// So many places, and all the time that a loaded machine takes for a login.
fn sized(min: u32, max: u32) -> PoolSettings {
    PoolSettings { connect_timeout: SOON, acquire_timeout: SOON, ..PoolSettings::sized(min, max) }
}

async fn open(settings: ConnectionSettings) -> Arc<dyn DatabaseConnection> {
    testkit::connect(settings).await.unwrap()
}

fn native(connection: &Arc<dyn DatabaseConnection>) -> &MongoDbConnection {
    connection.native_as().expect("the native handle")
}

/// A collection that no other test uses.
fn collection() -> Collection {
    Collection::try_new("bindery_tests", format!("test_{}", SystemIdGenerator.next().simple())).unwrap()
}

async fn assert_serves(connection: &Arc<dyn DatabaseConnection>) {
    let find = Find::default();
    connection.documents().unwrap().find(&collection(), &find, Bounds::documents(1), &context()).await.unwrap();
}

/// A command that takes as long as it is told.
fn slow(seconds: i64) -> TheirDocument {
    doc! { "sleep": 1, "millis": seconds * 1_000, "lock": "none" }
}

fn with_password(settings: ConnectionSettings, password: &str) -> ConnectionSettings {
    settings.with_password(PasswordSource::Literal(SecretString::from(password)))
}

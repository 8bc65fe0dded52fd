//! The key-value capability and its pool on a real Redis.

#![expect(clippy::unwrap_used, reason = "a helper is part of a test's body, and what it unwraps is what it asserts")]

mod cluster;
mod connecting;
mod guarded;
mod operations;
mod pooling;
mod rotation;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::{Cmd, cmd};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use secrecy::SecretString;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, Expiry, KeyValue};
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::contract::refused;
use testkit::redis::{OwnRedis, shared};
use testkit::{eventually, eventually_some};

const SOON: Duration = Duration::from_secs(10);

/// A context with a deadline, so that a test that hangs says where.
fn context() -> RequestContext {
    RequestContext::system().within(Duration::from_mins(1))
}

/// A word that no other test uses.
fn unique() -> String {
    SystemIdGenerator.next().to_string()
}

/// A key that no other test uses.
fn key(name: &str) -> Vec<u8> {
    format!("{name}:{}", unique()).into_bytes()
}

async fn open(settings: ConnectionSettings) -> Arc<dyn DatabaseConnection> {
    testkit::connect(settings).await.unwrap()
}

fn native(connection: &Arc<dyn DatabaseConnection>) -> &RedisConnection {
    connection.native_as().expect("the native handle")
}

/// Proves that a connection serves: a value comes back.
async fn assert_serves(connection: &Arc<dyn DatabaseConnection>) {
    let values = connection.key_value().unwrap();
    let key = key("serves");
    values.set(&key, b"yes", Expiry::After(SOON), &context()).await.unwrap();
    assert_eq!(values.get(&key, &context()).await.unwrap().as_deref(), Some(&b"yes"[..]));
}

/// A command that takes as long as it is told.
fn slow(seconds: u64) -> Cmd {
    cmd("BLPOP").arg(key("nothing")).arg(seconds).take()
}

fn with_password(settings: ConnectionSettings, password: &str) -> ConnectionSettings {
    settings.with_password(PasswordSource::Literal(SecretString::from(password)))
}

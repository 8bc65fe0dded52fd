use std::time::{Duration, Instant};

use connection_manager::{PasswordSource, PoolSettings};
use secrecy::SecretString;
use shared_kernel::database::DatabaseErrorKind;

use super::Target;
use super::target::{context, refused};
use crate::proxy::Traffic;

/// A connection knows its name and its engine, and says that it is connected.
pub async fn a_connection_tells_its_name_and_engine(target: Target) {
    let connection = target.open().await;
    assert_eq!(connection.name().as_str(), "test");
    assert_eq!(*connection.engine(), target.engine());
    assert!(connection.is_connected());
}

/// A database that is not there is not taken for a server that is down.
pub async fn an_unknown_database_is_told_apart(target: Target) {
    let error = refused(target.connect(target.astray()).await, &DatabaseErrorKind::UnknownDatabase);
    assert_eq!(error.connection().map(ToString::to_string).as_deref(), Some("test"), "{error:?}");
}

/// What is asked for comes back.
pub async fn an_answer_comes_back(target: Target) {
    let connection = target.open().await;
    target.assert_serves(&connection, 42).await;
}

/// A rejected login says so, carries the engine's code, and repeats no password.
pub async fn a_wrong_password_is_rejected(target: Target) {
    let password = "wr0ng-pa55word";
    let settings = target.settings().with_password(PasswordSource::Literal(SecretString::from(password)));
    let error = refused(target.connect(settings).await, &DatabaseErrorKind::AuthRejected);
    assert!(error.code().is_some(), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(password), "{error:?}");
}

/// A name that nobody resolves is a server that cannot be reached.
pub async fn an_unknown_host_is_unreachable(target: Target) {
    let settings = target.settings().with_host("no-such-host.invalid");
    let error = refused(target.connect(settings).await, &DatabaseErrorKind::Unreachable);
    assert!(error.to_string().starts_with("connection `test`: "), "{error}");
}

/// A port where nobody listens is a server that cannot be reached, and known to be so at once.
pub async fn a_refused_port_is_unreachable(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    proxy.set(Traffic::Refuse).await;
    let pool = PoolSettings { connect_timeout: Duration::from_secs(20), ..settings.pool.clone() };
    let began = Instant::now();
    refused(target.connect(settings.with_pool(pool)).await, &DatabaseErrorKind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(10), "a refused port took {:?}", began.elapsed());
}

/// A server that accepts and says nothing is given up after the connect time-out.
pub async fn an_unreachable_server_is_given_up_in_time(target: Target) {
    let (proxy, settings) = target.behind_a_proxy().await;
    proxy.set(Traffic::Swallow).await;
    let pool = PoolSettings { connect_timeout: Duration::from_millis(500), ..settings.pool.clone() };
    let began = Instant::now();
    let error = target.connect(settings.with_pool(pool)).await.expect_err("nobody answers");
    let kinds = [DatabaseErrorKind::Unreachable, DatabaseErrorKind::Timeout];
    assert!(kinds.contains(error.kind()), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "giving up took {:?}", began.elapsed());
}

/// A sign of life has a latency and tells the server's version.
pub async fn a_ping_tells_latency_and_version(target: Target) {
    let connection = target.open().await;
    let health = connection.ping(&context()).await.unwrap();
    assert!(health.latency > Duration::ZERO);
    let version = health.server_version.expect("a version");
    assert!(version.contains(|character: char| character.is_ascii_digit()), "{version}");
}

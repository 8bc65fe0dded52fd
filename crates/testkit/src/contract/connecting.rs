use std::time::{Duration, Instant};

use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings};
use secrecy::SecretString;
use shared_kernel::database::DatabaseErrorKind;

use super::Target;
use super::target::{assert_answers, context, refused};
use crate::connect;
use crate::proxy::{Proxy, Traffic};

/// A connection knows its name, its engine and its dialect, and says that it is connected.
pub async fn a_connection_tells_its_name_and_engine(target: Target) {
    let connection = target.open().await;
    assert_eq!(connection.name().as_str(), "test");
    assert_eq!(*connection.engine(), target.server().engine());
    assert_eq!(connection.sql().unwrap().dialect(), target.server().dialect());
    assert!(connection.is_connected());
}

/// A database that is not there is not taken for a server that is down.
pub async fn an_unknown_database_is_told_apart(target: Target) {
    let mut settings = target.settings();
    if let Some(path) = &settings.path {
        settings.path = Some(path.with_file_name("no_such_folder").join("users.db"));
    } else {
        settings.database = Some("no_such_database".to_owned());
    }
    let error = refused(connect(settings).await, &DatabaseErrorKind::UnknownDatabase);
    assert_eq!(error.connection().map(ToString::to_string).as_deref(), Some("test"), "{error:?}");
}

/// A statement gets its rows.
pub async fn an_answer_comes_back(target: Target) {
    let connection = target.open().await;
    assert_answers(connection.sql().unwrap(), 42).await;
}

/// A rejected login says so, carries the engine's code, and repeats no password.
pub async fn a_wrong_password_is_rejected(target: Target) {
    let password = "wr0ng-pa55word";
    let settings = target.settings().with_password(PasswordSource::Literal(SecretString::from(password)));
    let error = refused(connect(settings).await, &DatabaseErrorKind::AuthRejected);
    assert!(error.code().is_some(), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(password), "{error:?}");
}

/// A name that nobody resolves is a server that cannot be reached.
pub async fn an_unknown_host_is_unreachable(target: Target) {
    let settings = target.settings().with_host("no-such-host.invalid");
    let error = refused(connect(settings).await, &DatabaseErrorKind::Unreachable);
    assert!(error.to_string().starts_with("connection `test`: "), "{error}");
}

/// A port where nobody listens is a server that cannot be reached, and known to be so at once.
pub async fn a_refused_port_is_unreachable(target: Target) {
    let (proxy, settings) = behind_a_proxy(&target).await;
    proxy.set(Traffic::Refuse).await;
    let pool = PoolSettings { connect_timeout: Duration::from_secs(20), ..settings.pool.clone() };
    let began = Instant::now();
    refused(connect(settings.with_pool(pool)).await, &DatabaseErrorKind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(10), "a refused port took {:?}", began.elapsed());
}

/// A server that accepts and says nothing is given up after the connect time-out.
pub async fn an_unreachable_server_is_given_up_in_time(target: Target) {
    let (proxy, settings) = behind_a_proxy(&target).await;
    proxy.set(Traffic::Swallow).await;
    let pool = PoolSettings { connect_timeout: Duration::from_millis(500), ..settings.pool.clone() };
    let began = Instant::now();
    let error = connect(settings.with_pool(pool)).await.expect_err("nobody answers");
    let kinds = [DatabaseErrorKind::Unreachable, DatabaseErrorKind::Timeout];
    assert!(kinds.contains(error.kind()), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "giving up took {:?}", began.elapsed());
}

/// The same target through a proxy.
pub(crate) async fn behind_a_proxy(target: &Target) -> (Proxy, ConnectionSettings) {
    let settings = target.settings();
    let (Some(host), Some(port)) = (&settings.host, settings.port) else {
        panic!("{}: the test's URL names host and port", target.server());
    };
    let proxy = Proxy::start(format!("{host}:{port}")).await.expect("a port for the proxy");
    let settings = settings.with_host("127.0.0.1").with_port(proxy.port());
    (proxy, settings)
}

/// A sign of life has a latency and tells the server's version.
pub async fn a_ping_tells_latency_and_version(target: Target) {
    let connection = target.open().await;
    let health = connection.ping(&context()).await.unwrap();
    assert!(health.latency > Duration::ZERO);
    let version = health.server_version.expect("a version");
    assert!(version.contains(|character: char| character.is_ascii_digit()), "{version}");
}

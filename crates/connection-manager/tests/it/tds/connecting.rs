use connection_manager::credentials::Credentials;
use connection_manager::drivers::sqlserver::{SqlServerDriver, SqlServerOptions};
use connection_manager::{ConnectionFactory, ConnectionManager, Driver, DriverSession, TlsMode};
use shared_kernel::database::{Access, Connections};
use testkit::tds::{Admission, Ending, ServerMessage};

use super::*;

#[tokio::test]
async fn a_connection_says_who_it_is_and_pings() {
    let server = server().start().await.unwrap();
    let settings = settings(&server).with_option("application_intent", "read-only");
    let connection = testkit::connect(settings).await.unwrap();
    let health = connection.ping(&context()).await.unwrap();
    let version = "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64)";
    assert_eq!(health.server_version.as_deref(), Some(version), "the first line alone");
    let login = server.logins().remove(0);
    assert_eq!((login.user.as_str(), login.database.as_str()), ("sa", "books"));
    assert_eq!((login.application.as_str(), login.server.as_str()), ("bindery/test", "localhost"));
    assert!(login.read_only);
}

#[tokio::test]
async fn a_wrong_password_is_tried_exactly_once() {
    let server = server().start().await.unwrap();
    let settings = settings(&server).with_password(PasswordSource::Literal("wr0ng-pa55word".into()));
    let error = refused(testkit::connect(settings).await, &DatabaseErrorKind::AuthRejected);
    assert_eq!(error.code(), Some("18456"));
    assert!(!format!("{error} {error:?}").contains("wr0ng"), "{error:?}");
    assert_eq!(server.connections().rejected, 1);
    assert_eq!(server.connections().accepted, 1);
}

#[tokio::test]
async fn an_unknown_database_is_told_apart() {
    let server = server().start().await.unwrap();
    let settings = settings(&server).with_database("no_such_database");
    let error = refused(testkit::connect(settings).await, &DatabaseErrorKind::UnknownDatabase);
    assert_eq!(error.code(), Some("4060"));
}

#[tokio::test]
async fn a_changed_password_costs_no_connection_that_is_open() {
    let server = server().start().await.unwrap();
    let connection = connect(&server).await;
    server.set_password("sa", "changed");
    assert_serves(&connection).await;
    refused(testkit::connect(settings(&server)).await, &DatabaseErrorKind::AuthRejected);
}

#[tokio::test]
async fn a_server_that_is_stopped_refuses_and_is_reached_again() {
    let mut server = server().start().await.unwrap();
    let connection = connect(&server).await;
    server.stop(Ending::Reset).await.unwrap();
    refused(query(&connection, "SELECT 1").await, &DatabaseErrorKind::Unreachable);
    let error = refused(query(&connection, "SELECT 1").await, &DatabaseErrorKind::Unreachable);
    assert!(error.to_string().contains("localhost"), "{error}");
    server.restart().await.unwrap();
    assert_serves(&connection).await;
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_in_time() {
    let server = server().start().await.unwrap();
    server.set_admission(Admission::Silent);
    let pool = PoolSettings { connect_timeout: Duration::from_millis(200), ..PoolSettings::sized(0, 1) };
    refused(testkit::connect(settings(&server).with_pool(pool)).await, &DatabaseErrorKind::Unreachable);
}

fn driver(server: &TdsServer) -> SqlServerDriver {
    let mut options = SqlServerOptions::new("localhost");
    options.port = server.address().port();
    options.tls = TlsMode::Disabled;
    SqlServerDriver::new(options)
}

fn credentials() -> Credentials {
    Credentials { username: "sa".to_owned(), password: "secret".into(), version: "literal".to_owned() }
}

#[tokio::test]
async fn a_login_turned_away_for_a_while_says_when_to_come_back() {
    let server = server().start().await.unwrap();
    for (number, kind) in [(40501, DatabaseErrorKind::Saturated), (40613, DatabaseErrorKind::Unreachable)] {
        server.set_login_error(Some(ServerMessage::new(number, "The service is busy.")));
        let error = refused(driver(&server).connect(&credentials()).await, &kind);
        assert!(error.retry_after().is_some(), "{error:?}");
    }
}

#[tokio::test]
async fn a_login_refused_whatever_the_password_says_when_to_come_back_and_a_wrong_password_does_not() {
    let server = server().start().await.unwrap();
    for (number, remark) in [(18486, "locked out"), (18470, "disabled"), (18452, "SQL Server authentication")] {
        server.set_login_error(Some(ServerMessage::new(number, "Login failed.")));
        let error = refused(driver(&server).connect(&credentials()).await, &DatabaseErrorKind::AuthRejected);
        assert!(error.retry_after().is_some() && error.message().contains(remark), "{error:?}");
    }
    server.set_login_error(Some(ServerMessage::new(18456, "Login failed.")));
    let error = refused(driver(&server).connect(&credentials()).await, &DatabaseErrorKind::AuthRejected);
    assert_eq!(error.retry_after(), None);
}

fn manager(server: &TdsServer, settings: ConnectionSettings, names: [&str; 2]) -> ConnectionManager {
    let other = settings.clone().with_database("master").with_port(server.address().port());
    ConnectionManager::builder(ConnectionFactory::compiled())
        .connection(names[0], settings)
        .connection(names[1], other)
        .build()
        .expect("names of connections")
}

#[tokio::test]
async fn a_password_that_was_rejected_for_one_connection_is_not_tried_by_another_to_the_same_server() {
    let server = server().start().await.unwrap();
    let wrong = settings(&server).with_password(PasswordSource::Literal("wr0ng-pa55word".into()));
    let manager = manager(&server, wrong, ["users", "books"]);
    for name in ["users", "books", "users"] {
        let outcome = manager.get(name, Access::Read, &context()).await;
        let error = refused(outcome, &DatabaseErrorKind::AuthRejected);
        assert_eq!(error.connection().map(ToString::to_string).as_deref(), Some(name));
    }
    assert_eq!((server.connections().accepted, server.connections().rejected), (1, 1));
}

#[tokio::test]
async fn a_locked_account_is_left_alone_and_its_password_stays_good() {
    let server = server().start().await.unwrap();
    server.set_login_error(Some(ServerMessage::new(18486, "Login failed: the account is locked out.")));
    let manager = manager(&server, settings(&server), ["users", "books"]);
    for name in ["users", "books", "users"] {
        let outcome = manager.get(name, Access::Read, &context()).await;
        assert!(refused(outcome, &DatabaseErrorKind::AuthRejected).retry_after().is_some());
    }
    assert_eq!(server.connections().accepted, 1, "nobody tries while it is locked");
}

#[tokio::test]
async fn a_gateway_sends_its_clients_on_but_not_in_circles() {
    let (gateway, server) = (server().start().await.unwrap(), server().start().await.unwrap());
    gateway.redirect_to(Some(("127.0.0.1", server.address().port())));
    driver(&gateway).connect(&credentials()).await.unwrap().ping().await.unwrap();
    assert_eq!(server.texts(), ["SELECT 1"]);

    server.redirect_to(Some(("localhost", gateway.address().port())));
    let error = refused(driver(&gateway).connect(&credentials()).await, &DatabaseErrorKind::Unreachable);
    assert!(error.message().contains("in circles"), "{error}");
}

#[test]
fn credentials_show_no_password() {
    let credentials =
        Credentials { username: "sa".to_owned(), password: "pa55word".into(), version: "literal".to_owned() };
    assert!(!format!("{credentials:?}").contains("pa55word"));
}

#[tokio::test]
async fn a_graceful_close_takes_leave_of_the_server() {
    let server = server().start().await.unwrap();
    let connection = connect(&server).await;
    assert_serves(&connection).await;
    let report = connection.close(LIMIT).await;
    assert_eq!(report.cut, 0);
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
    refused(query(&connection, "SELECT 1").await, &DatabaseErrorKind::Closed);
    assert_eq!(server.violations(), [""; 0]);
}

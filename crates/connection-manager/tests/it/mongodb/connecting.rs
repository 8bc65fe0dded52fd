use std::net::Ipv4Addr;

use connection_manager::TlsSettings;
use testkit::proxy::{Proxy, Traffic};
use tokio::net::TcpListener;

use super::*;

const AWKWARD: &str = "p@ss/w:rd%?#\"'\\ \u{e9}\u{20ac}";

#[tokio::test]
async fn a_password_may_hold_what_a_url_may_not() {
    let user = User::create(AWKWARD).await;
    let connection = open(user.settings(AWKWARD)).await;
    assert_serves(&connection).await;
    let error = testkit::connect(user.settings(&format!("{AWKWARD}x"))).await.expect_err("another password");
    assert_eq!(*error.kind(), DatabaseErrorKind::AuthRejected);
    let text = format!("{error} {error:?} {connection:?} {:?}", native(&connection).pool().driver());
    assert!(!text.contains("p@ss") && !text.contains("w:rd"), "{text}");
    user.remove().await;
}

#[tokio::test]
async fn a_password_that_cannot_be_prepared_is_no_rejected_one() {
    for password in ["pass\u{1f511}word", "a\u{7}b"] {
        let error = testkit::connect(with_password(shared(), password)).await.expect_err("it cannot be sent");
        assert_eq!(*error.kind(), DatabaseErrorKind::Misconfigured, "{error:?}");
        assert!(error.to_string().contains("SASLprep") && error.to_string().contains("emoji"), "{error}");
        assert!(!format!("{error} {error:?}").contains(password), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_is_looked_for_where_the_settings_say() {
    let user = User::create("pa55word").await;
    assert_serves(&open(user.settings("pa55word").with_option("auth_source", "admin")).await).await;
    user.remove().await;
    let error = testkit::connect(shared().with_username("nobody_of_this_name")).await.expect_err("nobody");
    assert_eq!(*error.kind(), DatabaseErrorKind::AuthRejected, "{error:?}");
}

#[tokio::test]
async fn without_a_right_nothing_is_done_and_the_session_is_as_good_as_before() {
    let user = User::with_role("pa55word", "readAnyDatabase").await;
    let connection = open(user.settings("pa55word")).await;
    let documents = connection.documents().unwrap();
    let opened = connection.stats().opened_total;
    let outcome = documents.insert_one(&collection(), &Document::new().with("a", 1), &context()).await;
    let error = refused(outcome, &DatabaseErrorKind::Query);
    assert_eq!(error.code(), Some("13"), "{error:?}");
    assert_serves(&connection).await;
    assert_eq!(connection.stats().opened_total, opened);
    user.remove().await;
}

#[tokio::test]
async fn a_name_without_srv_records_leads_nowhere() {
    let settings = ConnectionSettings::from_url("mongodb+srv://ann:secret-of-ann@cluster.invalid/library").unwrap();
    let pool = sized(0, 1);
    let error = testkit::connect(settings.with_pool(pool)).await.expect_err("there are no records");
    assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret-of-ann"), "{error:?}");
}

#[tokio::test]
async fn a_replica_set_of_another_name_has_no_server_for_us() {
    let pool = PoolSettings { connect_timeout: Duration::from_secs(1), ..PoolSettings::sized(0, 1) };
    let settings = shared().with_option("replica_set", "no_such_set").with_pool(pool);
    let error = testkit::connect(settings).await.expect_err("the server is of no set");
    assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart_from_one_that_is_away() {
    // It hangs up at a word that is none of its own, as a `mongod` does.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            use tokio::io::AsyncReadExt as _;
            let _ = socket.read_u8().await;
        }
    });
    let settings = shared().with_host("127.0.0.1").with_port(port);
    let error = testkit::connect(settings.clone().with_tls(TlsSettings::required())).await.expect_err("no TLS");
    assert_eq!(*error.kind(), DatabaseErrorKind::TlsFailed, "{error:?}");
    let error = testkit::connect(settings).await.expect_err("no answer");
    assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error:?}");
    assert!(error.to_string().contains("it may want TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_known_to_be_so_before_the_driver_waits_for_it() {
    let target = shared();
    let upstream = format!("{}:{}", target.host.as_deref().unwrap(), target.port.unwrap());
    let proxy = Proxy::start(upstream).await.unwrap();
    proxy.set(Traffic::Refuse).await;
    // The driver would wait for all of this.
    let pool = PoolSettings { connect_timeout: Duration::from_mins(10), ..PoolSettings::sized(0, 1) };
    let settings = target.with_host("127.0.0.1").with_port(proxy.port()).with_pool(pool);
    let refused = tokio::time::timeout(Duration::from_mins(1), testkit::connect(settings)).await.expect("at once");
    assert_eq!(*refused.expect_err("nobody listens").kind(), DatabaseErrorKind::Unreachable);
}

use super::*;
use testkit::redis::{authority, shared_with_tls};

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_rejected() {
    let password = "wr0ng-pa55word";
    let error = refused(testkit::connect(with_password(shared(), password)).await, &DatabaseErrorKind::AuthRejected);
    assert_eq!(error.code(), Some("WRONGPASS"));
    assert!(!format!("{error} {error:?}").contains(password), "{error:?}");
    let mut nobody = shared().with_password(PasswordSource::None);
    nobody.username = None;
    let error = refused(testkit::connect(nobody).await, &DatabaseErrorKind::AuthRejected);
    assert_eq!(error.code(), Some("NOAUTH"));
}

#[tokio::test]
async fn what_a_user_may_not_do_is_no_rejected_login() {
    let administrator = open(shared()).await;
    let user = format!("reader-{}", unique());
    let command = cmd("ACL").arg("SETUSER").arg(&user).arg(&["on", ">pa55", "~readable:*", "+get"]).take();
    native(&administrator).query::<()>(command, &context()).await.unwrap();
    let connection = open(with_password(shared().with_username(&user), "pa55")).await;
    let values = connection.key_value().unwrap();
    assert_eq!(values.get(b"readable:nothing", &context()).await.unwrap(), None);
    for outcome in [
        values.get(b"closed", &context()).await.map(drop),
        values.set(b"readable:x", b"x", Expiry::After(SOON), &context()).await,
    ] {
        assert_eq!(refused(outcome, &DatabaseErrorKind::Query).code(), Some("NOPERM"));
    }
    let health = connection.ping(&context()).await.expect("who may not ask is answered all the same");
    assert!(health.server_version.is_some(), "the version is open to every user");
    assert_eq!(connection.stats().opened_total, 1, "a refusal costs no connection");
    native(&administrator).query::<()>(cmd("ACL").arg("DELUSER").arg(&user).take(), &context()).await.unwrap();
}

#[tokio::test]
async fn databases_are_apart_and_one_beyond_the_last_is_told() {
    let (first, second) = (open(shared()).await, open(shared().with_database("1")).await);
    let key = key("database");
    first.key_value().unwrap().set(&key, b"x", Expiry::After(SOON), &context()).await.unwrap();
    assert_eq!(second.key_value().unwrap().get(&key, &context()).await.unwrap(), None);
    refused(testkit::connect(shared().with_database("4000")).await, &DatabaseErrorKind::UnknownDatabase);
}

#[tokio::test]
async fn verified_tls_accepts_the_right_authority_by_name_and_by_address() {
    for host in ["localhost", "127.0.0.1"] {
        let settings = shared_with_tls().with_host(host).with_tls(TlsSettings::verify_full(authority()));
        assert_serves(&open(settings).await).await;
    }
}

#[tokio::test]
async fn required_tls_encrypts_and_no_tls_does_not() {
    assert_serves(&open(shared_with_tls().with_tls(TlsSettings::required())).await).await;
    assert_serves(&open(shared().with_tls(TlsSettings::disabled())).await).await;
    // Each port speaks its own way and no other, so that who is answered has spoken it.
    // The plain port takes the greeting of TLS for the beginning of a line and waits for its end.
    let mut settings = shared().with_tls(TlsSettings::required());
    settings.pool.connect_timeout = Duration::from_millis(300);
    refused(testkit::connect(settings).await, &DatabaseErrorKind::Unreachable);
    let plain = shared_with_tls().with_tls(TlsSettings::disabled());
    refused(testkit::connect(plain).await, &DatabaseErrorKind::Unreachable);
}

#[tokio::test]
async fn a_replica_only_reads_and_one_without_its_primary_says_so() {
    let primary = OwnRedis::start(&[]).await;
    let port = primary.port().to_string();
    let replica = OwnRedis::start(&["--replicaof", "127.0.0.1", &port, "--replica-serve-stale-data", "no"]).await;
    let connection = replica.connection().await;
    let values = connection.key_value().unwrap();
    eventually_some(SOON, || async { values.get(b"x", &context()).await.ok() }).await;
    let error = refused(values.set(b"x", b"x", Expiry::Never, &context()).await, &DatabaseErrorKind::ReadOnlyTarget);
    assert_eq!(error.code(), Some("READONLY"));
    drop(primary);
    let error = eventually_some(SOON, || async { values.get(b"x", &context()).await.err() }).await;
    assert_eq!((error.kind(), error.code()), (&DatabaseErrorKind::Unreachable, Some("MASTERDOWN")), "{error:?}");
    assert!(error.retry_after().is_some());
}

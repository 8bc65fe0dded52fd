use std::io::Write;

use tempfile::NamedTempFile;
use testkit::tds::Tls;

use super::*;

fn authority(server: &TdsServer) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(server.ca_pem().as_bytes()).expect("room for the certificate");
    file
}

async fn connect_with(server: &TdsServer, tls: TlsSettings) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
    testkit::connect(settings(server).with_tls(tls)).await
}

#[tokio::test]
async fn without_tls_nothing_is_encrypted() {
    for tls in [Tls::NotSupported, Tls::Optional] {
        let server = server().tls(tls).start().await.unwrap();
        assert_serves(&connect_with(&server, TlsSettings::disabled()).await.unwrap()).await;
        assert_eq!(server.connections().encrypted, 0, "{tls:?}");
    }
}

#[tokio::test]
async fn required_tls_encrypts_and_believes_whoever_answers() {
    for tls in [Tls::Optional, Tls::Required] {
        let server = server().tls(tls).certificate_for(&["elsewhere.example"]).start().await.unwrap();
        assert_serves(&connect_with(&server, TlsSettings::required()).await.unwrap()).await;
        assert_eq!(server.connections().encrypted, 1, "{tls:?}");
    }
}

#[tokio::test]
async fn two_sides_that_disagree_about_tls_say_so() {
    let plain = server().tls(Tls::NotSupported).start().await.unwrap();
    let error = refused(connect_with(&plain, TlsSettings::required()).await, &DatabaseErrorKind::TlsFailed);
    assert!(error.message().contains("offers no TLS"), "{error}");
    assert_eq!(plain.logins().len(), 0, "no password was sent");

    let encrypted = server().tls(Tls::Required).start().await.unwrap();
    let error = refused(connect_with(&encrypted, TlsSettings::disabled()).await, &DatabaseErrorKind::TlsFailed);
    assert!(error.message().contains("demands TLS"), "{error}");
    assert_eq!(encrypted.logins().len(), 0, "no password was sent");
}

#[tokio::test]
async fn verified_tls_accepts_the_right_authority() {
    let server = server().tls(Tls::Required).start().await.unwrap();
    let file = authority(&server);
    for host in ["localhost", "127.0.0.1"] {
        let settings = settings(&server).with_host(host).with_tls(TlsSettings::verify_full(file.path()));
        assert_serves(&testkit::connect(settings).await.unwrap()).await;
    }
}

#[tokio::test]
async fn verified_tls_refuses_another_authority() {
    let (server, other) = (server().start().await.unwrap(), server().start().await.unwrap());
    let file = authority(&other);
    let outcome = connect_with(&server, TlsSettings::verify_full(file.path())).await;
    refused(outcome, &DatabaseErrorKind::TlsFailed);
    assert_eq!(server.logins().len(), 0, "no password was sent");
}

#[tokio::test]
async fn verified_tls_refuses_another_host_name_unless_it_is_told() {
    let server = server().certificate_for(&["db.example"]).start().await.unwrap();
    let file = authority(&server);
    let verified = || settings(&server).with_tls(TlsSettings::verify_full(file.path()));
    refused(testkit::connect(verified()).await, &DatabaseErrorKind::TlsFailed);
    let told = verified().with_option("certificate_name", "db.example");
    assert_serves(&testkit::connect(told).await.unwrap()).await;
}

#[tokio::test]
async fn strict_encryption_comes_before_the_protocol() {
    let server = server().tls(Tls::Strict).start().await.unwrap();
    let file = authority(&server);
    for tls in [TlsSettings::verify_full(file.path()), TlsSettings::required()] {
        let settings = settings(&server).with_tls(tls).with_option("encryption", "strict");
        assert_serves(&testkit::connect(settings).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_missing_authority_file_is_a_fault_of_the_settings() {
    let server = server().start().await.unwrap();
    let outcome = connect_with(&server, TlsSettings::verify_full("/no/such/authority.pem")).await;
    let error = refused(outcome, &DatabaseErrorKind::Misconfigured);
    assert!(error.to_string().contains("/no/such/authority.pem"), "{error}");
}

#[tokio::test]
async fn an_authority_file_without_a_certificate_is_not_passed_over() {
    let server = server().start().await.unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"no certificate\n").unwrap();
    let error = connect_with(&server, TlsSettings::verify_full(file.path())).await.unwrap_err();
    assert!(error.is_unavailable() || error.kind() == &DatabaseErrorKind::Misconfigured, "{error:?}");
    assert_eq!(server.logins().len(), 0, "no password was sent");
}

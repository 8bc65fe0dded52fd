use std::fs;
use std::net::Ipv4Addr;

use connection_manager::{ConnectionSettings, TlsSettings};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use shared_kernel::database::{DatabaseErrorKind, RawStatement};

use super::Target;
use super::target::{context, refused};
use crate::proxy::Proxy;
use crate::{Server, connect};

/// Without TLS the session is readable on the wire, and the server says so.
pub async fn without_tls_nothing_is_encrypted(target: Target) {
    assert!(!is_encrypted(&target, target.settings().with_tls(TlsSettings::disabled())).await);
}

/// Required TLS encrypts, whoever answers.
pub async fn required_tls_encrypts(target: Target) {
    assert!(is_encrypted(&target, target.settings().with_tls(TlsSettings::required())).await);
}

/// Full verification accepts a certificate of the authority it was given.
pub async fn verified_tls_accepts_the_right_authority(target: Target) {
    assert!(is_encrypted(&target, target.settings().with_tls(TlsSettings::verify_full(target.authority()))).await);
}

/// Full verification refuses a certificate of any other authority.
pub async fn verified_tls_refuses_another_authority(target: Target) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other-ca.pem");
    fs::write(&file, other_authority()).unwrap();
    let settings = target.settings().with_tls(TlsSettings::verify_full(file));
    refused(connect(settings).await, &DatabaseErrorKind::TlsFailed);
}

/// Full verification refuses a certificate that names another host.
pub async fn verified_tls_refuses_another_host_name(target: Target) {
    let settings = target.settings();
    let upstream = format!("{}:{}", settings.host.as_deref().unwrap(), settings.port.unwrap());
    // An address of the loopback network that no certificate of the test servers names.
    let proxy = Proxy::start_at(Ipv4Addr::new(127, 0, 0, 2), upstream).await.unwrap();
    let settings =
        settings.with_host("127.0.0.2").with_port(proxy.port()).with_tls(TlsSettings::verify_full(target.authority()));
    refused(connect(settings).await, &DatabaseErrorKind::TlsFailed);
}

/// A file of authorities that is not there is said before anything is sent.
pub async fn a_missing_authority_file_is_a_fault_of_the_settings(target: Target) {
    let settings = target.settings().with_tls(TlsSettings::verify_full("no-such-file.pem"));
    let error = refused(connect(settings).await, &DatabaseErrorKind::Misconfigured);
    assert!(error.to_string().contains("no-such-file.pem"), "{error}");
}

fn other_authority() -> String {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().pem()
}

/// What the server itself says of the session.
async fn is_encrypted(target: &Target, settings: ConnectionSettings) -> bool {
    let connection = target.open_with(settings).await;
    let (text, column) = match target.server() {
        Server::MySql | Server::MariaDb => ("SHOW SESSION STATUS LIKE 'Ssl_cipher'", "Value"),
        Server::Postgres => (
            "SELECT CASE WHEN ssl THEN cipher ELSE '' END AS cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            "cipher",
        ),
        Server::SqlServer => (
            "SELECT CASE WHEN encrypt_option = 'TRUE' THEN 'yes' ELSE '' END AS cipher \
             FROM sys.dm_exec_connections WHERE session_id = @@SPID",
            "cipher",
        ),
        Server::Sqlite => panic!("nothing travels to SQLite"),
    };
    let question = RawStatement::everywhere("SELECT", text).into();
    let row = connection.sql().unwrap().query_one(&question, &context()).await.unwrap();
    !row.expect("the server says").get::<String>(column).unwrap().is_empty()
}

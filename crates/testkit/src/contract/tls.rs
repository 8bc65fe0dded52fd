use std::fs;
use std::net::Ipv4Addr;

use connection_manager::TlsSettings;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use shared_kernel::database::DatabaseErrorKind;

use super::Target;
use super::target::refused;
use crate::proxy::Proxy;

/// Without TLS the session is readable on the wire.
pub async fn without_tls_nothing_is_encrypted(target: Target) {
    assert!(!is_encrypted(&target, TlsSettings::disabled()).await);
}

/// Required TLS encrypts, whoever answers.
pub async fn required_tls_encrypts(target: Target) {
    assert!(is_encrypted(&target, TlsSettings::required()).await);
}

/// Full verification accepts a certificate of the authority it was given.
pub async fn verified_tls_accepts_the_right_authority(target: Target) {
    assert!(is_encrypted(&target, TlsSettings::verify_full(target.authority())).await);
}

/// Full verification refuses a certificate of any other authority.
pub async fn verified_tls_refuses_another_authority(target: Target) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other-ca.pem");
    fs::write(&file, other_authority()).unwrap();
    let settings = target.protected(TlsSettings::verify_full(file));
    refused(target.connect(settings).await, &DatabaseErrorKind::TlsFailed);
}

/// Authorities at hand come before those of a file, and are as good.
pub async fn authorities_at_hand_are_as_good_as_a_file(target: Target) {
    let at_hand = |authorities: &str| TlsSettings {
        authorities: Some(authorities.into()),
        ..TlsSettings::verify_full("no-such-file.pem")
    };
    let own = fs::read_to_string(target.authority()).unwrap();
    assert!(is_encrypted(&target, at_hand(&own)).await);
    let settings = target.protected(at_hand(&other_authority()));
    refused(target.connect(settings).await, &DatabaseErrorKind::TlsFailed);
}

/// Full verification refuses a certificate that names another host.
pub async fn verified_tls_refuses_another_host_name(target: Target) {
    let settings = target.protected(TlsSettings::verify_full(target.authority()));
    // An address of the loopback network that no certificate of the test servers names.
    let proxy = Proxy::start_at(Ipv4Addr::new(127, 0, 0, 2), target.address(&settings)).await.unwrap();
    let settings = settings.with_host("127.0.0.2").with_port(proxy.port());
    refused(target.connect(settings).await, &DatabaseErrorKind::TlsFailed);
}

/// A file of authorities that is not there is said before anything is sent.
pub async fn a_missing_authority_file_is_a_fault_of_the_settings(target: Target) {
    let settings = target.protected(TlsSettings::verify_full("no-such-file.pem"));
    let error = refused(target.connect(settings).await, &DatabaseErrorKind::Misconfigured);
    assert!(error.to_string().contains("no-such-file.pem"), "{error}");
}

fn other_authority() -> String {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().pem()
}

/// Whether somebody on the way can read what is said: a number that no other part of the conversation holds.
async fn is_encrypted(target: &Target, tls: TlsSettings) -> bool {
    const NUMBER: i32 = 1_824_635_907;
    let (proxy, settings) = target.through_a_proxy(target.protected(tls)).await;
    let connection = target.open_with(settings).await;
    target.assert_serves(&connection, NUMBER).await;
    let digits = NUMBER.to_string();
    let utf_16: Vec<u8> = digits.encode_utf16().flat_map(u16::to_le_bytes).collect();
    !proxy.has_heard(digits.as_bytes()) && !proxy.has_heard(&utf_16)
}

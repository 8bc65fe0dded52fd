//! TLS on a socket of our own.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::settings::{ClientIdentity, TlsMode};
use crate::tls;

/// Who vouches for a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trust<'a> {
    /// The authorities that the system trusts.
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
    System,
    /// Mozilla's list, compiled in: what the driver goes by that the handshake stands in for.
    #[cfg(feature = "mongodb")]
    Mozilla,
    /// Those of a PEM file.
    Pem(&'a [u8]),
}

/// How TLS is spoken to a server; `None` where there is none to be spoken. `client` is who is shown to a server that asks.
///
/// # Errors
/// `Misconfigured` when `trust` holds no authorities, or `client` cannot be used.
pub(crate) fn client_config(
    mode: TlsMode,
    trust: Trust<'_>,
    client: Option<&ClientIdentity>,
) -> Result<Option<ClientConfig>, DatabaseError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| misconfigured("TLS cannot be prepared").with_source(error))?;
    let config = match mode {
        TlsMode::Disabled => return Ok(None),
        TlsMode::Required => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        TlsMode::VerifyFull => builder.with_root_certificates(authorities(trust)?),
    };
    let config = tls::identified(config, client)
        .map_err(|error| misconfigured("the client's certificate and key cannot be used").with_source(error))?;
    Ok(Some(config))
}

fn authorities(trust: Trust<'_>) -> Result<RootCertStore, DatabaseError> {
    let mut store = RootCertStore::empty();
    let pem = match trust {
        #[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
        Trust::System => {
            // Some of a system's certificates may be unreadable; what matters is whether any is left.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(misconfigured("this system trusts no authority; name a file of them in tls.ca_file"));
            }
            return Ok(store);
        }
        #[cfg(feature = "mongodb")]
        Trust::Mozilla => {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            return Ok(store);
        }
        Trust::Pem(pem) => pem,
    };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificate
            .map_err(|error| rustls::Error::General(error.to_string()))
            .and_then(|certificate| store.add(certificate))
            .map_err(|error| misconfigured("the file of authorities (tls.ca_file) is no PEM").with_source(error))?;
    }
    if store.is_empty() {
        return Err(misconfigured("the file of authorities (tls.ca_file) holds no certificate"));
    }
    Ok(store)
}

fn misconfigured(message: &str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Misconfigured, message)
}

/// Believes whoever answers, which is what `tls.mode = "required"` asks for; that they hold the certificate's key is
/// checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_a_fault_of_the_settings() {
        let outcome = client_config(TlsMode::VerifyFull, Trust::Pem(b"not a certificate"), None);
        let Err(error) = outcome else { panic!("nothing can be verified with it") };
        assert_eq!(*error.kind(), DatabaseErrorKind::Misconfigured);
    }
}

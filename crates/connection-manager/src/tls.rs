//! The process's one TLS stack.

#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
pub(crate) mod client;

/// Makes aws-lc-rs the process's provider unless one was chosen before. Costs nothing when repeated.
pub fn install_provider() {
    // An error says that there is a provider already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Whether TLS is what went wrong: rustls reports a refused certificate as input and output gone wrong.
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlite"))]
pub(crate) fn is_at_fault(cause: &std::io::Error) -> bool {
    cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

/// Has a client show itself where a server asks it to.
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
pub(crate) fn identified(
    builder: rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>,
    client: Option<&crate::settings::ClientIdentity>,
) -> Result<rustls::ClientConfig, rustls::Error> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use secrecy::ExposeSecret as _;

    let Some(client) = client else { return Ok(builder.with_no_client_auth()) };
    // What cannot be read is not told: it may be a part of the key.
    let unreadable = |what: &str| rustls::Error::General(format!("the client's {what} is no PEM"));
    let chain = CertificateDer::pem_slice_iter(client.certificates().as_bytes()).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(client.key().expose_secret().as_bytes());
    builder.with_client_auth_cert(chain.map_err(|_| unreadable("certificate"))?, key.map_err(|_| unreadable("key"))?)
}

//! TLS as the server offers it: asked for in its own protocol, on a connection over which no login goes.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use shared_kernel::database::Engine;
use shared_kernel::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Finding;
use super::certificate::{self, Facts};
use crate::settings::{TlsMode, TlsSettings};

/// What was found.
pub(super) struct Found {
    /// Such as `TLSv1_3`.
    pub(super) version: String,
    /// Such as `TLS13_AES_256_GCM_SHA384`.
    pub(super) cipher: String,
    pub(super) certificate: Facts,
    /// Why the certificate would be refused, where it has to be checked.
    pub(super) refusal: Option<rustls::Error>,
}

impl Found {
    pub(super) fn finding(&self) -> Finding {
        let Self { version, cipher, certificate, .. } = self;
        Finding::Tls { version: version.clone(), cipher: cipher.clone(), expires_at: certificate.until }
    }
}

/// `TLSv1_3, TLS13_AES_256_GCM_SHA384; certificate of `db.example`, valid until 2027-03-01 (95 days)`
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.certificate.subject.as_deref().unwrap_or("nobody by name");
        write!(f, "{}, {}; certificate of `{subject}`", self.version, self.cipher)?;
        match self.certificate.until {
            Some(until) => {
                let days = (until - SystemClock.now()).num_days();
                write!(f, ", valid until {} ({days} days)", until.date_naive())
            }
            None => Ok(()),
        }
    }
}

/// The word for a refused certificate.
pub(super) fn code(refusal: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Fault;
    match refusal {
        rustls::Error::InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => "tls_expired",
        rustls::Error::InvalidCertificate(Fault::NotValidForName | Fault::NotValidForNameContext { .. }) => {
            "tls_wrong_name"
        }
        rustls::Error::InvalidCertificate(_) => "tls_untrusted",
        _ => "tls_failed",
    }
}

/// Whether the engine's way to TLS is known here. SQL Server's is wrapped in its protocol; its driver alone speaks it.
pub(super) fn is_known(engine: &Engine) -> bool {
    [Engine::POSTGRES, Engine::MYSQL, Engine::MARIADB, Engine::MONGODB, Engine::REDIS].contains(engine)
}

/// Goes as far as a handshake with `peer`, of which the certificate is to be `host`'s. Dropping the future closes the connection.
pub(super) async fn look(engine: &Engine, host: &str, peer: SocketAddr, tls: &TlsSettings) -> io::Result<Found> {
    let verifier = Arc::new(Witness::new(engine, tls)?);
    let config = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>);
    let config = crate::tls::identified(config, tls.client.as_ref()).map_err(io::Error::other)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut socket = TcpStream::connect(peer).await?;
    ask(engine, &mut socket).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    let (_, session) = stream.get_ref();
    let told = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let chain = session.peer_certificates().unwrap_or_default();
    Ok(Found {
        version: told(session.protocol_version().map(|version| format!("{version:?}"))),
        cipher: told(session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()))),
        certificate: certificate::facts(chain.first().map_or(&[], |certificate| certificate.as_ref())),
        refusal: verifier.refusal.lock().unwrap_or_else(PoisonError::into_inner).take(),
    })
}

/// Capabilities of MySQL's protocol, and its number for `utf8mb4_general_ci`.
const SSL: u16 = 0x0800;
const PROTOCOL_41: u32 = 0x0200;
const SECURE_CONNECTION: u32 = 0x8000;
const UTF_8: u8 = 45;

/// Says in the engine's protocol that TLS is to begin.
async fn ask(engine: &Engine, socket: &mut TcpStream) -> io::Result<()> {
    let refused = || io::Error::new(io::ErrorKind::Unsupported, "the server has no TLS");
    if *engine == Engine::POSTGRES {
        // SSLRequest (PostgreSQL's protocol, section 55.7): its length and its code.
        socket.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
        return if socket.read_u8().await? == b'S' { Ok(()) } else { Err(refused()) };
    }
    if [Engine::MONGODB, Engine::REDIS].contains(engine) {
        return Ok(());
    }
    // The server's greeting, then an SSLRequest with the least that a client may ask for.
    let mut header = [0; 4];
    socket.read_exact(&mut header).await?;
    let mut greeting = vec![0; usize::from(header[0]) | usize::from(header[1]) << 8];
    socket.read_exact(&mut greeting).await?;
    let offered = greeting.iter().position(|byte| *byte == 0).and_then(|end| greeting.get(end + 14..end + 16));
    if greeting.first() != Some(&10) || offered.is_none_or(|bits| u16::from_le_bytes([bits[0], bits[1]]) & SSL == 0) {
        return Err(refused());
    }
    let mut request = vec![32, 0, 0, 1];
    request.extend_from_slice(&(PROTOCOL_41 | SECURE_CONNECTION | u32::from(SSL)).to_le_bytes());
    request.extend_from_slice(&(1_u32 << 24).to_le_bytes());
    request.push(UTF_8);
    request.resize(36, 0);
    socket.write_all(&request).await
}

/// Lets everybody through and remembers whom it should not have: a handshake that is broken off tells neither version nor
/// certificate. Nothing is sent after it.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    judge: Option<Arc<WebPkiServerVerifier>>,
    refusal: Mutex<Option<rustls::Error>>,
}

impl Witness {
    fn new(engine: &Engine, tls: &TlsSettings) -> io::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let judge = match tls.mode {
            TlsMode::VerifyFull => {
                let roots = Arc::new(authorities(engine, tls)?);
                let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
                Some(builder.build().map_err(io::Error::other)?)
            }
            TlsMode::Required | TlsMode::Disabled => None,
        };
        Ok(Self { provider, judge, refusal: Mutex::default() })
    }
}

#[cfg_attr(not(feature = "mongodb"), expect(unused_variables, reason = "one engine's driver has a list of its own"))]
fn authorities(engine: &Engine, tls: &TlsSettings) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match (&tls.authorities, &tls.ca_file) {
        (Some(authorities), _) => {
            for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
                let certificate = certificate.map_err(io::Error::other)?;
                roots.add(certificate).map_err(io::Error::other)?;
            }
        }
        (None, Some(file)) => {
            for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
                let certificate = certificate.map_err(io::Error::other)?;
                roots.add(certificate).map_err(io::Error::other)?;
            }
        }
        #[cfg(feature = "mongodb")]
        (None, None) if *engine == Engine::MONGODB => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        (None, None) => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict =
            self.judge.as_ref().map(|judge| judge.verify_server_cert(end_entity, intermediates, name, ocsp, now));
        if let Some(Err(error)) = verdict {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! What of MySQL's protocol it takes to ask a client for its password as it is, as RDS does.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A server for `localhost` that takes every password and answers every command with "done".
pub(super) struct ClearServer {
    port: u16,
    folder: TempDir,
    received: Arc<Mutex<Vec<String>>>,
}

impl ClearServer {
    pub(super) async fn start() -> Self {
        connection_manager::tls::install_provider();
        let folder = TempDir::new().unwrap();
        let acceptor = acceptor(folder.path().join("ca.pem"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::<Mutex<Vec<String>>>::default();
        let shared = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, received) = (acceptor.clone(), shared.clone());
                // A client that goes away is no fault of the server.
                tokio::spawn(async move { serve(stream, &acceptor, &received).await.ok() });
            }
        });
        Self { port, folder, received }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The file of the authority that signed its certificate.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The passwords that clients sent readable.
    pub(super) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn acceptor(authority: PathBuf) -> TlsAcceptor {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "an authority of the test's own");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    std::fs::write(authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// `CLIENT_PROTOCOL_41`, `_SSL`, `_TRANSACTIONS`, `_SECURE_CONNECTION`, `_CONNECT_WITH_DB`, `_PLUGIN_AUTH` and its lengths.
const CAPABILITIES: u32 = 0x200 | 0x800 | 0x2000 | 0x8000 | 0x8 | 0x8_0000 | 0x20_0000;
/// Done, nothing changed, no transaction.
const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

async fn serve(mut stream: TcpStream, acceptor: &TlsAcceptor, received: &Mutex<Vec<String>>) -> io::Result<()> {
    let [low, high] = [CAPABILITIES & 0xffff, CAPABILITIES >> 16].map(|half| u16::try_from(half).unwrap_or_default());
    let mut greeting = b"\x0a8.0.40\0\x01\0\0\0abcdefgh\0".to_vec();
    greeting.extend(low.to_le_bytes());
    greeting.extend(b"\x2d\x02\0");
    greeting.extend(high.to_le_bytes());
    greeting.extend(b"\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password\0");
    send(&mut stream, 0, &greeting).await?;
    receive(&mut stream).await?;
    let mut stream = acceptor.accept(stream).await?;
    receive(&mut stream).await?;
    send(&mut stream, 3, b"\xfemysql_clear_password\0").await?;
    let (number, password) = receive(&mut stream).await?;
    let password = password.strip_suffix(b"\0").unwrap_or(&password);
    received.lock().unwrap().push(String::from_utf8_lossy(password).into_owned());
    send(&mut stream, number + 1, OK).await?;
    loop {
        let (number, _command) = receive(&mut stream).await?;
        send(&mut stream, number + 1, OK).await?;
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), number: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes();
    let packet = [&length[..3], &[number], payload].concat();
    stream.write_all(&packet).await?;
    stream.flush().await
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let mut payload = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], payload))
}

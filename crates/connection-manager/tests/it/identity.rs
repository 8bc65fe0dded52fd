//! Certificates that are at hand and in no file: what is trusted, and what the client shows of itself.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Arc;
use std::time::Duration;

use connection_manager::egress::EgressConfig;
use connection_manager::{ClientIdentity, ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use shared_kernel::RequestContext;
use shared_kernel::database::{Bounds, DatabaseErrorKind, Engine};
use testkit::mongodb::User;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use crate::egress::mongodb::{Malice, Rogue};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &Authority, name: &str) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap(), key)
}

/// A server that asks its clients for a certificate, tells which was shown, and leaves.
struct Asking {
    port: u16,
    shown: UnboundedReceiver<CertificateDer<'static>>,
}

/// Asks clients for a certificate of the authority, which has issued the server's as well.
fn acceptor(authority: &Authority) -> TlsAcceptor {
    let (certificate, key) = issued(authority, "localhost");
    let mut roots = RootCertStore::empty();
    let own: &rcgen::Certificate = authority.as_ref();
    roots.add(own.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key in DER"),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Lets whoever shows a certificate of the authority go on to `port` of this machine.
async fn front(port: u16, authority: &Authority) -> u16 {
    let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), acceptor(authority));
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (mut client, mut server) =
                    (acceptor.accept(socket).await?, TcpStream::connect(("127.0.0.1", port)).await?);
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    own
}

impl Asking {
    async fn start(engine: Engine, authority: &Authority) -> Self {
        let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), acceptor(authority));
        let port = listener.local_addr().unwrap().port();
        let (tell, shown) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                begin(&engine, &mut socket).await;
                if let Ok(stream) = acceptor.accept(socket).await {
                    let (_, session) = stream.get_ref();
                    let first = session.peer_certificates().and_then(<[_]>::first).cloned();
                    if first.is_none_or(|first| tell.send(first).is_err()) {
                        return;
                    }
                }
            }
        });
        Self { port, shown }
    }
}

/// What comes before TLS in the engine's protocol.
async fn begin(engine: &Engine, socket: &mut TcpStream) {
    if *engine == Engine::POSTGRES {
        let mut request = [0; 8];
        let _ = socket.read_exact(&mut request).await;
        let _ = socket.write_all(b"S").await;
    } else if *engine == Engine::MYSQL {
        // HandshakeV10 with SSL, PROTOCOL_41, SECURE_CONNECTION and PLUGIN_AUTH, and a challenge of twenty bytes.
        let mut greeting = b"\x0a8.4.0\0\x01\0\0\0abcdefgh\0".to_vec();
        greeting.extend_from_slice(&[0x08, 0x8a, 0xff, 0x02, 0x00, 0x28, 0x01, 21]);
        greeting.extend_from_slice(&[0; 10]);
        greeting.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
        let _ = socket.write_all(&[u8::try_from(greeting.len()).unwrap(), 0, 0, 0]).await;
        let _ = socket.write_all(&greeting).await;
        let mut request = [0; 36];
        let _ = socket.read_exact(&mut request).await;
    }
}

fn settings(engine: Engine, port: u16, authority: &Authority, client: Option<ClientIdentity>) -> ConnectionSettings {
    let tls = TlsSettings { authorities: Some(authority.pem().into()), client, ..TlsSettings::default() };
    let pool = PoolSettings { connect_timeout: Duration::from_secs(5), ..PoolSettings::sized(0, 1) };
    let settings = ConnectionSettings::new(engine).with_host("localhost").with_port(port).with_username("ann");
    settings.with_password(PasswordSource::Literal("secret".into())).with_tls(tls).with_pool(pool)
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_whom_it_trusts() {
    let (servers, clients) = (authority(), authority());
    let (certificate, key) = issued(&clients, "ann");
    let identity = ClientIdentity::new(certificate.pem(), key.serialize_pem().into());
    // Over a relay too, where it is the relay that speaks TLS with the server.
    let outside = Some(EgressConfig::open().egress([]));
    let engines = [Engine::POSTGRES, Engine::MYSQL, Engine::REDIS];
    let both = engines.iter().flat_map(|engine| [(engine.clone(), None), (engine.clone(), outside.clone())]);
    // Without a relay the driver would read the key from a file.
    for (engine, egress) in both.chain([(Engine::MONGODB, outside.clone())]) {
        let settings = |engine: Engine, port: u16, authority: &Authority, client: Option<ClientIdentity>| {
            let settings = settings(engine, port, authority, client);
            if let Some(egress) = &egress { settings.with_egress(egress.clone()) } else { settings }
        };
        let mut asking = Asking::start(engine.clone(), &clients).await;
        // The server's own certificate is of the clients' authority, to whom the others are strangers.
        let stranger = settings(engine.clone(), asking.port, &servers, Some(identity.clone()));
        let error = testkit::connect(stranger).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::TlsFailed, "{engine}: {error:?}");
        assert!(asking.shown.try_recv().is_err(), "{engine}: nothing is shown to a stranger");

        let nameless = settings(engine.clone(), asking.port, &clients, None);
        testkit::connect(nameless).await.unwrap_err();
        assert!(asking.shown.try_recv().is_err(), "{engine}: there was nothing to show");

        let known = settings(engine.clone(), asking.port, &clients, Some(identity.clone()));
        testkit::connect(known).await.unwrap_err();
        assert_eq!(asking.shown.try_recv().as_ref(), Ok(certificate.der()), "{engine}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_not_told() {
    let authority = authority();
    let (certificate, _) = issued(&authority, "ann");
    let key = "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----\n";
    for engine in [Engine::POSTGRES, Engine::MYSQL, Engine::REDIS, Engine::MONGODB] {
        let asking = Asking::start(engine.clone(), &authority).await;
        let identity = ClientIdentity::new(certificate.pem(), key.into());
        let settings = settings(engine.clone(), asking.port, &authority, Some(identity));
        let outside = EgressConfig::open().egress([]);
        let settings = if engine == Engine::MONGODB { settings.with_egress(outside) } else { settings };
        let error = testkit::connect(settings).await.unwrap_err();
        let told = format!("{error:?} {error}");
        assert!(!told.contains("Q0FOQVJZ") && !told.contains("CANARY"), "{told}");
    }
}

fn ann(authority: &Authority) -> ClientIdentity {
    let (certificate, key) = issued(authority, "ann");
    ClientIdentity::new(certificate.pem(), key.serialize_pem().into())
}

fn outside(settings: ConnectionSettings, authority: &Authority, client: Option<ClientIdentity>) -> ConnectionSettings {
    let tls = TlsSettings { authorities: Some(authority.pem().into()), client, ..TlsSettings::default() };
    settings.with_host("localhost").with_tls(tls).with_egress(EgressConfig::open().egress([]))
}

#[test]
fn mongodb_is_worked_with_behind_a_server_that_asks_for_certificates() {
    testkit::run(async {
        let clients = authority();
        let user = User::create("secret").await;
        let port = front(user.settings("secret").port.unwrap(), &clients).await;
        let settings = |password: &str, client| outside(user.settings(password).with_port(port), &clients, client);
        let context = RequestContext::system();
        let connection = testkit::connect(settings("secret", Some(ann(&clients)))).await.unwrap();
        let databases = connection.documents().unwrap().list_databases(Bounds::documents(100), &context).await.unwrap();
        assert!(!databases.items.is_empty());
        connection.close(Duration::from_secs(1)).await;
        // The certificate stands in for no password, nor the password for a certificate.
        for (password, client, kind) in [
            ("wrong", Some(ann(&clients)), DatabaseErrorKind::AuthRejected),
            ("secret", None, DatabaseErrorKind::TlsFailed),
            ("secret", Some(ann(&authority())), DatabaseErrorKind::TlsFailed),
        ] {
            let error = testkit::connect(settings(password, client)).await.unwrap_err();
            assert_eq!(*error.kind(), kind, "{error:?}");
        }
        user.remove().await;
    });
}

/// Nothing here knows users by their certificates, so that a server plays that which knows who has shown one.
#[test]
fn a_certificate_is_a_login_at_mongodb_where_the_settings_say_so() {
    testkit::run(async {
        let clients = authority();
        let rogue = Rogue::start(Malice::Strangers).await;
        let port = front(rogue.settings().port.unwrap(), &clients).await;
        let nobody = outside(rogue.settings().with_port(port), &clients, Some(ann(&clients)));
        let external = nobody.clone().with_option("auth_source", "$external");
        let connection = testkit::connect(external.clone()).await.unwrap();
        connection.ping(&RequestContext::system()).await.unwrap();
        connection.close(Duration::from_secs(1)).await;
        let error = testkit::connect(nobody).await.unwrap_err();
        assert_eq!(error.code(), Some("13"), "nobody has logged in: {error:?}");
    });
}

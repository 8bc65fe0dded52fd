//! MongoDB that somebody from outside has defined: the way there, what may be asked, and servers that mean ill.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connection_manager::egress::SessionLimits;
use connection_manager::mongodb::driver_crate::bson::{
    Binary, RawDocument, RawDocumentBuf, doc, rawdoc, spec::BinarySubtype,
};
use shared_kernel::database::{Bounds, Collection, Document, Find};
use shared_kernel::{IdGenerator as _, SystemIdGenerator};
use testkit::eventually;
use testkit::mongodb::{run, shared};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SOON: Duration = Duration::from_secs(30);

fn outside(settings: ConnectionSettings) -> ConnectionSettings {
    settings.with_egress(EgressConfig::open().egress([]))
}

#[test]
fn mongodb_is_reached_where_it_may_be() {
    testkit::run(answers(shared()));
}

/// The name in the certificate is the one of the definition, although the driver never hears of it.
#[test]
fn tls_to_mongodb_is_checked_all_the_way_through() {
    testkit::run(async {
        let settings = shared().with_tls(TlsSettings::verify_full(testkit::redis::authority()));
        answers(settings.clone().with_host("localhost")).await;
        let elsewhere = EgressConfig::open().egress([]).with_resolver(Arc::new(Here));
        let error = refused(settings.with_host("db.example").with_egress(elsewhere)).await;
        assert_eq!(*error.kind(), DatabaseErrorKind::TlsFailed, "{error}");
    });
}

#[test]
fn who_defines_a_mongodb_from_outside_only_reads_there() {
    testkit::run(async {
        let context = RequestContext::system();
        let collection =
            Collection::try_new("bindery_tests", format!("test_{}", SystemIdGenerator.next().simple())).unwrap();
        let inside = testkit::connect(shared()).await.unwrap();
        let written = Document::new().with("a", 1);
        inside.documents().unwrap().insert_one(&collection, &written, &context).await.unwrap();
        let connection = testkit::connect(outside(shared())).await.unwrap();
        let documents = connection.documents().unwrap();
        let all = documents.find(&collection, &Find::default(), Bounds::documents(10), &context).await.unwrap();
        assert_eq!(all.items.len(), 1);
        assert!(!documents.list_databases(Bounds::documents(100), &context).await.unwrap().items.is_empty());
        let outcomes = [
            documents.insert_one(&collection, &written, &context).await.map(drop),
            documents.replace_one(&collection, &Document::new(), &written, true, &context).await.map(drop),
            documents.delete_one(&collection, &Document::new(), &context).await.map(drop),
        ];
        for outcome in outcomes {
            assert_eq!(*outcome.unwrap_err().kind(), DatabaseErrorKind::ReadOnlyTarget);
        }
        // Nor is there a way around this side of the socket.
        let name = collection.name();
        let copy = doc! { "aggregate": name, "pipeline": [{ "$out": format!("{name}_copy") }], "cursor": {} };
        for command in [
            doc! { "insert": name, "documents": [{ "a": 2 }] },
            doc! { "drop": name },
            copy,
            doc! { "createUser": "eve", "pwd": "eve", "roles": [] },
        ] {
            let error = run(connection.as_ref(), "bindery_tests", command.clone()).await.unwrap_err();
            assert_eq!(error.code(), Some("13"), "{command}: {error:?}");
        }
        let count = documents.count(&collection, &Document::new(), &context).await.unwrap();
        assert_eq!(count, 1, "nothing was changed, and the session is as good as before");
        assert_eq!(connection.stats().opened_total, 1);
        // The same questions of somebody inside are answered.
        run(inside.as_ref(), "bindery_tests", doc! { "insert": name, "documents": [{ "a": 2 }] }).await.unwrap();
        run(inside.as_ref(), "bindery_tests", doc! { "drop": name }).await.unwrap();
    });
}

/// What a server does that means ill.
#[derive(Debug, Clone)]
pub(crate) enum Malice {
    /// Says that the primary is there.
    Primary(String),
    /// Says no more.
    Silence,
    /// Says a byte now and then.
    Drops,
    /// Announces so many bytes, and sends them.
    Announced(i32),
    /// Sends documents within documents.
    Depth(usize),
    /// Has a password hashed that often.
    Iterations(u32),
    /// Answers every question twice.
    Unasked,
    /// Answers a question with the number of another.
    Misnumbered,
    /// Answers a login with this number, which is no malice.
    Refuses(i32),
    /// Does nothing for whoever has not logged in with a certificate, which is no malice.
    Strangers,
    /// Notes how long it may take for a list of databases, which is no malice either.
    Limited,
    /// Opens the next connection for work late and not at all, once it is told to.
    Stumbles(Arc<AtomicBool>),
}

/// A server, and how many are connected to it.
pub(crate) struct Rogue {
    port: u16,
    open: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    malice: Malice,
}

impl Rogue {
    pub(crate) async fn start(malice: Malice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, sent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let rogue = Self { port, open: Arc::clone(&open), sent: Arc::clone(&sent), malice: malice.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (malice, open, sent) = (malice.clone(), Arc::clone(&open), Arc::clone(&sent));
                open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    // It ends when the client has hung up.
                    let _ = serve(client, malice, &sent).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        rogue
    }

    pub(crate) fn stumble(&self) {
        if let Malice::Stumbles(now) = &self.malice {
            now.store(true, Ordering::SeqCst);
        }
    }

    pub(crate) fn settings(&self) -> ConnectionSettings {
        let settings = ConnectionSettings::new(Engine::MONGODB).with_host("127.0.0.1").with_port(self.port);
        settings.with_tls(TlsSettings::disabled()).with_pool(within(SOON))
    }
}

fn within(connect_timeout: Duration) -> PoolSettings {
    PoolSettings { connect_timeout, acquire_timeout: connect_timeout, ..PoolSettings::sized(0, 1) }
}

async fn serve(mut client: TcpStream, malice: Malice, sent: &AtomicUsize) -> io::Result<()> {
    let mut is_known = false;
    loop {
        let mut header = [0; 16];
        client.read_exact(&mut header).await?;
        let word = |at: usize| i32::from_le_bytes(*header[at..].first_chunk().unwrap());
        let mut body = vec![0; usize::try_from(word(0)).unwrap() - header.len()];
        client.read_exact(&mut body).await?;
        let request = RawDocument::from_bytes(&body[5..]).unwrap();
        let command = request.iter().next().unwrap().unwrap().0.as_str().to_ascii_lowercase();
        let answer = match (command.as_str(), &malice) {
            // Who opens a connection says what it is; who watches the server does so only at first.
            ("hello" | "ismaster", Malice::Stumbles(now))
                if matches!(request.get("client"), Ok(Some(_))) && now.swap(false, Ordering::SeqCst) =>
            {
                // Others queue up behind it meanwhile.
                tokio::time::sleep(Duration::from_millis(300)).await;
                rawdoc! { "ok": 0.0, "errmsg": "going away", "code": 91, "codeName": "ShutdownInProgress" }
            }
            ("hello" | "ismaster", _) => hello(&malice),
            ("saslstart", Malice::Iterations(count)) => challenge(request, *count),
            (_, Malice::Silence) => {
                client.read_u8().await?;
                continue;
            }
            (_, Malice::Drops) => {
                let mut message = answered(word(4), &rawdoc! { "ok": 1.0, "padding": "-".repeat(10_000) });
                for byte in message.drain(..) {
                    client.write_all(&[byte]).await?;
                    sent.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                continue;
            }
            (_, Malice::Announced(length)) => {
                let mut message = answered(word(4), &rawdoc! { "ok": 1.0 });
                message[..4].copy_from_slice(&length.to_le_bytes());
                client.write_all(&message).await?;
                for _ in 0..length / 8_192 {
                    client.write_all(&[0; 8_192]).await?;
                    sent.fetch_add(8_192, Ordering::SeqCst);
                }
                client.read_u8().await?;
                continue;
            }
            ("saslstart", Malice::Refuses(code)) => {
                rawdoc! { "ok": 0.0, "errmsg": "no", "code": *code, "codeName": "No" }
            }
            ("listdatabases", Malice::Limited) => {
                let limit = request.get_i64("maxTimeMS").unwrap_or_default();
                sent.store(limit.try_into().unwrap(), Ordering::SeqCst);
                rawdoc! { "ok": 1.0, "databases": [] }
            }
            ("authenticate", Malice::Strangers) => {
                is_known = request.get_str("mechanism").is_ok_and(|mechanism| mechanism == "MONGODB-X509");
                rawdoc! { "ok": 1.0 }
            }
            (_, Malice::Strangers) if !is_known => {
                rawdoc! { "ok": 0.0, "errmsg": "who are you", "code": 13, "codeName": "Unauthorized" }
            }
            (_, Malice::Depth(depth)) => nested(*depth),
            _ => rawdoc! { "ok": 1.0, "version": "7.0.0" },
        };
        let number = if matches!(malice, Malice::Misnumbered) { word(4).wrapping_add(1) } else { word(4) };
        let mut message = answered(number, &answer);
        if matches!(malice, Malice::Unasked) {
            // Both at once: what comes only after the next question is known by its number.
            message.extend(answered(word(4), &answer));
        }
        client.write_all(&message).await?;
    }
}

fn hello(malice: &Malice) -> RawDocumentBuf {
    let mut hello = doc! {
        "helloOk": true, "maxBsonObjectSize": i32::MAX, "maxMessageSizeBytes": i32::MAX, "maxWriteBatchSize": 100_000,
        "minWireVersion": 0, "maxWireVersion": 21, "readOnly": false, "ok": 1.0,
    };
    match malice {
        Malice::Primary(elsewhere) => hello.extend(doc! {
            "ismaster": false, "isWritablePrimary": false, "secondary": true, "setName": "rs0", "setVersion": 1,
            "hosts": [elsewhere], "primary": elsewhere, "me": elsewhere,
        }),
        _ => hello.extend(doc! { "ismaster": true, "isWritablePrimary": true }),
    }
    RawDocumentBuf::try_from(&hello).unwrap()
}

/// The first word of SCRAM: the client's number with one of the server's behind it.
fn challenge(request: &RawDocument, iterations: u32) -> RawDocumentBuf {
    let first = String::from_utf8(request.get_binary("payload").unwrap().bytes.to_vec()).unwrap();
    let nonce = first.split(",r=").nth(1).unwrap();
    let bytes = format!("r={nonce}more,s=c2FsdHNhbHRzYWx0c2FsdA==,i={iterations}").into_bytes();
    let payload = Binary { subtype: BinarySubtype::Generic, bytes };
    rawdoc! { "conversationId": 1, "done": false, "payload": payload, "ok": 1.0 }
}

fn nested(depth: usize) -> RawDocumentBuf {
    // From the outside in: each document has one field, the one within it.
    let mut bytes = Vec::with_capacity(depth * 8);
    for level in 0..depth {
        bytes.extend_from_slice(&u32::try_from(5 + (depth - 1 - level) * 8).unwrap().to_le_bytes());
        if level + 1 < depth {
            bytes.extend_from_slice(&[3, b'a', 0]);
        }
    }
    bytes.extend(vec![0; depth]);
    RawDocumentBuf::from_bytes(bytes).unwrap()
}

fn answered(request: i32, body: &RawDocument) -> Vec<u8> {
    let length = i32::try_from(21 + body.as_bytes().len()).unwrap();
    let mut message = Vec::new();
    for part in [length, 1, request, 2013, 0] {
        message.extend_from_slice(&part.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(body.as_bytes());
    message
}

#[test]
fn a_member_of_a_replica_set_sends_nobody_elsewhere() {
    testkit::run(async {
        let canary = Canary::at("127.0.0.2");
        let rogue = Rogue::start(Malice::Primary(format!("127.0.0.2:{}", canary.port()))).await;
        for settings in [rogue.settings(), rogue.settings().with_option("replica_set", "rs0")] {
            let connection = testkit::connect(settings.with_egress(but_for_the_canary())).await.unwrap();
            connection.ping(&RequestContext::system().within(SOON)).await.unwrap();
            canary.assert_untouched();
            connection.close(Duration::from_secs(1)).await;
        }
        // Whoever is not kept from it goes there.
        let elsewhere = tokio::spawn(testkit::connect(rogue.settings().with_option("replica_set", "rs0")));
        eventually(SOON, || canary.0.accept().is_ok()).await;
        elsewhere.abort();
    });
}

/// The driver has one error for whatever is answered to a login.
#[test]
fn a_login_is_held_against_the_password_where_it_is_the_password_that_was_refused() {
    testkit::run(async {
        for (code, kind, again) in [
            (18, DatabaseErrorKind::AuthRejected, false),
            (8000, DatabaseErrorKind::AuthRejected, false),
            // The mechanism is not available.
            (334, DatabaseErrorKind::AuthRejected, true),
            // A server on its way out, one that has become a secondary, and one that cannot ask where its users are kept.
            (91, DatabaseErrorKind::Unreachable, true),
            (13436, DatabaseErrorKind::Unreachable, true),
            (10107, DatabaseErrorKind::Unreachable, true),
            (1, DatabaseErrorKind::Unreachable, true),
        ] {
            let rogue = Rogue::start(Malice::Refuses(code)).await;
            let settings =
                rogue.settings().with_username("ann").with_password(PasswordSource::Literal("secret".into()));
            let error = testkit::connect(settings).await.unwrap_err();
            assert_eq!((error.kind(), error.retry_after().is_some()), (&kind, again), "{code}: {error:?}");
            assert_eq!(
                error.code(),
                Some(if kind == DatabaseErrorKind::AuthRejected && !again { 18 } else { code }.to_string().as_str())
            );
        }
    });
}

#[test]
fn a_server_is_told_how_long_it_may_take_at_most() {
    testkit::run(async {
        let rogue = Rogue::start(Malice::Limited).await;
        let limits = SessionLimits { statement: Duration::from_secs(7), ..SessionLimits::default() };
        let egress = EgressConfig::open().egress([]).with_limits(limits);
        let connection = testkit::connect(rogue.settings().with_egress(egress)).await.unwrap();
        // Its caller would wait for longer.
        let context = RequestContext::system().within(Duration::from_hours(1));
        let listed = connection.documents().unwrap().list_databases(Bounds::documents(1), &context).await.unwrap();
        assert_eq!((listed.items.len(), rogue.sent.load(Ordering::SeqCst)), (0, 7_000));
    });
}

#[test]
fn a_server_that_means_ill_is_survived() {
    testkit::run(async {
        for malice in [
            Malice::Silence,
            Malice::Drops,
            Malice::Announced(1 << 30),
            Malice::Announced(i32::MIN),
            Malice::Depth(100_000),
            Malice::Unasked,
            Malice::Misnumbered,
            Malice::Iterations(i32::MAX.unsigned_abs()),
        ] {
            let rogue = Rogue::start(malice.clone()).await;
            // It is waited for as long as that.
            let mut settings = outside(rogue.settings().with_pool(within(Duration::from_secs(3))));
            if let Malice::Iterations(_) = malice {
                settings = settings.with_username("ann").with_password(PasswordSource::Literal("secret".into()));
            }
            let outcome = tokio::time::timeout(Duration::from_mins(1), testkit::connect(settings)).await;
            let error = outcome.unwrap_or_else(|_| panic!("{malice:?} has no end")).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{malice:?}: {error}");
            let text = format!("{error} {error:?}");
            assert!(!text.contains("bindery-"), "{malice:?}: {text}");
            // It was left, having sent no more than a socket's buffers hold.
            eventually(SOON, || rogue.open.load(Ordering::SeqCst) == 0).await;
            let sent = rogue.sent.load(Ordering::SeqCst);
            assert!(sent < 16 << 20, "{malice:?}: {sent} bytes were taken");
        }
    });
}

//! Servers that mean ill, one for each wire protocol that drivers of ours speak: they let everybody in, and then do what no
//! server does.
//!
//! A rogue counts who comes and keeps what it was told, so that a test can say what a client has let itself be talked into.

mod http;
mod mysql;
mod postgres;
mod redis;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// What a rogue speaks. SQL Server's protocol has [`TdsServer`](crate::tds::TdsServer), which is told its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// MySQL's and MariaDB's.
    MySql,
    /// PostgreSQL's.
    Postgres,
    /// Redis', RESP3.
    Redis,
    /// HTTP, as DynamoDB does.
    Http,
}

/// What a rogue does to whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malice {
    /// Says nothing.
    Silent,
    /// Says what it should, a byte at a time, with a pause after each.
    Dripping(Duration),
    /// Lets the client in, and answers its first question by announcing so much, of which nothing comes: bytes of a message
    /// (PostgreSQL, Redis, HTTP), columns of a result (MySQL).
    Announcing(u64),
    /// The same with elements of an array, where there are arrays (Redis).
    AnnouncingElements(u64),
    /// Lets the client in, and answers its first question without end.
    Endless,
    /// Lets the client in, and answers its first prepared statement with rows without end, of so many columns that are all
    /// NULL (MySQL, PostgreSQL). Other questions have no answer but that they were heard.
    Rows(u16),
    /// Lets the client in, and answers its first question by asking for a file of the client's, where that can be asked for
    /// (MySQL).
    AskingForFile(&'static str),
    /// Sends the client to another server, where that can be said (HTTP).
    Redirecting(SocketAddr),
}

/// A server that means ill. It is gone when it is dropped.
#[derive(Debug)]
pub struct Rogue {
    address: SocketAddr,
    log: Arc<Log>,
    listening: AbortHandle,
}

#[derive(Debug, Default)]
struct Log {
    accepted: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
    told: Mutex<Vec<u8>>,
    heard: Mutex<Vec<u8>>,
}

impl Log {
    fn note(bytes: &Mutex<Vec<u8>>, more: &[u8]) {
        bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(more);
    }

    fn read(bytes: &Mutex<Vec<u8>>) -> Vec<u8> {
        bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Rogue {
    /// A rogue on a port of its own on this machine, without TLS.
    ///
    /// # Panics
    /// When there is no port. Outside a tokio runtime.
    pub async fn start(speech: Speech, malice: Malice) -> Self {
        Self::listen(speech, malice, None).await
    }

    /// The same with TLS, agreed on as the protocol has it, and a certificate that nobody has signed.
    ///
    /// # Panics
    /// As [`Rogue::start`].
    pub async fn start_with_tls(speech: Speech, malice: Malice) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
            .expect("a configuration of TLS");
        Self::listen(speech, malice, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(speech: Speech, malice: Malice, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of this machine");
        let address = listener.local_addr().expect("its address");
        let log = Arc::new(Log::default());
        let theirs = Arc::clone(&log);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                theirs.accepted.fetch_add(1, Ordering::SeqCst);
                theirs.open.fetch_add(1, Ordering::SeqCst);
                let (log, tls) = (Arc::clone(&theirs), tls.clone());
                tokio::spawn(async move {
                    let mut client = Client { stream: Box::new(client), malice, log: Arc::clone(&log) };
                    // However it ends: the client has hung up, or the rogue has nothing more to say.
                    let _ = client.serve(speech, tls).await;
                    drop(client);
                    log.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, log, listening: listening.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many have come.
    pub fn accepted(&self) -> usize {
        self.log.accepted.load(Ordering::SeqCst)
    }

    /// How many have not hung up.
    pub fn open(&self) -> usize {
        self.log.open.load(Ordering::SeqCst)
    }

    /// How many bytes it has got rid of.
    pub fn sent(&self) -> usize {
        self.log.sent.load(Ordering::SeqCst)
    }

    /// What it was told before it did what it does, such as who logs in; without the bytes of TLS.
    pub fn told(&self) -> Vec<u8> {
        Log::read(&self.log.told)
    }

    /// Whether it was told this at any time.
    pub fn was_told(&self, text: &str) -> bool {
        let told = [self.told(), self.heard()].concat();
        told.windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// What it was told after it had done what it does.
    pub fn heard(&self) -> Vec<u8> {
        Log::read(&self.log.heard)
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Whoever came to the rogue.
struct Client {
    stream: Box<dyn Stream>,
    malice: Malice,
    log: Arc<Log>,
}

impl Client {
    async fn serve(&mut self, speech: Speech, tls: Option<TlsAcceptor>) -> io::Result<()> {
        if self.malice == Malice::Silent {
            return self.listen().await;
        }
        match speech {
            Speech::MySql => mysql::serve(self, tls).await?,
            Speech::Postgres => postgres::serve(self, tls).await?,
            Speech::Redis => redis::serve(self, tls).await?,
            Speech::Http => http::serve(self, tls).await?,
        }
        self.listen().await
    }

    /// Goes on under TLS.
    async fn encrypt(&mut self, tls: &TlsAcceptor) -> io::Result<()> {
        let nobody: Box<dyn Stream> = Box::new(tokio::io::empty());
        let stream = std::mem::replace(&mut self.stream, nobody);
        self.stream = Box::new(tls.accept(stream).await?);
        Ok(())
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Malice::Dripping(pause) = self.malice {
            for byte in bytes {
                self.stream.write_all(&[*byte]).await?;
                self.stream.flush().await?;
                self.log.sent.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(pause).await;
            }
            return Ok(());
        }
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        self.log.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }

    async fn hear(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await?;
        Log::note(&self.log.told, &bytes);
        Ok(bytes)
    }

    /// Hears the client out.
    async fn listen(&mut self) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let read = self.stream.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            Log::note(&self.log.heard, &buffer[..read]);
        }
    }
}

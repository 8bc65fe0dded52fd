//! Lending a driver that dials by itself a way that was dialled for it, on which is looked at what the server says.

#[cfg(unix)]
mod bridge;
#[cfg(unix)]
mod wire;

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use super::Egress;
use crate::socket;

#[cfg(unix)]
pub(crate) use self::unix::Relay;
#[cfg(unix)]
pub(crate) use self::wire::Protocol;

/// A server to be reached.
pub(crate) struct Target<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    /// How TLS is spoken with it, where it is.
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    /// See [`PoolSettings::keepalive`](crate::PoolSettings::keepalive).
    pub(crate) keepalive: Option<Duration>,
}

/// Dials a server through `egress`, where there is one, and makes a relay to it.
///
/// # Errors
/// `Unreachable`, whatever keeps the server from being reached; `Misconfigured` when it has a name that no certificate can have.
pub(crate) async fn to(egress: Option<&Egress>, target: Target<'_>) -> Result<Option<Relay>, DatabaseError> {
    let Some(egress) = egress else { return Ok(None) };
    let unreachable = |cause: &str| DatabaseError::new(DatabaseErrorKind::Unreachable, format!("connecting: {cause}"));
    let server = egress.dial(target.host, target.port).await;
    let server = server.map_err(|unreached| unreachable(&unreached.to_string()))?;
    // Statements are small; a failure to say so costs time and nothing else.
    let _ = server.set_nodelay(true);
    socket::keep_alive(&server, target.keepalive);
    let relay = Relay::open(server, &target, egress.limits().answer)?;
    relay.map(Some).map_err(|error| unreachable("no folder for a socket could be made").with_source(error))
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    use rustls::pki_types::ServerName;
    use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::Target;
    use super::bridge::{self, ServerTls, Side};
    use super::wire::{Inspector, Protocol};
    use crate::egress::socket::PrivateSocket;

    /// A way for a driver that dials by itself to a server that was dialled for it: a socket in a folder that only this user
    /// may enter, for one connection. Once the driver is connected, the relay can go; what it carries goes on until either
    /// side hangs up, or the server has said too much at a stretch.
    pub(crate) struct Relay {
        socket: PrivateSocket,
        failure: Arc<Mutex<Option<io::Error>>>,
        /// Tells the task that nobody will come any more.
        _gone: oneshot::Sender<()>,
    }

    /// What is held against whatever a server says.
    struct Limits {
        protocol: Protocol,
        /// As many bytes as it may say at a stretch, and as long as a message of its may be.
        longest: usize,
    }

    impl Relay {
        /// A relay to `server`, which may answer with `longest` bytes; its socket has the name that PostgreSQL's clients
        /// give to one of the port.
        ///
        /// Must be called on a tokio runtime.
        pub(super) fn open(
            server: TcpStream,
            target: &Target<'_>,
            longest: usize,
        ) -> Result<io::Result<Self>, DatabaseError> {
            let tls = match target.tls {
                Some(config) => {
                    let name = ServerName::try_from(target.host.to_owned()).map_err(|cause| {
                        let message = "connecting: TLS cannot verify a host of this name";
                        DatabaseError::new(DatabaseErrorKind::Misconfigured, message).with_source(cause)
                    })?;
                    Some(ServerTls { config: Arc::clone(config), name })
                }
                None => None,
            };
            Ok(Self::listen(server, target.port, tls, Limits { protocol: target.protocol, longest }))
        }

        fn listen(server: TcpStream, port: u16, tls: Option<ServerTls>, limits: Limits) -> io::Result<Self> {
            let (socket, listener) = PrivateSocket::bind(&format!(".s.PGSQL.{port}"))?;
            let (gone, nobody) = oneshot::channel();
            let failure = Arc::new(Mutex::new(None));
            let relay = Self { socket, failure: Arc::clone(&failure), _gone: gone };
            tokio::spawn(async move {
                let meeting = async {
                    let (mut client, _) = listener.accept().await.ok()?;
                    drop(listener);
                    let Some(tls) = tls else {
                        return Some((Box::new(client) as Box<dyn Side>, Box::new(server) as _));
                    };
                    let agreed = bridge::agree(limits.protocol, &tls, &mut client, server).await;
                    // The driver asks for the reason as soon as it hears that its socket is closed.
                    let note = |error| *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    let agreed = agreed.map_err(note).ok()?;
                    let client =
                        if agreed.is_encrypted { bridge::welcome(client).await.ok()? } else { Box::new(client) };
                    Some((client, agreed.server))
                };
                let met = tokio::select! {
                    biased;
                    met = meeting => met,
                    _ = nobody => None,
                };
                if let Some((client, server)) = met {
                    carry(client, server, &limits).await;
                }
            });
            Ok(relay)
        }

        /// Why the two sides never came together, which the driver can only see as somebody hanging up.
        pub(crate) fn failure(&self) -> Option<io::Error> {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
        }

        /// The socket.
        #[cfg(feature = "mysql")]
        pub(crate) fn file(&self) -> &Path {
            self.socket.file()
        }

        /// The folder of the socket.
        #[cfg(feature = "postgres")]
        pub(crate) fn folder(&self) -> &Path {
            self.socket.folder()
        }
    }

    /// Carries what both sides say until one of them hangs up, or the server has said more since it was last asked than it may.
    /// The other side is not waited for: a server that never hangs up would keep a socket and a task for each time that it was
    /// dialled.
    async fn carry(client: impl Side, server: impl Side, limits: &Limits) {
        let said = AtomicUsize::new(0);
        let (mut from_client, mut to_client) = split(client);
        let (mut from_server, mut to_server) = split(server);
        // Either side tells its own story of a broken connection.
        let questions = async {
            let mut buffer = vec![0; 8 << 10];
            while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                said.store(0, Ordering::Relaxed);
                if to_server.write_all(&buffer[..read]).await.is_err() || to_server.flush().await.is_err() {
                    return;
                }
            }
        };
        let answers = async {
            let mut inspector = Inspector::new(limits.protocol, limits.longest);
            let mut buffer = vec![0; 16 << 10];
            while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                let bytes = &buffer[..read];
                if said.fetch_add(read, Ordering::Relaxed) + read > limits.longest {
                    tracing::warn!(event = "egress.too_long", limits.longest, "a server's answer was broken off");
                    return;
                }
                if let Err(error) = inspector.look(bytes) {
                    tracing::warn!(event = "egress.too_long", %error, "a server was not heard out");
                    return;
                }
                if to_client.write_all(bytes).await.is_err() || to_client.flush().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = questions => {}
            () = answers => {}
        }
    }

    #[cfg(all(test, feature = "postgres"))]
    mod tests {
        use std::fs;

        use tokio::net::{TcpListener, UnixStream};

        use super::*;

        const LIMITS: Limits = Limits { protocol: Protocol::Postgres, longest: 1 << 10 };

        /// A message of PostgreSQL that holds four bytes.
        const WORD: [u8; 9] = *b"D\0\0\0\x08pong";

        async fn pair() -> (TcpStream, TcpStream) {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of this machine");
            let client = TcpStream::connect(listener.local_addr().expect("its address")).await.expect("a client");
            (client, listener.accept().await.expect("the client").0)
        }

        #[tokio::test]
        async fn one_connection_is_carried_and_outlives_the_relay() {
            use std::os::unix::fs::PermissionsExt as _;

            let (near, mut server) = pair().await;
            let relay = Relay::listen(near, 5432, None, LIMITS).unwrap();
            let (file, folder) = (relay.socket.file().to_owned(), relay.socket.folder().to_owned());
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
            let mut client = UnixStream::connect(&file).await.unwrap();
            client.write_all(b"ping").await.unwrap();
            server.read_exact(&mut [0; 4]).await.unwrap();
            drop(relay);
            assert!(!folder.exists());
            server.write_all(&WORD).await.unwrap();
            let mut word = [0; 9];
            client.read_exact(&mut word).await.unwrap();
            assert_eq!(word, WORD);
            drop(client);
            assert_eq!(server.read(&mut word).await.unwrap(), 0, "the server hears that the client has gone");
        }

        #[tokio::test]
        async fn a_server_that_never_hangs_up_is_left_as_well() {
            let (near, mut server) = pair().await;
            let relay = Relay::listen(near, 5432, None, LIMITS).unwrap();
            let client = UnixStream::connect(relay.socket.file()).await.unwrap();
            drop(client);
            assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
            // To a socket that was shut down in one direction alone this could go on for ever.
            let talking = async { while server.write_all(b"still here").await.is_ok() {} };
            tokio::time::timeout(std::time::Duration::from_secs(10), talking).await.unwrap();
        }

        #[tokio::test]
        async fn an_answer_without_end_is_broken_off() {
            let (near, mut server) = pair().await;
            let (mut client, ours) = UnixStream::pair().unwrap();
            let limits = Limits { longest: WORD.len(), ..LIMITS };
            let carried = tokio::spawn(async move { carry(ours, near, &limits).await });
            for _ in 0..3 {
                client.write_all(b"?").await.unwrap();
                server.read_exact(&mut [0; 1]).await.unwrap();
                server.write_all(&WORD).await.unwrap();
                client.read_exact(&mut [0; WORD.len()]).await.unwrap();
            }
            server.write_all(b"D").await.unwrap();
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "three answers of nine bytes, and none of ten");
            carried.await.unwrap();
        }

        #[tokio::test]
        async fn when_nobody_comes_the_server_is_left() {
            let (near, mut server) = pair().await;
            drop(Relay::listen(near, 5432, None, LIMITS).unwrap());
            assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        }
    }
}

#[cfg(not(unix))]
pub(crate) use self::elsewhere::{Protocol, Relay};

/// Connectors that need a relay do not honour an egress here, so that none is ever made.
#[cfg(not(unix))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use shared_kernel::database::DatabaseError;
    use tokio::net::TcpStream;

    use super::Target;

    #[derive(Clone, Copy)]
    pub(crate) enum Protocol {
        #[cfg(feature = "mysql")]
        MySql,
        #[cfg(feature = "postgres")]
        Postgres,
    }

    pub(crate) enum Relay {}

    impl Relay {
        pub(super) fn open(_: TcpStream, _: &Target<'_>, _: usize) -> Result<io::Result<Self>, DatabaseError> {
            Ok(Err(io::ErrorKind::Unsupported.into()))
        }

        pub(crate) fn failure(&self) -> Option<io::Error> {
            match *self {}
        }

        #[cfg(feature = "mysql")]
        pub(crate) fn file(&self) -> &Path {
            match *self {}
        }

        #[cfg(feature = "postgres")]
        pub(crate) fn folder(&self) -> &Path {
            match *self {}
        }
    }
}

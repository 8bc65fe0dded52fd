//! Lending a driver that dials by itself a way that was dialled for it.

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use super::Egress;

#[cfg(unix)]
pub(crate) use self::unix::Relay;

/// Dials a server through `egress`, where there is one, and makes a relay to it.
///
/// # Errors
/// `Unreachable`, whatever keeps the server from being reached.
pub(crate) async fn to(egress: Option<&Egress>, host: &str, port: u16) -> Result<Option<Relay>, DatabaseError> {
    let Some(egress) = egress else { return Ok(None) };
    let unreachable = |cause: &str| DatabaseError::new(DatabaseErrorKind::Unreachable, format!("connecting: {cause}"));
    let server = egress.dial(host, port).await.map_err(|unreached| unreachable(&unreached.to_string()))?;
    // Statements are small; a failure to say so costs time and nothing else.
    let _ = server.set_nodelay(true);
    let relay = Relay::open(server, port, egress.limits().answer);
    relay.map(Some).map_err(|error| unreachable("no folder for a socket could be made").with_source(error))
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpStream, UnixStream};
    use tokio::sync::oneshot;

    use crate::egress::socket::PrivateSocket;

    /// A way for a driver that dials by itself to a server that was dialled for it: a socket in a folder that only this user
    /// may enter, for one connection. Once the driver is connected, the relay can go; what it carries goes on until either
    /// side hangs up, or the server has said too much at a stretch.
    pub(crate) struct Relay {
        socket: PrivateSocket,
        /// Tells the task that nobody will come any more.
        _gone: oneshot::Sender<()>,
    }

    impl Relay {
        /// A relay to `server`, which may answer with `longest` bytes; its socket has the name that PostgreSQL's clients
        /// give to one of `port`.
        ///
        /// Must be called on a tokio runtime.
        pub(crate) fn open(server: TcpStream, port: u16, longest: usize) -> io::Result<Self> {
            let (socket, listener) = PrivateSocket::bind(&format!(".s.PGSQL.{port}"))?;
            let (gone, nobody) = oneshot::channel();
            tokio::spawn(async move {
                let accepted = tokio::select! {
                    biased;
                    accepted = listener.accept() => accepted,
                    _ = nobody => return,
                };
                drop(listener);
                if let Ok((client, _)) = accepted {
                    carry(client, server, longest).await;
                }
            });
            Ok(Self { socket, _gone: gone })
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

    /// Carries what both sides say until one of them hangs up, or the server has said more than `longest` bytes since it was
    /// last asked. The other side is not waited for: a server that never hangs up would keep a socket and a task for each
    /// time that it was dialled.
    async fn carry(mut client: UnixStream, mut server: TcpStream, longest: usize) {
        let said = AtomicUsize::new(0);
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        // Either side tells its own story of a broken connection.
        let questions = async {
            let mut buffer = vec![0; 8 << 10];
            while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                said.store(0, Ordering::Relaxed);
                if to_server.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        };
        let answers = async {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                if said.fetch_add(read, Ordering::Relaxed) + read > longest {
                    tracing::warn!(event = "egress.too_long", longest, "a server's answer was broken off");
                    return;
                }
                if to_client.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = questions => {}
            () = answers => {}
        }
    }

    #[cfg(test)]
    mod tests {
        use std::fs;

        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        use tokio::net::TcpListener;

        use super::*;

        async fn pair() -> (TcpStream, TcpStream) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        }

        #[tokio::test]
        async fn one_connection_is_carried_and_outlives_the_relay() {
            use std::os::unix::fs::PermissionsExt as _;

            let (near, mut server) = pair().await;
            let relay = Relay::open(near, 5432, 1 << 10).unwrap();
            let (file, folder) = (relay.socket.file().to_owned(), relay.socket.folder().to_owned());
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
            let mut client = UnixStream::connect(&file).await.unwrap();
            client.write_all(b"ping").await.unwrap();
            let mut word = [0; 4];
            server.read_exact(&mut word).await.unwrap();
            drop(relay);
            assert!(!folder.exists());
            server.write_all(b"pong").await.unwrap();
            client.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"pong");
            drop(client);
            assert_eq!(server.read(&mut word).await.unwrap(), 0, "the server hears that the client has gone");
        }

        #[tokio::test]
        async fn a_server_that_never_hangs_up_is_left_as_well() {
            let (near, mut server) = pair().await;
            let relay = Relay::open(near, 5432, 1 << 10).unwrap();
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
            let carried = tokio::spawn(carry(ours, near, 10));
            for _ in 0..3 {
                client.write_all(b"?").await.unwrap();
                server.read_exact(&mut [0; 1]).await.unwrap();
                server.write_all(b"0123456789").await.unwrap();
                client.read_exact(&mut [0; 10]).await.unwrap();
            }
            server.write_all(b"!").await.unwrap();
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "three answers of ten bytes, and none of eleven");
            carried.await.unwrap();
        }

        #[tokio::test]
        async fn when_nobody_comes_the_server_is_left() {
            let (near, mut server) = pair().await;
            drop(Relay::open(near, 5432, 1 << 10).unwrap());
            assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        }
    }
}

#[cfg(not(unix))]
pub(crate) use self::elsewhere::Relay;

/// Connectors that need a relay do not honour an egress here, so that none is ever made.
#[cfg(not(unix))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use tokio::net::TcpStream;

    pub(crate) enum Relay {}

    impl Relay {
        pub(crate) fn open(_: TcpStream, _: u16, _: usize) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
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

//! A TCP proxy that can be cut and restored, for what happens between a client and a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::eventually;

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// They reach the other side.
    Pass,
    /// Nobody listens, and whoever was connected is reset: a server that went down.
    Refuse,
    /// Callers are accepted and reset at once, as are those who were connected.
    Reset,
    /// Callers are accepted and nothing reaches the other side: a peer that went silent.
    Swallow,
    /// What callers say reaches the other side, and no answer comes back. Whoever missed one is reset when that ends.
    Mute,
}

/// Stands in front of one server. Connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    traffic: Arc<watch::Sender<Traffic>>,
    /// Which traffic the listener has taken up.
    taken_up: watch::Receiver<Option<Traffic>>,
    accepted: Arc<AtomicU64>,
    listener: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and passes everything to `upstream`, a `host:port`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: impl Into<String>) -> io::Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST, upstream).await
    }

    /// Listens on a free port of another loopback address.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start_at(address: Ipv4Addr, upstream: impl Into<String>) -> io::Result<Self> {
        let upstream = upstream.into();
        let listener = TcpListener::bind((address, 0)).await?;
        let address = listener.local_addr()?;
        let traffic = Arc::new(watch::Sender::new(Traffic::Pass));
        let (tell, taken_up) = watch::channel(Some(Traffic::Pass));
        let commands = traffic.subscribe();
        let accepted = Arc::default();
        let listener = tokio::spawn(listen(listener, address, upstream, commands, tell, Arc::clone(&accepted)));
        Ok(Self { address, traffic, taken_up, accepted, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has accepted so far. Those that were refused do not reach it.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Changes what becomes of the bytes, of open connections too, and returns once new callers meet the change.
    ///
    /// # Panics
    /// When the port cannot be had back within ten seconds.
    pub async fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
        eventually(Duration::from_secs(10), || *self.taken_up.borrow() == Some(traffic)).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(
    first: TcpListener,
    address: SocketAddr,
    upstream: String,
    mut commands: watch::Receiver<Traffic>,
    tell: watch::Sender<Option<Traffic>>,
    count: Arc<AtomicU64>,
) {
    let mut listener = Some(first);
    loop {
        let traffic = *commands.borrow_and_update();
        if traffic == Traffic::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = bind(address).ok();
            if listener.is_none() {
                // Somebody has the port for a moment, such as an outgoing connection.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        }
        tell.send_replace(Some(traffic));
        let Some(open) = &listener else {
            if commands.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            changed = commands.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = open.accept() => {
                if let Ok((client, _)) = accepted {
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(serve(client, upstream.clone(), commands.clone()));
                }
            }
        }
    }
}

/// Takes the same port again although connections of before may linger on it.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(64)
}

async fn serve(mut client: TcpStream, upstream: String, mut commands: watch::Receiver<Traffic>) {
    let traffic = *commands.borrow_and_update();
    let mut server = match traffic {
        Traffic::Refuse | Traffic::Reset => return reset(client),
        Traffic::Swallow => None,
        Traffic::Pass | Traffic::Mute => match TcpStream::connect(&upstream).await {
            Ok(server) => Some(server),
            Err(_) => return reset(client),
        },
    };
    let mut swallow = traffic == Traffic::Swallow;
    let (mut mute, mut lost) = (traffic == Traffic::Mute, false);
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let moved = tokio::select! {
            changed = commands.changed() => {
                let traffic = *commands.borrow_and_update();
                if changed.is_err() || matches!(traffic, Traffic::Refuse | Traffic::Reset) {
                    return reset(client);
                }
                if lost && traffic != Traffic::Mute {
                    // A stream without a part of its answers would be worse than none.
                    return reset(client);
                }
                swallow = traffic == Traffic::Swallow;
                mute = traffic == Traffic::Mute;
                continue;
            }
            read = client.read(&mut up) => match (read, &mut server) {
                (Ok(length @ 1..), Some(server)) if !swallow => server.write_all(&up[..length]).await.is_ok(),
                // What a silent peer received is gone: the stream can never be whole again.
                (Ok(1..), _) => { server = None; true }
                _ => false,
            },
            read = read(server.as_mut(), &mut down) => match read {
                Ok(1..) if mute => { lost = true; true }
                Ok(length @ 1..) if !swallow => client.write_all(&down[..length]).await.is_ok(),
                Ok(1..) => { server = None; true }
                _ => false,
            },
        };
        if !moved {
            return;
        }
    }
}

async fn read(stream: Option<&mut TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream {
        Some(stream) => stream.read(buffer).await,
        None => std::future::pending().await,
    }
}

fn reset(stream: TcpStream) {
    // With a linger of zero, closing sends RST instead of FIN.
    let _ = stream.set_zero_linger();
    drop(stream);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn shout(stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(b"hello").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"hello");
        Ok(())
    }

    #[test]
    fn a_cut_resets_and_refuses_and_a_restored_proxy_passes_again() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            let mut old = TcpStream::connect(proxy.address()).await.unwrap();
            shout(&mut old).await.unwrap();
            proxy.set(Traffic::Refuse).await;
            assert!(shout(&mut old).await.is_err());
            assert!(TcpStream::connect(proxy.address()).await.is_err());
            proxy.set(Traffic::Pass).await;
            shout(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.unwrap();
        });
    }

    #[test]
    fn a_swallowing_proxy_accepts_and_never_answers() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            let mut old = TcpStream::connect(proxy.address()).await.unwrap();
            shout(&mut old).await.unwrap();
            proxy.set(Traffic::Swallow).await;
            let mut new = TcpStream::connect(proxy.address()).await.unwrap();
            for stream in [&mut old, &mut new] {
                let silence = tokio::time::timeout(Duration::from_millis(200), shout(stream)).await;
                assert!(silence.is_err(), "{silence:?}");
            }
        });
    }

    #[test]
    fn a_mute_proxy_tells_the_other_side_and_brings_no_answer() {
        crate::run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let proxy = Proxy::start(listener.local_addr().unwrap().to_string()).await.unwrap();
            proxy.set(Traffic::Mute).await;
            let mut client = TcpStream::connect(proxy.address()).await.unwrap();
            client.write_all(b"hello").await.unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            let mut heard = [0; 5];
            server.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
            server.write_all(b"answer").await.unwrap();
            let silence = tokio::time::timeout(Duration::from_millis(200), client.read_u8()).await;
            assert!(silence.is_err(), "{silence:?}");
        });
    }

    #[test]
    fn a_resetting_proxy_accepts_and_hangs_up() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            proxy.set(Traffic::Reset).await;
            let outcome = match TcpStream::connect(proxy.address()).await {
                Ok(mut stream) => shout(&mut stream).await,
                Err(error) => Err(error),
            };
            assert!(outcome.is_err());
        });
    }
}

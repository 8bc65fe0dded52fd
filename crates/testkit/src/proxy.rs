//! A TCP proxy that can be cut and restored, for what happens between a client and a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
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
    /// They reach the other side later: every piece is held up for this long, in either direction.
    Delay(Duration),
    /// Answers come back in pieces of this many bytes, a tenth of a second apart: a peer that is barely alive. What callers
    /// say passes.
    Drip(NonZeroUsize),
}

/// The most that is kept of what callers said.
const RECORD: usize = 1 << 20;
/// Between two pieces of an answer that drips.
const DRIP: Duration = Duration::from_millis(100);

/// Stands in front of one server. Connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Order>,
    /// The number of the last order that the listener has taken up.
    taken_up: watch::Receiver<u64>,
    record: Arc<Record>,
    listener: JoinHandle<()>,
}

/// What was said of the traffic last.
#[derive(Debug, Clone, Copy)]
struct Order {
    /// Ascends.
    number: u64,
    traffic: Traffic,
}

/// What the proxy has seen so far.
#[derive(Debug, Default)]
struct Record {
    accepted: AtomicU64,
    said: Mutex<Vec<u8>>,
    /// What is counted in answers, and how often it came.
    counted: Mutex<(Vec<u8>, usize)>,
    /// The last order that each open connection has taken up.
    followed: Mutex<Vec<Weak<AtomicU64>>>,
}

impl Record {
    fn said(&self) -> MutexGuard<'_, Vec<u8>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a new connection notes the last order that it has taken up: at first the one that it was accepted under.
    fn follow(&self, order: Order) -> Arc<AtomicU64> {
        let last = Arc::new(AtomicU64::new(order.number));
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.retain(|last| last.strong_count() > 0);
        followed.push(Arc::downgrade(&last));
        last
    }

    /// Whether no open connection is behind.
    fn all_follow(&self, order: Order) -> bool {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.iter().filter_map(Weak::upgrade).all(|last| last.load(Ordering::Acquire) >= order.number)
    }

    /// Counts in an answer of which these bytes were the `last` and those are the next.
    fn count(&self, last: &mut Vec<u8>, bytes: &[u8]) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (wanted, count) = &mut *counted;
        if wanted.is_empty() {
            return;
        }
        last.extend_from_slice(bytes);
        *count += last.windows(wanted.len()).filter(|window| window == wanted).count();
        // The beginning of one that goes on in the next piece.
        last.drain(..last.len().saturating_sub(wanted.len() - 1));
    }

    fn hear(&self, bytes: &[u8]) {
        let mut said = self.said();
        let room = RECORD.saturating_sub(said.len()).min(bytes.len());
        said.extend_from_slice(&bytes[..room]);
    }
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
        let (orders, heard) = watch::channel(Order { number: 0, traffic: Traffic::Pass });
        let (tell, taken_up) = watch::channel(0);
        let record = Arc::default();
        let listener = tokio::spawn(listen(listener, address, upstream, heard, tell, Arc::clone(&record)));
        Ok(Self { address, orders, taken_up, record, listener })
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
        self.record.accepted.load(Ordering::Relaxed)
    }

    /// Whether callers have said `bytes` in one piece to the other side: what is encrypted on the way does not show. Of all
    /// that was said, the first mebibyte is kept.
    pub fn has_heard(&self, bytes: &[u8]) -> bool {
        self.record.said().windows(bytes.len()).any(|window| window == bytes)
    }

    /// What callers have said so far, of all of them together; of that, the first mebibyte.
    pub fn heard(&self) -> Vec<u8> {
        self.record.said().clone()
    }

    /// Counts from now on how often the other side says `bytes`, in answers that come back.
    pub fn count(&self, bytes: &[u8]) {
        *self.record.counted.lock().unwrap_or_else(PoisonError::into_inner) = (bytes.to_vec(), 0);
    }

    /// How often that was.
    pub fn counted(&self) -> usize {
        self.record.counted.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Changes what becomes of the bytes, and returns once new callers meet the change and open connections follow it. One
    /// whose other side takes no more bytes follows when it can; it is waited for a second.
    ///
    /// # Panics
    /// When the port cannot be had back within ten seconds.
    pub async fn set(&self, traffic: Traffic) {
        let mut order = Order { number: 0, traffic };
        self.orders.send_modify(|last| {
            order.number = last.number + 1;
            *last = order;
        });
        eventually(Duration::from_secs(10), || *self.taken_up.borrow() >= order.number).await;
        let followed = async {
            while !self.record.all_follow(order) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // One that is held up is no reason to fail.
        let _ = tokio::time::timeout(Duration::from_secs(1), followed).await;
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
    mut orders: watch::Receiver<Order>,
    tell: watch::Sender<u64>,
    record: Arc<Record>,
) {
    let mut listener = Some(first);
    loop {
        let order = *orders.borrow_and_update();
        if order.traffic == Traffic::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = bind(address).ok();
            if listener.is_none() {
                // Somebody has the port for a moment, such as an outgoing connection.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        }
        tell.send_replace(order.number);
        let Some(open) = &listener else {
            if orders.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            changed = orders.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = open.accept() => {
                if let Ok((client, _)) = accepted {
                    // It meets the order that it was accepted under, whatever is said by the time that it is served.
                    let followed = record.follow(order);
                    record.accepted.fetch_add(1, Ordering::Relaxed);
                    let served = serve(client, upstream.clone(), order.traffic, followed, orders.clone(), Arc::clone(&record));
                    tokio::spawn(served);
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

async fn serve(
    mut client: TcpStream,
    upstream: String,
    mut traffic: Traffic,
    followed: Arc<AtomicU64>,
    mut orders: watch::Receiver<Order>,
    record: Arc<Record>,
) {
    let obey = |orders: &mut watch::Receiver<Order>| {
        let order = *orders.borrow_and_update();
        followed.store(order.number, Ordering::Release);
        order.traffic
    };
    let mut server = match traffic {
        Traffic::Refuse | Traffic::Reset => return reset(client),
        Traffic::Swallow => None,
        Traffic::Pass | Traffic::Mute | Traffic::Delay(_) | Traffic::Drip(_) => {
            match TcpStream::connect(&upstream).await {
                Ok(server) => Some(server),
                Err(_) => return reset(client),
            }
        }
    };
    let (mut lost, mut tail) = (false, Vec::new());
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let moved = tokio::select! {
            changed = orders.changed() => {
                traffic = obey(&mut orders);
                if changed.is_err() || matches!(traffic, Traffic::Refuse | Traffic::Reset) {
                    return reset(client);
                }
                if lost && traffic != Traffic::Mute {
                    // A stream without a part of its answers would be worse than none.
                    return reset(client);
                }
                continue;
            }
            read = client.read(&mut up) => match (read, &mut server) {
                (Ok(length @ 1..), Some(server)) if traffic != Traffic::Swallow => {
                    hold_up(traffic, &mut orders).await;
                    record.hear(&up[..length]);
                    server.write_all(&up[..length]).await.is_ok()
                }
                // What a silent peer received is gone: the stream can never be whole again.
                (Ok(1..), _) => { server = None; true }
                _ => false,
            },
            read = read(server.as_mut(), &mut down) => match (read, traffic) {
                (Ok(1..), Traffic::Mute) => { lost = true; true }
                (Ok(1..), Traffic::Swallow) => { server = None; true }
                (Ok(length @ 1..), Traffic::Drip(piece)) => {
                    record.count(&mut tail, &down[..length]);
                    drip(&mut client, &down[..length], piece, &mut orders).await
                }
                (Ok(length @ 1..), _) => {
                    record.count(&mut tail, &down[..length]);
                    hold_up(traffic, &mut orders).await;
                    client.write_all(&down[..length]).await.is_ok()
                }
                _ => false,
            },
        };
        if !moved {
            return;
        }
    }
}

/// Waits as long as the traffic is delayed, or until it changes.
async fn hold_up(traffic: Traffic, orders: &mut watch::Receiver<Order>) {
    if let Traffic::Delay(time) = traffic {
        pause(time, orders).await;
    }
}

/// Waits, but not beyond a change of the traffic, which is left to be seen by the next who asks.
async fn pause(time: Duration, orders: &mut watch::Receiver<Order>) -> bool {
    let changed = tokio::time::timeout(time, orders.changed()).await.is_ok();
    if changed {
        orders.mark_changed();
    }
    changed
}

/// Writes piece by piece until the traffic changes; the rest then follows at once.
async fn drip(
    client: &mut TcpStream,
    mut answer: &[u8],
    piece: NonZeroUsize,
    orders: &mut watch::Receiver<Order>,
) -> bool {
    while !answer.is_empty() {
        let (now, later) = answer.split_at(piece.get().min(answer.len()));
        if client.write_all(now).await.is_err() {
            return false;
        }
        answer = later;
        if pause(DRIP, orders).await {
            return client.write_all(answer).await.is_ok();
        }
    }
    true
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
    fn what_is_delayed_arrives_and_what_drips_arrives_in_pieces() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            proxy.set(Traffic::Delay(Duration::from_mins(10))).await;
            let silence = tokio::time::timeout(Duration::from_millis(100), shout(&mut stream)).await;
            assert!(silence.is_err(), "{silence:?}");
            proxy.set(Traffic::Pass).await;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"hello", "what was held up goes on when the delay ends");
            proxy.set(Traffic::Drip(NonZeroUsize::MIN)).await;
            stream.write_all(b"hello").await.unwrap();
            assert_eq!(stream.read(&mut answer).await.unwrap(), 1, "the answer comes a byte at a time");
            stream.read_exact(&mut answer[1..]).await.unwrap();
            assert_eq!(&answer, b"hello");
        });
    }

    #[test]
    fn what_callers_say_is_recorded() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            shout(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.unwrap();
            assert!(proxy.has_heard(b"ell"));
            assert!(!proxy.has_heard(b"goodbye"));
        });
    }

    #[test]
    fn what_comes_back_is_counted_however_it_is_cut() {
        crate::run(async {
            let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
            proxy.count(b"lohe");
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            for _ in 0..3 {
                shout(&mut stream).await.unwrap();
            }
            shout(&mut TcpStream::connect(proxy.address()).await.unwrap()).await.unwrap();
            assert_eq!(proxy.counted(), 2, "between three of one connection, and not of two");
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

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::TcpSocket;

/// Where ports are looked for. Systems take the local ports of outgoing connections, and those of listeners that ask for
/// port 0, from higher ones (Linux from 32768, others from 49152), so that neither comes in between.
const PORTS: Range<u16> = 20_000..32_000;

/// What keeps the ports of this process from other processes of tests, until it ends.
static RESERVED: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of the loopback interface that nobody listens at, for a server that a test starts, or for nobody at all.
///
/// It stays this process's until it ends: tests run as many processes at once, and a server of one must not be taken for
/// that of another. The sign to the others is UDP's port of the same number, so that TCP's is free to be listened at.
///
/// # Panics
/// When none can be had.
pub fn free_port() -> u16 {
    let count = usize::from(PORTS.end - PORTS.start);
    // Processes that start at the same time have numbers in a row: each begins somewhere else.
    let first = std::process::id() as usize * 37;
    let mut reserved = RESERVED.lock().expect("no test panics while it looks for a port");
    for step in 0..count {
        let port = PORTS.clone().nth((first + step) % count).expect("it is within the range");
        let Ok(sign) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            reserved.push(sign);
            return port;
        }
    }
    panic!("none of the ports from {} on is free", PORTS.start);
}

/// How long it is listened for an answer where there is to be none.
const LISTENED: Duration = Duration::from_millis(100);

/// An address that answers nobody who dials it, as one behind a firewall that drops what is sent. It is a listener whose queue is
/// full, which Linux does not answer for.
#[derive(Debug)]
pub struct SilentPort {
    address: SocketAddr,
    _queue: (tokio::net::TcpListener, TcpStream),
}

impl SilentPort {
    /// Keeps `address` silent as long as this lives; port 0 takes any. To be called on a runtime.
    ///
    /// # Panics
    /// When it cannot be listened at, or when somebody answers there all the same, within a tenth of a second.
    pub fn at(address: SocketAddr) -> Self {
        Self::with_room_for(address, 0).proven()
    }

    /// A listener for `room` more than the one who has its place at once.
    fn with_room_for(address: SocketAddr, room: u32) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(address).expect("the address is free");
        let listener = socket.listen(room).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let first = TcpStream::connect(address).expect("there is room for one");
        Self { address, _queue: (listener, first) }
    }

    /// Systems differ in how much room a queue has: what is not silent would have a test pass that shows nothing.
    fn proven(self) -> Self {
        let answer = TcpStream::connect_timeout(&self.address, LISTENED);
        let said = answer.as_ref().err().map(std::io::Error::kind);
        assert_eq!(said, Some(ErrorKind::TimedOut), "{} is not silent: {answer:?}", self.address);
        self
    }

    /// Where nobody answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_can_be_listened_at() {
        let (first, second) = (free_port(), free_port());
        assert_ne!(first, second);
        for port in [first, second] {
            assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err(), "other processes can take {port}");
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[tokio::test]
    async fn who_would_answer_is_not_taken_for_silent() {
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        SilentPort::at(any);
        let answering = std::panic::catch_unwind(|| SilentPort::with_room_for(any, 8).proven());
        assert!(answering.is_err(), "{answering:?}");
    }
}

//! The options of a socket of our own, by which the system notices that a peer has died without a word.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How often an idle peer is asked once more before it is given up.
const TRIES: u32 = 3;

/// Has the system ask a peer that has said nothing for `keepalive`, and give up one that has acknowledged nothing for twice
/// as long, whether something was sent to it or not. `None` leaves the socket to the system's usual, which is hours.
///
/// On a system that knows none of this nothing else is lost: every await of the pool has a limit of its own.
pub(crate) fn keep_alive(stream: &TcpStream, keepalive: Option<Duration>) {
    let Some(idle) = keepalive else { return };
    let socket = SockRef::from(stream);
    if let Err(error) = socket.set_tcp_keepalive(&times(idle)) {
        tracing::debug!(%error, "the peer's life cannot be watched over");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_user_timeout(Some(patience(idle))) {
        tracing::debug!(%error, "unacknowledged data cannot be limited in time");
    }
}

/// When and how often an idle peer is asked.
pub(crate) fn times(idle: Duration) -> TcpKeepalive {
    let times = TcpKeepalive::new().with_time(idle).with_interval((idle / TRIES).max(Duration::from_secs(1)));
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
    let times = times.with_retries(TRIES);
    times
}

/// How long a peer may acknowledge nothing.
#[cfg(target_os = "linux")]
pub(crate) fn patience(idle: Duration) -> Duration {
    idle.saturating_mul(2)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn options(keepalive: Option<Duration>) -> std::io::Result<(bool, Duration, Option<Duration>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let stream = TcpStream::connect(listener.local_addr()?).await?;
        keep_alive(&stream, keepalive);
        let socket = SockRef::from(&stream);
        Ok((socket.keepalive()?, socket.tcp_keepalive_time()?, socket.tcp_user_timeout()?))
    }

    #[tokio::test]
    async fn a_peer_is_asked_after_a_while_and_given_up_after_twice_as_long() {
        let idle = Duration::from_secs(42);
        assert_eq!(options(Some(idle)).await.unwrap(), (true, idle, Some(idle * 2)));
    }

    #[tokio::test]
    async fn a_socket_is_left_alone_where_the_settings_say_so() {
        let (asked, _, limit) = options(None).await.unwrap();
        assert_eq!((asked, limit), (false, None));
    }
}

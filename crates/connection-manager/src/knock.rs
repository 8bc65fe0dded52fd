//! Asking whether anybody is there without saying who asks.

/// What came of knocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    /// Somebody said something.
    Answered,
    /// Nobody listens, nobody is reached, or whoever listens says nothing.
    Silent,
    /// It came to nothing, for a reason that may lie on this side, or between: no socket was to be had, the name was not
    /// looked up in time, connections may not lead there, or somebody closed without a word.
    Failed,
    /// The driver has no way to ask without credentials.
    Unknown,
}

/// How long the look-up of a name may take: half of [`PATIENCE`](crate::lookout::PATIENCE).
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
const LOOK_UP: std::time::Duration = std::time::Duration::from_millis(250);

/// Connects, says `hello` and waits for the first word of an answer, whatever it is. Has no limit of time, but for the
/// look-up of the name: one that hangs is not to be taken for a silent server.
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
pub(crate) async fn knock(egress: Option<&crate::egress::Egress>, host: &str, port: u16, hello: &[u8]) -> Knock {
    use std::io::ErrorKind;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let Ok(Some(addresses)) = tokio::time::timeout(LOOK_UP, addresses(egress, host, port)).await else {
        return Knock::Failed;
    };
    let answer = async {
        let mut socket = match egress {
            Some(_) => crate::egress::race::first(&addresses).await?.0,
            // As the driver does it, one after the other: what it would wait for is waited for here.
            None => tokio::net::TcpStream::connect(&*addresses).await?,
        };
        socket.write_all(hello).await?;
        socket.read_u8().await
    };
    match answer.await {
        Ok(_) => Knock::Answered,
        // Of several addresses one error is told. That the machine has no IPv6 must not hide that the other one refused.
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::AddrNotAvailable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable => Knock::Silent,
            _ => Knock::Failed,
        },
    }
}

#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
async fn addresses(egress: Option<&crate::egress::Egress>, host: &str, port: u16) -> Option<Vec<std::net::SocketAddr>> {
    match egress {
        Some(egress) => egress.resolve(host, port).await.ok(),
        None => Some(tokio::net::lookup_host((host, port)).await.ok()?.collect()),
    }
}

#[cfg(all(test, any(feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver")))]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::egress::EgressConfig;

    #[tokio::test]
    async fn nobody_knocks_where_connections_may_not_lead() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let closed = EgressConfig::default().egress([]);
        assert_eq!(knock(Some(&closed), "127.0.0.1", port, b"?").await, Knock::Failed);
        server.set_nonblocking(true).unwrap();
        assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
        server.set_nonblocking(false).unwrap();
        let greeting = std::thread::spawn(move || server.accept().unwrap().0.write_all(b"hello").unwrap());
        let open = EgressConfig::open().egress([]);
        assert_eq!(knock(Some(&open), "127.0.0.1", port, b"?").await, Knock::Answered);
        greeting.join().unwrap();
    }

    #[tokio::test]
    async fn only_who_refuses_is_silent_at_once() {
        let open = EgressConfig::open().egress([]);
        for egress in [None, Some(&open)] {
            let server = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = server.local_addr().unwrap().port();
            let curt = std::thread::spawn(move || server.accept().unwrap().0.read_exact(&mut [0; 1]).unwrap());
            assert_eq!(knock(egress, "127.0.0.1", port, b"?").await, Knock::Failed, "nothing was said");
            curt.join().unwrap();
            assert_eq!(knock(egress, "127.0.0.1", port, b"?").await, Knock::Silent, "nobody listens");
            assert_eq!(knock(egress, "nowhere.invalid", port, b"?").await, Knock::Failed, "nobody was found");
        }
    }
}

//! Asking whether anybody is there without saying who asks.

/// What came of knocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    /// Somebody said something.
    Answered,
    /// Nobody listens, or whoever does says nothing.
    Silent,
    /// The driver has no way to ask without credentials.
    Unknown,
}

/// Connects, says `hello` and waits for the first word of an answer, whatever it is. Has no limit of time.
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
pub(crate) async fn knock(egress: Option<&crate::egress::Egress>, host: &str, port: u16, hello: &[u8]) -> Knock {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let answer = async {
        let mut socket = crate::egress::dial(egress, host, port).await?;
        socket.write_all(hello).await?;
        socket.read_u8().await
    };
    match answer.await {
        Ok(_) => Knock::Answered,
        Err(_) => Knock::Silent,
    }
}

#[cfg(all(test, any(feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver")))]
mod tests {
    use std::io::{ErrorKind, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::egress::EgressConfig;

    #[tokio::test]
    async fn nobody_knocks_where_connections_may_not_lead() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let closed = EgressConfig::default().egress([]);
        assert_eq!(knock(Some(&closed), "127.0.0.1", port, b"?").await, Knock::Silent);
        server.set_nonblocking(true).unwrap();
        assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
        server.set_nonblocking(false).unwrap();
        let greeting = std::thread::spawn(move || server.accept().unwrap().0.write_all(b"hello").unwrap());
        let open = EgressConfig::open().egress([]);
        assert_eq!(knock(Some(&open), "127.0.0.1", port, b"?").await, Knock::Answered);
        greeting.join().unwrap();
    }
}

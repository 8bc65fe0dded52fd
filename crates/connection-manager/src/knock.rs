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
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlserver"))]
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

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(feature = "redis")]
use super::Room;

/// A way to a server on which the server may only say so much until it is asked again. Drivers keep an answer in memory however
/// long it is.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    /// Since the server was last asked, in bytes.
    said: usize,
    longest: usize,
    /// Where each line may be a value.
    #[cfg(feature = "redis")]
    room: Option<Room>,
}

impl<S> Metered<S> {
    /// A way on which more than `longest` bytes at a stretch are an error.
    pub const fn new(inner: S, longest: usize) -> Self {
        Self {
            inner,
            said: 0,
            longest,
            #[cfg(feature = "redis")]
            room: None,
        }
    }

    /// The same for a protocol in which a line may be a value: more lines than there is room for values are an error too, unless
    /// any length is allowed.
    #[cfg(feature = "redis")]
    #[must_use]
    pub(crate) fn counting_lines(self) -> Self {
        Self { room: (self.longest < usize::MAX).then(|| Room::new(self.longest)), ..self }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        self.said = self.said.saturating_add(buffer.filled().len() - before);
        if self.said > self.longest {
            tracing::warn!(event = "egress.too_long", longest = self.longest, "a server's answer was broken off");
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the answer is longer than is listened to",
            )));
        }
        #[cfg(feature = "redis")]
        if let Some(room) = &mut self.room {
            room.values(buffer.filled()[before..].split(|byte| *byte == b'\n').count() - 1)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.said = 0;
        #[cfg(feature = "redis")]
        if let Some(room) = &mut self.room {
            room.clear();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_question_begins_the_count_anew() {
        let (near, mut server) = duplex(64);
        let mut client = Metered::new(near, 10);
        for _ in 0..3 {
            client.write_all(b"?").await.unwrap();
            server.write_all(b"0123456789").await.unwrap();
            client.read_exact(&mut [0; 10]).await.unwrap();
        }
        server.write_all(b"!").await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn lines_are_counted_where_they_may_be_values() {
        let (near, mut server) = duplex(2048);
        let mut client = Metered::new(near, 1024).counting_lines();
        for _ in 0..3 {
            client.write_all(b"?").await.unwrap();
            server.write_all(&b"_\r\n".repeat(64)).await.unwrap();
            client.read_exact(&mut [0; 3 * 64]).await.unwrap();
        }
        server.write_all(b"_\r\n").await.unwrap();
        assert_eq!(client.read(&mut [0; 3]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

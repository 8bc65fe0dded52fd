//! A look at the way before the driver goes it. The driver waits for its whole time-out where nobody listens, and tells what is
//! wrong with TLS in a text; asked by hand, a port that is closed is known at once, and a certificate that is refused by its type.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use ::mongodb::bson::{RawDocument, rawdoc};
use rustls::pki_types::ServerName;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::egress::{self, Egress};
use crate::node::Node;
use crate::socket::keep_alive;
use crate::tls::is_at_fault;

/// `OP_MSG` of MongoDB's wire protocol.
pub(super) const OP_MSG: i32 = 2013;
/// Its header: length, number of the request, number of what it answers, kind.
pub(super) const HEADER: usize = 16;

/// A socket to a server, protected or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// The ways to the servers of a deployment.
#[derive(Clone)]
pub(super) struct Route {
    /// Where they are.
    pub(super) nodes: Vec<Node>,
    pub(super) tls: Option<TlsConnector>,
    /// Where one may go, when somebody from outside has said where the servers are.
    pub(super) egress: Option<Egress>,
    /// How long it may take, all nodes together.
    pub(super) limit: Duration,
    /// How the system watches over the sockets.
    pub(super) keepalive: Option<Duration>,
}

impl Route {
    /// Asks the nodes one after the other until one says something, each within its share of the time that is left.
    pub(super) async fn look(&self) -> Result<(), DatabaseError> {
        self.first(|node| self.ask(node)).await
    }

    /// A socket to the first node that there is a way to, over which nothing was said yet.
    #[cfg(unix)]
    pub(super) async fn open(&self) -> Result<Box<dyn Socket>, DatabaseError> {
        self.first(|node| self.dial(node)).await
    }

    async fn first<'a, T, F>(&'a self, attempt: impl Fn(&'a Node) -> F) -> Result<T, DatabaseError>
    where
        F: Future<Output = Result<T, DatabaseError>>,
    {
        let began = Instant::now();
        let mut last = None;
        for (index, node) in self.nodes.iter().enumerate() {
            let shares = u32::try_from(self.nodes.len() - index).unwrap_or(u32::MAX);
            let share = self.limit.saturating_sub(began.elapsed()) / shares;
            let outcome = tokio::time::timeout(share, attempt(node)).await.unwrap_or_else(|_| {
                let message = format!("connecting to {node}: no answer within {} ms", share.as_millis());
                Err(DatabaseError::new(DatabaseErrorKind::Unreachable, message))
            });
            match outcome {
                Err(error) if *error.kind() == DatabaseErrorKind::Unreachable => last = Some(error),
                outcome => return outcome,
            }
        }
        Err(last.unwrap_or_else(|| {
            DatabaseError::new(DatabaseErrorKind::Misconfigured, "there is no server to connect to")
        }))
    }

    async fn ask(&self, node: &Node) -> Result<(), DatabaseError> {
        greet(self.dial(node).await?).await.map_err(|cause| {
            let attempt = format!("connecting to {node}");
            if self.tls.is_none() && is_hang_up(&cause) {
                let message = format!("{attempt}: the server hung up at the first word; it may want TLS");
                return DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(cause);
            }
            io_error(cause, &attempt)
        })
    }

    async fn dial(&self, node: &Node) -> Result<Box<dyn Socket>, DatabaseError> {
        let attempt = format!("connecting to {node}");
        let told = |cause| io_error(cause, &attempt);
        let socket = egress::dial(self.egress.as_ref(), &node.host, node.port).await.map_err(told)?;
        // Requests are small; a failure to say so costs time and nothing else.
        let _ = socket.set_nodelay(true);
        keep_alive(&socket, self.keepalive);
        let Some(tls) = &self.tls else { return Ok(Box::new(socket)) };
        let name = ServerName::try_from(node.host.clone()).map_err(|cause| {
            let message = format!("{attempt}: TLS cannot verify a host of this name");
            DatabaseError::new(DatabaseErrorKind::Misconfigured, message).with_source(cause)
        })?;
        let stream = tls.connect(name, socket).await.map_err(|cause| {
            // A server without TLS takes the greeting for nonsense and hangs up.
            if is_hang_up(&cause) {
                let message = format!("{attempt}: the server hung up when TLS was asked for");
                return DatabaseError::new(DatabaseErrorKind::TlsFailed, message).with_source(cause);
            }
            told(cause)
        })?;
        Ok(Box::new(stream))
    }
}

/// A server that has not read all of what it was told hangs up less politely.
fn is_hang_up(cause: &io::Error) -> bool {
    [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&cause.kind())
}

async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    stream.write_all(&hello()).await?;
    stream.flush().await?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await.map(drop)
}

/// The question that every client begins with; it takes no login.
pub(super) fn hello() -> Vec<u8> {
    message(1, 0, &rawdoc! { "hello": 1, "$db": "admin" })
}

/// A message of one document.
pub(super) fn message(number: i32, answers: i32, body: &RawDocument) -> Vec<u8> {
    let length = HEADER + size_of::<u32>() + 1 + body.as_bytes().len();
    let mut message = Vec::with_capacity(length);
    for part in [i32::try_from(length).unwrap_or_default(), number, answers, OP_MSG, 0] {
        message.extend_from_slice(&part.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(body.as_bytes());
    message
}

fn io_error(cause: io::Error, attempt: &str) -> DatabaseError {
    let (kind, why) = if is_at_fault(&cause) {
        (DatabaseErrorKind::TlsFailed, "TLS could not be agreed on")
    } else {
        (DatabaseErrorKind::Unreachable, "the server cannot be reached or went away")
    };
    DatabaseError::new(kind, format!("{attempt}: {why}")).with_source(cause)
}

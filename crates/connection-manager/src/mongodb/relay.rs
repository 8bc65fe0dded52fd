//! The way of a client whose connection somebody from outside has defined. The driver dials whom it is told of, and takes as large
//! and as deep an answer as the server likes; so it is given a socket of ours and told that this is the server. Behind it, every
//! dial asks the policy, TLS is spoken with the host of the definition, requests that change something go no further, and answers
//! are read within bounds.

mod wire;

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use self::wire::{ANSWER, Frame, REQUEST};
use super::scout::Route;
use crate::egress::SessionLimits;
use crate::egress::socket::PrivateSocket;

/// A socket that leads to the server of a route for as long as this lives. What it carries already goes on until either side hangs
/// up.
pub(super) struct Relay {
    socket: PrivateSocket,
    accepting: AbortHandle,
}

impl Relay {
    /// Must be called on a tokio runtime.
    pub(super) fn open(route: Route) -> io::Result<Self> {
        // The driver knows a path for one by its end.
        let (socket, listener) = PrivateSocket::bind("mongodb.sock")?;
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let route = route.clone();
                // Both sides hear that it has ended, and why is the server's secret.
                tokio::spawn(async move { carry(client, &route).await.ok() });
            }
        });
        Ok(Self { socket, accepting: accepting.abort_handle() })
    }

    /// Where it is.
    pub(super) fn file(&self) -> &Path {
        self.socket.file()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries questions and answers, one after the other, until one side hangs up or says what it must not. Nobody speaks out of
/// turn: a word from the one who is to listen is the end.
async fn carry(client: UnixStream, route: &Route) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let server = route.open().await.map_err(io::Error::other)?;
    let limits = route.egress.as_ref().map_or_else(SessionLimits::default, |egress| egress.limits().clone());
    let longest = limits.answer.min(ANSWER);
    let (mut from_server, mut to_server) = split(server);
    loop {
        let request = tokio::select! {
            biased;
            _ = from_server.read_u8() => return Ok(()),
            request = Frame::read(&mut from_client, REQUEST) => request?,
        };
        if let Some(refusal) = request.refusal()? {
            to_client.write_all(&refusal).await?;
            continue;
        }
        let exchange = async {
            to_server.write_all(request.bytes()).await?;
            to_server.flush().await?;
            Frame::read(&mut from_server, longest).await
        };
        let answer = tokio::select! {
            answer = exchange => answer?,
            _ = from_client.read_u8() => return Ok(()),
        };
        answer.belongs_to(&request)?;
        answer.check()?;
        to_client.write_all(answer.bytes()).await?;
    }
}

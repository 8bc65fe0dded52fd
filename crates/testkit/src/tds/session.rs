//! One client's connection, from the first byte to the last.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use tds_protocol::PacketType;
use tokio::io::{AsyncWriteExt, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::answer;
use super::cursor::Malformed;
use super::login::{Encryption, Login, negotiate};
use super::packet::{Message, MessageReader, frame, invalid};
use super::request::{Request, Statement, Via};
use super::script::{Cut, Reply, ServerMessage};
use super::socket::{Socket, Stream};
use super::state::{Admission, Ending, Order, Received, Shared};
use super::tls::{InPackets, Tls};
use super::token::{DoneKind, Ending as Done, Tokens};
use super::transaction::Transaction;

/// Serves one connection until either side ends it.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, connection: u64, mut orders: watch::Receiver<Order>) {
    let _open = Open::new(&shared);
    let socket = Socket::new(stream);
    let outcome = tokio::select! {
        outcome = converse(&shared, &socket, connection) => outcome,
        // The sender lives in `shared`, so only an order ends this wait.
        _ = orders.changed() => {
            if orders.borrow().ending == Ending::Reset {
                socket.reset_on_close();
            }
            Ok(())
        }
    };
    if let Err(error) = outcome
        && error.kind() == io::ErrorKind::InvalidData
    {
        shared.write_log(|log| log.violations.push(error.to_string()));
    }
}

/// Counts a connection as open for as long as it lives, however it ends.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.write_log(|log| log.connections.open += 1);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.write_log(|log| log.connections.open -= 1);
    }
}

impl From<Malformed> for io::Error {
    fn from(malformed: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, malformed)
    }
}

async fn converse(shared: &Arc<Shared>, socket: &Socket, connection: u64) -> io::Result<()> {
    let admission = shared.settings().admission;
    match admission {
        Admission::Normal => {}
        Admission::Silent => {
            // It hears the client out, as only whoever reads learns that the other side has gone.
            tokio::io::copy(&mut socket.clone(), &mut tokio::io::sink()).await?;
            return Ok(());
        }
        Admission::Close => return Ok(()),
        Admission::Reset => {
            socket.reset_on_close();
            return Ok(());
        }
    }
    let Some((stream, login_only)) = greet(shared, socket).await? else { return Ok(()) };
    let mut session = Session {
        shared: Arc::clone(shared),
        socket: socket.clone(),
        stream,
        reader: MessageReader::default(),
        connection,
        packet_size: 4096,
        transaction: Transaction::default(),
        prepared: BTreeMap::new(),
    };
    if session.log_in(login_only).await?.is_continue() {
        while session.answer_next().await?.is_continue() {}
    }
    Ok(())
}

/// PRELOGIN and TLS. `None` when the two sides cannot agree.
async fn greet(shared: &Shared, socket: &Socket) -> io::Result<Option<(Stream, bool)>> {
    let tls = shared.settings().tls;
    let encrypted = || shared.write_log(|log| log.connections.encrypted += 1);
    let strict = socket.begins_with_tls().await?;
    let mut stream = if strict && tls != Tls::NotSupported {
        let acceptor = TlsAcceptor::from(Arc::clone(&shared.certificates.strict));
        let accepted = acceptor.accept(InPackets::new(socket.clone(), false)).await?;
        encrypted();
        Stream::Tls(Box::new(accepted))
    } else if strict || tls == Tls::Strict {
        return Ok(None);
    } else {
        Stream::Plain(socket.clone())
    };

    let Some(message) = MessageReader::default().next(&mut stream).await? else { return Ok(None) };
    if message.kind != PacketType::PreLogin {
        return Err(invalid("a client begins with PRELOGIN"));
    }
    let (encryption, reply) = negotiate(&message.payload, tls)?;
    stream.write_all(&frame(&reply, 4096)).await?;
    stream.flush().await?;
    if strict {
        return Ok(Some((stream, false)));
    }
    match encryption {
        Encryption::Refused => Ok(None),
        Encryption::None => Ok(Some((stream, false))),
        Encryption::Full | Encryption::LoginOnly => {
            let acceptor = TlsAcceptor::from(Arc::clone(&shared.certificates.inside));
            let mut accepted = acceptor.accept(InPackets::new(socket.clone(), true)).await?;
            accepted.get_mut().0.handshake_is_over();
            encrypted();
            Ok(Some((Stream::Tls(Box::new(accepted)), encryption == Encryption::LoginOnly)))
        }
    }
}

struct Session {
    shared: Arc<Shared>,
    socket: Socket,
    stream: Stream,
    reader: MessageReader,
    connection: u64,
    packet_size: u16,
    transaction: Transaction,
    prepared: BTreeMap<i64, String>,
}

impl Session {
    async fn log_in(&mut self, login_only: bool) -> io::Result<ControlFlow<()>> {
        let Some(message) = self.reader.next(&mut self.stream).await? else { return Ok(ControlFlow::Break(())) };
        if message.kind != PacketType::Tds7Login {
            return Err(invalid("a client that was greeted logs in"));
        }
        let login = Login::parse(&message.payload)?;
        if login_only {
            // The answer to the login goes out in the clear already.
            let stream = std::mem::replace(&mut self.stream, Stream::Plain(self.socket.clone()));
            self.stream = stream.without_tls();
        }
        let admitted = self.shared.settings().admit(&login);
        self.shared.write_log(|log| {
            log.logins.push(login.clone());
            let counter = if admitted.is_ok() { &mut log.connections.logged_in } else { &mut log.connections.rejected };
            *counter += 1;
        });

        let mut tokens = Tokens::default();
        let database = match admitted {
            Ok(database) => database,
            Err(messages) => {
                for message in &messages {
                    tokens.message(message);
                }
                tokens.done(DoneKind::Batch, Done { error: true, ..Done::default() });
                self.send(&tokens).await?;
                return Ok(ControlFlow::Break(()));
            }
        };
        let redirection = self.shared.settings().redirection.clone();
        if let Some((host, port)) = &redirection {
            tokens.redirected(host, *port);
        }
        tokens.database_changed(&database, "master");
        tokens.message(&ServerMessage::new(5701, format!("Changed database context to '{database}'.")));
        tokens.collation_changed();
        tokens.login_ack();
        tokens.packet_size_changed(login.packet_size);
        tokens.done(DoneKind::Batch, Done::default());
        self.send(&tokens).await?;
        self.packet_size = login.packet_size;
        Ok(if redirection.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    async fn send(&mut self, tokens: &Tokens) -> io::Result<()> {
        self.stream.write_all(&frame(&tokens.0, self.packet_size)).await?;
        self.stream.flush().await
    }

    async fn answer_next(&mut self) -> io::Result<ControlFlow<()>> {
        let Some(message) = self.reader.next(&mut self.stream).await? else { return Ok(ControlFlow::Break(())) };
        match Request::parse(&message)? {
            Request::Run(statement) => self.answer(&statement, None).await,
            Request::PrepareAndRun(statement) => {
                let handle = self.prepare(statement.text.clone());
                self.answer(&statement, Some(handle)).await
            }
            Request::RunPrepared { handle, parameters } => {
                let Some(text) = self.prepared.get(&handle).cloned() else {
                    let error =
                        ServerMessage::new(8179, format!("Could not find prepared statement with handle {handle}."));
                    return self.conclude(None, Some(&error)).await;
                };
                let via = Via::Procedure("sp_execute".to_owned());
                self.answer(&Statement { via, text, declarations: String::new(), parameters }, None).await
            }
            Request::Prepare { text } => {
                let handle = self.prepare(text);
                self.conclude(Some(handle), None).await
            }
            Request::Unprepare { handle } => {
                self.prepared.remove(&handle);
                self.conclude(None, None).await
            }
            Request::Attention => {
                self.acknowledge_attention().await?;
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    fn prepare(&mut self, text: String) -> i64 {
        let handle = self.prepared.last_key_value().map_or(1, |(last, _)| last + 1);
        self.prepared.insert(handle, text);
        handle
    }

    /// Ends a procedure that has no rows: preparing and its like.
    async fn conclude(&mut self, handle: Option<i64>, error: Option<&ServerMessage>) -> io::Result<ControlFlow<()>> {
        let mut tokens = Tokens::default();
        if let Some(error) = error {
            tokens.message(error);
        }
        tokens.return_status();
        if let Some(handle) = handle {
            tokens.return_handle(handle).map_err(|misfit| invalid(misfit.to_string()))?;
        }
        tokens.done(DoneKind::Procedure, Done { error: error.is_some(), ..Done::default() });
        self.send(&tokens).await?;
        Ok(ControlFlow::Continue(()))
    }

    async fn answer(&mut self, statement: &Statement, handle: Option<i64>) -> io::Result<ControlFlow<()>> {
        let received = Received {
            connection: self.connection,
            in_transaction: self.transaction.depth() > 0,
            statement: statement.clone(),
        };
        self.shared.write_log(|log| log.received.push(received));
        let scripted = self.shared.settings().reply_to(statement);
        let reply = scripted
            .or_else(|| self.transaction.refusal(statement))
            .unwrap_or_else(|| answer::built_in(statement, &self.transaction));

        let mut tokens = Tokens::default();
        if let Some(handle) = handle {
            tokens.return_handle(handle).map_err(|misfit| invalid(misfit.to_string()))?;
        }
        tokens.0.unsplit(answer::encode(statement, &reply, &mut self.transaction).0);
        let committed = self.transaction.take_committed();
        self.shared.write_log(|log| log.committed.extend(committed));

        let flow = self.deliver(&frame(&tokens.0, self.packet_size), &reply).await?;
        let fatal = reply.messages().any(ServerMessage::is_fatal);
        Ok(if fatal { ControlFlow::Break(()) } else { flow })
    }

    /// Sends an answer as the script wants it, and watches for an ATTENTION meanwhile.
    async fn deliver(&mut self, bytes: &[u8], reply: &Reply) -> io::Result<ControlFlow<()>> {
        let mut sent = 0;
        let interrupted = {
            let (mut read, mut write) = split(&mut self.stream);
            tokio::select! {
                done = transmit(&mut write, bytes, reply, &mut sent) => { done?; None }
                message = self.reader.next(&mut read) => Some(message?),
            }
        };
        match interrupted {
            None => match reply.cut {
                Cut::None => Ok(ControlFlow::Continue(())),
                Cut::Silence(_) | Cut::Close(_) => Ok(ControlFlow::Break(())),
                Cut::Reset(_) => {
                    self.socket.reset_on_close();
                    Ok(ControlFlow::Break(()))
                }
            },
            Some(None) => Ok(ControlFlow::Break(())),
            Some(Some(Message { kind: PacketType::Attention, .. })) => {
                // A message that has begun is brought to its end; the acknowledgement is one of its own.
                if sent > 0 {
                    self.stream.write_all(&bytes[sent..]).await?;
                }
                self.acknowledge_attention().await?;
                Ok(ControlFlow::Continue(()))
            }
            Some(Some(_)) => Err(invalid("a request arrived before the one before it was answered")),
        }
    }

    async fn acknowledge_attention(&mut self) -> io::Result<()> {
        self.shared.write_log(|log| log.connections.attentions += 1);
        let mut tokens = Tokens::default();
        tokens.done(DoneKind::Batch, Done { attention: true, ..Done::default() });
        self.send(&tokens).await
    }
}

async fn transmit(write: &mut WriteHalf<&mut Stream>, bytes: &[u8], reply: &Reply, sent: &mut usize) -> io::Result<()> {
    tokio::time::sleep(reply.delay).await;
    if let Some(gate) = &reply.gate {
        gate.passed().await;
    }
    let end = match reply.cut {
        Cut::None => bytes.len(),
        Cut::Silence(length) | Cut::Close(length) | Cut::Reset(length) => bytes.len().min(length),
    };
    let (step, pause) = reply.drip.unwrap_or((usize::MAX, std::time::Duration::ZERO));
    while *sent < end {
        let piece = &bytes[*sent..end.min(sent.saturating_add(step))];
        let written = write.write(piece).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *sent += written;
        write.flush().await?;
        if *sent < end && reply.drip.is_some() {
            tokio::time::sleep(pause).await;
        }
    }
    if matches!(reply.cut, Cut::Silence(_)) {
        std::future::pending::<()>().await;
    }
    Ok(())
}

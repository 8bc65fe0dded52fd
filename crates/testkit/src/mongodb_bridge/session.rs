//! One client: its connection to the bridge, who it has logged in as, its connection to the engine.

use std::io;
use std::sync::Arc;

use bson::{Bson, Document, doc};
use sqlx::postgres::PgConnection;
use tokio::io::{AsyncRead, AsyncWrite};

use super::cursors::Cursors;
use super::engine::Engine;
use super::handshake;
use super::login::{Login, Step};
use super::refusal::Refusal;
use super::wire::Request;

/// What all clients share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) cursors: Cursors,
}

/// One client.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    number: i32,
    login: Option<Login>,
    pub(super) user: Option<String>,
    connection: Option<PgConnection>,
}

/// Fields that belong to the protocol, and that the engine's functions do not know.
const OF_THE_PROTOCOL: [&str; 8] = [
    "$clusterTime",
    "$configServerState",
    "$configTime",
    "$topologyTime",
    "apiVersion",
    "lsid",
    "readConcern",
    "writeConcern",
];

impl Session {
    pub(super) fn new(shared: Arc<Shared>, number: i32) -> Self {
        Self { shared, number, login: None, user: None, connection: None }
    }

    /// Answers one command after the other until the client hangs up. A client that hangs up while one runs takes it along.
    pub(super) async fn serve(mut self, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (mut reading, mut writing) = tokio::io::split(stream);
        let mut next = Request::read(&mut reading).await?;
        while let Some(request) = next {
            let mut reader = Box::pin(Request::read(&mut reading));
            let answer = tokio::select! {
                answer = self.answer(&request.body) => answer,
                // Nothing is sent before the answer, except a farewell.
                _ = &mut reader => return Ok(()),
            };
            if request.wants_answer {
                request.answer(&mut writing, &answer).await?;
            }
            next = reader.await?;
        }
        Ok(())
    }

    async fn answer(&mut self, command: &Document) -> Document {
        self.carry_out(command).await.unwrap_or_else(|refusal| refusal.answer())
    }

    async fn carry_out(&mut self, command: &Document) -> Result<Document, Refusal> {
        let Some(name) = command.keys().next().map(String::as_str) else {
            return Err(Refusal::new(59, "a command without a name"));
        };
        match name {
            "hello" | "isMaster" | "ismaster" => return Ok(handshake::hello(command, self.number)),
            "ping" | "endSessions" => return Ok(doc! { "ok": 1.0 }),
            "buildInfo" | "buildinfo" => return Ok(handshake::build_info()),
            "saslStart" => {
                let step = Login::begin(command, &self.shared.engine).await?;
                return Ok(self.stepped(step));
            }
            "saslContinue" => {
                let login = self.login.take().ok_or_else(|| Refusal::new(18, "No SASL session state found"))?;
                let step = login.go_on(command, &self.shared.engine).await?;
                return Ok(self.stepped(step));
            }
            _ => {}
        }
        if self.user.is_none() {
            return Err(Refusal::new(13, format!("Command {name} requires authentication")));
        }
        let mut inner = command.clone();
        for field in OF_THE_PROTOCOL {
            inner.remove(field);
        }
        self.ask_the_engine(name, &inner).await
    }

    fn stepped(&mut self, step: Step) -> Document {
        match step {
            Step::Next(answer, login) => {
                self.login = Some(login);
                answer
            }
            Step::Done(answer, user) => {
                self.user = Some(user);
                self.connection = None;
                answer
            }
        }
    }

    /// Takes the connection to the engine, or opens one. Whoever does not give it back, because its call was cut short or
    /// the engine keeps a cursor on it, leaves the next call to open another.
    pub(super) async fn take_connection(&mut self) -> Result<PgConnection, Refusal> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.shared.engine.connect(self.user.as_deref()).await?),
        }
    }

    pub(super) fn give_back(&mut self, connection: PgConnection) {
        self.connection = Some(connection);
    }

    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }
}

/// A whole number, of whatever width it was sent in.
pub(super) fn whole(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "a client that sends a fraction gets what is whole of it")]
        Bson::Double(number) => Some(*number as i64),
        _ => None,
    }
}

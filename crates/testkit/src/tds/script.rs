//! What the server answers: replies, faults, and the statements they are for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::request::Statement;
use super::value::{Column, TdsValue};

mod messages;

/// Rows with their columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultSet {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<TdsValue>>,
}

impl ResultSet {
    /// A result without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row, one value for each column in order.
    #[must_use]
    pub fn row(mut self, values: impl IntoIterator<Item = TdsValue>) -> Self {
        self.rows.push(values.into_iter().collect());
        self
    }
}

/// An ERROR (class 11 and up) or INFO (class 0 to 10) message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    pub(super) number: u32,
    pub(super) state: u8,
    pub(super) class: u8,
    pub(super) text: String,
}

impl ServerMessage {
    /// A message with the class that SQL Server gives to this number; 16 where it is not known here.
    pub fn new(number: u32, text: impl Into<String>) -> Self {
        Self { number, state: 1, class: messages::class_of(number), text: text.into() }
    }

    /// Another state; some numbers tell their cause by it.
    #[must_use]
    pub fn state(mut self, state: u8) -> Self {
        self.state = state;
        self
    }

    /// Another class. From 20 on the server closes the connection behind the message.
    #[must_use]
    pub fn class(mut self, class: u8) -> Self {
        self.class = class;
        self
    }

    pub(super) const fn is_error(&self) -> bool {
        self.class > 10
    }

    pub(super) const fn is_fatal(&self) -> bool {
        self.class >= 20
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Rows(ResultSet),
    Changed(u64),
    Message(ServerMessage),
}

/// What happens behind the last byte that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The answer is complete and the connection lives on.
    None,
    /// The answer stops after so many bytes and nothing follows; the connection stays open.
    Silence(usize),
    /// The answer stops after so many bytes and the connection is closed.
    Close(usize),
    /// The answer stops after so many bytes and the connection is reset.
    Reset(usize),
}

/// What the server does about a statement.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) parts: Vec<Part>,
    pub(super) delay: Duration,
    pub(super) gate: Option<Gate>,
    pub(super) drip: Option<(usize, Duration)>,
    pub(super) cut: Cut,
}

impl Reply {
    fn with(parts: Vec<Part>) -> Self {
        Self { parts, delay: Duration::ZERO, gate: None, drip: None, cut: Cut::None }
    }

    /// Success with nothing to tell, as for `SET` or `CREATE TABLE`.
    pub fn done() -> Self {
        Self::with(Vec::new())
    }

    /// Rows.
    pub fn rows(result: ResultSet) -> Self {
        Self::with(vec![Part::Rows(result)])
    }

    /// So many rows were changed.
    pub fn changed(count: u64) -> Self {
        Self::with(vec![Part::Changed(count)])
    }

    /// An error or a message; the statement ends with it.
    pub fn message(message: ServerMessage) -> Self {
        Self::with(vec![Part::Message(message)])
    }

    /// An error of this number, with the class that SQL Server gives to it.
    pub fn error(number: u32, text: impl Into<String>) -> Self {
        Self::message(ServerMessage::new(number, text))
    }

    /// No answer at all. The connection stays open and still listens for an ATTENTION.
    pub fn silence() -> Self {
        Self::done().silent_after(0)
    }

    /// The connection is closed in place of an answer.
    pub fn close() -> Self {
        Self::done().closing_after(0)
    }

    /// The connection is reset in place of an answer.
    pub fn reset() -> Self {
        Self::done().resetting_after(0)
    }

    /// Another statement's answer behind this one, as in a batch of several. Its timing and faults are left out.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        self.parts.extend(next.parts);
        self
    }

    /// Waits before the answer begins.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds the answer back until `gate` opens, so that a test need not guess at times.
    #[must_use]
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sends the answer in pieces of `bytes` with a pause behind each.
    #[must_use]
    pub fn dripping(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip = Some((bytes.max(1), pause));
        self
    }

    /// Sends so many bytes of the answer (packet headers count) and then no more.
    #[must_use]
    pub fn silent_after(mut self, bytes: usize) -> Self {
        self.cut = Cut::Silence(bytes);
        self
    }

    /// Sends so many bytes of the answer (packet headers count) and closes the connection.
    #[must_use]
    pub fn closing_after(mut self, bytes: usize) -> Self {
        self.cut = Cut::Close(bytes);
        self
    }

    /// Sends so many bytes of the answer (packet headers count) and resets the connection.
    #[must_use]
    pub fn resetting_after(mut self, bytes: usize) -> Self {
        self.cut = Cut::Reset(bytes);
        self
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &ServerMessage> {
        self.parts.iter().filter_map(|part| match part {
            Part::Message(message) => Some(message),
            Part::Rows(_) | Part::Changed(_) => None,
        })
    }
}

/// Holds answers back until a test lets them go.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets all that wait go, and all that come later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        let mut state = self.0.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = state.wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

type Predicate = dyn Fn(&Statement) -> bool + Send + Sync;

/// Which statements an answer is for.
#[derive(Clone)]
pub struct Matcher(Arc<Predicate>);

impl Matcher {
    /// Statements of exactly this text; runs of blanks and line breaks count as one blank.
    pub fn text(text: &str) -> Self {
        let text = squeeze(text);
        Self::when(move |statement| squeeze(&statement.text) == text)
    }

    /// Statements that begin with this text, in whatever case.
    pub fn starts_with(text: &str) -> Self {
        let text = squeeze(text).to_lowercase();
        Self::when(move |statement| squeeze(&statement.text).to_lowercase().starts_with(&text))
    }

    /// Statements with this text in them, in whatever case.
    pub fn contains(text: &str) -> Self {
        let text = squeeze(text).to_lowercase();
        Self::when(move |statement| squeeze(&statement.text).to_lowercase().contains(&text))
    }

    /// Every statement.
    pub fn any() -> Self {
        Self::when(|_| true)
    }

    /// Statements that the function says yes to.
    pub fn when(predicate: impl Fn(&Statement) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(predicate))
    }

    pub(super) fn matches(&self, statement: &Statement) -> bool {
        (self.0)(statement)
    }
}

impl From<&str> for Matcher {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matcher")
    }
}

pub(super) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

type Compute = dyn Fn(&Statement) -> Reply + Send + Sync;

/// Where the reply to a matching statement comes from.
#[derive(Clone)]
pub enum Answer {
    /// The same reply each time.
    Always(Reply),
    /// This reply so many times; then an older rule decides.
    Times(u32, Reply),
    /// A reply made from the statement.
    Computed(Arc<Compute>),
}

impl Answer {
    /// This reply for the next matching statement alone.
    pub const fn once(reply: Reply) -> Self {
        Self::Times(1, reply)
    }

    /// A reply made from the statement, its parameters included.
    pub fn computed(compute: impl Fn(&Statement) -> Reply + Send + Sync + 'static) -> Self {
        Self::Computed(Arc::new(compute))
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Always(reply)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(reply) => f.debug_tuple("Always").field(reply).finish(),
            Self::Times(times, reply) => f.debug_tuple("Times").field(times).field(reply).finish(),
            Self::Computed(_) => f.write_str("Computed"),
        }
    }
}

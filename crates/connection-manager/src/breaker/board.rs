//! Where processes say to each other which circuits are open: keys and values of a connection such as Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError, Expiry};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};
use tokio::runtime::Handle;

use super::Breaker;
use super::link::Link;
use super::share::{Share, Word};

/// How long a word stands there after the pause that it is about.
const HOLD: Duration = Duration::from_secs(10);
/// The longest word that anybody would have said, in bytes.
const LONGEST_WORD: usize = 128;
/// The longest that anything stands there without being said again.
const LONGEST: Duration = Duration::from_mins(1);

/// How a [`CircuitBoard`] uses what is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardSettings {
    /// The connection that offers keys and values.
    pub connection: String,
    /// What every key begins with.
    pub prefix: String,
    /// How long one question may take, connecting included. No caller waits for it.
    pub timeout: Duration,
    /// The longest time between two looks of a process at each circuit that it has, and the shortest is half of it.
    pub poll: Duration,
}

impl BoardSettings {
    /// The usual limits, over this connection.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
            prefix: "bindery:circuit:".to_owned(),
            timeout: Duration::from_millis(250),
            poll: Duration::from_millis(500),
        }
    }
}

/// Circuits that processes share. When one finds a server out of reach, the others knock at once instead of finding out by their
/// callers, and the probes that may be under way at a time are counted once for all.
///
/// A caller never waits for it: a circuit reads what was found out in the background. While the board does not answer, each
/// process goes by what it learns itself. All that stands there ends by itself within a minute. Clones share the connection.
#[derive(Clone)]
pub struct CircuitBoard(Arc<Inner>);

struct Inner {
    connections: Arc<dyn Connections>,
    settings: BoardSettings,
    /// Tells this process's rights to probe from those of the others.
    process: String,
}

impl CircuitBoard {
    /// A board over one of these connections.
    pub fn new(connections: Arc<dyn Connections>, settings: BoardSettings) -> Self {
        Self(Arc::new(Inner { connections, settings, process: name() }))
    }

    /// Shares a circuit for as long as it is used. One that never opens, or is shared already, is left as it is.
    pub(crate) fn share(&self, breaker: &Breaker, runtime: &Handle) {
        let Breaker(circuit) = breaker;
        if circuit.settings.failures == 0 || circuit.share.set(Share::default()).is_err() {
            return;
        }
        if let Some(share) = circuit.share.get() {
            runtime.spawn(Link::new(self.clone(), circuit, share).run());
        }
    }

    pub(super) fn poll(&self) -> Duration {
        self.0.settings.poll
    }

    /// What stands there about a server, but for what nobody here would have written.
    pub(super) async fn read(&self, endpoint: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        let (connection, context) = self.reach().await?;
        let stands = connection.key_value()?.get(&self.place(endpoint), &context).await?;
        Ok(stands.filter(|text| text.len() <= LONGEST_WORD))
    }

    /// Says something about a server, in the place of what was said before, and returns how it stands there.
    pub(super) async fn say(&self, endpoint: &str, word: Word) -> Result<Vec<u8>, DatabaseError> {
        let (connection, context) = self.reach().await?;
        let (text, life) = match word {
            Word::Open(pause) => {
                (format!("open {} {}", name(), pause.as_millis()), pause.saturating_add(HOLD).min(LONGEST))
            }
            Word::Closed => (format!("closed {}", name()), HOLD),
        };
        let text = text.into_bytes();
        connection.key_value()?.set(&self.place(endpoint), &text, Expiry::After(life), &context).await?;
        Ok(text)
    }

    /// What it means; `None` for what another version may have written.
    pub(super) fn word(text: &[u8]) -> Option<Word> {
        let words: Vec<&str> = std::str::from_utf8(text).ok()?.split(' ').collect();
        match *words.as_slice() {
            ["open", _, pause] => Some(Word::Open(Duration::from_millis(pause.parse().ok()?))),
            ["closed", _] => Some(Word::Closed),
            _ => None,
        }
    }

    /// Takes one of the rights to probe a server, unless somebody has it.
    pub(super) async fn take(&self, endpoint: &str, number: u32, lease: Duration) -> Result<bool, DatabaseError> {
        let (connection, context) = self.reach().await?;
        let (right, process) = (self.right(endpoint, number), self.0.process.as_bytes());
        connection.key_value()?.set_if_absent(&right, process, Expiry::After(lease), &context).await
    }

    /// Keeps it for so long from now. `false` when it is not this process's any more.
    pub(super) async fn keep(&self, endpoint: &str, number: u32, lease: Duration) -> Result<bool, DatabaseError> {
        let (connection, context) = self.reach().await?;
        let (right, process) = (self.right(endpoint, number), self.0.process.as_bytes());
        let expiry = Expiry::After(lease.min(LONGEST));
        connection.key_value()?.compare_and_set(&right, process, process, expiry, &context).await
    }

    /// Gives it back, if it is this process's.
    pub(super) async fn give_back(&self, endpoint: &str, number: u32) -> Result<(), DatabaseError> {
        let (connection, context) = self.reach().await?;
        let (right, process) = (self.right(endpoint, number), self.0.process.as_bytes());
        connection.key_value()?.compare_and_delete(&right, process, &context).await.map(drop)
    }

    fn place(&self, endpoint: &str) -> Vec<u8> {
        format!("{}{endpoint}", self.0.settings.prefix).into_bytes()
    }

    fn right(&self, endpoint: &str, number: u32) -> Vec<u8> {
        format!("{}{endpoint}:probe:{number}", self.0.settings.prefix).into_bytes()
    }

    async fn reach(&self) -> Result<(Arc<dyn DatabaseConnection>, RequestContext), DatabaseError> {
        let context = RequestContext::system().within(self.0.settings.timeout);
        let connection = self.0.connections.get(&self.0.settings.connection, Access::Write, &context).await?;
        Ok((connection, context))
    }
}

/// One that nobody else has: who reads a word knows whether it was read before.
fn name() -> String {
    SystemIdGenerator.next().simple().to_string()
}

impl fmt::Debug for CircuitBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBoard").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_understood() {
        let pause = Duration::from_millis(1500);
        assert_eq!(CircuitBoard::word(b"open a1 1500"), Some(Word::Open(pause)));
        assert_eq!(CircuitBoard::word(b"closed a1"), Some(Word::Closed));
    }

    #[test]
    fn what_nobody_understands_says_nothing() {
        for text in [&b""[..], b"open", b"open a1 soon", b"open a1 1 2", b"shut a1", b"closed a1 5", b"\xff"] {
            assert_eq!(CircuitBoard::word(text), None);
        }
    }
}

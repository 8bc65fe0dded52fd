use async_trait::async_trait;

use super::{DatabaseError, Expiry};
use crate::RequestContext;

/// The capability of a connection to look around among keys: which there are, and what kind of thing is under each. No value
/// comes back, and nothing is changed.
///
/// Cancellation: dropping a future that was returned here is safe. The physical connection it used is thrown away unless the
/// operation had finished.
///
/// # Errors
/// Every operation can fail with every [`super::DatabaseErrorKind`] that names the way to the server; `Timeout` when the
/// context's deadline passes first; `UnknownDatabase` or `Query` for a place that is not there or that one may not enter.
#[async_trait]
pub trait Keyspace: Send + Sync {
    /// The number of the database that the connection's settings name.
    fn database(&self) -> u32;

    /// The servers among which the keys are spread; none where one server has them all.
    async fn nodes(&self, context: &RequestContext) -> Result<Vec<KeyNode>, DatabaseError>;

    /// Asks several questions in one go, and says for each what came of it: one that is refused does not stand in the way of the
    /// others. There are as many answers as questions, in the same order.
    async fn look(
        &self,
        at: &KeyPlace,
        questions: &[KeyQuestion],
        context: &RequestContext,
    ) -> Result<Vec<Result<KeyAnswer, DatabaseError>>, DatabaseError>;
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPlace {
    /// The number of the database. Where the keys are spread among servers, it is [`Keyspace::database`]; another one is
    /// `UnknownDatabase`, and nobody is asked.
    pub database: u32,
    /// Which of the servers among which the keys are spread; `None` where there is one alone.
    pub node: Option<KeyNode>,
}

/// A server that has a part of the keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNode {
    /// Its host, as its fellows call it.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyQuestion {
    /// What the server says of itself under a heading of its own.
    Facts(&'static str),
    /// Some keys, from a cursor on; the first is 0. The server looks at about so many places, and tells the keys that are there.
    Scan {
        /// Where the last answer has ended.
        cursor: u64,
        /// At how many places to look.
        count: u32,
    },
    /// The type of what is under a key, in the engine's word.
    Type(Vec<u8>),
    /// How long it will still be there.
    TimeToLive(Vec<u8>),
    /// How it is kept in memory, in the engine's word.
    Encoding(Vec<u8>),
    /// How many bytes or elements it has.
    Length(Vec<u8>, KeyStructure),
    /// About how many bytes of memory it takes up. The engine looks at a few elements of what has many.
    Memory(Vec<u8>),
    /// The names of some fields of a hash, picked at random, none of them twice, and none of their values.
    Fields {
        /// Under which key.
        key: Vec<u8>,
        /// How many at most.
        count: u32,
    },
}

/// What the length of can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyStructure {
    /// Bytes.
    String,
    /// One element after the other.
    List,
    /// Elements, each once.
    Set,
    /// Elements by a number that each has.
    SortedSet,
    /// Values under names.
    Hash,
    /// Entries in the order in which they came.
    Stream,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// There is no such key, or none any more.
    Missing,
    /// Facts, a type or an encoding.
    Text(String),
    /// A length, or bytes of memory.
    Number(u64),
    /// How long something will still be there.
    Expiry(Expiry),
    /// Names of fields.
    Names(Vec<Vec<u8>>),
    /// Keys, and where to go on; 0 is the end.
    Scanned {
        /// Where the next question is to begin.
        cursor: u64,
        /// The keys that were found; one may come twice.
        keys: Vec<Vec<u8>>,
    },
}

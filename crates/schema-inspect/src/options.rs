use std::ops::RangeInclusive;
use std::time::Duration;

use schema_model::Database;

/// What an inspection is to look at, and how far it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectOptions {
    /// The namespaces to look at; `None` is all of them but those of the engine itself.
    pub namespaces: Option<Vec<String>>,
    /// How long an engine may wait for a lock before what needs it is marked [`schema_model::Unavailable::Locked`]. Locks that are seen
    /// beforehand are not waited for at all. A connection from outside whose own limit is lower refuses it on SQL Server.
    pub lock_wait: Duration,
    /// The longest definition that is told, in bytes of UTF-8; a longer one is marked [`schema_model::Unavailable::TooLong`].
    pub longest_definition: usize,
    /// How closely documents are looked at, where nobody has declared what they are.
    pub sampling: SamplingOptions,
}

/// How closely documents and keys are looked at. What a limit has left out is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamplingOptions {
    /// How many documents of each collection, or how many values of each pattern of keys and each type; 0 is none at all.
    pub documents: u32,
    /// How many bytes they have in all, of each collection; where values are kept under keys, how many bytes of keys and of names
    /// of fields are kept of each database.
    pub bytes: u64,
    /// How many levels of names are told: 1 is the documents' own fields.
    pub depth: u32,
    /// How many names are told of each collection.
    pub paths: u32,
    /// How many collections are looked into, in the order of their names; what is listed of all others is told. How many patterns of
    /// keys are told of each database, the most frequent first.
    pub collections: u32,
    /// How many keys of each database, where values are kept under keys; 0 is none at all.
    pub keys: u32,
    /// How long it may take to look into collections or keys, all together.
    pub patience: Duration,
}

impl SamplingOptions {
    /// How many documents somebody from outside may ask for.
    pub const DOCUMENTS: RangeInclusive<u32> = 0..=100;
    /// How many levels of names somebody from outside may ask for.
    pub const DEPTH: RangeInclusive<u32> = 1..=10;
}

impl Default for SamplingOptions {
    /// 20 documents of at most 4 MiB, 3 levels, 1,000 names, 200 collections, 1,000 keys, 10 s.
    fn default() -> Self {
        Self {
            documents: 20,
            bytes: 4 * 1024 * 1024,
            depth: 3,
            paths: 1_000,
            collections: 200,
            keys: 1_000,
            patience: Duration::from_secs(10),
        }
    }
}

impl Default for InspectOptions {
    /// Everything, 100 ms, 256 KiB, and samples as they are by default.
    fn default() -> Self {
        Self {
            namespaces: None,
            lock_wait: Duration::from_millis(100),
            longest_definition: 256 * 1024,
            sampling: SamplingOptions::default(),
        }
    }
}

impl InspectOptions {
    /// The same with these namespaces alone.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, namespaces: impl IntoIterator<Item = N>) -> Self {
        self.namespaces = Some(namespaces.into_iter().map(Into::into).collect());
        self
    }

    /// The first of the namespaces to look at that is not among those that were found.
    pub fn missing(&self, found: &Database) -> Option<&str> {
        let is_found = |name: &&String| found.namespaces.iter().any(|namespace| namespace.name == **name);
        self.namespaces.iter().flatten().find(|name| !is_found(name)).map(String::as_str)
    }
}

use std::fmt;
use std::sync::Arc;

use shared_kernel::database::{ConnectionName, DatabaseError};

use super::connections::ConnectionsConfig;
use super::effective::text;
use super::own_connection;
use super::section::Section;
use crate::breaker::{BoardSettings, CircuitBoard};
use crate::credentials::SecretSource;
use crate::factory::ConnectionFactory;
use crate::manager::ConnectionManager;
use crate::settings::{ConnectionSettings, PoolSettings};

/// Each circuit has one question under way at most, and they are short.
const CONNECTIONS: u32 = 2;

/// The `[circuits]` table: where processes tell each other which servers are out of reach.
#[derive(Debug, Clone)]
pub struct CircuitsConfig {
    /// How the connection is used.
    pub board: BoardSettings,
    /// What that is called: it is not the one that others may have open under the configured name.
    pub name: ConnectionName,
    /// Where it leads.
    pub connection: ConnectionSettings,
}

impl CircuitsConfig {
    /// Reads the table out of a document's top level, from which `connections` were read before. Faults go to the section's
    /// reader. `None` when it is missing, and each process keeps its circuits to itself, or when its faults leave nothing to work
    /// with.
    pub fn read(root: &Section<'_>, connections: &ConnectionsConfig) -> Option<Self> {
        let section = root.section("circuits");
        if !section.is_present() {
            return None;
        }
        let connection = own_connection::read(&section, root, connections, "circuits");
        let usual = BoardSettings::new(section.text("connection").unwrap_or_default());
        let prefix = section.text("prefix").unwrap_or(usual.prefix);
        if prefix.is_empty() {
            section.fault("prefix", "must not be empty: the database may hold other keys");
        }
        let (name, connection) = connection?;
        Some(Self { board: BoardSettings { prefix, ..usual }, name, connection })
    }

    /// The board, over a connection of its own whose password comes from `secrets`. Asks nobody anything yet.
    ///
    /// The connection lives on the runtime that this is called on, or else on that of the first caller.
    ///
    /// # Errors
    /// `Misconfigured` when the connection cannot be set up.
    pub fn board(&self, secrets: Arc<dyn SecretSource>) -> Result<CircuitBoard, DatabaseError> {
        let pool = &self.connection.pool;
        let pool = PoolSettings { min: 0, max: pool.max.min(CONNECTIONS), ..pool.clone() };
        let manager = ConnectionManager::builder(ConnectionFactory::compiled())
            .connection(self.name.as_str(), self.connection.clone().with_pool(pool))
            .secrets(secrets)
            .build()?;
        let settings = BoardSettings { connection: self.name.to_string(), ..self.board.clone() };
        Ok(CircuitBoard::new(Arc::new(manager), settings))
    }
}

/// The table as it is in effect, as TOML.
impl fmt::Display for CircuitsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BoardSettings { connection, prefix, timeout: _, poll: _ } = &self.board;
        writeln!(f, "[circuits]\nconnection = {}\nprefix = {}", text(connection), text(prefix))
    }
}

#[cfg(all(test, feature = "mysql", feature = "redis"))]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Document, Reader};

    const CONNECTIONS: &str = "[connections.cache]\nengine = \"redis\"\nhost = \"localhost\"\ndatabase = \"0\"\n\
                               [connections.users]\nengine = \"mysql\"\nhost = \"localhost\"\nusername = \"u\"\n\
                               database = \"d\"\n";

    fn read(text: &str) -> Result<Option<CircuitsConfig>, ConfigError> {
        let document = Document::parse("bindery.toml", &format!("{text}\n{CONNECTIONS}"))?;
        let reader = Reader::new(&document);
        let connections = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
        let config = CircuitsConfig::read(&reader.root(), &connections);
        reader.finish()?;
        Ok(config)
    }

    #[test]
    fn without_the_table_each_process_keeps_to_itself() {
        assert!(read("").unwrap().is_none());
    }

    #[test]
    fn what_is_shown_is_read_back_as_the_same() {
        let config = read("[circuits]\nconnection = \"cache\"\nprefix = \"c:\"\n").unwrap().unwrap();
        assert_eq!((config.name.as_str(), config.board.prefix.as_str()), ("cache/circuits", "c:"));
        let shown = config.to_string();
        assert_eq!(read(&shown).unwrap().unwrap().to_string(), shown);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        for (text, expected) in [
            (
                "prefix = \"c:\"",
                "bindery.toml:1: circuits.connection: missing: which of [connections] do the processes share?",
            ),
            (
                "connection = \"cache2\"",
                "bindery.toml:2: circuits.connection: unknown connection `cache2`, did you mean `cache`?",
            ),
            (
                "connection = \"users\"",
                "bindery.toml:2: circuits.connection: `users` is of the engine mysql; expected a connection with engine = \
                 \"redis\"",
            ),
            (
                "connection = \"cache\"\nprefix = \"\"",
                "bindery.toml:3: circuits.prefix: must not be empty: the database may hold other keys",
            ),
            (
                "connection = \"cache\"\nprefx = \"c:\"",
                "bindery.toml:3: circuits.prefx: unknown key `prefx`, did you mean `prefix`?",
            ),
        ] {
            let error = read(&format!("[circuits]\n{text}\n")).expect_err(text).to_string();
            assert_eq!(error, expected);
        }
    }
}

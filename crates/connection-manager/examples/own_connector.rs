//! A connector from outside the crate: no line of `connection-manager` changes for it.
//!
//! It keeps SQLite in memory under an engine of its own, `scratch`, which every connection finds filled with a table. The
//! same three steps lead to any engine: a driver that opens single sessions, or any other [`DatabaseConnection`]; a
//! connector; one call of `register`. Run it with `cargo run -p connection-manager --example own_connector`.
//!
//! That the connector describes its engine, and honours where connections may lead, is what lets a service store connections to
//! it. The tests of `bin/api` register this very connector there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::connector::checks;
use connection_manager::drivers::sqlite::{SqliteDriver, SqliteSession};
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Credentials, Driver, DriverSession, Endpoint,
    SettingFault, SqlPool,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections, DatabaseConnection, DatabaseError, Dialect, Engine, EngineDescription,
    OptionDescription, OptionKind, Presence, RawStatement,
};
use sqlx::sqlite::SqliteConnectOptions;

/// 1. Opens single connections. The pool asks for them, limits them, measures them and throws broken ones away.
struct ScratchDriver {
    /// Keeps the database, and is the one that writes to it where others may not.
    keeper: SqliteDriver,
    sessions: SqliteDriver,
    filled: bool,
}

impl Driver for ScratchDriver {
    type Session = SqliteSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn connect(&self, credentials: &Credentials) -> Result<SqliteSession, DatabaseError> {
        let mut first = self.keeper.connect(credentials).await?;
        first.run_script("CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL UNIQUE)").await?;
        if self.filled {
            first.run_script("INSERT OR IGNORE INTO notes (text) VALUES ('there from the beginning')").await?;
        }
        first.close().await;
        self.sessions.connect(credentials).await
    }
}

/// 2. Turns settings into a pool over that driver.
#[derive(Debug)]
struct ScratchConnector(Engine);

/// The engine's one option: whether a note is there from the beginning.
const FILLED: &str = "filled";

#[async_trait]
impl Connector for ScratchConnector {
    fn engine(&self) -> &Engine {
        &self.0
    }

    /// What a form asks for, and what may be stored: nothing but the option.
    fn describe(&self) -> EngineDescription {
        let filled = OptionDescription::new(FILLED, OptionKind::Switch, "Whether a note is there from the beginning.")
            .harmless();
        let scratch = EngineDescription::embedded(self.0.clone(), "Scratch");
        EngineDescription { path: Presence::Unused, ..scratch }.with(filled)
    }

    /// It dials nobody and opens no file, whoever defined the connection.
    fn honours_egress(&self) -> bool {
        true
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &[FILLED]);
        checks::switch_fault(settings, FILLED, &mut faults);
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let options = SqliteConnectOptions::new().filename(format!("/scratch-{name}")).vfs("memdb");
        let options = options.create_if_missing(true);
        let (keeper, sessions) = (SqliteDriver::in_memory(options.clone()).await?, SqliteDriver::new(options));
        // Connections that somebody from outside has defined only read.
        let sessions = match &settings.egress {
            Some(egress) => sessions.only_reading(egress.limits().clone()),
            None => sessions,
        };
        let driver = ScratchDriver { keeper, sessions, filled: checks::is_on(settings, FILLED, false) };
        Ok(Arc::new(SqlPool::open(name.clone(), self.0.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

/// What is registered.
pub(crate) fn connector() -> Arc<dyn Connector> {
    Arc::new(ScratchConnector(Engine::from("scratch".to_owned())))
}

/// 3. Registers it and uses it like any other.
async fn notes() -> Result<Vec<String>, DatabaseError> {
    let connector = connector();
    let settings = ConnectionSettings::new(connector.engine().clone());
    let factory = ConnectionFactory::compiled().register(connector);
    let manager = ConnectionManager::builder(factory).connection("notes", settings).build()?;

    let context = RequestContext::system();
    let notes = manager.get("notes", Access::Write, &context).await?;
    let insert = RawStatement::everywhere("INSERT", "INSERT INTO notes (text) VALUES (?)").bind("from outside");
    notes.sql()?.execute(&insert.into(), &context).await?;
    let select = RawStatement::everywhere("SELECT", "SELECT text FROM notes");
    let rows = notes.sql()?.query(&select.into(), &context).await?;
    let texts = rows.iter().map(|row| row.get("text")).collect();
    manager.close(Duration::from_secs(1)).await;
    texts
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), DatabaseError> {
    println!("{:?}", notes().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn the_connector_from_outside_serves_statements() {
        assert_eq!(super::notes().await.unwrap(), ["from outside"]);
    }
}

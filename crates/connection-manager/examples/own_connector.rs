//! A connector from outside the crate: no line of `connection-manager` changes for it.
//!
//! It keeps SQLite in memory under an engine of its own, `scratch`, which every connection finds filled with a table. The
//! same three steps lead to any engine: a driver that opens single sessions, or any other [`DatabaseConnection`]; a
//! connector; one call of `register`. Run it with `cargo run -p connection-manager --example own_connector`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::drivers::sqlite::{SqliteDriver, SqliteSession};
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Credentials, Driver, DriverSession, Endpoint,
    SettingFault, SqlPool,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections, DatabaseConnection, DatabaseError, Dialect, Engine, RawStatement,
};
use sqlx::sqlite::SqliteConnectOptions;

/// 1. Opens single connections. The pool asks for them, limits them, measures them and throws broken ones away.
struct ScratchDriver(SqliteDriver);

impl Driver for ScratchDriver {
    type Session = SqliteSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn connect(&self, credentials: &Credentials) -> Result<SqliteSession, DatabaseError> {
        let mut session = self.0.connect(credentials).await?;
        session.run_script("CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL)").await?;
        Ok(session)
    }
}

/// 2. Turns settings into a pool over that driver.
#[derive(Debug)]
struct ScratchConnector(Engine);

#[async_trait]
impl Connector for ScratchConnector {
    fn engine(&self) -> &Engine {
        &self.0
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let unknown = settings.options.keys().map(|key| SettingFault::new(format!("options.{key}"), "there are none"));
        unknown.collect()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let options = SqliteConnectOptions::new().filename(format!("/scratch-{name}")).vfs("memdb");
        let options = options.create_if_missing(true);
        let driver = ScratchDriver(SqliteDriver::in_memory(options).await?);
        Ok(Arc::new(SqlPool::open(name.clone(), self.0.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

/// 3. Registers it and uses it like any other.
async fn notes() -> Result<Vec<String>, DatabaseError> {
    let engine = Engine::from("scratch".to_owned());
    let factory = ConnectionFactory::compiled().register(Arc::new(ScratchConnector(engine.clone())));
    let manager = ConnectionManager::builder(factory).connection("notes", ConnectionSettings::new(engine)).build()?;

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

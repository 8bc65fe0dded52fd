//! The contract on a connector that the crate does not have, as a team would write one.

use std::sync::Arc;

use async_trait::async_trait;
use connection_manager::drivers::sqlite::SqliteDriver;
use connection_manager::{ConnectionSettings, Connector, Endpoint, SettingFault, SqlPool};
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tempfile::TempDir;
use testkit::contract::{SqlSubject, Target};

#[derive(Debug)]
struct ShelfConnector(Engine);

#[async_trait]
impl Connector for ShelfConnector {
    fn engine(&self) -> &Engine {
        &self.0
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        settings.path.is_none().then(|| SettingFault::new("path", "missing")).into_iter().collect()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let path = settings.path.clone().unwrap_or_default();
        if !path.parent().is_some_and(std::path::Path::is_dir) {
            return Err(DatabaseError::new(DatabaseErrorKind::UnknownDatabase, "the folder does not exist").on(name));
        }
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
        // Another program's writer is waited for as long as the test of it asks.
        let patience = settings.options.get("busy_timeout").map_or(5_000, |_| 200);
        let options = options.busy_timeout(std::time::Duration::from_millis(patience));
        let driver = SqliteDriver::new(options.journal_mode(SqliteJournalMode::Wal));
        Ok(Arc::new(SqlPool::open(name.clone(), self.0.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

fn target() -> Target {
    let engine = Engine::from("shelf".to_owned());
    let folder = TempDir::new().expect("the folder for temporary files is writable");
    let mut settings = ConnectionSettings::new(engine.clone());
    settings.path = Some(folder.path().join("shelf.db"));
    settings.pool = connection_manager::PoolSettings::sized(0, 8);
    Target::new(SqlSubject(engine.clone()), settings, folder).with_connector(Arc::new(ShelfConnector(engine)))
}

testkit::connector_contract!(mod shelf, super::target() => common database sql);

//! The contract on a connector that the crate does not have, as a team would write one.

use std::sync::Arc;

use async_trait::async_trait;
use connection_manager::drivers::sqlite::SqliteDriver;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, SettingFault, SqlPool,
};
use shared_kernel::database::{
    Access, ConnectionName, Connections, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine,
    EngineDescription, OptionDescription, OptionKind, RawStatement,
};
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

    fn describe(&self) -> EngineDescription {
        let busy =
            OptionDescription::new("busy_timeout", OptionKind::Duration, "Whether others are waited for briefly.");
        EngineDescription::embedded(self.0.clone(), "Shelf").with(busy.harmless())
    }

    /// Files that somebody from outside has named are looked for where the policy says, and only read.
    fn honours_egress(&self) -> bool {
        true
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
        let unknown = |message| DatabaseError::new(DatabaseErrorKind::UnknownDatabase, message).on(name);
        if let Some(egress) = &settings.egress {
            let path = egress.file(&path).map_err(|_| unknown("there is no such file"))?;
            let options = SqliteConnectOptions::new().filename(path).read_only(true);
            let driver = SqliteDriver::new(options).only_reading(egress.limits().clone());
            let pool = settings.pool.clone();
            return Ok(Arc::new(SqlPool::open(name.clone(), self.0.clone(), pool, endpoint, driver).await?));
        }
        if !path.parent().is_some_and(std::path::Path::is_dir) {
            return Err(unknown("the folder does not exist"));
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

/// What a service asks of a connector before anybody may store connections to its engine.
#[tokio::test]
async fn a_file_from_outside_lies_below_the_root_and_is_only_read() {
    let root = tempfile::tempdir().expect("a folder");
    let shelf = Engine::from("shelf".to_owned());
    let context = shared_kernel::RequestContext::system();
    let open = async |path: &std::path::Path, below: Option<&std::path::Path>| {
        let mut settings = ConnectionSettings::new(shelf.clone());
        settings.path = Some(path.to_owned());
        let egress = connection_manager::egress::EgressConfig::default().egress([]);
        let settings = match below {
            Some(root) => settings.with_egress(egress.with_files_below(root)),
            None => settings,
        };
        let factory = ConnectionFactory::empty().register(Arc::new(ShelfConnector(shelf.clone())));
        let manager = ConnectionManager::builder(factory).connection("shelf", settings).build().expect("valid");
        manager.get("shelf", Access::Write, &context).await
    };
    let path = root.path().join("shelf.db");
    let writes = "CREATE TABLE book (id INTEGER PRIMARY KEY)";
    let owner = open(&path, None).await.expect("made");
    owner.sql().expect("SQL").run_script(writes, &context).await.expect("written");
    let outside = open(&path, Some(root.path())).await.expect("it lies there");
    let question = RawStatement::everywhere("SELECT", "SELECT count(*) AS books FROM book");
    let rows = outside.sql().expect("SQL").query(&question.into(), &context).await.expect("read");
    assert_eq!(rows[0].get::<i64>("books").expect("a number"), 0);
    let writes = RawStatement::everywhere("INSERT", "INSERT INTO book (id) VALUES (1)");
    outside.sql().expect("SQL").execute(&writes.into(), &context).await.expect_err("it only reads");
    let elsewhere = open(&path, Some(std::path::Path::new("/srv/nowhere"))).await.map(|_| ()).expect_err("not below");
    assert_eq!(*elsewhere.kind(), DatabaseErrorKind::UnknownDatabase);
}

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, EngineDescription, OptionDescription,
    OptionKind,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::connector::{Connector, SettingFault, checks};
use crate::drivers::sqlite::SqliteDriver;
use crate::egress::Egress;
use crate::endpoint::Endpoint;
use crate::settings::ConnectionSettings;
use crate::sql_pool::SqlPool;

/// SQLite in a file or in memory. The native handle is [`SqlPool`]`<`[`SqliteDriver`]`>`.
///
/// A file is created when it is missing, in a folder that must exist. It is opened with a write-ahead log, so that
/// readers and the one writer do not wait for each other, with foreign keys enforced, and with `synchronous = FULL`:
/// what was committed survives a loss of power, as it does on the server engines. The option `synchronous = "normal"`
/// trades the last commits before a loss of power for speed; a crash of the process loses nothing either way.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteConnector;

const OPTIONS: [&str; 3] = ["busy_timeout", "create", "synchronous"];

impl SqliteConnector {
    /// How the file is opened, and how what is committed is kept.
    fn options(
        settings: &ConnectionSettings,
        path: &Path,
    ) -> Result<(SqliteConnectOptions, SqliteSynchronous), Vec<SettingFault>> {
        let mut faults = checks::unknown_options(settings, &OPTIONS);
        let synchronous = match settings.options.get("synchronous").map(String::as_str) {
            None | Some("full") => SqliteSynchronous::Full,
            Some("normal") => SqliteSynchronous::Normal,
            Some(_) => {
                faults.push(SettingFault::new("options.synchronous", "expected \"full\" or \"normal\""));
                SqliteSynchronous::Full
            }
        };
        let create = match settings.options.get("create").map(String::as_str) {
            None | Some("true") => true,
            Some("false") => false,
            Some(_) => {
                faults.push(SettingFault::new("options.create", "expected \"true\" or \"false\""));
                true
            }
        };
        let busy_timeout = match settings.options.get("busy_timeout").map(|text| crate::config::duration::parse(text)) {
            None => Duration::from_secs(5),
            Some(Ok(timeout)) => timeout,
            Some(Err(error)) => {
                faults.push(SettingFault::new("options.busy_timeout", error.to_string()));
                Duration::ZERO
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .foreign_keys(true)
            .busy_timeout(busy_timeout.min(longest_wait(settings)));
        Ok((options, synchronous))
    }
}

#[async_trait]
impl Connector for SqliteConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::SQLITE;
        &ENGINE
    }

    fn describe(&self) -> EngineDescription {
        let busy = OptionDescription::new(
            "busy_timeout",
            OptionKind::Duration,
            "How long a statement waits for another's lock; `5s` when it is left out.",
        );
        let create = OptionDescription::new("create", OptionKind::Switch, "Whether a file that is missing is made.");
        let synchronous = OptionDescription::new(
            "synchronous",
            OptionKind::Choice(vec!["full".into(), "normal".into()]),
            "`normal` trades the last commits before a loss of power for speed.",
        );
        EngineDescription::embedded(Engine::SQLITE, "SQLite")
            .with(busy.harmless())
            .with(create.harmless().for_operators())
            .with(synchronous.harmless().for_operators())
    }

    fn honours_egress(&self) -> bool {
        true
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        if settings.path.as_deref().is_none_or(|path| path.as_os_str().is_empty()) {
            faults.push(SettingFault::new("path", "missing: SQLite needs the path of a file, or `:memory:`"));
        }
        checks::refuse_server_settings(settings, "SQLite", &mut faults);
        checks::pool_faults(settings, &mut faults);
        if let Err(more) = Self::options(settings, Path::new("")) {
            faults.extend(more);
        }
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let path = settings.path.clone().unwrap_or_default();
        if let Some(egress) = &settings.egress {
            return guarded(name, settings, endpoint, egress, &path).await;
        }
        let in_memory = path == Path::new(":memory:");
        let path = if in_memory { unique_name() } else { path };
        let (options, synchronous) =
            Self::options(settings, &path).map_err(|faults| checks::misconfigured(name, &faults))?;
        let options = options.synchronous(synchronous);
        let driver = if in_memory {
            SqliteDriver::in_memory(options.vfs("memdb")).await?
        } else {
            folder_exists(name, &path)?;
            SqliteDriver::new(options.journal_mode(SqliteJournalMode::Wal))
        };
        let pool = SqlPool::open(name.clone(), Engine::SQLITE, settings.pool.clone(), endpoint, driver).await?;
        Ok(Arc::new(pool))
    }
}

/// A file that somebody from outside has named: it is there, below the root that the policy knows, and is only read, it and no
/// other. Its path is absolute, so that it is never taken for a URI whose parameters would say more.
async fn guarded(
    name: &ConnectionName,
    settings: &ConnectionSettings,
    endpoint: Endpoint,
    egress: &Egress,
    path: &Path,
) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
    let path = egress.file(path).map_err(|_| {
        let message = "there is no such file below the folder for databases";
        DatabaseError::new(DatabaseErrorKind::UnknownDatabase, message).on(name)
    })?;
    // How what is committed is kept is nothing to who only reads, and saying it has SQLite look into the file before it is limited.
    let (options, _) =
        SqliteConnector::options(settings, &path).map_err(|faults| checks::misconfigured(name, &faults))?;
    let options = options.create_if_missing(false).read_only(true);
    let driver = SqliteDriver::new(options).only_reading(egress.limits().clone());
    let pool = SqlPool::open(name.clone(), Engine::SQLITE, settings.pool.clone(), endpoint, driver).await?;
    Ok(Arc::new(pool))
}

/// The longest that a statement may wait for another program's lock: it looks at no clock meanwhile.
fn longest_wait(settings: &ConnectionSettings) -> Duration {
    settings.egress.as_ref().map_or(Duration::MAX, |egress| egress.limits().lock_wait)
}

/// SQLite says "unable to open database file" and leaves the reader to find out why.
fn folder_exists(name: &ConnectionName, path: &Path) -> Result<(), DatabaseError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!("the folder {} for the database file does not exist", folder.display());
    Err(DatabaseError::new(DatabaseErrorKind::UnknownDatabase, message).on(name))
}

/// Databases in memory are told apart by name; one with a leading slash is shared by the connections of a process.
fn unique_name() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    PathBuf::from(format!("/bindery-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

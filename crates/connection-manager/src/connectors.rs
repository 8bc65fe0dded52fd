//! The connectors of the engines that this crate knows.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlserver")]
mod sqlserver;

#[cfg(feature = "mysql")]
pub use mysql::MySqlConnector;
#[cfg(feature = "postgres")]
pub use postgres::PostgresConnector;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteConnector;
#[cfg(feature = "sqlserver")]
pub use sqlserver::SqlServerConnector;

use std::time::Duration;

use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use crate::config::suggest;
use crate::connector::SettingFault;
use crate::settings::ConnectionSettings;

/// The pool limits that no engine can work with.
pub(crate) fn pool_faults(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    let pool = &settings.pool;
    if pool.max == 0 {
        faults.push(SettingFault::new("pool.max", "must be at least 1"));
    } else if pool.min > pool.max {
        let message = format!("must not exceed pool.max ({}), it is {}", pool.max, pool.min);
        faults.push(SettingFault::new("pool.min", message));
    }
    for (key, limit) in [("pool.acquire_timeout", pool.acquire_timeout), ("pool.connect_timeout", pool.connect_timeout)]
    {
        if limit == Duration::ZERO {
            faults.push(SettingFault::new(key, "must be longer than zero"));
        }
    }
}

/// Options that the engine does not have, each with the nearest that it has.
pub(crate) fn unknown_options(settings: &ConnectionSettings, known: &[&str]) -> Vec<SettingFault> {
    let unknown = settings.options.keys().filter(|key| !known.contains(&key.as_str()));
    unknown
        .map(|key| SettingFault::new(format!("options.{key}"), suggest::unknown("option", key, known.iter().copied())))
        .collect()
}

/// What an embedded engine has no use for.
pub(crate) fn refuse_server_settings(settings: &ConnectionSettings, engine: &str, faults: &mut Vec<SettingFault>) {
    let given = [
        ("host", settings.host.is_some()),
        ("port", settings.port.is_some()),
        ("database", settings.database.is_some()),
        ("username", settings.username.is_some()),
        ("password", !matches!(settings.password, crate::PasswordSource::None)),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        faults.push(SettingFault::new(*key, format!("{engine} is embedded and has no {key}; remove it")));
    }
}

/// What every server needs. The database may be missing: a tool that creates databases connects without one.
pub(crate) fn server_faults(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    for (key, value) in [("host", &settings.host), ("username", &settings.username)] {
        if value.as_deref().is_none_or(str::is_empty) {
            faults.push(SettingFault::new(key, format!("missing: {} is a server", settings.engine)));
        }
    }
    if settings.port == Some(0) {
        faults.push(SettingFault::new("port", "must be 1 to 65535"));
    }
    if settings.path.is_some() {
        faults.push(SettingFault::new("path", format!("{} is a server and has no path; remove it", settings.engine)));
    }
    if settings.tls.mode == crate::TlsMode::Disabled && settings.tls.ca_file.is_some() {
        faults.push(SettingFault::new("tls.ca_file", "is of no use while tls.mode is \"disabled\""));
    }
}

pub(crate) fn misconfigured(name: &ConnectionName, faults: &[SettingFault]) -> DatabaseError {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let message = format!("the settings cannot work: {}", faults.join("; "));
    DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(name)
}

/// The authorities to trust, read here so that a missing file is told by its name.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlserver"))]
pub(crate) async fn read_authorities(name: &ConnectionName, file: &std::path::Path) -> Result<Vec<u8>, DatabaseError> {
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    read.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(|error| {
        let message = format!("the file of authorities {} (tls.ca_file) cannot be read", file.display());
        DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(name).with_source(error)
    })
}

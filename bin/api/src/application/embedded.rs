use std::path::{Path, PathBuf};

use connection_manager::{ConnectionManager, ConnectionSettings};
use migrations::{MigrateError, Migrator, Verdict};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _, DatabaseError, Engine};

use crate::config::Config;
use crate::data_folder::{DataFolder, DataFolderError, create_database};

/// Why an embedded database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its file cannot be opened.
    #[error("the embedded database of `{context}` cannot be opened")]
    Open {
        /// Whose it is.
        context: &'static str,
        /// Why.
        #[source]
        source: DatabaseError,
    },
    /// Its schema cannot be brought up to date.
    #[error("the embedded database of `{context}` cannot be brought up to date")]
    Migrate {
        /// Whose it is.
        context: &'static str,
        /// Why.
        #[source]
        source: MigrateError,
    },
}

/// Opens and locks the data folder, when a context keeps its database there, and makes the files that are missing.
pub(crate) fn open_folder(config: &Config) -> Result<Option<DataFolder>, DataFolderError> {
    let mut of_tenants = config.contexts.iter().filter_map(|(_, name)| config.per_tenant.get(name));
    let tenants_inside = of_tenants.any(|settings| {
        let own = settings.overrides().map(|(_, settings)| settings).chain([settings.template()]);
        own.into_iter().any(|settings| settings.path.as_ref().is_some_and(|path| lies_in(&config.data, path)))
    });
    let shared = config.contexts.iter().filter(|(_, name)| !config.per_tenant.contains_key(*name));
    let used = shared.filter_map(|(_, name)| config.connections.get(name));
    let inside: Vec<&ConnectionSettings> =
        used.filter(|settings| settings.path.as_ref().is_some_and(|path| lies_in(&config.data, path))).collect();
    if inside.is_empty() && !tenants_inside {
        return Ok(None);
    }
    let folder = DataFolder::open(&config.data)?;
    for settings in inside {
        create_file(settings)?;
    }
    Ok(Some(folder))
}

/// Whether a file lies below a folder, however the two are spelt: links and relative paths are followed as far as they
/// exist.
pub(crate) fn lies_in(folder: &Path, file: &Path) -> bool {
    resolved(file).starts_with(resolved(folder))
}

fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), absolute.strip_prefix(ancestor)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    absolute
}

/// Makes the file of an embedded database if it is missing and may be made, readable by its owner alone. Where that
/// fails for want of its folder, opening the connection tells it.
pub(crate) fn create_file(settings: &ConnectionSettings) -> Result<(), DataFolderError> {
    let wanted = settings.engine == Engine::SQLITE && settings.options.get("create").is_none_or(|text| text != "false");
    let Some(path) = settings.path.as_ref().filter(|path| wanted && path.parent().is_some_and(Path::is_dir)) else {
        return Ok(());
    };
    create_database(path).map_err(|source| DataFolderError::Unusable { path: path.clone(), source })
}

/// Brings embedded databases up to date: nobody else will. Those on servers are their operators' to migrate.
pub(crate) async fn migrate(config: &Config, manager: &ConnectionManager) -> Result<(), EmbeddedError> {
    let system = RequestContext::system();
    for (context, name) in config.contexts.iter() {
        // Those of tenants are made and brought up to date when they are first asked for.
        let shared = config.connections.get(name).filter(|_| !config.per_tenant.contains_key(name));
        let embedded = shared.is_some_and(|settings| settings.engine == Engine::SQLITE);
        let Some(set) = migrations::set(context).filter(|_| embedded) else { continue };
        let connection = manager.get(name, Access::Write, &system).await;
        let connection = connection.map_err(|source| EmbeddedError::Open { context, source })?;
        let migrator = Migrator::new(set, connection);
        let verdict = migrator.verify(&system).await;
        if let Verdict::Ahead { .. } = verdict.map_err(|source| EmbeddedError::Migrate { context, source })? {
            tracing::warn!(event = "migration.ahead", context, "a newer version of the service has changed the schema");
            continue;
        }
        let steps = migrator.up(&system).await;
        for step in steps.map_err(|source| EmbeddedError::Migrate { context, source })? {
            tracing::info!(event = "migration.applied", file = step.file, duration_ms = step.took.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_its_folder_however_it_is_spelt() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("data");
        std::fs::create_dir(&folder).expect("made");
        let inside = |path: &str| lies_in(&folder, &parent.path().join(path));
        assert!(inside("data/users.sqlite3") && inside("data/./deeper/../users.sqlite3") && inside("data/new/file"));
        assert!(
            !inside("database/users.sqlite3") && !inside("users.sqlite3") && !lies_in(&folder, Path::new(":memory:"))
        );
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&folder, parent.path().join("link")).expect("made");
            assert!(inside("link/users.sqlite3"));
        }
    }
}

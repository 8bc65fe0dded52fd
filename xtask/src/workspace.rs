//! Where things are in the workspace.

use std::path::{Path, PathBuf};

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the workspace's root")
}

/// The folder for what xtask provides and a person may delete: servers, their data, the Python environment.
/// Always inside the workspace, whatever `CARGO_TARGET_DIR` says, so that every build finds the same servers.
pub(crate) fn provided() -> PathBuf {
    root().join("target")
}

/// The folder of the backing services.
pub(crate) fn services() -> PathBuf {
    provided().join("services")
}

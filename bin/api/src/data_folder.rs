//! The folder of embedded databases: made private, and used by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It does not exist and cannot be made, or its lock file cannot be opened.
    #[error("the data folder {} cannot be used", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process holds it.
    #[error("the data folder {} is in use by another process; stop it, or name another folder with `--data`", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder, held until the value is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is missing, readable by its owner alone, and locks it.
    ///
    /// # Errors
    /// [`DataFolderError`]
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.to_owned(), source };
        create(path).map_err(unusable)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("bindery.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// Makes the folder if it is missing, readable by its owner alone.
#[cfg(unix)]
pub(crate) fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the folder if it is missing.
#[cfg(not(unix))]
pub(crate) fn create(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_uses_a_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("a/b");
        let first = DataFolder::open(&path).expect("free");
        let refused = DataFolder::open(&path).expect_err("held");
        assert!(matches!(refused, DataFolderError::InUse { .. }));
        drop(first);
        DataFolder::open(&path).expect("free again");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("data");
        let _folder = DataFolder::open(&path).expect("free");
        assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_path_that_is_a_file_is_refused_by_name() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("file");
        fs::write(&path, "x").expect("written");
        let refused = DataFolder::open(&path).expect_err("a file");
        assert!(refused.to_string().contains("file"), "{refused}");
    }
}

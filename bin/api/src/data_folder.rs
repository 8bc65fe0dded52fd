//! The folder of embedded databases: what the service makes there is its owner's alone, and one process at a time uses it.

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
    /// A folder that is there keeps its permissions, as it may be home to other things; the files that are made in it
    /// are their owner's alone.
    ///
    /// # Errors
    /// [`DataFolderError`]
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.to_owned(), source };
        create(path).map_err(unusable)?;
        let lock = private().create(true).truncate(false).open(path.join("bindery.lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// Makes an empty database file, readable by its owner alone, unless there is one; SQLite takes it for a new database
/// and gives its journals the same permissions. A file that is there keeps its own.
pub(crate) fn create_database(path: &Path) -> io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes a file that is its owner's alone, whole or not at all. One that is there is an error.
pub(crate) fn create_private(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = private().create(true).truncate(true).open(&unfinished)?;
    write(&mut file)?;
    file.sync_all()?;
    // Unlike a renaming, a link does not take the place of what is there.
    fs::hard_link(&unfinished, path)?;
    fs::remove_file(&unfinished)
}

/// What a file holds that nobody but its owner may read.
pub(crate) fn read_private(path: &Path) -> io::Result<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let message = format!("it may be read by others (mode {mode:03o}); run `chmod 600 {}`", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
    }
    fs::read_to_string(path)
}

/// Opens files for writing; those it makes are readable by their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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

    #[cfg(unix)]
    #[test]
    fn files_made_in_an_open_folder_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let mode = |path: &Path| fs::metadata(path).expect("made").permissions().mode() & 0o777;
        let _held = DataFolder::open(folder.path()).expect("free");
        let database = folder.path().join("users.sqlite3");
        create_database(&database).expect("made");
        assert_eq!([mode(&folder.path().join("bindery.lock")), mode(&database)], [0o600; 2]);
        assert_eq!(mode(folder.path()), 0o755);
        fs::write(&database, "kept").expect("written");
        create_database(&database).expect("there already");
        assert_eq!(fs::read_to_string(&database).expect("read"), "kept");
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

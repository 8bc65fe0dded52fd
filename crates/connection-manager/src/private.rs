//! Places in the file system that nobody else may enter.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder for temporary things that only this user may enter, where the system knows of users. It goes with what is in it when
/// this is dropped.
pub(crate) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    pub(crate) fn create() -> io::Result<Self> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(io::Error::other)?;
        let path = std::env::temp_dir().join(format!("bindery-{:016x}", u64::from_ne_bytes(random)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Puts a file into it that was not there, for this user alone. Give it nothing that is secret: a process that is killed leaves
    /// it behind.
    #[cfg(feature = "mongodb")]
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        io::Write::write_all(&mut options.open(&path)?, content)?;
        Ok(path)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed holds no secret, in a folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(all(test, unix, feature = "mongodb"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_in_it_is_this_user_s_alone_and_goes_with_it() {
        let folder = PrivateFolder::create().unwrap();
        let file = folder.write("ca.pem", b"certificate").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"certificate");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
        assert_eq!(folder.write("ca.pem", b"other").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}

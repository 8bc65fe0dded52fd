use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// A socket in a folder of its own that only this user may enter. Both go when this is dropped.
pub(crate) struct PrivateSocket {
    folder: PathBuf,
    file: PathBuf,
}

impl PrivateSocket {
    /// Must be called on a tokio runtime.
    pub(crate) fn bind(name: &str) -> io::Result<(Self, UnixListener)> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(io::Error::other)?;
        let folder = std::env::temp_dir().join(format!("bindery-{:016x}", u64::from_ne_bytes(random)));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let socket = Self { file: folder.join(name), folder };
        let listener = UnixListener::bind(&socket.file)?;
        Ok((socket, listener))
    }

    /// The socket.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Its folder.
    #[cfg(feature = "postgres")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        // What cannot be removed is an empty socket in a folder for temporary files.
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir(&self.folder);
    }
}

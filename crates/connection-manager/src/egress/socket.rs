use std::io;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::private::PrivateFolder;

/// A socket in a folder of its own that only this user may enter. Both go when this is dropped.
pub(crate) struct PrivateSocket {
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "it goes when it is dropped"))]
    folder: PrivateFolder,
    file: PathBuf,
}

impl PrivateSocket {
    /// Must be called on a tokio runtime.
    pub(crate) fn bind(name: &str) -> io::Result<(Self, UnixListener)> {
        let folder = PrivateFolder::create()?;
        let socket = Self { file: folder.path().join(name), folder };
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
        self.folder.path()
    }
}

//! Who logs in, and where the password is kept.

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::SecretString;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use crate::settings::ConnectionSettings;

/// Where a connection's password comes from. A configuration file names the place and never holds the password.
#[derive(Debug, Clone, Default)]
pub enum PasswordSource {
    /// There is none: SQLite, or a server that trusts the caller.
    #[default]
    None,
    /// Given by the program itself, such as by a test or out of a URL.
    Literal(SecretString),
    /// An environment variable, read when the connection is opened.
    Environment(String),
    /// A file that nobody but its owner may read, read when the connection is opened. One trailing newline is cut.
    File(PathBuf),
}

/// What is needed to log in. `Debug` prints no password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user; empty where the engine has none.
    pub username: String,
    /// The password; empty where there is none.
    pub password: SecretString,
    /// Which version of the secret this is. It changes with the password and reveals nothing of it.
    pub version: String,
}

impl Credentials {
    /// For engines without a login.
    pub fn none() -> Self {
        Self { username: String::new(), password: SecretString::default(), version: "none".to_owned() }
    }
}

/// Where credentials come from: files and the environment here, a secrets manager in a later crate feature.
#[async_trait]
pub trait SecretSource: Send + Sync + fmt::Debug {
    /// The credentials that the connection `name` logs in with now.
    ///
    /// # Errors
    /// [`DatabaseErrorKind::SecretUnavailable`], naming the place and never the content.
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
    ) -> Result<Credentials, DatabaseError>;
}

/// Passwords from the environment and from files, as [`PasswordSource`] says.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSecrets;

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
    ) -> Result<Credentials, DatabaseError> {
        let unavailable = |message: String| DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(name);
        let (password, version) = match &settings.password {
            PasswordSource::None => (SecretString::default(), "none".to_owned()),
            PasswordSource::Literal(password) => (password.clone(), "literal".to_owned()),
            PasswordSource::Environment(variable) => {
                let password = environment_variable(variable).ok_or_else(|| {
                    unavailable(format!("the environment variable `{variable}` for the password is not set"))
                })?;
                (password, format!("env:{variable}"))
            }
            PasswordSource::File(path) => {
                let password = password_file(path).await.map_err(|error| unavailable(error.to_string()))?;
                (password, format!("file:{}", path.display()))
            }
        };
        Ok(Credentials { username: settings.username.clone().unwrap_or_default(), password, version })
    }
}

#[expect(clippy::disallowed_methods, reason = "configuration names the variable; this is the one place that reads it")]
pub(crate) fn environment_variable(variable: &str) -> Option<SecretString> {
    std::env::var(variable).ok().map(SecretString::from)
}

/// Why a password file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordFileError {
    #[error("the password file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: std::io::Error },
    #[error("the password file {path} may be read by others (mode {mode:03o}); run `chmod 600 {path}`")]
    Exposed { path: String, mode: u32 },
    #[error("the password file {path} is not UTF-8")]
    NotText { path: String },
}

async fn password_file(path: &Path) -> Result<SecretString, PasswordFileError> {
    let path = path.to_owned();
    let shown = path.display().to_string();
    let task = tokio::task::spawn_blocking(move || read_password_file(&path));
    task.await.map_err(|error| PasswordFileError::Unreadable { path: shown, reason: std::io::Error::other(error) })?
}

pub(crate) fn read_password_file(path: &Path) -> Result<SecretString, PasswordFileError> {
    check_password_file(path)?;
    let shown = path.display().to_string();
    let mut bytes =
        std::fs::read(path).map_err(|reason| PasswordFileError::Unreadable { path: shown.clone(), reason })?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).map(SecretString::from).map_err(|_| PasswordFileError::NotText { path: shown })
}

/// Checks that the file is there and that others may not read it.
pub(crate) fn check_password_file(path: &Path) -> Result<(), PasswordFileError> {
    let shown = path.display().to_string();
    let metadata =
        std::fs::metadata(path).map_err(|reason| PasswordFileError::Unreadable { path: shown.clone(), reason })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PasswordFileError::Exposed { path: shown, mode });
        }
    }
    #[cfg(not(unix))]
    let _ = metadata;
    Ok(())
}

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::LazyLock;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use super::{Credentials, Freshness, PasswordSource, SecretSource, SecretStage, SourceError, default_user};
use crate::settings::ConnectionSettings;

/// Passwords from the environment and from files, as [`PasswordSource`] says.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSecrets;

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        stage: SecretStage,
        _freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        if stage != SecretStage::Current {
            return Ok(None);
        }
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
                let password = password_file(path).await.map_err(|error| {
                    let told = SourceError::from(unavailable(error.to_string()));
                    if error.is_passing() { told.earlier_answers_count() } else { told }
                })?;
                let version = format!("file:{}", fingerprint(&password));
                (password, version)
            }
            PasswordSource::RdsIam { .. } => {
                return Err(unavailable("this program makes no tokens of AWS's IAM".to_owned()).into());
            }
            PasswordSource::SecretsManager { id } => {
                let message =
                    format!("the secret `{id}` is kept by a secrets manager, and this program reads from none");
                return Err(unavailable(message).into());
            }
        };
        let nobody = if password.expose_secret().is_empty() { None } else { default_user(&settings.engine) };
        let username = settings.username.as_deref().or(nobody).unwrap_or_default().to_owned();
        Ok(Some(Credentials { username, password, version }))
    }

    fn may_change(&self, settings: &ConnectionSettings) -> bool {
        matches!(settings.password, PasswordSource::File(_))
    }

    fn identity(&self, settings: &ConnectionSettings) -> Option<String> {
        match &settings.password {
            PasswordSource::None => Some("none".to_owned()),
            PasswordSource::Literal(password) => Some(format!("literal:{}", fingerprint(password))),
            PasswordSource::Environment(variable) => Some(format!("env:{variable}")),
            PasswordSource::File(path) => Some(format!("file:{}", path.display())),
            PasswordSource::SecretsManager { .. } | PasswordSource::RdsIam { .. } => None,
        }
    }
}

/// Tells one content of a file from another. The key is the process's own and random, so that the number says nothing
/// about the password to anybody who reads it in a log.
fn fingerprint(password: &SecretString) -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{:016x}", KEY.hash_one(password.expose_secret()))
}

#[expect(clippy::disallowed_methods, reason = "configuration names the variable; this is the one place that reads it")]
pub(crate) fn environment_variable(variable: &str) -> Option<SecretString> {
    std::env::var(variable).ok().map(SecretString::from)
}

/// Why a password file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordFileError {
    #[error("the secret file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: std::io::Error },
    #[error("the secret file {path} may be read by others (mode {mode:03o}); run `chmod 600 {path}`")]
    Exposed { path: String, mode: u32 },
    #[error("the secret file {path} is not UTF-8")]
    NotText { path: String },
}

impl PasswordFileError {
    /// Whether the file is there and only could not be read this time. A file that is gone or closed to us was taken away.
    fn is_passing(&self) -> bool {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        matches!(self, Self::Unreadable { reason, .. } if !matches!(reason.kind(), NotFound | PermissionDenied))
    }
}

async fn password_file(path: &Path) -> Result<SecretString, PasswordFileError> {
    let path = path.to_owned();
    let shown = path.display().to_string();
    let task = tokio::task::spawn_blocking(move || read_password_file(&path));
    task.await.map_err(|error| PasswordFileError::Unreadable { path: shown, reason: std::io::Error::other(error) })?
}

/// The content of a file that others may not read, less one newline at its end. Blocks the thread.
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

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_file_that_others_may_read_is_no_password_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = read_password_file(&path).unwrap_err();
            let told = error.to_string();
            assert!(told.contains(&format!("mode {mode:03o}")) && told.contains("chmod 600"), "{told}");
            assert!(!error.is_passing() && !told.contains("hunter2"), "{told}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_password_file(&path).unwrap().expose_secret(), "hunter2");
        }
    }
}

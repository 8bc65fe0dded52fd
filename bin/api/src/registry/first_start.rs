use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connection_manager::config::SealingConfig;
use connection_manager::sealing::SealingKeys;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;
use crate::config::registry::TokenConfig;
use crate::data_folder;

/// The name of the key that is made in the data folder, and who has the token that is.
const MADE: &str = "embedded";
const KEY_FILE: &str = "registry.key";
const TOKEN_FILE: &str = "registry.token";
const BYTES: usize = 32;

/// Why the registry's files in the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryFileError {
    /// A file cannot be read or made.
    #[error("{} cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, in words that hold nothing of it.
        reason: String,
    },
}

/// What the registry's secrets are sealed with, and who may use it.
#[derive(Debug, Clone)]
pub(crate) struct Keeping {
    pub(crate) keys: Arc<SealingKeys>,
    pub(crate) tokens: Vec<TokenConfig>,
    pub(crate) first: FirstStart,
}

/// What was made in the data folder because nothing was configured, for the one who starts the service.
#[derive(Debug, Clone, Default)]
pub struct FirstStart {
    /// The file of the key, when it was made now.
    pub key_file: Option<PathBuf>,
    /// The file of the token, when it was made now, and the token.
    pub token: Option<(PathBuf, SecretString)>,
}

/// Takes the configured keys and tokens. What is not configured is read from the data folder, or made there when it is missing:
/// the configuration was checked to leave it out only where the registry is kept there as well.
pub(crate) fn prepare(config: &Config) -> Result<Keeping, RegistryFileError> {
    let mut first = FirstStart::default();
    let keys = if let Some(sealing) = &config.registry.sealing {
        Arc::clone(&sealing.keys)
    } else {
        let path = config.data.join(KEY_FILE);
        let (content, made) = kept(&path, |bytes| STANDARD.encode(bytes))?;
        first.key_file = made.then(|| path.clone());
        let sealing = SealingConfig::of_file(MADE, path.clone(), &content);
        sealing.map_err(|reason| RegistryFileError::Content { path, reason })?.keys
    };
    let mut tokens = config.registry.tokens.clone();
    if tokens.is_empty() {
        let path = config.data.join(TOKEN_FILE);
        let (token, made) = kept(&path, |bytes| URL_SAFE_NO_PAD.encode(bytes))?;
        if token.expose_secret().len() < BYTES {
            let reason = "the token is too short; remove the file to have one made".to_owned();
            return Err(RegistryFileError::Content { path, reason });
        }
        tokens.push(TokenConfig::literal(MADE, token.expose_secret()));
        first.token = made.then_some((path, token));
    }
    Ok(Keeping { keys, tokens, first })
}

/// What a file holds, and whether it was made for that just now: out of random bytes, and its owner's alone.
fn kept(path: &Path, write: impl FnOnce(&[u8]) -> String) -> Result<(SecretString, bool), RegistryFileError> {
    let unusable = |source| RegistryFileError::Unusable { path: path.to_owned(), source };
    match data_folder::read_private(path) {
        Ok(text) => return Ok((SecretString::from(text.trim()), false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(error)),
    }
    let mut bytes = [0; BYTES];
    let random = || io::Error::other("the operating system gives no random numbers");
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| unusable(random()))?;
    let text = write(&bytes);
    data_folder::create_private(path, |file| writeln!(file, "{text}")).map_err(unusable)?;
    Ok((SecretString::from(text), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_found_again_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::embedded(folder.path());
        let made = prepare(&config).expect("made");
        let (path, token) = made.first.token.expect("it was made now");
        assert_eq!(token.expose_secret().len(), 43);
        assert!(made.first.key_file.is_some() && made.keys.sealing() == "embedded");
        let again = prepare(&config).expect("found");
        assert!(again.first.key_file.is_none() && again.first.token.is_none());
        assert_eq!(again.tokens[0].token.expose_secret(), token.expose_secret());
        assert!(!format!("{again:?}").contains(token.expose_secret()));
        #[cfg(unix)]
        for file in [&path, &folder.path().join(KEY_FILE)] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(file).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_no_key_or_that_others_can_read_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::embedded(folder.path());
        let file = folder.path().join(KEY_FILE);
        data_folder::create_private(&file, |file| file.write_all(b"c2hvcnQ=")).expect("written");
        let error = prepare(&config).expect_err("too short").to_string();
        assert!(error.contains("registry.key: the key `embedded` is not 32 bytes long"), "{error}");
        std::fs::remove_file(&file).expect("removed");
        let token = folder.path().join(TOKEN_FILE);
        data_folder::create_private(&token, |file| file.write_all(&[b'x'; BYTES - 1])).expect("written");
        let error = prepare(&config).expect_err("too short").to_string();
        assert!(error.contains("registry.token: the token is too short"), "{error}");
        std::fs::remove_file(&token).expect("removed");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("changed");
            let error = crate::telemetry::chain(&prepare(&config).expect_err("readable"));
            assert!(error.contains("chmod 600"), "{error}");
        }
    }
}

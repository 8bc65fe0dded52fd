use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use shared_kernel::text::TextError;
use shared_kernel::validation::Fault;

use super::tls::is_private_key;

/// The secrets of one connection, open. `Debug` shows none of them.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The password of the user.
    pub password: Option<SecretString>,
    /// The key of the client's certificate, as text in PEM.
    pub client_key: Option<SecretString>,
}

impl Secrets {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.password.is_none() && self.client_key.is_none()
    }
}

/// The secrets of one connection as they are kept: a data key of the record's own, sealed by a key that has a name, and what
/// is sealed with the data key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecrets {
    /// The name of the key that has sealed the data key.
    pub key_name: String,
    /// The data key.
    pub data_key: Vec<u8>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// The key of the client's certificate.
    pub client_key: Option<Vec<u8>>,
}

impl fmt::Debug for SealedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSecrets")
            .field("key_name", &self.key_name)
            .field("password", &self.password.is_some())
            .field("client_key", &self.client_key.is_some())
            .finish_non_exhaustive()
    }
}

/// What a caller says about a secret.
#[derive(Debug, Clone, Default)]
pub enum Given {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// It shall be taken away.
    Removed,
    /// It shall be this.
    Secret(SecretString),
}

/// What a caller says about the secrets of a connection.
#[derive(Debug, Clone, Default)]
pub struct GivenSecrets {
    /// The password.
    pub password: Given,
    /// The key of the client's certificate.
    pub client_key: Given,
}

impl Given {
    /// What is there afterwards, when `present` was there before.
    pub(crate) fn applied_to(self, present: Option<SecretString>) -> Option<SecretString> {
        match self {
            Self::Nothing => present,
            Self::Removed => None,
            Self::Secret(secret) => Some(secret),
        }
    }

    /// Whether there will be one, when there was one before or not.
    pub(crate) const fn leaves(&self, present: bool) -> bool {
        match self {
            Self::Nothing => present,
            Self::Removed => false,
            Self::Secret(_) => true,
        }
    }

    /// A password: 1 to 1,024 characters, kept as they are. Only U+0000 is none of them, which ends a text for some servers.
    ///
    /// # Errors
    /// [`SecretError`], which holds nothing of it.
    pub fn password(text: &str) -> Result<Self, SecretError> {
        let actual = text.chars().count();
        if actual == 0 {
            return Err(SecretError::Password(TextError::Empty));
        }
        if actual > 1_024 {
            return Err(SecretError::Password(TextError::TooLong { max: 1_024, actual }));
        }
        if text.contains('\0') {
            return Err(SecretError::Password(shared_kernel::text::ControlCharacter('\0').into()));
        }
        Ok(Self::Secret(text.to_owned().into()))
    }

    /// The key of a client's certificate: one private key in PEM, not encrypted once more.
    ///
    /// # Errors
    /// [`SecretError`], which holds nothing of it.
    pub fn client_key(text: &str) -> Result<Self, SecretError> {
        if text.len() > 65_536 || !is_private_key(text) {
            return Err(SecretError::Key);
        }
        Ok(Self::Secret(text.to_owned().into()))
    }
}

/// Two wishes are the same when they say the same.
impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Removed, Self::Removed) => true,
            (Self::Secret(one), Self::Secret(other)) => one.expose_secret() == other.expose_secret(),
            _ => false,
        }
    }
}

/// Why a text is no secret of its kind. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is no password.
    #[error("the password {0}")]
    Password(TextError),
    /// It is no key.
    #[error("the key is one private key as text in PEM, not encrypted, not the path of a file")]
    Key,
}

impl Fault for SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::Password(error) => error.code(),
            Self::Key => "malformed_pem",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "p@ss/w:rd%?#\"'\\ 😀";

    #[test]
    fn passwords_are_taken_as_they_are() {
        let Given::Secret(password) = Given::password(CANARY).expect("a password") else { panic!("it was given") };
        assert_eq!(password.expose_secret(), CANARY);
        for (text, code) in [("", "empty"), (&*"x".repeat(1_025), "too_long"), ("a\0b", "control_character")] {
            assert_eq!(Given::password(text).expect_err("no password").code(), code);
        }
        assert_eq!(Given::client_key("/etc/key.pem").expect_err("no key").code(), "malformed_pem");
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let secrets = Secrets { password: Some(CANARY.to_owned().into()), client_key: None };
        let given = GivenSecrets { password: Given::password(CANARY).expect("a password"), ..GivenSecrets::default() };
        let sealed = SealedSecrets {
            key_name: "one".to_owned(),
            data_key: b"data".to_vec(),
            password: Some(CANARY.as_bytes().to_vec()),
            client_key: None,
        };
        let shown = format!("{secrets:?} {given:?} {sealed:?}");
        assert!(!shown.contains("p@ss") && shown.contains("key_name: \"one\", password: true"), "{shown}");
        assert!(!secrets.is_empty() && Secrets::default().is_empty());
    }

    #[test]
    fn a_wish_says_what_is_left() {
        let secret = || Some(SecretString::from("old"));
        assert!(Given::Nothing.leaves(true) && !Given::Nothing.leaves(false) && !Given::Removed.leaves(true));
        assert!(Given::Nothing.applied_to(secret()).is_some() && Given::Removed.applied_to(secret()).is_none());
        let new = Given::password("new").expect("a password");
        assert!(new.leaves(false) && new == Given::password("new").expect("a password") && new != Given::Removed);
        assert_eq!(new.applied_to(secret()).expect("it was given").expose_secret(), "new");
    }
}

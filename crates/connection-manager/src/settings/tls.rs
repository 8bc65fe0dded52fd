use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

/// How the way to a server is protected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// Whether TLS is used and what of the server is checked.
    pub mode: TlsMode,
    /// A PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The authorities to trust instead of the system's, as text in PEM: for whoever has no file of them. Comes before `ca_file`.
    pub authorities: Option<Arc<str>>,
    /// What the client shows of itself.
    pub client: Option<ClientIdentity>,
}

/// A client's certificate with the chain that leads to its authority, and the certificate's key, each as text in PEM. `Debug`
/// shows neither.
#[derive(Clone)]
pub struct ClientIdentity {
    certificates: Arc<str>,
    key: SecretString,
}

impl ClientIdentity {
    /// An identity. Whether the texts are what they should be shows when they are used.
    pub fn new(certificates: impl Into<Arc<str>>, key: SecretString) -> Self {
        Self { certificates: certificates.into(), key }
    }

    /// The certificate and its chain.
    pub fn certificates(&self) -> &str {
        &self.certificates
    }

    /// The certificate's key.
    pub const fn key(&self) -> &SecretString {
        &self.key
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.certificates == other.certificates && self.key.expose_secret() == other.key.expose_secret()
    }
}

impl Eq for ClientIdentity {}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

impl TlsSettings {
    /// No TLS.
    pub fn disabled() -> Self {
        Self { mode: TlsMode::Disabled, ..Self::default() }
    }

    /// TLS without a check of who answers.
    pub fn required() -> Self {
        Self { mode: TlsMode::Required, ..Self::default() }
    }

    /// TLS to a server whose certificate was issued for its host name by an authority in `ca_file`.
    pub fn verify_full(ca_file: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(ca_file.into()), ..Self::default() }
    }
}

/// Whether TLS is used and what of the server is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsMode {
    /// Everything travels readable, passwords included. For a server on the same machine.
    Disabled,
    /// Encrypted, but whoever answers is believed. Keeps out those who only listen.
    Required,
    /// Encrypted, and the certificate must name the host and lead to a trusted authority.
    #[default]
    VerifyFull,
}

impl TlsMode {
    /// Every mode with the word that configuration uses for it.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Disabled, "disabled"), (Self::Required, "required"), (Self::VerifyFull, "verify-full")];

    /// The word that configuration uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Required => "required",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for TlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no [`TlsMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown TLS mode {0:?}, expected disabled, required or verify-full")]
pub struct UnknownTlsMode(String);

impl FromStr for TlsMode {
    type Err = UnknownTlsMode;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find_map(|(mode, name)| (name == word).then_some(mode))
            .ok_or_else(|| UnknownTlsMode(word.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_prints_no_key_and_equals_itself_alone() {
        let identity = |key: &str| ClientIdentity::new("certificate", key.into());
        assert!(identity("one") == identity("one") && identity("one") != identity("two"));
        assert_eq!(format!("{:?}", identity("one")), "ClientIdentity { .. }");
    }
}

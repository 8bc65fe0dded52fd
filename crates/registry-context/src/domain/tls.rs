use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared_kernel::validation::Fault;

/// How the way to a server is protected. The client's key is a secret and kept with the password.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Whether TLS is used and what of the server is checked.
    pub mode: TlsMode,
    /// The authorities to trust instead of the system's.
    pub ca: Option<Certificates>,
    /// What the client shows of itself, with its chain.
    pub client_certificate: Option<Certificates>,
}

/// Whether TLS is used and what of the server is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsMode {
    /// Everything travels readable, passwords included.
    Disabled,
    /// Encrypted, but whoever answers is believed.
    Required,
    /// Encrypted, and the certificate must name the host and lead to a trusted authority.
    #[default]
    VerifyFull,
}

/// A word that is no [`TlsMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mode is disabled, required or verify-full")]
pub struct UnknownTlsMode;

impl Fault for UnknownTlsMode {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

impl TlsMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Required, Self::VerifyFull];

    /// The mode's word: `disabled`, `required` or `verify-full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Required => "required",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl FromStr for TlsMode {
    type Err = UnknownTlsMode;

    fn from_str(word: &str) -> Result<Self, UnknownTlsMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word).ok_or(UnknownTlsMode)
    }
}

/// One or more certificates as text in PEM (RFC 7468), never the path of a file.
///
/// The form is checked, not what the certificates say: that shows when they are used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificates(String);

/// Why a text is no [`Certificates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificatesError {
    /// No certificate, or something else besides.
    #[error("the certificates are text in PEM: `-----BEGIN CERTIFICATE-----` and so on, not the path of a file")]
    Form,
    /// More than anybody needs.
    #[error("the certificates have at most {max} characters", max = Certificates::MAX)]
    TooLong,
}

impl Fault for CertificatesError {
    fn code(&self) -> &'static str {
        match self {
            Self::Form => "malformed_pem",
            Self::TooLong => "too_long",
        }
    }
}

impl Certificates {
    /// The most characters.
    pub const MAX: usize = 65_536;

    /// Reads certificates. Lines outside of them are left out, and line ends become plain.
    ///
    /// # Errors
    /// [`CertificatesError`]
    pub fn parse(text: &str) -> Result<Self, CertificatesError> {
        if text.len() > Self::MAX {
            return Err(CertificatesError::TooLong);
        }
        let blocks = blocks(text).ok_or(CertificatesError::Form)?;
        let certificates_alone = blocks.iter().all(|(label, _)| label == "CERTIFICATE");
        if blocks.is_empty() || !certificates_alone {
            return Err(CertificatesError::Form);
        }
        Ok(Self(blocks.into_iter().map(|(_, block)| block).collect()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Certificates are public; a page of them in a log helps nobody.
impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({} bytes)", self.0.len())
    }
}

/// Whether a text is one private key in PEM.
pub(super) fn is_private_key(text: &str) -> bool {
    let blocks = blocks(text).unwrap_or_default();
    matches!(blocks.as_slice(), [(label, _)] if label.ends_with("PRIVATE KEY") && !label.contains("ENCRYPTED"))
}

/// The blocks of a text, each with its label and its lines. `None` where one is not closed or holds no Base64.
fn blocks(text: &str) -> Option<Vec<(String, String)>> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String, String)> = None;
    for line in text.lines().map(str::trim) {
        let label = |start: &str| Some(line.strip_prefix(start)?.strip_suffix("-----")?.to_owned());
        match (&mut open, label("-----BEGIN "), label("-----END ")) {
            (None, Some(begun), _) => open = Some((begun, format!("{line}\n"), String::new())),
            (None, None, None) => {}
            (Some((begun, block, content)), None, Some(ended)) if *begun == ended => {
                STANDARD.decode(&*content).ok().filter(|bytes| !bytes.is_empty())?;
                block.push_str(line);
                block.push('\n');
                blocks.push((std::mem::take(begun), std::mem::take(block)));
                open = None;
            }
            (Some((_, block, content)), None, None) => {
                block.push_str(line);
                block.push('\n');
                content.push_str(line);
            }
            _ => return None,
        }
    }
    if open.is_none() { Some(blocks) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAAEC\nAw==\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn modes_are_found_by_their_words() {
        for mode in TlsMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        let error = "verify_full".parse::<TlsMode>().expect_err("no mode");
        assert_eq!((error.code(), Tls::default().mode), ("unknown_value", TlsMode::VerifyFull));
    }

    #[test]
    fn certificates_are_text_and_nothing_else() {
        let two = format!("subject: x\r\n{}\n{ONE}", ONE.replace('\n', "\r\n"));
        let read = Certificates::parse(&two).expect("two certificates");
        assert_eq!(read.as_str(), ONE.repeat(2));
        assert_eq!(format!("{read:?}"), format!("Certificates({} bytes)", 2 * ONE.len()));
        let unclosed = ONE.replace("-----END CERTIFICATE-----", "");
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----";
        let noise = ONE.replace("AAEC", "A!EC");
        let both = format!("{ONE}{KEY}");
        for text in ["", "/etc/ssl/ca.pem", KEY, &unclosed, empty, &noise, &both, &format!("{ONE}{unclosed}")] {
            assert_eq!(Certificates::parse(text), Err(CertificatesError::Form), "{text}");
        }
        let long = ONE.repeat(2_000);
        assert_eq!(Certificates::parse(&long).expect_err("too long").code(), "too_long");
        assert_eq!(CertificatesError::Form.code(), "malformed_pem");
    }

    #[test]
    fn a_key_is_one_and_open() {
        assert!(is_private_key(KEY) && is_private_key(&KEY.replace("PRIVATE", "RSA PRIVATE")));
        let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
        for text in ["", "key.pem", ONE, &encrypted, &KEY.repeat(2)] {
            assert!(!is_private_key(text), "{text}");
        }
    }
}

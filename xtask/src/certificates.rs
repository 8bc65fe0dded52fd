//! A certificate authority for the test servers and one leaf that is valid for this machine's loopback names.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose,
    PublicKeyData, SerialNumber, SignatureAlgorithm, date_time_ymd,
};

/// The files of one authority and one leaf.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    /// The authority's certificate, which clients trust.
    pub(crate) authority: PathBuf,
    /// The leaf's certificate followed by the authority's.
    pub(crate) leaf: PathBuf,
    /// The leaf's private key, PKCS #8.
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// The files in a folder, made anew unless all three are there.
    pub(crate) fn provide(folder: &Path) -> Result<Self> {
        let files =
            Self { authority: folder.join("ca.pem"), leaf: folder.join("server.pem"), key: folder.join("server.key") };
        if !(files.authority.is_file() && files.leaf.is_file() && files.key.is_file()) {
            fs::create_dir_all(folder)?;
            files.generate().context("making test certificates")?;
        }
        Ok(files)
    }

    fn generate(&self) -> Result<()> {
        let authority_key = Key::random()?;
        let mut authority = parameters("Bindery test authority", &authority_key)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let leaf_key = Key::random()?;
        let mut leaf = parameters("localhost", &leaf_key)?;
        for name in ["localhost", "127.0.0.1", "::1"] {
            leaf.subject_alt_names.push(match name.parse() {
                Ok(address) => rcgen::SanType::IpAddress(address),
                Err(_) => rcgen::SanType::DnsName(name.try_into()?),
            });
        }
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;

        fs::write(&self.authority, authority_certificate.pem())?;
        fs::write(&self.leaf, format!("{}{}", leaf_certificate.pem(), authority_certificate.pem()))?;
        let pem =
            leaf_key.secret.to_pkcs8_pem(LineEnding::LF).map_err(|error| anyhow!("writing a private key: {error}"))?;
        write_private(&self.key, pem.as_bytes())
    }
}

/// What the authority's and the leaf's certificates have in common.
fn parameters(name: &str, key: &Key) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    // RFC 5280 section 4.1.2.2: positive, at most 20 octets.
    let mut serial = random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    // Section 4.2.1.2 leaves the way of making the identifier open; a part of the public key names it well enough.
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(key.public[1..21].to_vec());
    parameters.not_before = date_time_ymd(2024, 1, 1);
    parameters.not_after = date_time_ymd(2049, 12, 31);
    Ok(parameters)
}

/// Writes a file that nobody but its owner can read.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    fs::remove_file(path).ok();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("creating {}", path.display()))?;
    file.write_all(contents)?;
    Ok(())
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("reading random bytes from the operating system")?;
    Ok(bytes)
}

/// A random password without a character that would need escaping in a URL, in SQL or in a shell.
pub(crate) fn random_password() -> Result<String> {
    use std::fmt::Write;

    let mut text = String::with_capacity(32);
    for byte in random::<16>()? {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// An ECDSA key on P-256, which every server and client in the tests can use.
struct Key {
    secret: SigningKey,
    public: Vec<u8>,
}

impl Key {
    fn random() -> Result<Self> {
        // One number in 2^32 is not below the curve's order: the second try succeeds.
        let secret = loop {
            if let Ok(key) = SigningKey::from_slice(&random::<32>()?) {
                break key;
            }
        };
        let public = secret.verifying_key().to_encoded_point(false).as_bytes().to_vec();
        Ok(Self { secret, public })
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: DerSignature = self.secret.sign(message);
        Ok(signature.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn certificates_are_made_once_and_the_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = Certificates::provide(folder.path()).unwrap();
        let authority = fs::read_to_string(&first.authority).unwrap();
        assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(fs::metadata(&first.key).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Certificates::provide(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&second.authority).unwrap(), authority);
    }

    #[test]
    fn passwords_differ_and_need_no_escaping() {
        let (first, second) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(first, second);
        assert!(first.len() == 32 && first.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}

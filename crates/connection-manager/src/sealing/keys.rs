use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret as _, SecretBox};

/// The bytes of a key.
const LENGTH: usize = 32;

/// A key that cannot be used. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSealingKey {
    /// Not of the length that AES-256 needs.
    #[error("the key `{0}` is not 32 bytes long")]
    Length(String),
    /// No name, or one too long to stand beside each copy.
    #[error("a key needs a name of 1 to 64 bytes")]
    Name,
    /// Two keys of one name.
    #[error("two keys are called `{0}`")]
    Duplicate(String),
}

/// One key for AES-256-GCM, with a name that stands beside what it has sealed.
pub struct SealingKey {
    name: String,
    key: RandomizedNonceKey,
}

impl SealingKey {
    /// A key out of 32 random bytes.
    ///
    /// # Errors
    /// [`InvalidSealingKey`] for a name or a length that cannot be.
    pub fn try_new(name: impl Into<String>, bytes: &[u8]) -> Result<Self, InvalidSealingKey> {
        let name = name.into();
        if name.is_empty() || name.len() > 64 {
            return Err(InvalidSealingKey::Name);
        }
        let key = Some(bytes).filter(|bytes| bytes.len() == LENGTH);
        match key.and_then(|bytes| RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()) {
            Some(key) => Ok(Self { name, key }),
            None => Err(InvalidSealingKey::Length(name)),
        }
    }

    /// A key of its own, made now, and its bytes. `None` when the operating system gives no random number.
    pub fn random(name: impl Into<String>) -> Option<(Self, SecretBox<Vec<u8>>)> {
        let mut bytes = vec![0; LENGTH];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        let bytes = SecretBox::new(Box::new(bytes));
        let key = Self::try_new(name, bytes.expose_secret()).ok()?;
        Some((key, bytes))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Encrypts in place and appends the tag. `None` when the provider has no random number.
    pub(crate) fn seal(&self, bound: &[u8], content: &mut Vec<u8>) -> Option<Nonce> {
        self.key.seal_in_place_append_tag(Aad::from(bound), content).ok()
    }

    /// Decrypts, unless a bit of it, or of what is bound to it, is another one.
    pub(crate) fn open(&self, bound: &[u8], nonce: Nonce, content: &mut Vec<u8>) -> Option<()> {
        let length = self.key.open_in_place(nonce, Aad::from(bound), content).ok()?.len();
        content.truncate(length);
        Some(())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKey").field(&self.name).finish()
    }
}

/// Keys together. The first one seals, all of them open: a new key is given to every process behind the old one first, then put
/// before it, and the old one is taken away when nothing is left that it has sealed.
#[derive(Debug)]
pub struct SealingKeys(Vec<SealingKey>);

impl SealingKeys {
    /// One key that seals, and further ones that open.
    ///
    /// # Errors
    /// [`InvalidSealingKey::Duplicate`].
    pub fn try_new(
        first: SealingKey,
        further: impl IntoIterator<Item = SealingKey>,
    ) -> Result<Self, InvalidSealingKey> {
        let mut keys = vec![first];
        for key in further {
            if keys.iter().any(|known| known.name == key.name) {
                return Err(InvalidSealingKey::Duplicate(key.name));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The name of the key that seals.
    pub fn sealing(&self) -> &str {
        self.first().map(SealingKey::name).unwrap_or_default()
    }

    pub(crate) fn first(&self) -> Option<&SealingKey> {
        self.0.first()
    }

    pub(crate) fn named(&self, name: &[u8]) -> Option<&SealingKey> {
        self.0.iter().find(|key| key.name.as_bytes() == name)
    }
}

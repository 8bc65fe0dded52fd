//! One sealed content: in clear a mark of the format, the key's name and the nonce; then the content, encrypted.

use aws_lc_rs::aead::Nonce;
use secrecy::SecretBox;

use super::frame::{put, take, take_text};
use super::keys::SealingKeys;

const MARK: &[u8] = b"be1";
const NONCE: usize = 12;

/// Why something is not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The operating system gives no random number.
    #[error("there is no random number to seal with")]
    Random,
    /// What is bound to the content is too long to be told apart.
    #[error("what is bound to the content is longer than 64 KiB")]
    TooLong,
}

/// Why an envelope is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is something else.
    #[error("it is not in the form of an envelope")]
    Form,
    /// Its key is not among those at hand.
    #[error("it was made with a key that is not known here")]
    Key,
    /// A bit of it, or of what it belongs to, is another one.
    #[error("it was changed, or made for something else")]
    Content,
}

impl SealingKeys {
    /// Seals `content` with the first key. It opens only together with the same `bound`, part by part.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn seal(&self, bound: &[&[u8]], content: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.first().ok_or(SealError::Random)?;
        let mut envelope = MARK.to_vec();
        put(&mut envelope, key.name().as_bytes()).ok_or(SealError::TooLong)?;
        let bound = associated(&envelope, bound).ok_or(SealError::TooLong)?;
        let mut content = content.to_vec();
        let nonce = key.seal(&bound, &mut content).ok_or(SealError::Random)?;
        envelope.extend_from_slice(nonce.as_ref());
        envelope.append(&mut content);
        Ok(envelope)
    }

    /// Opens an envelope with the key that it names.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn open(&self, bound: &[&[u8]], envelope: &[u8]) -> Result<SecretBox<Vec<u8>>, Unreadable> {
        let mut rest = envelope.strip_prefix(MARK).ok_or(Unreadable::Form)?;
        let key = self.named(take_text(&mut rest).ok_or(Unreadable::Form)?).ok_or(Unreadable::Key)?;
        let bound = associated(&envelope[..envelope.len() - rest.len()], bound).ok_or(Unreadable::Form)?;
        let nonce = take(&mut rest, NONCE).ok_or(Unreadable::Form)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable::Form)?;
        let mut content = rest.to_vec();
        key.open(&bound, nonce, &mut content).ok_or(Unreadable::Content)?;
        Ok(SecretBox::new(Box::new(content)))
    }
}

/// Everything that the content belongs to.
fn associated(in_clear: &[u8], bound: &[&[u8]]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    put(&mut bytes, in_clear)?;
    for part in bound {
        put(&mut bytes, part)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::SealingKey;
    use super::*;

    fn keys(names: &[&str]) -> SealingKeys {
        let mut keys = names.iter().map(|name| {
            let byte = name.as_bytes()[0];
            SealingKey::try_new(*name, &[byte; 32]).unwrap()
        });
        SealingKeys::try_new(keys.next().unwrap(), keys).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_the_key_that_it_names() {
        let sealed = keys(&["one"]).seal(&[b"record", b"field"], b"canary").unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
        let opened = keys(&["two", "one"]).open(&[b"record", b"field"], &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"canary");
        assert_eq!(keys(&["two"]).open(&[b"record", b"field"], &sealed).unwrap_err(), Unreadable::Key);
    }

    #[test]
    fn what_was_moved_or_changed_stays_closed() {
        let keys = keys(&["one"]);
        let sealed = keys.seal(&[b"record", b"field"], b"canary").unwrap();
        for bound in [&[b"record".as_slice(), b"other"], &[b"recordf", b"ield"]] {
            assert_eq!(keys.open(bound, &sealed).unwrap_err(), Unreadable::Content);
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open(&[b"record", b"field"], &changed).is_err(), "byte {at}");
            assert!(keys.open(&[b"record", b"field"], &sealed[..at]).is_err(), "the first {at} bytes");
        }
    }

    #[test]
    fn the_same_content_is_sealed_differently_each_time() {
        let keys = keys(&["one"]);
        assert_ne!(keys.seal(&[], b"canary").unwrap(), keys.seal(&[], b"canary").unwrap());
    }
}

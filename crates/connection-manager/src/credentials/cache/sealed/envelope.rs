//! A copy as it lies in the shared level.
//!
//! In clear, each text behind its length: a mark of the format, the key's name, the version (or that there is none), when
//! the copy was fetched, is due and expires, in milliseconds since 1970. Then the nonce, and the content encrypted. Bound to
//! the content are all that is in clear, the secret's name or ARN and its stage.

use aws_lc_rs::aead::Nonce;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::credentials::cache::{SecretCopy, SecretKey};
use crate::credentials::store::SecretVersion;
use crate::sealing::{SealingKeys, Unreadable, frame};

const MARK: &[u8] = b"bs1";
const NONCE: usize = 12;

/// The copy, closed with the first key.
pub(super) fn seal(keys: &SealingKeys, key: &SecretKey, copy: &SecretCopy) -> Result<Vec<u8>, Unreadable> {
    let sealing = keys.first().ok_or(Unreadable::Key)?;
    let mut envelope = MARK.to_vec();
    put(&mut envelope, sealing.name().as_bytes())?;
    let version = copy.version.as_ref();
    envelope.push(u8::from(version.is_some()));
    put(&mut envelope, version.map_or("", |version| &version.version).as_bytes())?;
    for moment in [copy.fetched, copy.due, copy.expires] {
        envelope.extend_from_slice(&moment.timestamp_millis().to_be_bytes());
    }
    let mut content = version.map_or_else(Vec::new, |version| version.content.expose_secret().as_bytes().to_vec());
    let nonce = sealing.seal(&bound(&envelope, key)?, &mut content).ok_or(Unreadable::Content)?;
    envelope.extend_from_slice(nonce.as_ref());
    envelope.append(&mut content);
    Ok(envelope)
}

/// What was put in, when nothing of it was changed and it was made for this secret.
pub(super) fn open(keys: &SealingKeys, key: &SecretKey, envelope: &[u8]) -> Result<SecretCopy, Unreadable> {
    let mut rest = envelope.strip_prefix(MARK).ok_or(Unreadable::Form)?;
    let sealing = keys.named(take_text(&mut rest)?).ok_or(Unreadable::Key)?;
    let has_version = match take(&mut rest, 1)? {
        [0] => false,
        [1] => true,
        _ => return Err(Unreadable::Form),
    };
    let version = String::from_utf8(take_text(&mut rest)?.to_vec()).map_err(|_| Unreadable::Form)?;
    let (fetched, due, expires) = (moment(&mut rest)?, moment(&mut rest)?, moment(&mut rest)?);
    let in_clear = &envelope[..envelope.len() - rest.len()];
    let nonce = Nonce::try_assume_unique_for_key(take(&mut rest, NONCE)?).map_err(|_| Unreadable::Form)?;
    let mut content = rest.to_vec();
    sealing.open(&bound(in_clear, key)?, nonce, &mut content).ok_or(Unreadable::Content)?;
    let content = String::from_utf8(content).map(SecretString::from).map_err(|_| Unreadable::Content)?;
    let version = has_version.then_some(SecretVersion { version, content });
    Ok(SecretCopy { version, fetched, due, expires })
}

/// Everything that the content belongs to, each part behind its length.
fn bound(in_clear: &[u8], key: &SecretKey) -> Result<Vec<u8>, Unreadable> {
    let mut bound = Vec::new();
    for part in [key.id.as_bytes(), key.stage.label().as_bytes(), in_clear] {
        put(&mut bound, part)?;
    }
    Ok(bound)
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) -> Result<(), Unreadable> {
    frame::put(bytes, text).ok_or(Unreadable::Form)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unreadable> {
    frame::take(rest, length).ok_or(Unreadable::Form)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unreadable> {
    frame::take_text(rest).ok_or(Unreadable::Form)
}

fn moment(rest: &mut &[u8]) -> Result<DateTime<Utc>, Unreadable> {
    let milliseconds = take(rest, 8)?.try_into().map(i64::from_be_bytes).map_err(|_| Unreadable::Form)?;
    DateTime::from_timestamp_millis(milliseconds).ok_or(Unreadable::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::SecretStage;
    use crate::sealing::SealingKey;

    fn key(name: &str, byte: u8) -> SealingKey {
        SealingKey::try_new(name, &[byte; 32]).unwrap()
    }

    fn keys(first: SealingKey) -> SealingKeys {
        SealingKeys::try_new(first, []).unwrap()
    }

    fn secret(id: &str, stage: SecretStage) -> SecretKey {
        SecretKey { id: id.into(), stage }
    }

    fn users() -> SecretKey {
        secret("users", SecretStage::Current)
    }

    fn copy(version: Option<&str>) -> SecretCopy {
        let at = |second: i64| DateTime::from_timestamp_millis(1_700_000_000_000 + second).unwrap();
        let version = version.map(|version| SecretVersion {
            version: version.to_owned(),
            content: SecretString::from(format!("canary of {version}")),
        });
        SecretCopy { version, fetched: at(0), due: at(8), expires: at(10) }
    }

    fn told(copy: &SecretCopy) -> (Option<(String, String)>, [DateTime<Utc>; 3]) {
        let version = copy.version.as_ref();
        let version = version.map(|found| (found.version.clone(), found.content.expose_secret().to_owned()));
        (version, [copy.fetched, copy.due, copy.expires])
    }

    #[test]
    fn what_is_put_in_comes_out() {
        let keys = keys(key("one", 1));
        for version in [Some("v1"), Some(""), None] {
            let sealed = seal(&keys, &users(), &copy(version)).unwrap();
            assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"), "it lies there readable");
            assert_eq!(told(&open(&keys, &users(), &sealed).unwrap()), told(&copy(version)));
        }
        let twice = [0, 1].map(|_| seal(&keys, &users(), &copy(Some("v1"))).unwrap());
        assert_ne!(twice[0], twice[1], "no two look the same");
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let keys = keys(key("one", 1));
        let sealed = seal(&keys, &users(), &copy(Some("v1"))).unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open(&keys, &users(), &changed).is_err(), "bit {bit} of byte {at}");
            }
            assert!(open(&keys, &users(), &sealed[..at]).is_err(), "cut after {at} bytes");
        }
        let longer = [sealed.as_slice(), b"x"].concat();
        assert!(open(&keys, &users(), &longer).is_err());
    }

    #[test]
    fn a_copy_that_was_made_for_another_secret_or_stage_is_none() {
        let keys = keys(key("one", 1));
        let sealed = seal(&keys, &users(), &copy(Some("v1"))).unwrap();
        for other in [secret("books", SecretStage::Current), secret("users", SecretStage::Pending)] {
            assert_eq!(open(&keys, &other, &sealed).unwrap_err(), Unreadable::Content);
        }
    }

    #[test]
    fn keys_are_changed_one_after_the_other() {
        let old = keys(key("old", 1));
        let both = SealingKeys::try_new(key("new", 2), [key("old", 1)]).unwrap();
        let new = keys(key("new", 2));
        let (by_old, by_both) = (seal(&old, &users(), &copy(Some("v1"))), seal(&both, &users(), &copy(Some("v1"))));
        let (by_old, by_both) = (by_old.unwrap(), by_both.unwrap());
        assert!(open(&both, &users(), &by_old).is_ok());
        assert!(open(&new, &users(), &by_both).is_ok());
        assert_eq!(open(&new, &users(), &by_old).unwrap_err(), Unreadable::Key);
        // Another key of the same name.
        assert_eq!(open(&keys(key("old", 9)), &users(), &by_old).unwrap_err(), Unreadable::Content);
    }

    #[test]
    fn a_key_has_a_name_of_its_own_and_32_bytes() {
        use crate::sealing::InvalidSealingKey::{Duplicate, Length, Name};
        assert_eq!(SealingKey::try_new("short", &[0; 31]).unwrap_err(), Length("short".to_owned()));
        assert_eq!(SealingKey::try_new("", &[0; 32]).unwrap_err(), Name);
        assert_eq!(SealingKeys::try_new(key("a", 1), [key("a", 2)]).unwrap_err(), Duplicate("a".to_owned()));
        assert!(!format!("{:?}", key("a", 97)).contains("97"));
    }
}

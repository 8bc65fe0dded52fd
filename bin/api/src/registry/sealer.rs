use std::sync::Arc;

use connection_manager::sealing::{SealError, SealingKey, SealingKeys, Unreadable};
use registry_context::domain::{ConnectionId, SealedSecrets, Sealer, SealerError, Secrets};
use secrecy::{ExposeSecret as _, SecretString};

/// What is sealed of a record. The words are bound to the content, so that no part opens in another's place.
const DATA_KEY: &[u8] = b"data_key";
const PASSWORD: &[u8] = b"password";
const CLIENT_KEY: &[u8] = b"client_key";
/// What all that is sealed here belongs to.
const DOMAIN: &[u8] = b"registry.connections";

/// Seals with AES-256-GCM: each record's secrets under a data key of its own, and the data key under one of the configured
/// keys, whose name stands beside it. Bound to each part are the record's id and which part it is.
#[derive(Debug)]
pub(crate) struct EnvelopeSealer(Arc<SealingKeys>);

impl EnvelopeSealer {
    pub(crate) fn new(keys: Arc<SealingKeys>) -> Self {
        Self(keys)
    }
}

impl Sealer for EnvelopeSealer {
    fn key_name(&self) -> &str {
        self.0.sealing()
    }

    fn seal(&self, record: ConnectionId, secrets: &Secrets) -> Result<Option<SealedSecrets>, SealerError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let failed = |reason: String| SealerError::NotSealed { record, reason };
        let (data, bytes) = SealingKey::random("data").ok_or_else(|| failed(SealError::Random.to_string()))?;
        let data = SealingKeys::try_new(data, []).map_err(|error| failed(error.to_string()))?;
        let id = record.uuid();
        let part = |part: &[u8], secret: &Option<SecretString>| {
            let bound = [DOMAIN, id.as_bytes(), part];
            let sealed = secret.as_ref().map(|secret| data.seal(&bound, secret.expose_secret().as_bytes()));
            sealed.transpose().map_err(|error| failed(error.to_string()))
        };
        let data_key = self.0.seal(&[DOMAIN, id.as_bytes(), DATA_KEY], bytes.expose_secret());
        Ok(Some(SealedSecrets {
            key_name: self.key_name().to_owned(),
            data_key: data_key.map_err(|error| failed(error.to_string()))?,
            password: part(PASSWORD, &secrets.password)?,
            client_key: part(CLIENT_KEY, &secrets.client_key)?,
        }))
    }

    fn open(&self, record: ConnectionId, sealed: &SealedSecrets) -> Result<Secrets, SealerError> {
        self.opened(record, sealed).inspect_err(|error| {
            tracing::error!(event = "registry.secrets_closed", %error, "secrets of a stored connection do not open");
        })
    }
}

impl EnvelopeSealer {
    fn opened(&self, record: ConnectionId, sealed: &SealedSecrets) -> Result<Secrets, SealerError> {
        let failed = |reason: String| SealerError::Unreadable { record, key_name: sealed.key_name.clone(), reason };
        let id = record.uuid();
        let bytes = self.0.open(&[DOMAIN, id.as_bytes(), DATA_KEY], &sealed.data_key);
        let bytes = bytes.map_err(|error| failed(error.to_string()))?;
        let data = SealingKey::try_new("data", bytes.expose_secret()).and_then(|key| SealingKeys::try_new(key, []));
        let data = data.map_err(|error| failed(error.to_string()))?;
        let part = |part: &[u8], sealed: &Option<Vec<u8>>| {
            let Some(sealed) = sealed else { return Ok(None) };
            let opened =
                data.open(&[DOMAIN, id.as_bytes(), part], sealed).map_err(|error| failed(error.to_string()))?;
            let text = str::from_utf8(opened.expose_secret()).map_err(|_| failed(Unreadable::Content.to_string()))?;
            Ok(Some(SecretString::from(text)))
        };
        Ok(Secrets { password: part(PASSWORD, &sealed.password)?, client_key: part(CLIENT_KEY, &sealed.client_key)? })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const CANARY: &str = "p@ss/w:rd%?#\"'\\ 😀";

    fn sealer(names: &[&str]) -> EnvelopeSealer {
        let mut keys = names.iter().map(|name| SealingKey::try_new(*name, &[name.as_bytes()[0]; 32]).expect("a key"));
        let first = keys.next().expect("a name");
        EnvelopeSealer::new(Arc::new(SealingKeys::try_new(first, keys).expect("different names")))
    }

    fn record(number: u128) -> ConnectionId {
        ConnectionId::new(Uuid::from_u128(number))
    }

    fn secrets() -> Secrets {
        Secrets { password: Some(CANARY.into()), client_key: Some("key".into()) }
    }

    #[test]
    fn secrets_open_for_their_record_alone() {
        let one = sealer(&["one"]);
        let sealed = one.seal(record(1), &secrets()).expect("sealed").expect("there are some");
        let opened = one.open(record(1), &sealed).expect("it opens");
        assert_eq!(opened.password.expect("a password").expose_secret(), CANARY);
        assert_eq!(opened.client_key.expect("a key").expose_secret(), "key");
        assert!(one.open(record(2), &sealed).is_err());
        assert_eq!(one.seal(record(1), &Secrets::default()), Ok(None));
    }

    #[test]
    fn a_secret_does_not_open_in_the_place_of_another() {
        let one = sealer(&["one"]);
        let sealed = one.seal(record(1), &secrets()).expect("sealed").expect("there are some");
        let (password, client_key) = (sealed.client_key.clone(), sealed.password.clone());
        assert!(one.open(record(1), &SealedSecrets { password, client_key, ..sealed.clone() }).is_err());
        // Nor does one that was sealed for the same record at another time.
        let other = one.seal(record(1), &secrets()).expect("sealed").expect("there are some");
        assert!(one.open(record(1), &SealedSecrets { password: other.password, ..sealed }).is_err());
    }

    #[test]
    fn keys_are_changed_one_after_the_other() {
        let sealed = sealer(&["one"]).seal(record(1), &secrets()).expect("sealed").expect("there are some");
        assert_eq!(sealed.key_name, "one");
        let both = sealer(&["two", "one"]);
        assert_eq!(both.key_name(), "two");
        assert!(both.open(record(1), &sealed).is_ok());
        let error = sealer(&["two"]).open(record(1), &sealed).expect_err("the key is gone");
        assert!(error.to_string().contains("sealed with the key `one`, cannot be opened"), "{error}");
    }
}

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Expiry};

/// The attribute of the value.
pub(super) const VALUE: &str = "value";
/// When the value ends, in milliseconds since 1970. The service deletes late, so that each read looks.
pub(super) const EXPIRES_MS: &str = "expires_at_ms";
/// The same in seconds, rounded up: what the service can be told to delete by.
pub(super) const EXPIRES: &str = "expires_at";

/// The attributes of one item.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// What is kept under a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) value: Vec<u8>,
    /// Milliseconds since 1970.
    pub(super) expires: Option<i64>,
}

impl Item {
    /// Reads an item. `None` when its time is over.
    pub(super) fn read(attributes: &Attributes, now: DateTime<Utc>) -> Result<Option<Self>, DatabaseError> {
        let expires = attributes.get(EXPIRES_MS).map(number).transpose()?;
        if expires.is_some_and(|end| end <= now.timestamp_millis()) {
            return Ok(None);
        }
        match attributes.get(VALUE) {
            Some(AttributeValue::B(value)) => Ok(Some(Self { value: value.as_ref().to_vec(), expires })),
            _ => Err(decode("the item has no binary attribute `value`")),
        }
    }

    /// The attributes beside the key.
    pub(super) fn attributes(value: &[u8], expires: Option<i64>) -> Attributes {
        let mut attributes = Attributes::from([(VALUE.to_owned(), bytes(value))]);
        if let Some(end) = expires {
            attributes.insert(EXPIRES_MS.to_owned(), AttributeValue::N(end.to_string()));
            let seconds = end.saturating_add(999).div_euclid(1_000);
            attributes.insert(EXPIRES.to_owned(), AttributeValue::N(seconds.to_string()));
        }
        attributes
    }

    /// How long it will be kept.
    pub(super) fn time_left(&self, now: DateTime<Utc>) -> Expiry {
        self.expires.map_or(Expiry::Never, |end| {
            let left = end.saturating_sub(now.timestamp_millis());
            Expiry::After(Duration::from_millis(left.try_into().unwrap_or_default()))
        })
    }
}

/// When a value that is put now ends, in milliseconds since 1970.
pub(super) fn end(expiry: Expiry, now: DateTime<Utc>) -> Option<i64> {
    match expiry {
        Expiry::Never => None,
        Expiry::After(time) => {
            let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1);
            Some(now.timestamp_millis().saturating_add(time))
        }
    }
}

/// A binary attribute.
pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// A moment as an attribute.
pub(super) fn moment(now: DateTime<Utc>) -> AttributeValue {
    AttributeValue::N(now.timestamp_millis().to_string())
}

fn number(attribute: &AttributeValue) -> Result<i64, DatabaseError> {
    let text = attribute.as_n().map_err(|_| decode("the attribute `expires_at_ms` is no number"))?;
    text.parse().map_err(|_| decode("the attribute `expires_at_ms` is no whole number"))
}

pub(super) fn decode(message: &str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Decode, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_000_000).unwrap()
    }

    #[test]
    fn an_item_reads_back_until_its_time_is_over() {
        let attributes = Item::attributes(b"x", end(Expiry::After(Duration::from_millis(1)), now()));
        assert_eq!(attributes[EXPIRES], AttributeValue::N("1001".to_owned()), "whole seconds, rounded up");
        let item = Item::read(&attributes, now()).unwrap().unwrap();
        assert_eq!(
            (item.value.as_slice(), item.time_left(now())),
            (&b"x"[..], Expiry::After(Duration::from_millis(1)))
        );
        assert_eq!(Item::read(&attributes, now() + Duration::from_millis(1)).unwrap(), None);
        let kept = Item::read(&Item::attributes(b"", None), now()).unwrap().unwrap();
        assert_eq!(kept.time_left(now()), Expiry::Never);
    }

    #[test]
    fn the_longest_time_is_never_over() {
        let end = end(Expiry::After(Duration::MAX), now());
        assert_eq!(end, Some(i64::MAX));
        assert!(Item::read(&Item::attributes(b"x", end), now()).unwrap().is_some());
    }

    #[test]
    fn what_is_no_value_is_told() {
        for attributes in [
            Attributes::new(),
            Attributes::from([(VALUE.to_owned(), AttributeValue::S("text".to_owned()))]),
            Attributes::from([(VALUE.to_owned(), bytes(b"x")), (EXPIRES_MS.to_owned(), AttributeValue::Bool(true))]),
        ] {
            let error = Item::read(&attributes, now()).unwrap_err();
            assert_eq!(error.kind(), &DatabaseErrorKind::Decode);
        }
    }
}

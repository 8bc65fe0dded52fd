//! Instants on the wire.

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant as every body shows it: RFC 3339 in UTC, always with six digits of a second.
pub(crate) fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

//! Cursors: where a page ended, opaque to the caller, good only for the list, the order and the filters it came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike as _, Timelike as _};
use sha2::{Digest as _, Sha256};
use shared_kernel::TenantId;
use shared_kernel::paging::{Direction, Limit, Position, SortKey};

use super::problem::{Fault, Problem, ProblemKind};
use super::query::Query;
use super::scope::Scope;

/// Raised when positions change their form, so that cursors of an older service are refused and not misread.
const CURSOR_VERSION: u8 = 1;
/// How much of the digest a cursor carries: enough to tell lists apart; a cursor is no secret and grants nothing.
const DIGEST_BYTES: usize = 12;
/// The longest cursor that is looked at: a sort key of 500 characters stays far below it.
const MAX_LENGTH: usize = 8 * 1024;

/// What a cursor is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Binding([u8; DIGEST_BYTES]);

impl Binding {
    /// Binds to a list, its order and its filters, each given or not.
    pub(crate) fn new(list: &str, sort: &str, filters: &[(&str, Option<&str>)]) -> Self {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            // Lengths go in front, so that no two lists of fields read the same.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        field(list);
        field(sort);
        for (name, value) in filters.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            field(name);
            field(value);
        }
        let mut digest = [0; DIGEST_BYTES];
        digest.copy_from_slice(&hash.finalize()[..DIGEST_BYTES]);
        Self(digest)
    }

    /// Binds to a list of one tenant as a query asks for it: every parameter counts but the page's own.
    pub(crate) fn of(list: &str, scope: &Scope, query: &Query, sort: &str, direction: Direction) -> Self {
        let sign = match direction {
            Direction::Ascending => "",
            Direction::Descending => "-",
        };
        let filters = query.given().filter(|(name, _)| !matches!(*name, "limit" | "cursor" | "sort"));
        let mut filters: Vec<(&str, Option<&str>)> = filters.map(|(name, value)| (name, Some(value))).collect();
        // No list has a parameter of this name, and a cursor without a tenant stays what it was.
        filters.push(("tenant", scope.0.tenant.as_ref().map(TenantId::as_str)));
        filters.sort_unstable();
        Self::new(list, &format!("{sign}{sort}"), &filters)
    }

    /// The cursor for a position of this list.
    pub(crate) fn cursor(&self, position: &Position) -> String {
        let mut bytes = vec![CURSOR_VERSION];
        bytes.extend_from_slice(&self.0);
        // A position is plain data, which always has a JSON form.
        bytes.extend(serde_json::to_vec(position).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position behind a cursor of this list.
    ///
    /// # Errors
    /// `invalid-cursor` for anything that [`Binding::cursor`] did not make for the same list, order and filters.
    pub(crate) fn position(&self, cursor: &str) -> Result<Position, Problem> {
        self.read(cursor).ok_or_else(|| {
            let message = "the cursor was not made for this list with this sort and these filters";
            Problem::new(ProblemKind::InvalidCursor, message).with_faults(vec![Fault::parameter(
                "cursor",
                "invalid_cursor",
                message,
            )])
        })
    }

    fn read(&self, cursor: &str) -> Option<Position> {
        if cursor.len() > MAX_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (digest, position) = rest.split_at_checked(DIGEST_BYTES)?;
        if *version != CURSOR_VERSION || digest != self.0 {
            return None;
        }
        let position: Position = serde_json::from_slice(position).ok()?;
        position.key.as_ref().is_none_or(storable).then_some(position)
    }
}

/// Whether a list can hold `key`. A cursor is not signed, so anybody can write one; what no column holds would reach the
/// engine, which answers with an error of its own.
fn storable(key: &SortKey) -> bool {
    match key {
        // Nothing that is sorted by may hold control characters, and PostgreSQL does not even compare with U+0000.
        SortKey::Text(text) => !text.chars().any(char::is_control),
        SortKey::Integer(_) => true,
        SortKey::Date(day) => (1000..=9999).contains(&day.year()),
        // Chrono writes a leap second as a second of more than 10⁹ nanoseconds; engines have none.
        SortKey::Instant(instant) => (1..=9999).contains(&instant.year()) && instant.nanosecond() < 1_000_000_000,
    }
}

/// The `limit` of a list.
pub(crate) fn limit(query: &mut Query) -> Limit {
    let parse = |text: &str| match text.parse::<u64>() {
        Ok(number) => Limit::try_new(number).map_err(|error| error.to_string()),
        Err(_) => Err(format!("a page has 1 to {} items", Limit::MAX)),
    };
    query.with("limit", "invalid_limit", parse).unwrap_or_default()
}

/// The `sort` of a list: one of `fields`, with `-` in front for descending.
pub(crate) fn sort<T>(
    query: &mut Query,
    fields: &[&str],
    by_name: impl Fn(&str) -> Option<T>,
) -> Option<(T, Direction)> {
    query.with("sort", "invalid_sort", |text| {
        let (direction, name) = match text.strip_prefix('-') {
            Some(name) => (Direction::Descending, name),
            None => (Direction::Ascending, text),
        };
        let sort = by_name(name).ok_or_else(|| format!("one of {}, with `-` in front to descend", fields.join(", ")));
        sort.map(|sort| (sort, direction))
    })
}

impl Query {
    /// Ends the reading of a list's query: first every fault, then the place that the cursor points to.
    pub(crate) fn finish_with_cursor(self, binding: &Binding) -> Result<Option<Position>, Problem> {
        let cursor = self.get("cursor").map(str::to_owned);
        self.finish()?;
        cursor.map(|cursor| binding.position(&cursor)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn position() -> Position {
        Position { key: Some(SortKey::Text("ada".to_owned())), id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let binding = Binding::new("users", "name", &[("q", Some("a")), ("status", None)]);
        let cursor = binding.cursor(&position());
        assert_eq!(binding.position(&cursor).expect("our own"), position());
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    }

    #[test]
    fn a_cursor_of_another_list_order_or_filter_is_refused() {
        let cursor = Binding::new("users", "name", &[("q", Some("a"))]).cursor(&position());
        for other in [
            Binding::new("books", "name", &[("q", Some("a"))]),
            Binding::new("users", "-name", &[("q", Some("a"))]),
            Binding::new("users", "name", &[("q", Some("b"))]),
            Binding::new("users", "name", &[("q", None)]),
            Binding::new("users", "nameqa", &[]),
        ] {
            assert_eq!(other.position(&cursor).expect_err("bound").kind(), ProblemKind::InvalidCursor);
        }
    }

    #[test]
    fn a_position_that_no_list_can_hold_is_refused() {
        let binding = Binding::new("users", "name", &[]);
        let accepted = |key: serde_json::Value| {
            let key = serde_json::from_value(key).expect("a key");
            let cursor = binding.cursor(&Position { key: Some(key), id: Uuid::from_u128(7) });
            let outcome = binding.position(&cursor).map_err(|problem| problem.kind());
            assert!(matches!(outcome, Ok(_) | Err(ProblemKind::InvalidCursor)), "{outcome:?}");
            outcome.is_ok()
        };
        for key in [
            json!({"text": "äpfel 🍎"}),
            json!({"date": "1000-01-01"}),
            json!({"date": "9999-12-31"}),
            json!({"instant": "0001-01-01T00:00:00Z"}),
            json!({"instant": "9999-12-31T23:59:59.999999Z"}),
        ] {
            assert!(accepted(key.clone()), "{key}");
        }
        for key in [
            json!({"text": "a\0"}),
            json!({"text": "a\nb"}),
            json!({"text": "\u{85}"}),
            json!({"date": "0999-12-31"}),
            json!({"date": "+10000-01-01"}),
            json!({"instant": "0000-12-31T23:59:59Z"}),
            json!({"instant": "+10000-01-01T00:00:00Z"}),
            json!({"instant": "2016-12-31T23:59:60Z"}),
        ] {
            assert!(!accepted(key.clone()), "{key}");
        }
    }

    #[test]
    fn junk_is_refused() {
        let binding = Binding::new("users", "name", &[]);
        let good = binding.cursor(&position());
        for cursor in ["", "!", "AAAA", &good[..good.len() - 2], &"A".repeat(MAX_LENGTH + 1), &format!("{good}=")] {
            assert!(binding.position(cursor).is_err(), "{cursor}");
        }
    }
}

//! Lists in pages: how many items, in which order, and where the last page ended.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::validation::Fault;

/// How many items a page may have: 1 to 200, 50 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit(u16);

/// A number that is no [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a page has 1 to {max} items, not {0}", max = Limit::MAX)]
pub struct LimitError(u64);

impl Fault for LimitError {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl Limit {
    /// The most items of a page.
    pub const MAX: u16 = 200;

    /// A limit by its number.
    ///
    /// # Errors
    /// [`LimitError`] outside 1 to 200.
    pub fn try_new(number: u64) -> Result<Self, LimitError> {
        match u16::try_from(number) {
            Ok(limit @ 1..=Self::MAX) => Ok(Self(limit)),
            _ => Err(LimitError(number)),
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// Which end of an order comes first. What has no value comes last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The smallest first.
    #[default]
    Ascending,
    /// The largest first.
    Descending,
}

/// The value by which an item stands where it stands in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortKey {
    /// A folded text, compared by code points.
    Text(String),
    /// A whole number, money in minor units included.
    Integer(i64),
    /// A day.
    Date(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// The place of an item in a list: the value it is sorted by (`None`: it has none) and, among equals, its id.
///
/// The next page begins behind it, whatever was written or deleted meanwhile. It can be serialized; whoever hands it
/// out takes it back only together with the order and the filters that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The value that the list is sorted by.
    pub key: Option<SortKey>,
    /// The item's id.
    pub id: Uuid,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P = Position> {
    /// The items in the order asked for.
    pub items: Vec<T>,
    /// The position of the last item, when more follow.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// Makes a page of up to one item more than `limit`: the one more only shows that the list goes on.
    pub fn cut(mut rows: Vec<T>, limit: Limit, position: impl FnOnce(&T) -> P) -> Self {
        let limit = usize::from(limit.get());
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(position) } else { None };
        Self { items: rows, next }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U, P> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

impl<T, P, E> Page<T, Result<P, E>> {
    /// The same page with other items, where position and items can be wrong.
    ///
    /// # Errors
    /// The position's, or that of the first item that `change` refuses.
    pub fn try_map<U>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U, P>, E> {
        Ok(Page { next: self.next.transpose()?, items: self.items.into_iter().map(change).collect::<Result<_, E>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_bounds_and_a_default() {
        assert_eq!(Limit::default().get(), 50);
        assert_eq!(Limit::try_new(200).map(Limit::get), Ok(200));
        for number in [0, 201, u64::MAX] {
            let error = Limit::try_new(number).expect_err("out of range");
            assert_eq!(error.to_string(), format!("a page has 1 to 200 items, not {number}"));
            assert_eq!(error.code(), "out_of_range");
        }
    }

    #[test]
    fn the_surplus_row_only_tells_that_more_follow() {
        let limit = Limit::try_new(2).expect("a limit");
        let full = Page::cut(vec![1, 2, 3], limit, |item| *item);
        assert_eq!(full, Page { items: vec![1, 2], next: Some(2) });
        let last = Page::cut(vec![1, 2], limit, |item| *item);
        assert_eq!(last.map(|item| item * 10), Page { items: vec![10, 20], next: None });
    }

    #[test]
    fn positions_survive_a_round_trip() {
        let instant = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("an instant");
        let date = NaiveDate::from_ymd_opt(1869, 5, 1);
        for key in [
            None,
            Some(SortKey::Text("krieg und frieden".to_owned())),
            Some(SortKey::Integer(i64::MIN)),
            date.map(SortKey::Date),
            Some(SortKey::Instant(instant)),
        ] {
            let position = Position { key, id: Uuid::from_u128(7) };
            let text = serde_json::to_string(&position).expect("a position");
            assert_eq!(serde_json::from_str::<Position>(&text).expect("a position"), position);
        }
    }
}

use shared_kernel::paging::{Direction, Limit, Position, SortKey};
use shared_kernel::text::SearchTerm;

use super::{AuthorName, Currency, Language, MixedCurrencies, Price, PublicationDate};

/// By what a list of books can be sorted. Books without the value come last in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BookSort {
    /// By title, without case.
    Title,
    /// By the day of publication.
    PublishedOn,
    /// By the number of pages.
    Pages,
    /// By price, which needs one currency to compare in.
    Price,
    /// By the instant of entry.
    #[default]
    CreatedAt,
    /// By the instant of the last change.
    UpdatedAt,
}

impl BookSort {
    /// Every order.
    pub const ALL: [Self; 6] =
        [Self::Title, Self::PublishedOn, Self::Pages, Self::Price, Self::CreatedAt, Self::UpdatedAt];

    /// The field's name: `title`, `published_on`, `pages`, `price`, `created_at` or `updated_at`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::PublishedOn => "published_on",
            Self::Pages => "pages",
            Self::Price => "price",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// The order by a field's name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// Whether a position can belong to a list in this order.
    pub const fn accepts(self, position: &Position) -> bool {
        match self {
            Self::Title => matches!(position.key, Some(SortKey::Text(_))),
            Self::PublishedOn => matches!(position.key, None | Some(SortKey::Date(_))),
            Self::Pages => matches!(position.key, None | Some(SortKey::Integer(_))),
            // The currency that the order needs leaves only books that have a price.
            Self::Price => matches!(position.key, Some(SortKey::Integer(_))),
            Self::CreatedAt | Self::UpdatedAt => matches!(position.key, Some(SortKey::Instant(_))),
        }
    }
}

/// Prices of one currency between two bounds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceRange {
    currency: Currency,
    min: Option<i64>,
    max: Option<i64>,
}

impl PriceRange {
    /// All prices of a currency that are at least `min` and at most `max`.
    ///
    /// # Errors
    /// [`MixedCurrencies`] when a bound is in another currency.
    pub fn try_new(currency: Currency, min: Option<Price>, max: Option<Price>) -> Result<Self, MixedCurrencies> {
        if min.iter().chain(&max).all(|bound| bound.currency() == currency) {
            Ok(Self { currency, min: min.map(Price::minor_units), max: max.map(Price::minor_units) })
        } else {
            Err(MixedCurrencies)
        }
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The lower bound in minor units.
    pub const fn min_minor_units(&self) -> Option<i64> {
        self.min
    }

    /// The upper bound in minor units.
    pub const fn max_minor_units(&self) -> Option<i64> {
        self.max
    }
}

/// Which books are listed: those that everything given holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct BookFilter {
    /// Those whose title, authors or ISBN (thirteen digits) hold this.
    pub q: Option<SearchTerm>,
    /// Those with an author of this whole name, whatever its case.
    pub author: Option<AuthorName>,
    /// Those with exactly this language tag; `en` does not stand for `en-GB`.
    pub language: Option<Language>,
    /// Those that came out on this day or later.
    pub published_from: Option<PublicationDate>,
    /// Those that came out on this day or earlier.
    pub published_to: Option<PublicationDate>,
    /// Those with a price in this currency, and in this range of it.
    pub price: Option<PriceRange>,
}

/// A page of a list of books: which ones, in which order, from where, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct BookList {
    /// Which books.
    pub filter: BookFilter,
    /// In which order; among equals by id.
    pub sort: BookSort,
    /// From which end.
    pub direction: Direction,
    /// Behind which position; from the beginning when there is none.
    pub after: Option<Position>,
    /// How many.
    pub limit: Limit,
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use uuid::Uuid;

    use super::*;
    use crate::domain::Amount;

    #[test]
    fn orders_are_found_by_their_names() {
        for sort in BookSort::ALL {
            assert_eq!(BookSort::by_name(sort.as_str()), Some(sort));
        }
        assert_eq!(BookSort::by_name("isbn"), None);
    }

    #[test]
    fn a_position_belongs_to_one_kind_of_order() {
        let keys = [
            Some(SortKey::Text("a".to_owned())),
            Some(SortKey::Date(NaiveDate::MIN)),
            Some(SortKey::Integer(1)),
            Some(SortKey::Instant(DateTime::UNIX_EPOCH)),
            None,
        ];
        let accepted = |sort: BookSort| {
            let accepts = |key: &Option<SortKey>| sort.accepts(&Position { key: key.clone(), id: Uuid::nil() });
            keys.iter().map(accepts).collect::<Vec<_>>()
        };
        assert_eq!(accepted(BookSort::Title), [true, false, false, false, false]);
        assert_eq!(accepted(BookSort::PublishedOn), [false, true, false, false, true]);
        assert_eq!(accepted(BookSort::Pages), [false, false, true, false, true]);
        assert_eq!(accepted(BookSort::Price), [false, false, true, false, false]);
        assert_eq!(accepted(BookSort::CreatedAt), [false, false, false, true, false]);
        assert_eq!(accepted(BookSort::UpdatedAt), [false, false, false, true, false]);
    }

    #[test]
    fn bounds_are_in_the_currency_of_their_range() {
        let [eur, usd] = ["EUR", "USD"].map(|code| Currency::parse(code).expect("a currency"));
        let five = Price::try_new(Amount::parse("5.00").expect("an amount"), eur).expect("a price");
        let range = PriceRange::try_new(eur, Some(five), None).expect("a range");
        assert_eq!((range.currency(), range.min_minor_units(), range.max_minor_units()), (eur, Some(500), None));
        assert_eq!(PriceRange::try_new(usd, None, Some(five)), Err(MixedCurrencies));
    }
}

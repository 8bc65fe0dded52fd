use super::{Currency, Language, Price};

/// How many books there are, and what they cost on average.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookStatistics {
    /// All books.
    pub books: u64,
    /// The books of each language, decade and currency that occur together, in that order; what has no value comes
    /// last.
    pub groups: Vec<StatisticsGroup>,
}

/// The books that have language, decade and currency in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsGroup {
    /// Their language.
    pub language: Option<Language>,
    /// The first year of the decade they came out in, such as 1990.
    pub decade: Option<i32>,
    /// The currency of their prices; `None` for books without a price.
    pub currency: Option<Currency>,
    /// How many they are.
    pub books: u64,
    /// What they cost on average, rounded half to even to the currency's decimals.
    pub average_price: Option<Price>,
}

impl BookStatistics {
    /// Sums up groups and puts them in order: engines neither agree on where `NULL` stands nor need to.
    pub fn of(mut groups: Vec<StatisticsGroup>) -> Self {
        fn last<T>(value: Option<T>) -> (bool, Option<T>) {
            (value.is_none(), value)
        }
        groups.sort_by(|one, other| {
            last(one.language.as_ref())
                .cmp(&last(other.language.as_ref()))
                .then_with(|| last(one.decade).cmp(&last(other.decade)))
                .then_with(|| last(one.currency).cmp(&last(other.currency)))
        });
        Self { books: groups.iter().map(|group| group.books).sum(), groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(language: Option<&str>, decade: Option<i32>, currency: Option<&str>) -> StatisticsGroup {
        StatisticsGroup {
            language: language.map(|tag| Language::parse(tag).expect("a tag")),
            decade,
            currency: currency.map(|code| Currency::parse(code).expect("a currency")),
            books: 2,
            average_price: None,
        }
    }

    #[test]
    fn groups_stand_in_order_with_what_is_unknown_last() {
        let ordered = vec![
            group(Some("de"), Some(1990), Some("EUR")),
            group(Some("de"), Some(1990), Some("USD")),
            group(Some("de"), Some(1990), None),
            group(Some("de"), Some(2000), Some("EUR")),
            group(Some("de"), None, Some("EUR")),
            group(Some("en"), Some(1980), None),
            group(None, Some(1970), None),
            group(None, None, None),
        ];
        let mut shuffled = ordered.clone();
        shuffled.reverse();
        shuffled.swap(1, 5);
        assert_eq!(BookStatistics::of(shuffled), BookStatistics { books: 16, groups: ordered });
        assert_eq!(BookStatistics::of(Vec::new()), BookStatistics::default());
    }
}

use shared_kernel::validation::Violations;

use super::{
    Amount, Authors, BookDetails, Currency, Description, Isbn, Language, PageCount, Price, PublicationDate, Title,
};

/// What shall become of a detail that a book need not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    fn applied_to(self, present: Option<&T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Keep => present.cloned(),
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// What shall be different about a book; the rest stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookChanges {
    /// What it shall be called.
    pub title: Option<Title>,
    /// Who wrote it.
    pub authors: Option<Authors>,
    /// Its number.
    pub isbn: Option<Isbn>,
    /// When it came out.
    pub published_on: Change<PublicationDate>,
    /// How many pages it has.
    pub pages: Change<PageCount>,
    /// The language it is written in.
    pub language: Change<Language>,
    /// What it costs.
    pub price: Change<PriceChange>,
    /// What it is about.
    pub description: Change<Description>,
}

/// What shall be different about a price: the amount, the currency, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PriceChange {
    /// The amount, in the currency that the price then has.
    pub amount: Option<Amount>,
    /// The currency.
    pub currency: Option<Currency>,
}

impl BookChanges {
    /// The details with the changes in them.
    ///
    /// # Errors
    /// The violations at `/price`: an amount or a currency that is missing, or that do not fit each other.
    pub fn applied_to(self, present: &BookDetails) -> Result<BookDetails, Violations> {
        let price = match self.price {
            Change::Keep => present.price,
            Change::Clear => None,
            Change::Set(change) => Some(change.applied_to(present.price)?),
        };
        Ok(BookDetails {
            title: self.title.unwrap_or_else(|| present.title.clone()),
            authors: self.authors.unwrap_or_else(|| present.authors.clone()),
            isbn: self.isbn.unwrap_or(present.isbn),
            published_on: self.published_on.applied_to(present.published_on.as_ref()),
            pages: self.pages.applied_to(present.pages.as_ref()),
            language: self.language.applied_to(present.language.as_ref()),
            price,
            description: self.description.applied_to(present.description.as_ref()),
        })
    }
}

impl PriceChange {
    fn applied_to(self, present: Option<Price>) -> Result<Price, Violations> {
        let mut violations = Violations::new();
        let amount = self.amount.or(present.map(Price::amount));
        let currency = self.currency.or(present.map(Price::currency));
        if amount.is_none() {
            violations.add("/price/amount", "required", "`amount` is missing, and the book has no price yet");
        }
        if currency.is_none() {
            violations.add("/price/currency", "required", "`currency` is missing, and the book has no price yet");
        }
        let price = amount
            .zip(currency)
            .and_then(|(amount, currency)| violations.check("/price/amount", Price::try_new(amount, currency)));
        violations.into_result(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AuthorName;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a currency")
    }

    fn amount(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    fn price(text: &str, code: &str) -> Option<Price> {
        Price::try_new(amount(text), currency(code)).ok()
    }

    fn present() -> BookDetails {
        BookDetails {
            title: Title::parse("A title").expect("a title"),
            authors: Authors::try_new(vec![AuthorName::parse("Ann").expect("a name")]).expect("authors"),
            isbn: Isbn::parse("9783161484100").expect("an ISBN"),
            published_on: PublicationDate::parse("2000-01-01").ok(),
            pages: PageCount::try_new(7).ok(),
            language: Language::parse("en").ok(),
            price: price("5.00", "EUR"),
            description: Description::parse("A text").ok(),
        }
    }

    fn priced(change: PriceChange, before: Option<Price>) -> Result<Option<Price>, Vec<(String, &'static str)>> {
        let changes = BookChanges { price: Change::Set(change), ..BookChanges::default() };
        let places = |faults: Violations| faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect();
        changes.applied_to(&BookDetails { price: before, ..present() }).map(|details| details.price).map_err(places)
    }

    #[test]
    fn nothing_named_is_nothing_changed() {
        assert_eq!(BookChanges::default().applied_to(&present()), Ok(present()));
    }

    #[test]
    fn what_a_book_need_not_have_can_be_taken_away() {
        let changes = BookChanges {
            published_on: Change::Clear,
            pages: Change::Clear,
            language: Change::Clear,
            price: Change::Clear,
            description: Change::Clear,
            ..BookChanges::default()
        };
        let bare = BookDetails {
            published_on: None,
            pages: None,
            language: None,
            price: None,
            description: None,
            ..present()
        };
        assert_eq!(changes.applied_to(&present()), Ok(bare));
    }

    #[test]
    fn everything_can_be_set() {
        let other = BookDetails {
            title: Title::parse("Another").expect("a title"),
            authors: Authors::try_new(vec![AuthorName::parse("Bob").expect("a name")]).expect("authors"),
            isbn: Isbn::parse("0306406152").expect("an ISBN"),
            published_on: PublicationDate::parse("1999-01-01").ok(),
            pages: PageCount::try_new(8).ok(),
            language: Language::parse("de").ok(),
            price: price("6", "JPY"),
            description: Description::parse("Another text").ok(),
        };
        let set = other.clone();
        let changes = BookChanges {
            title: Some(set.title),
            authors: Some(set.authors),
            isbn: Some(set.isbn),
            published_on: set.published_on.map_or(Change::Keep, Change::Set),
            pages: set.pages.map_or(Change::Keep, Change::Set),
            language: set.language.map_or(Change::Keep, Change::Set),
            price: Change::Set(PriceChange { amount: Some(amount("6")), currency: Some(currency("JPY")) }),
            description: set.description.map_or(Change::Keep, Change::Set),
        };
        assert_eq!(changes.applied_to(&present()), Ok(other));
    }

    #[test]
    fn one_half_of_a_price_keeps_the_other() {
        let before = price("5.00", "EUR");
        let dearer = PriceChange { amount: Some(amount("6.50")), currency: None };
        assert_eq!(priced(dearer, before), Ok(price("6.50", "EUR")));
        let dollars = PriceChange { amount: None, currency: Some(currency("USD")) };
        assert_eq!(priced(dollars, before), Ok(price("5.00", "USD")));
        assert_eq!(priced(PriceChange::default(), before), Ok(before));
    }

    #[test]
    fn halves_that_do_not_fit_are_refused_where_they_stand() {
        let yen = PriceChange { amount: None, currency: Some(currency("JPY")) };
        assert_eq!(priced(yen, price("5.00", "EUR")), Err(vec![("/price/amount".to_owned(), "wrong_decimals")]));
        assert_eq!(priced(yen, None), Err(vec![("/price/amount".to_owned(), "required")]));
        let five = PriceChange { amount: Some(amount("5")), currency: None };
        assert_eq!(priced(five, None), Err(vec![("/price/currency".to_owned(), "required")]));
        assert_eq!(priced(PriceChange::default(), None).map_err(|faults| faults.len()), Err(2));
    }
}

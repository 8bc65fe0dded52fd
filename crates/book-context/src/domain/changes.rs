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
            violations.add("/price/amount", "required", "is missing, and the book has no price yet");
        }
        if currency.is_none() {
            violations.add("/price/currency", "required", "is missing, and the book has no price yet");
        }
        let price = amount
            .zip(currency)
            .and_then(|(amount, currency)| violations.check("/price/amount", Price::try_new(amount, currency)));
        violations.into_result(price)
    }
}

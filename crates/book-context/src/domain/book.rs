use chrono::{DateTime, Utc};
use shared_kernel::Version;
use shared_kernel::validation::Violations;

use super::{Authors, BookChanges, Description, Isbn, Language, PageCount, Price, PublicationDate, Title};

shared_kernel::typed_id! {
    /// Identifies a book (UUID version 7).
    pub struct BookId;
}

/// What a caller may say about a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDetails {
    /// What it is called.
    pub title: Title,
    /// Who wrote it.
    pub authors: Authors,
    /// Its number; no other book may have it.
    pub isbn: Isbn,
    /// When it came out.
    pub published_on: Option<PublicationDate>,
    /// How many pages it has.
    pub pages: Option<PageCount>,
    /// The language it is written in.
    pub language: Option<Language>,
    /// What it costs.
    pub price: Option<Price>,
    /// What it is about.
    pub description: Option<Description>,
}

/// A book of the library.
///
/// The verbs that change a book say whether they changed anything; only then does the version go up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book(BookRecord);

/// All that is known of a book, laid open: for repositories and for what shows books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRecord {
    /// Which book it is.
    pub id: BookId,
    /// What was said about it.
    pub details: BookDetails,
    /// How often the book was written.
    pub version: Version,
    /// When the book was entered.
    pub created_at: DateTime<Utc>,
    /// When the book was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Book {
    /// A new book.
    pub const fn enter(id: BookId, details: BookDetails, now: DateTime<Utc>) -> Self {
        Self(BookRecord { id, details, version: Version::FIRST, created_at: now, updated_at: now })
    }

    /// A book that was kept somewhere.
    pub const fn restore(record: BookRecord) -> Self {
        Self(record)
    }

    /// Puts other details in the place of the present ones and says whether that changed anything.
    ///
    /// The version goes up by one and `updated_at` moves on only when it did.
    pub fn replace(&mut self, details: BookDetails, now: DateTime<Utc>) -> bool {
        if details == self.0.details {
            return false;
        }
        self.0.details = details;
        self.0.version = self.0.version.next();
        // A clock that was set back does not make a change older than the one before it.
        self.0.updated_at = now.max(self.0.updated_at);
        true
    }

    /// Changes some details and says whether that changed anything.
    ///
    /// # Errors
    /// The violations, when a part of the price does not fit the other part. The book is as it was then.
    pub fn amend(&mut self, changes: BookChanges, now: DateTime<Utc>) -> Result<bool, Violations> {
        let details = changes.applied_to(&self.0.details)?;
        Ok(self.replace(details, now))
    }

    /// Which book it is.
    pub const fn id(&self) -> BookId {
        self.0.id
    }

    /// What was said about it.
    pub const fn details(&self) -> &BookDetails {
        &self.0.details
    }

    /// How often the book was written.
    pub const fn version(&self) -> Version {
        self.0.version
    }

    /// When the book was entered.
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the book was last changed.
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// All that is known of the book.
    pub const fn record(&self) -> &BookRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AuthorName, Change, PriceChange};

    fn details(title: &str) -> BookDetails {
        BookDetails {
            title: Title::parse(title).expect("a title"),
            authors: Authors::try_new(vec![AuthorName::parse("Ann").expect("a name")]).expect("authors"),
            isbn: Isbn::parse("9783161484100").expect("an ISBN"),
            published_on: None,
            pages: None,
            language: None,
            price: None,
            description: None,
        }
    }

    fn book() -> Book {
        Book::enter(BookId::new(Uuid::from_u128(1)), details("First"), DateTime::UNIX_EPOCH)
    }

    fn later() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1)
    }

    #[test]
    fn a_new_book_is_at_its_first_version() {
        let book = book();
        assert_eq!((book.id().uuid(), book.version()), (Uuid::from_u128(1), Version::FIRST));
        assert_eq!((book.created_at(), book.updated_at()), (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH));
        assert_eq!(Book::restore(book.record().clone()), book);
    }

    #[test]
    fn only_a_change_is_a_new_version() {
        let mut book = book();
        assert!(!book.replace(details("First"), later()));
        assert_eq!(book, super::tests::book());
        assert!(book.replace(details("Second"), later()));
        assert_eq!((book.version().get(), book.updated_at()), (2, later()));
        // Time never runs backwards for a book.
        assert!(book.replace(details("Third"), DateTime::UNIX_EPOCH));
        assert_eq!((book.version().get(), book.updated_at()), (3, later()));
        assert_eq!(book.details(), &details("Third"));
    }

    #[test]
    fn a_refused_amendment_leaves_the_book_as_it_was() {
        let mut book = book();
        let price = Change::Set(PriceChange::default());
        assert!(book.amend(BookChanges { price, ..BookChanges::default() }, later()).is_err());
        assert_eq!(book, super::tests::book());
        assert_eq!(book.amend(BookChanges::default(), later()), Ok(false));
        let title = Title::parse("Second").ok();
        assert_eq!(book.amend(BookChanges { title, ..BookChanges::default() }, later()), Ok(true));
        assert_eq!(book.version().get(), 2);
    }
}

//! What a book is, and the port through which books are kept.

mod amount;
mod author;
mod book;
mod changes;
mod currency;
mod description;
mod isbn;
mod language;
mod list;
mod page_count;
mod price;
mod publication_date;
mod repository;
mod statistics;
mod title;

pub use amount::{Amount, AmountError};
pub use author::{AuthorName, AuthorNameError, Authors, AuthorsError};
pub use book::{Book, BookDetails, BookId, BookRecord};
pub use changes::{BookChanges, Change, PriceChange};
pub use currency::{Currency, CurrencyError};
pub use description::{Description, DescriptionError};
pub use isbn::{Isbn, IsbnError};
pub use language::{Language, LanguageError};
pub use list::{BookFilter, BookList, BookSort, PriceRange};
pub use page_count::{PageCount, PageCountError};
pub use price::{MixedCurrencies, Price, PriceError};
pub use publication_date::{PublicationDate, PublicationDateError};
pub use repository::{AddBookError, BookRepository, UpdateBookError};
pub use statistics::{BookStatistics, StatisticsGroup};
pub use title::{Title, TitleError};

//! What can be done with books: one use case a file.
//!
//! Every use case takes its ports in the constructor and has one method, `execute`. Dropping its future is safe: a
//! write took effect as a whole or not at all.

mod change;
mod create_book;
mod delete_book;
mod patch_book;
mod queries;
mod replace_book;
#[cfg(test)]
mod test_support;

pub use change::ChangeBookError;
pub use create_book::{CreateBook, CreateBookError};
pub use delete_book::{DeleteBook, DeleteBookCommand, DeleteBookError};
pub use patch_book::{PatchBook, PatchBookCommand};
pub use queries::{ListBooks, ListBooksError, ReadBook, ReadBookError, ReadStatistics, ReadStatisticsError};
pub use replace_book::{ReplaceBook, ReplaceBookCommand};

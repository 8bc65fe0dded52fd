//! Books in a SQL database, reached through the kernel's connection traits alone.

mod authors;
mod filter;
mod rows;
mod sql_book_repository;
mod statements;
mod statistics;

pub use sql_book_repository::SqlBookRepository;

//! Users in a SQL database, reached through the kernel's connection traits alone.

mod rows;
mod sql_user_repository;
mod statements;

pub use sql_user_repository::SqlUserRepository;

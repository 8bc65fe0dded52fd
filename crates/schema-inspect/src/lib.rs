#![doc = include_str!("../README.md")]

mod cells;
mod error;
mod gaps;
mod inspector;
mod mysql;
mod options;
mod postgres;
mod sqlite;
mod stages;
mod statement;

pub use error::InspectError;
pub use inspector::{Inspector, Inspectors};
pub use mysql::MySqlInspector;
pub use options::InspectOptions;
pub use postgres::PostgresInspector;
pub use sqlite::SqliteInspector;

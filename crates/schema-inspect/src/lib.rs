#![doc = include_str!("../README.md")]

mod asking;
mod cells;
mod dynamodb;
mod error;
mod gaps;
mod inspector;
mod mongodb;
mod mysql;
mod options;
mod postgres;
mod redis;
mod sampling;
mod sqlite;
mod sqlserver;
mod stages;
mod stamp;
mod statement;

pub use dynamodb::DynamoDbInspector;
pub use error::InspectError;
pub use inspector::{Inspector, Inspectors, Meant, NamingError};
pub use mongodb::MongoDbInspector;
pub use mysql::MySqlInspector;
pub use options::{InspectOptions, SamplingOptions};
pub use postgres::PostgresInspector;
pub use redis::RedisInspector;
pub use sqlite::SqliteInspector;
pub use sqlserver::SqlServerInspector;
pub use stamp::{Look, Stamp};

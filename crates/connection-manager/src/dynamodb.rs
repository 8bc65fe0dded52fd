//! DynamoDB: the kernel's key-value capability over one table, what is told of all tables, and the SDK's client for everything else.

mod bounded;
mod connection;
mod description;
mod driver;
mod error;
mod item;
mod key_value;
mod only_reads;
mod rights;
mod session;
mod shape;
mod table;
mod tables;

pub use aws_sdk_dynamodb as driver_crate;

pub use self::connection::DynamoDbConnection;
pub use self::driver::{DynamoDbDriver, DynamoDbOptions};
pub(crate) use self::rights::{Rights, Tried};
pub use self::session::DynamoDbSession;

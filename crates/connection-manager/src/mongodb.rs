//! MongoDB: the kernel's document capability, and the driver's client for everything else.

mod bson;
mod client;
mod connection;
mod documents;
mod driver;
mod error;
mod options;
#[cfg(unix)]
mod relay;
mod scout;
mod session;
mod standing;

pub use ::mongodb as driver_crate;

pub use self::connection::MongoDbConnection;
pub use self::driver::MongoDbDriver;
pub(crate) use self::driver::PORT;
pub use self::options::{MongoDbOptions, Servers};
pub use self::session::MongoDbSession;
pub use crate::node::Node;

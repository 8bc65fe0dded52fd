//! Redis: the kernel's key-value capability, and the one to look around among keys, over the same pool as the SQL engines.

mod cluster;
mod connection;
mod driver;
mod error;
mod key_value;
mod keyspace;
mod node;
mod options;
mod reading;
mod session;

pub use ::redis as driver_crate;

pub use self::connection::RedisConnection;
pub use self::driver::RedisDriver;
pub use self::node::NodeConnection;
pub use self::options::RedisOptions;
pub use self::session::{Link, RedisSession};
pub use crate::node::Node;

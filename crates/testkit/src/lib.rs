#![doc = include_str!("../README.md")]

pub mod contract;
mod database;
pub mod dynamodb;
mod fakes;
pub mod mongodb;
#[cfg(feature = "mongodb-bridge")]
pub mod mongodb_bridge;
mod own_server;
pub mod pair;
mod port;
pub mod proxy;
pub mod redis;
pub mod rogue;
mod run;
mod server;
mod sqlalchemy;
pub mod tds;
mod transcript;

pub use database::{TestDatabase, connect, in_memory, manager};
pub use fakes::{FakeClock, SequentialIds};
pub use own_server::OwnServer;
pub use port::{SilentPort, free_port};
pub use run::{eventually, eventually_some, run};
pub use server::Server;
pub use sqlalchemy::{ask_python, ask_sqlalchemy, sqlalchemy_url};
pub use transcript::{Transcript, note_tsql, note_tsql_text};

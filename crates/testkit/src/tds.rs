#![doc = include_str!("tds/README.md")]

mod answer;
mod cursor;
mod login;
mod packet;
mod request;
mod script;
mod server;
mod session;
mod socket;
mod state;
mod tls;
mod token;
mod transaction;
mod value;

pub use answer::VERSION;
pub use login::Login;
pub use request::{Parameter, Statement, Via};
pub use script::{Answer, Gate, Matcher, Reply, ResultSet, ServerMessage};
pub use server::{StartError, TdsServer, TdsServerBuilder, TooLate};
pub use state::{Admission, Connections, Ending, Received};
pub use tls::Tls;
pub use value::{Column, Length, TdsType, TdsValue};

#[cfg(test)]
mod tests;

//! Connections from one TOML file and the environment.

pub mod duration;
pub mod suggest;

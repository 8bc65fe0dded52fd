#![doc = include_str!("../README.md")]

pub mod application;
pub mod cli;
mod commands;
pub mod config;
pub mod data_folder;
mod gate;
mod plugins;
mod readiness;
pub mod registry;
pub mod rest;
mod state;
pub mod telemetry;
pub mod terminal;

pub use application::{Application, ApplicationError};
pub use commands::run;
pub use config::Config;
pub use plugins::Plugins;

/// The service's name in log lines.
pub(crate) const SERVICE: &str = "bindery-api";

//! What each command of the binary does, one a file.

mod config;
mod connections;
mod inspect;
mod migrate;
mod registry;
mod secrets;
mod seed;
mod serve;

use std::io::Write as _;

use crate::Plugins;
use crate::cli::{Cli, Command, ConfigCommand};
use crate::registry::Exports;

/// Does what the arguments say, with what was brought along.
///
/// # Errors
/// What went wrong, for the person who typed the command.
pub async fn run(cli: Cli, plugins: &Plugins) -> anyhow::Result<()> {
    match cli.command {
        None => serve::run(cli.serve, plugins).await,
        Some(Command::Serve(arguments)) => serve::run(arguments, plugins).await,
        Some(Command::Config(ConfigCommand::Check(arguments))) => config::check(&arguments, plugins),
        Some(Command::Migrate(arguments)) => migrate::run(arguments, plugins).await,
        Some(Command::Connections(arguments)) => connections::run(arguments, plugins).await,
        Some(Command::Inspect(arguments)) => inspect::run(arguments, plugins).await,
        Some(Command::Secrets(arguments)) => secrets::run(arguments, plugins).await,
        Some(Command::Registry(arguments)) => registry::run(arguments, plugins).await,
        Some(Command::Openapi) => {
            say(crate::rest::openapi::document_text_with(&Exports::new(plugins)).trim_end());
            Ok(())
        }
        Some(Command::Seed(arguments)) => seed::run(arguments, plugins).await,
    }
}

/// Writes a line to standard output. Nobody is left to tell when that fails.
fn say(line: impl std::fmt::Display) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

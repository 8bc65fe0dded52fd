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

use crate::cli::{Cli, Command, ConfigCommand};

/// Does what the arguments say.
///
/// # Errors
/// What went wrong, for the person who typed the command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Serve(arguments)) => serve::run(arguments).await,
        Some(Command::Config(ConfigCommand::Check(arguments))) => config::check(&arguments),
        Some(Command::Migrate(arguments)) => migrate::run(arguments).await,
        Some(Command::Connections(arguments)) => connections::run(arguments).await,
        Some(Command::Inspect(arguments)) => inspect::run(arguments, &inspect::Tools::builtin()).await,
        Some(Command::Secrets(arguments)) => secrets::run(arguments).await,
        Some(Command::Registry(arguments)) => registry::run(arguments).await,
        Some(Command::Openapi) => {
            say(crate::rest::openapi::document_text().trim_end());
            Ok(())
        }
        Some(Command::Seed(arguments)) => seed::run(arguments).await,
    }
}

/// Writes a line to standard output. Nobody is left to tell when that fails.
fn say(line: impl std::fmt::Display) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}
